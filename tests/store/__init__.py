"""Tests of the store, over each kind of database."""
