"""Configuration: settings of a link with their metadata, the TOML loader, and cross-field checks.

May import `hotel`, `fias`, `validation` and the top-level modules.
"""
