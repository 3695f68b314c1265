"""Delivery of hotel events to a PBX; the only transport is the webhook.

May import the links, the store and the modules below them, but neither the web API nor the simulator.
"""
