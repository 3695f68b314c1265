"""What the page says, one catalogue per language: a text for each key.

English stands where its things do: what is said of a link in `link.words`, records and fields in
`fias.catalog`, settings in `settings`, and the page's own in `static/texts/en.json`. Any other language
has all of it in one file.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Literal, get_args

from attrs import fields

from pmslink.config.loader import FlatLink
from pmslink.fias.catalog import FIELDS, RECORDS
from pmslink.link.reason_texts import ENGLISH
from pmslink.validation.setting_fields import setting

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


def texts(language: Language) -> dict[str, str]:
    """The catalogue of a language."""
    own: dict[str, str] = json.loads(
        files(__package__).joinpath(f"static/texts/{language}.json").read_text("utf-8")
    )
    return {**_of_the_service(), **own} if language == "en" else own


def _of_the_service() -> dict[str, str]:
    settings = {one.name: setting(FlatLink, one.name) for one in fields(FlatLink)}
    return {
        **ENGLISH,
        **{f"record.{id}": record.name for id, record in RECORDS.items()},
        **{f"field.{code}": field.name for code, field in FIELDS.items()},
        **{f"setting.{name}": one.meaning for name, one in settings.items()},
        **{f"right.{name}": one.right for name, one in settings.items()},
    }
