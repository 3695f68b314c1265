"""Validators, and their use for settings and JSON bodies.

`validators` has each rule once, `setting_fields` the metadata of settings, `nested_settings` settings that
are tables, `json_body` the fields of a request's body. May import `errors` only.
"""
