"""Write operations of the store: each one runs inside one transaction of the journal.

May import `store.tables`, `store.core` and `hotel`.
"""
