"""FIAS, the record protocol between a hotel's PMS and its vendors' systems: frames, records, fields; no I/O.

May import `errors`, and from outside Twisted's `LineReceiver`.
"""
