"""What the page says, one catalogue per language: a text for each key.

English stands where its things do: what is said of a link in `link.describe_emitted`, records and fields in
`fias.catalog`, settings in `settings`, and the page's own in `static/texts/en.json`. Any other language
has all of it in one file.
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
    """The catalogue of a language."""
    own: dict[str, str] = json.loads(
        files(__package__).joinpath(f"static/texts/{language}.json").read_text("utf-8")
    )
    return {**_service_texts(), **own} if language == "en" else own


def _service_texts() -> dict[str, str]:
    settings = {one.name: setting_of(LinkDefinition, one.name) for one in fields(LinkDefinition)}
    return {
        **ENGLISH_TEXTS,
        **{f"record.{id}": record.name for id, record in RECORDS.items()},
        **{f"field.{code}": field.name for code, field in FIELDS.items()},
        **{f"setting.{name}": one.meaning for name, one in settings.items()},
        **{f"right.{name}": one.expected for name, one in settings.items()},
    }
