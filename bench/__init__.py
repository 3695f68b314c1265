"""Measurements; `make bench` prints them as ratios within one run, for machines differ."""
