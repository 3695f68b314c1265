"""A hotel's PMS to test and demonstrate against: it plays the PMS's part of FIAS, faults included."""
