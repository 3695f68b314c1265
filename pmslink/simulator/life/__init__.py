"""Simulated activity: guests come and go, telephones call."""
