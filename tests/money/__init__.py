"""The money test: postings against a PMS whose guests come, move and leave, and whose answers go astray."""
