"""Everything that acts on a PBX because of hotel events; today that is the webhook.

May import the links, the store and the modules below them, but neither the web API nor the simulator.
"""
