"""What the records of a link mean to a hotel and its PBX. No I/O."""
