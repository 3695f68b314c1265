"""Long campaigns: kills, power cuts, full disks and damaged stores lose nothing that was accepted."""
