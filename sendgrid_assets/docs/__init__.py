"""What does not fit README, and what in README is written by the code.

Belongs here: documents and their generators. Does not: anything the pipeline needs.
"""
