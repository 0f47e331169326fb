"""A simulated SendGrid account on loopback: the API, and signed webhook traffic; for the demo and for tests.

Belongs here: what SendGrid answers and posts, as its documents and recorded answers show it. Does not: any
code that works on a real account; nothing that does the work imports this room. Of ours it imports
`webhook.signature` (the header names) alone.
"""
