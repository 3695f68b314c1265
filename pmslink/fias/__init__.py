"""FIAS, the record protocol between a hotel's PMS and its vendors' systems: the wire alone, no I/O."""
