"""The write operations of the store: each runs inside one transaction of the journal.

May import `store.tables`, `store.core`, `hotel`, `fias` and the top-level modules.
"""
