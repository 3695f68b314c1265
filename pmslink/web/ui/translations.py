"""Translations of the page: one catalogue for each language, with a text for each key.

English texts are in the modules that they describe: reasons and advice in `link/reason_texts.py`, records and
fields in `fias/catalog.py`, settings in `config/link_settings.py`, the page's own texts in
`static/texts/en.json`. Any other language has all of them in one file.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Literal, get_args

from attrs import fields

from pmslink.config.link_definition import LinkDefinition
from pmslink.fias.catalog import FIELDS, RECORDS
from pmslink.link.reason_texts import ENGLISH_TEXTS
from pmslink.validation.setting_fields import setting_of

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


def load_translations(language: Language) -> dict[str, str]:
    """Load the catalogue of a language."""
    page_texts: dict[str, str] = json.loads(
        files(__package__).joinpath(f"static/texts/{language}.json").read_text("utf-8")
    )
    return {**_service_texts(), **page_texts} if language == "en" else page_texts


def _service_texts() -> dict[str, str]:
    settings = {field.name: setting_of(LinkDefinition, field.name) for field in fields(LinkDefinition)}
    return {
        **ENGLISH_TEXTS,
        **{f"record.{record_id}": record.name for record_id, record in RECORDS.items()},
        **{f"field.{code}": field.name for code, field in FIELDS.items()},
        **{f"setting.{name}": setting.meaning for name, setting in settings.items()},
        **{f"right.{name}": setting.expected for name, setting in settings.items()},
    }
