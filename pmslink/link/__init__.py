"""One link to a PMS: its machine, its connection, its checks, and what is told of it."""
