"""Configuration: the settings of a link with their metadata, and their sources.

`loader` reads a TOML file, `link_definition` parses one link (TOML, API, `--pms`), `cross_checks` compares
settings with each other, `settings_json_schema` and `settings_reference` generate OpenAPI schemas and a
document.

May import `hotel`, `fias`, `validation` and the top-level modules.
"""
