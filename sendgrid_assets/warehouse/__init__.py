"""How rows are kept: all SQL, the one writer, and the file people query.

Belongs here: DuckDB, from opening the file to publishing a copy. Does not: asking SendGrid (`api`), receiving
events (`webhook`), Dagster (`defs`).
"""
