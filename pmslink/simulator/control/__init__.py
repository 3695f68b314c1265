"""The JSON interface that controls the simulator."""
