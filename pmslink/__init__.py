"""A service that keeps an IP-PBX docked to a hotel's property management system (PMS) over FIAS."""

__version__ = "0.1.0"
