"""The page: its static files, translations, and the data that it loads at its start.

Imports from `web` only `http`; the texts come from `link.reason_texts`, `fias.catalog` and `config`.
"""
