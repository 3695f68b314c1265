"""Translations of the page: one catalogue for each language, with a text for each key.

English texts are in the modules that they describe: records and fields in `fias/catalog.py`, what a setting
must be in `config/link_settings.py`, the page's own texts in `static/texts/en/`, a file for each area of the
page. Other languages have all of them in such files. The names of records and fields, and the texts of
settings, are catalogues of their own, because few views need them.
"""

from __future__ import annotations

import json
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal, get_args

from attrs import fields

from pmslink.config.link_definition import LinkDefinition
from pmslink.fias.catalog import FIELDS, RECORDS
from pmslink.validation.setting_fields import setting_of

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
_FIELD_NAMES_FILE = "fias.json"
_SETTINGS_FILE = "settings.json"
_KINDS_WITHOUT_ERRORS = ("choice", "yes_or_no")
"""Kinds of settings for which a person cannot enter a wrong value."""


def load_translations(language: Language) -> dict[str, str]:
    """Load the catalogue of a language, without the catalogues that few views need."""
    texts: dict[str, str] = {}
    for file in sorted(_folder(language).iterdir(), key=lambda file: file.name):
        if file.name not in (_FIELD_NAMES_FILE, _SETTINGS_FILE):
            texts |= json.loads(file.read_text("utf-8"))
    return texts


def load_setting_texts(language: Language) -> dict[str, str]:
    """Load the texts of the forms for settings: labels, helps, and what a value must be (`right.NAME`)."""
    page_texts: dict[str, str] = json.loads(_folder(language).joinpath(_SETTINGS_FILE).read_text("utf-8"))
    return _expectations() | page_texts if language == "en" else page_texts


def load_field_names(language: Language) -> dict[str, str]:
    """Load the names of FIAS records and fields in a language, by `record.ID` and `field.CODE`."""
    if language != "en":
        names: dict[str, str] = json.loads(_folder(language).joinpath(_FIELD_NAMES_FILE).read_text("utf-8"))
        return names
    return {
        **{f"record.{record_id}": record.name for record_id, record in RECORDS.items()},
        **{f"field.{code}": field.name for code, field in FIELDS.items()},
    }


def _folder(language: Language) -> Traversable:
    return files(__package__).joinpath(f"static/texts/{language}")


def _expectations() -> dict[str, str]:
    settings = {field.name: setting_of(LinkDefinition, field.name) for field in fields(LinkDefinition)}
    return {
        f"right.{name}": setting.expected
        for name, setting in settings.items()
        if setting.kind not in _KINDS_WITHOUT_ERRORS
    }
