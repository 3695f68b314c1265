"""Webhooks: queue, sign and deliver hotel events to the HTTP endpoint of a PBX."""
