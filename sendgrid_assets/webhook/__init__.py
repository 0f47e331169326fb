"""How events arrive: the receiver, SendGrid's signature, and the landing directory's protocol.

Belongs here: everything between SendGrid's POST and a complete file in `new/`, and reading such files again.
Does not: DuckDB (`warehouse`).
"""
