"""Validators for settings and JSON bodies, and the error texts that say what is expected.

May import `errors` only.
"""
