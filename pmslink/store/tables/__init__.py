"""The tables of the store: the entries and rows of each table, and the queries that read them.

May import `store.core`, `hotel`, `fias` and the top-level modules.
"""
