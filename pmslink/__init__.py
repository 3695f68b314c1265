"""Keeps an IP-PBX docked to a hotel's property management system over FIAS."""

__version__ = "0.1.0"
