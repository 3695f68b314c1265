"""The hotel of the simulator: rooms, guests, the front desk, and the records of their changes.

May import `fias` and `errors` only; it has no connection and no faults.
"""
