"""The webhook: queue, sign and deliver a link's events to the HTTP endpoint of a PBX.

The service starts delivery queues, a queue uses a transport, and the transport signs, posts and bounds.
Imports go in that direction only.
"""
