"""The hotel of the simulator: rooms, guests, front desk, and the records that announce them."""
