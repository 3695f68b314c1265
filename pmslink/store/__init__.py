"""What lasts: one journal in a database, written by one thread, safe on disk before anybody is told."""
