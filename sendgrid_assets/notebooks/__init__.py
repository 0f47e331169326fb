"""Ready notebooks on the published file; `python -m sendgrid_assets.notebooks` copies them into the working directory.

Belongs here: the notebooks, and what they share. Does not: what the numbers mean (`catalog.insights`).
"""
