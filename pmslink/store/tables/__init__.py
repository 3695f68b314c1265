"""Tables of the store: the rows of each table and the queries that read them.

May import `store.core` and `hotel`.
"""
