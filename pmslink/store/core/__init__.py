"""The engine of the store: database, schema, migrations, checksums, transactions and journal.

It imports nothing of `tables` and `operations`. Of the rest it imports the top-level modules, and `hotel`
for the types in the protocol of a transaction's hotels.
"""
