"""How we ask SendGrid: the client, its pagers, the contact export, and what an answer means.

Belongs here: everything between a catalog entry and a stream of raw rows. Does not: what a row's fields mean
in SQL (`warehouse`), nor which collections there are (`catalog`).
"""
