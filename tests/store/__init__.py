"""What every store has to do, played over each kind of database."""
