"""Settings of rooms, phones, tariffs, wake-ups and the webhook, and the errors about invalid ones."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pmslink.config.config_errors import ConfigError
from pmslink.config.extension_table import MAX_TABLE_BYTES
from pmslink.config.link_definition import LinkDefinition, parse_link
from pmslink.config.link_settings import LinkSettings
from pmslink.config.loader import load_config
from pmslink.config.settings_serializer import SECRET_SETTINGS, serialize_settings
from pmslink.hotel.call_tariff import MAX_RATES, Rate, Tariff
from pmslink.validation.setting_fields import REDACTED, setting_of

LINK = {"host": "10.20.0.5", "port": 5010}
SECRET = "correct horse battery staple"
HOOK = {"webhook_url": "https://pbx.example/events", "webhook_secret": SECRET}
RATE: dict[str, Any] = {"prefix": "0043", "interval": 60, "price": 15}


def error_text(raw: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_link("grand", LINK | raw)
    return str(caught.value)


def test_defaults_of_rooms_phones_tariff_and_webhook() -> None:
    settings = parse_link("grand", LINK).settings
    assert (settings.extensions, settings.extension_prefix, settings.extension_table) == ("same", None, None)
    assert (settings.status_codes, settings.tariff) == ({}, None)
    assert (settings.wake_up_attempts, settings.wake_up_interval, settings.wake_up_late) == (3, 180, 600)
    assert (settings.webhook_url, settings.webhook_secret) == (None, None)


@pytest.mark.parametrize(
    "raw",
    [
        {"extensions": "suffix"},
        {"extensions": None, "extension_prefix": ""},
        {"extension_prefix": "7" * 17},
        {"extension_prefix": "7-"},
        {"extension_prefix": "ü"},
        {"extension_prefix": "7\n"},
        {"extension_prefix": 7},
        {"extension_table": ""},
        {"extension_table": 7},
        {"status_codes": "*61 = 1"},
        {"status_codes": [1]},
        {"status_codes": {str(code): 1 for code in range(101)}},
        {"tariff": "dear"},
        {"tariff": [RATE]},
        {"wake_up_attempts": 0},
        {"wake_up_attempts": 11},
        {"wake_up_attempts": 2.5},
        {"wake_up_interval": 9.9},
        {"wake_up_interval": 3601},
        {"wake_up_late": 59},
        {"wake_up_late": 7201},
        {"wake_up_late": "600"},
        {"webhook_url": ""},
        {"webhook_url": 5},
        {"webhook_url": "pbx.example/events"},
        {"webhook_url": "ftp://pbx.example/events"},
        {"webhook_url": "https:///events"},
        {"webhook_url": "https://pbx.example:port/"},
        {"webhook_url": "https://pbx.example:65536/"},
        {"webhook_url": "https://pbx.example:0/"},
        {"webhook_url": "https://[::1/"},
        {"webhook_url": "https://a..b/"},
        {"webhook_url": "https://pbx.example/e#vents"},
        {"webhook_url": "https://pbx.example/e#"},
        {"webhook_url": "https://pbx.example/my events"},
        {"webhook_url": "https://pbx.example/e\n"},
        {"webhook_url": "https://münchen.example/"},
        {"webhook_url": "https://u@pbx.example/"},
        {"webhook_url": "https://pbx.example/" + "x" * 1981},
        {"webhook_secret": "x" * 15},
        {"webhook_secret": "x" * 201},
        {"webhook_secret": "x" * 20 + "ü"},
        {"webhook_secret": "x" * 20 + "\t"},
        {"webhook_secret": 12345678901234567},
        {"webhook_secret": REDACTED},
    ],
    ids=lambda raw: str(raw)[:50],
)
def test_error_about_an_invalid_value_says_what_is_expected(raw: dict[str, Any]) -> None:
    *_, key = raw
    assert re.fullmatch(
        rf"{key} = .+: must be {re.escape(setting_of(LinkDefinition, key).expected)}", error_text(raw)
    )


@pytest.mark.parametrize(
    "raw",
    [
        {"extensions": "prefix", "extension_prefix": "7"},
        {"extensions": "strip", "extension_prefix": "*7A#"},
        {"extensions": "same", "extension_prefix": "7", "extension_table": "/not/needed/yet"},
        {"status_codes": {"*61": 1, "0": 99, "12345678": 6}},
        {"status_codes": {str(code): 1 for code in range(100)}},
        {"wake_up_attempts": 1, "wake_up_interval": 10, "wake_up_late": 60},
        {"wake_up_attempts": 10, "wake_up_interval": 3600, "wake_up_late": 7200},
        {"webhook_url": "http://[::1]:8088/e?hotel=grand&x=%20", "webhook_secret": "x" * 16},
        {"webhook_url": "HTTPS://10.0.0.1", "webhook_secret": "x" * 200},
        {"webhook_url": "https://pbx.example/" + "x" * 1980, "webhook_secret": "x" * 16},
    ],
    ids=lambda raw: str(raw)[:50],
)
def test_valid_value_is_unchanged(raw: dict[str, Any]) -> None:
    serialized = serialize_settings(parse_link("grand", LINK | raw).settings)
    assert {key: serialized[key] for key in raw} == {
        key: REDACTED if key in SECRET_SETTINGS else value for key, value in raw.items()
    }


@pytest.mark.parametrize(
    ("codes", "key"),
    [
        ({"*61": 0}, '"*61"'),
        ({"*61": 100}, '"*61"'),
        ({"*61": "1"}, '"*61"'),
        ({"61": True}, "61"),
        ({"61": 1.0}, "61"),
        ({"": 1}, '""'),
        ({"123456789": 1}, "123456789"),
        ({"+61": 1}, '"+61"'),
        ({"٣": 1}, '"٣"'),
    ],
)
def test_error_about_a_status_code_names_it(codes: dict[str, Any], key: str) -> None:
    text = error_text({"status_codes": {"*60": 6, **codes}})
    assert text.startswith(f"status_codes.{key} = ")
    assert text.endswith(f": must be {setting_of(LinkDefinition, 'status_codes').expected}")


def test_tariff_is_parsed_and_serialized_with_its_defaults() -> None:
    dear: dict[str, Any] = {
        "prefix": "",
        "connection": 20,
        "interval": 30,
        "price": 40,
        "free": 5,
        "call_type": "I",
    }
    settings = parse_link("grand", LINK | {"tariff": {"rounding": 10, "rates": [RATE, dear]}}).settings
    cheap = Rate(prefix="0043", interval=60, price=15)
    assert settings.tariff == Tariff(rounding=10, rates=(cheap, Rate(**dear)))
    described = serialize_settings(settings)
    assert described["tariff"] == {
        "rounding": 10,
        "rates": [{**RATE, "connection": 0, "free": 0, "call_type": None}, dear],
    }
    again = parse_link("grand", json.loads(json.dumps(LINK | described)))
    assert again.settings == settings


def test_tariff_and_status_codes_are_read_from_toml(tmp_path: Path) -> None:
    file = tmp_path / "hotel.toml"
    file.write_text(
        '[links.grand]\nhost = "pms"\nport = 1\n[links.grand.tariff]\nrounding = 5\n'
        '[[links.grand.tariff.rates]]\nprefix = "00"\ninterval = 60\nprice = 90\n'
        '[links.grand.status_codes]\n"*61" = 3\n'
    )
    settings = load_config(file).links[0].settings
    assert settings.tariff == Tariff(rounding=5, rates=(Rate(prefix="00", interval=60, price=90),))
    assert settings.status_codes == {"*61": 3}


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in RATE.items() if name != key}


@pytest.mark.parametrize(
    ("tariff", "text"),
    [
        ({}, "tariff.rates is missing: must be a list of 1 to 500 rates, counted from 1"),
        ({"rates": []}, "tariff.rates = []: must be a list of 1 to 500 rates, counted from 1"),
        ({"rates": RATE}, 'tariff.rates = {"prefix": "0043", "interval": 60, "price": 15}: must be a list'),
        ({"rates": [RATE] * (MAX_RATES + 1)}, "tariff.rates = "),
        ({"rates": [RATE, 5]}, "tariff.rates.2 = 5: must be a table of prefix, interval, price"),
        ({"rates": [RATE], "rounding": 0}, "tariff.rounding = 0: must be a whole number from 1 to 1000000"),
        ({"rates": [RATE], "round": 5}, "tariff.round = 5: there is no such part; there are rounding, rates"),
        ({"rates": [RATE, RATE]}, 'tariff.rates.2.prefix = "0043": must not be that of another rate'),
        ({"rates": [without("prefix")]}, "tariff.rates.1.prefix is missing: must be text of 0 to 20 digits"),
        ({"rates": [without("price")]}, "tariff.rates.1.price is missing: must be a whole number from 0"),
        (
            {"rates": [without("interval")]},
            "tariff.rates.1.interval is missing: must be a whole number from 1",
        ),
        ({"rates": [RATE | {"prefix": "+43"}]}, 'tariff.rates.1.prefix = "+43": must be text of 0 to 20'),
        ({"rates": [RATE | {"prefix": 43}]}, "tariff.rates.1.prefix = 43: must be text of 0 to 20 digits"),
        ({"rates": [RATE | {"interval": 0}]}, "tariff.rates.1.interval = 0: must be a whole number from 1"),
        ({"rates": [RATE | {"price": -1}]}, "tariff.rates.1.price = -1: must be a whole number from 0"),
        ({"rates": [RATE | {"price": 0.5}]}, "tariff.rates.1.price = 0.5: must be a whole number from 0"),
        ({"rates": [RATE | {"free": True}]}, "tariff.rates.1.free = true: must be a whole number from 0"),
        ({"rates": [RATE | {"connection": "1"}]}, 'tariff.rates.1.connection = "1": must be a whole number'),
        ({"rates": [RATE | {"call_type": "X"}]}, 'tariff.rates.1.call_type = "X": must be "L" or "N" or "I"'),
        (
            {"rates": [RATE | {"day": 1}]},
            "tariff.rates.1.day = 1: there is no such part; there are prefix, conn",
        ),
    ],
    ids=lambda value: str(value)[:50],
)
def test_error_in_a_tariff_names_the_rate_and_the_part(tariff: dict[str, Any], text: str) -> None:
    assert error_text({"tariff": tariff}).startswith(text)


# Settings that require others.


@pytest.mark.parametrize("scheme", ["prefix", "strip"])
def test_scheme_prefix_and_strip_require_a_prefix(scheme: str) -> None:
    assert error_text({"extensions": scheme}) == (
        "extension_prefix is missing: must be text of 1 to 16 digits, letters, * or #,"
        f' because extensions is "{scheme}"'
    )


def test_scheme_table_requires_a_readable_table(tmp_path: Path) -> None:
    expected = "must be the path of a readable CSV file of rooms and their extensions"
    assert error_text({"extensions": "table"}) == (
        f'extension_table is missing: {expected}, because extensions is "table"'
    )
    for path, why in ((tmp_path / "none.csv", "no such file"), (tmp_path, "no such file")):
        text = error_text({"extensions": "table", "extension_table": str(path)})
        assert text.endswith(f": {expected}; {why}")
        assert text.startswith("extension_table = ")


def test_error_in_a_table_names_setting_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("101,7101\n102\n")
    with pytest.raises(ConfigError) as caught:
        parse_link("grand", LINK | {"extensions": "table", "extension_table": str(file)}, "links.grand")
    assert (caught.value.key, caught.value.value) == ("links.grand.extension_table", str(file))
    assert caught.value.expected.endswith("; line 2 has a room without an extension")
    file.write_bytes(b"#" * (MAX_TABLE_BYTES + 1))
    text = error_text({"extensions": "table", "extension_table": str(file)})
    assert text.endswith("; the file is larger than 1 MiB")


def test_webhook_url_and_secret_require_each_other() -> None:
    assert error_text({"webhook_url": HOOK["webhook_url"]}) == (
        "webhook_secret is missing: must be text of 16 to 200 printable ASCII characters,"
        " because webhook_url is set"
    )
    assert error_text({"webhook_secret": SECRET}) == (
        "webhook_url is missing: must be an http or https URL of at most 2000 characters,"
        " without user, password and fragment, because webhook_secret is set"
    )


# Redaction of secrets.


def test_secret_is_redacted_in_repr_and_json() -> None:
    link = parse_link("grand", LINK | HOOK)
    assert link.settings.webhook_secret == SECRET
    assert SECRET not in f"{link!r} {serialize_settings(link.settings)}"
    assert "webhook_secret='***'" in repr(link)
    assert serialize_settings(LinkSettings())["webhook_secret"] is None
    assert "webhook_secret=None" in repr(LinkSettings())


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[links.grand]\nwebhook_secret = "hush"', "webhook_secret"),
        ('[links.grand]\nwebhook_secret = ["hush"]', "webhook_secret"),
        ('[links.grand]\nwebhook_secrett = "hush"', "webhook_secrett"),
        ('[links.grand]\n"Webhook Secret" = "hush"', "Webhook Secret"),
        ('webhook_secret = "hush"\n[links.grand]', "webhook_secret"),
        ('[links]\nwebhook_secret = "hush"', "webhook_secret"),
        ('[[links]]\nwebhook_secret = "hush"', "links"),
        ('[links.grand]\nhost = {webhook_secret = "hush"}', "host"),
        ('[links.grand]\nhost = [{webhook_secret = "hush"}]', "host"),
        ('[links.grand]\nwebhook_url = "https://me:hush@pbx.example/"', "webhook_url"),
        ('[links.grand]\nwebhook_url = "https://me:hu/sh@pbx.example/"', "webhook_url"),
        ('[links.grand]\nwebhook_url = "me:hush@pbx.example"', "webhook_url"),
        ('[links.grand]\nwebhook_ulr = "https://me:hush@pbx.example"', "webhook_ulr"),
    ],
)
def test_secret_is_redacted_in_errors(text: str, key: str, tmp_path: Path) -> None:
    file = tmp_path / "hotel.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    texts = [f"{error} {error.value} {error.args}" for error in caught.value.errors]
    assert not [text for text in texts if "hush" in text or "sh@" in text]
    assert [text for text in texts if key in text and REDACTED in text]
