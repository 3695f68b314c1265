"""The store: one journal in a database, which publishes its entries after they are safe on disk.

`core` is the engine, `tables` has the rows and queries, `operations` has the writes, and `store_service`
runs all of it. May import `config`, `hotel`, `fias` and the top-level modules.
"""
