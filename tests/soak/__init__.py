"""Long campaigns: that nothing accepted is ever lost, shown by killing, cutting, filling and damaging."""
