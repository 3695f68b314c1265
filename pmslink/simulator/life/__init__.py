"""Automatic activity: guests check in and out, and their phones call pmslink's API.

May import `pms` and `hotel` of the simulator, and pmslink's top-level modules.
"""
