"""What the page says: in each language the same, all that it needs, and nothing that nobody says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Set
from importlib.resources import files
from typing import Any, get_args

import pytest

from pmslink.link.cause import CauseCode
from pmslink.web.api.openapi import load_openapi
from pmslink.web.ui.bootstrap_data import bootstrap_data
from pmslink.web.ui.translations import LANGUAGES, Language, load_translations

PAGE = files("pmslink.web.ui").joinpath("static")
SCRIPTS = "\n".join(one.read_text("utf-8") for one in PAGE.iterdir() if one.name.endswith(".js"))
OWN = json.loads(PAGE.joinpath("texts/en.json").read_text("utf-8"))

WHOLE_KEYS = {*re.findall(r'"([a-z_]+(?:\.\w+)+)"', SCRIPTS), *re.findall(r'\bt\("(\w+)"', SCRIPTS)}
PREFIXES = set(re.findall(r"`([a-z_.]+\.)\$\{", SCRIPTS))
WORDS = {word for found in re.findall(r'"(\w+)"|\b(\w+):|\b(\d+)\b', SCRIPTS) for word in found if word}


def _enums(schema: object) -> Iterator[str]:
    """All words that the interface may say somewhere."""
    if isinstance(schema, Mapping):
        yield from (one for one in [*schema.get("enum", ()), schema.get("const")] if isinstance(one, str))
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from _enums(part)


def _values() -> Set[str]:
    """All that may stand in the place of a value in a key."""
    told: Mapping[str, Any] = bootstrap_data()
    settings = told["settings"]
    return {
        *WORDS,
        *_enums(load_openapi()),
        *get_args(CauseCode),
        *(one["name"] for one in settings),
        *(one["unit"] for one in settings),
    }


def test_each_language_has_a_text_for_each_key() -> None:
    english = load_translations("en")
    for language in LANGUAGES:
        told = load_translations(language)
        assert english.keys() - told.keys() == set(), language
        assert told.keys() - english.keys() == set(), language
        assert [key for key, text in told.items() if not text] in ([], ["sentence.joint"])


def test_each_text_has_the_same_placeholders_in_each_language() -> None:
    english = load_translations("en")
    for language in LANGUAGES:
        for key, text in load_translations(language).items():
            assert _placeholders(text) == _placeholders(english[key]), (language, key)


def _placeholders(text: str) -> Set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_cause_has_a_reason_and_each_error_a_text(language: Language) -> None:
    told = load_translations(language)
    controls = {"enable", "disable", "expire", "disconnect"}  # a user's cause is told by the control
    for code in {*get_args(CauseCode), *controls} - {"user"}:
        assert f"reason.{code}" in told
    errors = load_openapi()["components"]["schemas"]["Error"]["properties"]["error"]["properties"]["code"][
        "enum"
    ]
    for code in [*errors, "unreachable"]:
        assert f"error.{code}" in told


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_record_field_and_setting_has_a_name(language: Language) -> None:
    told = load_translations(language)
    facts = bootstrap_data()
    wanted = [f"record.{id}" for id in facts["records"]] + [f"field.{code}" for code in facts["fields"]]
    for setting in facts["settings"]:
        wanted += [f"setting.{setting['name']}", f"right.{setting['name']}"]
        wanted += [f"unit.{setting['unit']}"] if setting["unit"] else []
    wanted += [f"label.{marker}" for marker in facts["markers"]]
    wanted += [f"profile.{profile}" for profile in facts["profiles"]]
    assert [key for key in wanted if key not in told] == []


def test_each_key_that_a_script_uses_has_a_text() -> None:
    english = load_translations("en")
    assert len(WHOLE_KEYS) > 50
    assert {key for key in WHOLE_KEYS - english.keys() if not key.endswith((".json", ".js"))} == set()
    assert len(PREFIXES) > 10
    assert {prefix for prefix in PREFIXES if not any(key.startswith(prefix) for key in english)} == set()


def test_each_text_of_the_page_is_used() -> None:
    values = _values()

    def used(key: str) -> bool:
        made = (prefix for prefix in PREFIXES if key.startswith(prefix))
        return key in WHOLE_KEYS or any(key.removeprefix(prefix) in values for prefix in made)

    assert [key for key in OWN if not used(key)] == []
