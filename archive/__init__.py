"""
One file that holds the whole site: every row, every picture, every invoice, and a manifest with a checksum of each.

Rows are kept as JSON lines and not as a database's own dump, so that an archive fits SQLite and PostgreSQL alike,
whatever their versions, and no client program has to be installed: a shop that outgrows SQLite is moved by `backup` and
`restore`.
"""
