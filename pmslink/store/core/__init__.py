"""The database engine of the store: connection, schema, migrations, transactions and the group-commit journal.

Knows no hotel and no outbox. May import nothing of `pmslink` but the top-level modules.
"""
