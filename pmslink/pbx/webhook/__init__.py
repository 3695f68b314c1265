"""The webhook: queue, sign and deliver a link's events to the HTTP endpoint of a PBX.

The service starts delivery queues. A queue uses a transport, which signs and posts events and limits
responses. Imports go in that direction only.
"""
