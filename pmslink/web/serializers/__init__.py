"""JSON forms of links, postings, events and records, with and without redaction of guest data."""
