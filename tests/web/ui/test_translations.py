"""Tests of the translations: equal keys in all languages, no missing text and no unused text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from errno import (
    EACCES,
    EADDRINUSE,
    ECONNREFUSED,
    ECONNRESET,
    EHOSTUNREACH,
    ENETUNREACH,
    EPIPE,
    ETIMEDOUT,
)
from importlib.resources import files
from os import strerror
from pathlib import Path
from typing import Any, get_args

import pytest

from pmslink.link.cause import CauseCode
from pmslink.link.reason_texts import ENGLISH_TEXTS
from pmslink.web.api.audit_trail import AUDITED_ACTIONS
from pmslink.web.api.openapi import load_openapi
from pmslink.web.ui.bootstrap_data import bootstrap_data
from pmslink.web.ui.module_imports import find_imported_modules
from pmslink.web.ui.translations import (
    LANGUAGES,
    Language,
    load_field_names,
    load_link_texts,
    load_setting_texts,
    load_translations,
)

PAGE = files("pmslink.web.ui").joinpath("static")
SCRIPTS = "\n".join(file.read_text("utf-8") for file in Path(str(PAGE)).rglob("*.js"))
PAGE_TEXTS = [
    key for file in PAGE.joinpath("texts/en").iterdir() for key in json.loads(file.read_text("utf-8"))
]

LITERAL_KEYS = {*re.findall(r'"([a-z_]+(?:\.\w+)+)"', SCRIPTS), *re.findall(r'\bt\("(\w+)"', SCRIPTS)}
DETAILS = (
    "the PMS closed it",
    "it was reset, or the other side gave no sign of life",
    "the certificate of the PMS is for another host",
    "the PMS requests records faster than the record gap allows",
    *map(
        strerror,
        (ECONNREFUSED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, EADDRINUSE, EACCES, EPIPE),
    ),
)
"""What the service and the network say about a lost connection: the page makes keys of it."""
PREFIXES = set(re.findall(r"`([a-z_.]+\.)\$\{", SCRIPTS))
WORDS = {word for groups in re.findall(r'"(\w+)"|\b(\w+):|\b(\d+)\b', SCRIPTS) for word in groups if word}


def _enums(schema: object) -> Iterator[str]:
    """Yield all enumerated values of a schema."""
    if isinstance(schema, Mapping):
        yield from (
            value for value in [*schema.get("enum", ()), schema.get("const")] if isinstance(value, str)
        )
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from _enums(part)


def _values() -> Set[str]:
    """Return all values that a script can insert into a key."""
    data: Mapping[str, Any] = bootstrap_data()
    settings = data["settings"]
    return {
        *WORDS,
        *_enums(load_openapi()),
        *get_args(CauseCode),
        *(re.sub("[^a-z]+", "_", detail.lower()) for detail in DETAILS),
        *(key.removeprefix("reason.") for key in ENGLISH_TEXTS if key.startswith("reason.")),
        *(setting["name"] for setting in settings),
        *(setting["unit"] for setting in settings),
        *(f"{setting['name']}.{choice}" for setting in settings for choice in setting["choices"]),
    }


def load_all_texts(language: Language) -> dict[str, str]:
    """Load the texts of all catalogues but the names of fields."""
    return load_translations(language) | load_link_texts(language) | load_setting_texts(language)


def test_each_language_has_a_text_for_each_key() -> None:
    english = load_all_texts("en")
    for language in LANGUAGES:
        texts = load_all_texts(language)
        catalogues = [load(language) for load in (load_translations, load_link_texts, load_setting_texts)]
        assert len(texts) == sum(map(len, catalogues))  # no key is in two of them
        assert load_field_names("en").keys() == load_field_names(language).keys()
        assert english.keys() - texts.keys() == set(), language
        assert texts.keys() - english.keys() == set(), language
        assert [key for key, text in texts.items() if not text] in ([], ["sentence.joint"])


def test_each_text_has_the_same_placeholders_in_each_language() -> None:
    english = load_all_texts("en")
    for language in LANGUAGES:
        for key, text in load_all_texts(language).items():
            assert _placeholders(text) == _placeholders(english[key]), (language, key)


def _placeholders(text: str) -> Set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_cause_has_a_reason_and_each_error_a_text(language: Language) -> None:
    texts = load_all_texts(language)
    controls = {"enable", "disable", "expire", "disconnect"}  # the cause `user` has a text for each control
    for code in {*get_args(CauseCode), *controls} - {"user"}:
        assert f"why.{code}" in texts
    errors = load_openapi()["components"]["schemas"]["Error"]["properties"]["error"]["properties"]["code"][
        "enum"
    ]
    for code in [*errors, "unreachable"]:
        assert f"error.{code}" in texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_record_field_and_setting_has_a_name(language: Language) -> None:
    texts = load_all_texts(language) | load_field_names(language)
    data = bootstrap_data()
    required = [f"record.{id}" for id in data["records"]] + [f"field.{code}" for code in data["fields"]]
    for setting in data["settings"]:
        if setting["name"] != "enabled":  # a link is saved with it or without it
            required += _setting_keys(setting)
    required += [f"profile.{profile}" for profile in data["profiles"]]
    assert [key for key in required if key not in texts] == []


def _setting_keys(setting: Mapping[str, Any]) -> Iterator[str]:
    name = setting["name"]
    yield f"setting.{name}"
    yield f"help.{name}"
    if setting["kind"] not in ("choice", "yes_or_no"):
        yield f"right.{name}"
    if setting["unit"]:
        yield f"unit.{setting['unit']}"
    if name != "profile":
        yield from (f"opt.{name}.{choice}" for choice in setting["choices"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_label_of_a_setting_is_a_configuration_key(language: Language) -> None:
    texts = load_setting_texts(language)
    names = {setting["name"] for setting in bootstrap_data()["settings"]}
    labels = {key: text for key, text in texts.items() if key.startswith(("setting.", "opt."))}
    assert {key: text for key, text in labels.items() if text in names or "_" in text} == {}
    sentences = {key: text for key, text in texts.items() if key.startswith(("help.", "right.", "cross."))}
    keys = {name for name in names if "_" in name}
    assert {key for key, text in sentences.items() if any(name in text for name in keys)} == set()


def test_each_setting_is_in_one_group_of_the_form() -> None:
    source = PAGE.joinpath("core/settings.js").read_text("utf-8")
    names = re.findall(r'"(\w+)"', source.partition("GROUPS = {")[2].partition("};")[0])
    assert len(names) == len(set(names))
    settings = {setting["name"] for setting in bootstrap_data()["settings"]}
    assert settings - set(names) == {"enabled"}
    assert set(names) <= settings


def test_each_key_that_a_script_uses_has_a_text() -> None:
    english = load_all_texts("en") | load_field_names("en")
    assert len(LITERAL_KEYS) > 50
    assert {key for key in LITERAL_KEYS - english.keys() if not key.endswith((".json", ".js"))} == set()
    assert len(PREFIXES) > 10
    assert {prefix for prefix in PREFIXES if not any(key.startswith(prefix) for key in english)} == set()


@pytest.mark.parametrize(
    ("entries", "load"),
    [
        (["main.js", "views/links.js"], None),
        (["views/notices.js"], None),
        (["views/about.js"], None),
        (["views/sign_in.js"], None),
        (["views/new_link.js"], load_setting_texts),
    ],
)
def test_a_view_needs_no_catalogue_that_it_does_not_load(
    entries: Sequence[str], load: Callable[[Language], dict[str, str]] | None
) -> None:
    root = Path(str(PAGE))
    sources = {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*.js")}
    script = b"".join(sources[name] for name in find_imported_modules(sources, entries)).decode()
    loaded = load_translations("en") | (load("en") if load else {})
    others = load_all_texts("en").keys() - loaded.keys()
    assert {key for key in others if f'"{key}"' in script} == set()


def test_each_text_of_the_page_is_used() -> None:
    values = _values()

    def used(key: str) -> bool:
        matching = (prefix for prefix in PREFIXES if key.startswith(prefix))
        return key in LITERAL_KEYS or any(key.removeprefix(prefix) in values for prefix in matching)

    assert [key for key in PAGE_TEXTS if not used(key)] == []


def test_each_audited_action_on_a_link_has_words_in_its_history() -> None:
    """Those of the service have no link, so they are in no history."""
    of_links = {
        name.replace(".", "_")
        for name in AUDITED_ACTIONS.values()
        if name.partition(".")[0] not in ("service", "session")
    }
    words = {key.removeprefix("audit.") for key in PAGE_TEXTS if key.startswith("audit.")}
    assert words == of_links
    assert of_links <= WORDS
