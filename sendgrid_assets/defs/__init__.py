"""Dagster's face: assets, I/O managers, resources, checks, schedule and sensor, and how they are assembled.

Belongs here: what needs Dagster, thin. Does not: asking SendGrid, SQL, files (`api`, `warehouse`, `webhook`).
`build.build_definitions` is the one way in.
"""
