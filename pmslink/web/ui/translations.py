"""Translations of the page: one catalogue for each language, with a text for each key.

English texts are in the modules that they describe: records and fields in `fias/catalog.py`, what a setting
must be in `config/link_settings.py`, the page's own texts in `static/texts/en/`, a file for each area of the
page. Other languages have all of them in such files.

The first catalogue has what the list of links needs. The texts of one link, those of settings, and the names
of records and fields are catalogues of their own, which their views load.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
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
_LINK_FILES = ("history.json", "link.json", "outbox.json", "phones.json", "records.json", "rooms.json")
"""Areas of the views of one link."""
_KINDS_WITHOUT_ERRORS = ("choice", "yes_or_no")
"""Kinds of settings for which a person cannot enter a wrong value."""


def load_translations(language: Language) -> dict[str, str]:
    """Load the first catalogue of a language."""
    later = (_FIELD_NAMES_FILE, _SETTINGS_FILE, *_LINK_FILES)
    return _load_files(
        language, (file.name for file in _folder(language).iterdir() if file.name not in later)
    )


def load_link_texts(language: Language) -> dict[str, str]:
    """Load the texts of the views of one link."""
    return _load_files(language, _LINK_FILES)


def load_setting_texts(language: Language) -> dict[str, str]:
    """Load the texts of the forms for settings: labels, helps, and what a value must be (`right.NAME`)."""
    page_texts = _load_files(language, [_SETTINGS_FILE])
    return _expectations() | page_texts if language == "en" else page_texts


def load_field_names(language: Language) -> dict[str, str]:
    """Load the names of FIAS records and fields in a language, by `record.ID` and `field.CODE`."""
    if language != "en":
        return _load_files(language, [_FIELD_NAMES_FILE])
    return {
        **{f"record.{record_id}": record.name for record_id, record in RECORDS.items()},
        **{f"field.{code}": field.name for code, field in FIELDS.items()},
    }


def _load_files(language: Language, names: Iterable[str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for name in sorted(names):
        texts |= json.loads(_folder(language).joinpath(name).read_text("utf-8"))
    return texts


def _folder(language: Language) -> Traversable:
    return files(__package__).joinpath(f"static/texts/{language}")


def _expectations() -> dict[str, str]:
    settings = {field.name: setting_of(LinkDefinition, field.name) for field in fields(LinkDefinition)}
    return {
        f"right.{name}": setting.expected
        for name, setting in settings.items()
        if setting.kind not in _KINDS_WITHOUT_ERRORS
    }
