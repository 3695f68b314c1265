"""The links to PMSs: state machine, connection, session, outbox, resync, and the registry of all links.

Imports `hotel_scheduler`, `store`, `config`, `hotel`, `fias` and the small top-level modules; never `web`,
`pbx`, `cli`, `simulator` or `service`.
"""
