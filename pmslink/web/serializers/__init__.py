"""JSON forms of links, rooms, postings, events and records, and redaction of guest data in them.

It may import `pmslink.web.http`, and the packages below `pmslink.web`.
"""
