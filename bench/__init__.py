"""Benchmarks. `make bench` runs them; most results are ratios within one run, because machines differ."""
