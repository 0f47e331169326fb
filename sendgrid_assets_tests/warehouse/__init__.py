"""Tests of how rows are kept, on real DuckDB files and real landing directories."""
