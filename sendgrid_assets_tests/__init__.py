"""Tests, in the rooms' own order."""
