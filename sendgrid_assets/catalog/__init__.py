"""What exists, as data: tables, columns, where SendGrid keeps them, and which event types there are.

Belongs here: facts about SendGrid's collections and our tables. Does not: asking SendGrid (`api`), SQL
(`warehouse`), or anything of Dagster. This room imports nothing of ours, so every other room may read it.
"""
