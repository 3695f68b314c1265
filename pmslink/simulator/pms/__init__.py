"""The PMS side of FIAS: connections, dialect, faults, and answers to postings."""
