"""SendGrid's data in DuckDB, through Dagster.

`definitions` is what Dagster loads, `settings` what the environment says, `cli` the command. The core rooms
(`catalog`, `api`, `webhook`, `warehouse`, `simulator`) work without Dagster; `defs` is Dagster's face on
them.
Nothing but this text belongs here: importing the package must cost nothing.
"""
