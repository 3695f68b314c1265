"""A random hotel, sent in every way and order, and the reference model that judges the result."""
