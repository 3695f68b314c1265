"""The engine of the store: database, schema, migrations, transactions and the group-commit journal.

It knows no hotel and no outbox, and imports only the top-level modules of `pmslink`.
"""
