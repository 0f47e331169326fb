"""What exists, as data."""
