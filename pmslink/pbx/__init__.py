"""What a hotel event does to a PBX."""
