"""The PMS side of FIAS: connections, record encoding, faults, and answers to postings.

May import `hotel` of the simulator, `fias`, `validation` and `errors`.
"""
