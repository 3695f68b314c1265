"""Configuration files, link definitions, and the errors about invalid ones."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import fields

from pmslink.config.config_errors import ConfigError
from pmslink.config.link_definition import LinkDefinition, parse_link, parse_pms_argument
from pmslink.config.link_settings import LinkSettings
from pmslink.config.loader import Config, load_config
from pmslink.config.profiles import PROFILE_PRESETS
from pmslink.config.settings_serializer import serialize_settings
from pmslink.validation.setting_fields import setting_of

WriteFile = Callable[[str], Path]

WHOLE = """
state_dir = "/var/lib/pmslink"
[api]
listen = "unix:/run/pmslink.sock"
[retention]
guest_days = 7
history_days = 100
[links.grand]
host = "10.20.0.5"
port = 5010
profile = "opera"
alive_timeout = 12.5
expires_at = 2027-01-01T00:00:00+01:00
[links.grand.records]
GI = "RNG#GSGNGLCSSF"
[links.annexe]
host = "pms.annexe.example"
port = 5011
"""

LINK = {"host": "10.20.0.5", "port": 5010}


@pytest.fixture
def write_file(tmp_path: Path) -> WriteFile:
    def write(text: str) -> Path:
        file = tmp_path / "hotel.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return write


def error_lines(file: Path) -> list[str]:
    """Return the error lines about a file, without the directory of the test."""
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    return str(caught.value).replace(f"{file.parent}{os.sep}", "").splitlines()


def error_text(raw: dict[str, object]) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_link("grand", LINK | raw)
    return str(caught.value)


def test_complete_file_is_loaded(write_file: WriteFile) -> None:
    config = load_config(write_file(WHOLE))
    grand, annexe = config.links
    assert config.state_dir == Path("/var/lib/pmslink")
    assert config.api_listen == "unix:/run/pmslink.sock"
    assert (config.guest_days, config.history_days) == (7, 100)
    assert (grand.name, grand.host, grand.port, grand.profile) == ("grand", "10.20.0.5", 5010, "opera")
    assert grand.settings == LinkSettings(
        alive_interval=300,
        alive_timeout=12.5,
        alive_on="any",
        expires_at=datetime(2026, 12, 31, 23, tzinfo=UTC),
        records={"GI": "RNG#GSGNGLCSSF"},
    )
    assert (annexe.name, annexe.host, annexe.settings) == ("annexe", "pms.annexe.example", LinkSettings())


def test_empty_file_gives_the_defaults(write_file: WriteFile) -> None:
    assert load_config(write_file("")) == Config()


def test_given_settings_exclude_presets_and_are_ready_for_json(write_file: WriteFile) -> None:
    grand = load_config(write_file(WHOLE)).links[0]
    assert json.loads(json.dumps(grand.given)) == {
        "alive_timeout": 12.5,
        "expires_at": "2027-01-01T00:00:00+01:00",
        "records": {"GI": "RNG#GSGNGLCSSF"},
    }
    again = {"host": grand.host, "port": grand.port, "profile": grand.profile, **grand.given}
    assert parse_link("grand", again) == grand


@pytest.mark.parametrize(
    ("profile", "interval", "timeout", "on"),
    [
        ("generic", 30, 3, "LA"),
        ("opera", 300, 30, "any"),
        ("suite8", 300, 30, "any"),
        ("protel", 60, 10, "any"),
    ],
)
def test_profile_presets_the_link_checks(profile: str, interval: float, timeout: float, on: str) -> None:
    settings = parse_link("grand", {**LINK, "profile": profile}).settings
    assert (settings.alive_interval, settings.alive_timeout, settings.alive_on) == (interval, timeout, on)


def test_given_setting_overrides_the_profile_and_null_restores_it() -> None:
    raw: dict[str, object] = {**LINK, "profile": "protel", "alive_interval": 45}
    assert parse_link("grand", raw).settings.alive_interval == 45
    assert parse_link("grand", raw | {"alive_interval": None}).settings.alive_interval == 60
    assert "alive_interval" not in parse_link("grand", raw | {"alive_interval": None}).given


def test_all_errors_of_a_file_are_reported_at_once_with_their_keys(write_file: WriteFile) -> None:
    file = write_file("""
        stat_dir = "x"
        [retention]
        guest_days = true
        [links.grand]
        host = "10.20.0.5"
        alive_interval = "ten"
        alive_intervall = 3
        [links.grand.records]
        GI = "RNQQ"
        [links."my hotel"]
        host = "10.20.0.6"
        port = 5010
    """)
    assert sorted(error_lines(file)) == [
        'hotel.toml: links."my hotel" = "my hotel": must be named by 1 to 64 letters, digits, "-" and "_"',
        'hotel.toml: links.grand.alive_interval = "ten": must be a number of seconds from 0.1 to 86400',
        "hotel.toml: links.grand.alive_intervall = 3: there is no such setting; did you mean alive_interval?",
        "hotel.toml: links.grand.port is missing: must be a whole number from 1 to 65535",
        'hotel.toml: links.grand.records.GI = "RNQQ": must be known field codes, concatenated, under a'
        ' record id, such as GI = "RNG#GSGN"; empty text leaves the record out',
        "hotel.toml: retention.guest_days = true: must be a whole number from 1 to 3650",
        'hotel.toml: stat_dir = "x": there is no such setting; did you mean state_dir?',
    ]


def test_d15_two_links_with_one_host_and_port_are_an_error(write_file: WriteFile) -> None:
    file = write_file("""
        [links]
        a = {host = "PMS.example", port = 5010}
        b = {host = "pms.example.", port = 5010, enabled = false}
        c = {host = "pms.example", port = 5011}
        d = {host = "2001:db8:0::1", port = 5010}
        e = {host = "2001:DB8::1", port = 5010}
        f = {host = "pms.example", port = 5010, connect = "accept"}
        g = {host = "other.example", port = 5010, connect = "accept"}
        h = {host = "other.example", port = "5010"}
    """)
    assert error_lines(file) == [
        "hotel.toml: links.b.port = 5010: must differ: links.a has pms.example. and this port already",
        "hotel.toml: links.e.port = 5010: must differ: links.d has 2001:DB8::1 and this port already",
        "hotel.toml: links.g.port = 5010: must differ: links.f accepts connections on this port already",
        'hotel.toml: links.h.port = "5010": must be a whole number from 1 to 65535',
    ]


def test_error_has_file_key_value_and_expectation(write_file: WriteFile) -> None:
    file = write_file('[links.grand]\nhost = "h"\nport = 1\nretry_max = "long"')
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    error = caught.value
    assert (error.file, error.key, error.value) == (str(file), "links.grand.retry_max", "long")
    assert error.expected == "must be a number of seconds from 0.1 to 86400"
    assert error.errors == (error,)


@pytest.mark.parametrize(
    ("text", "expected_start"),
    [
        ("a = 1\nb = = 2", "hotel.toml: is not TOML: Invalid value (at line 2, column 5)"),
        ("links = 3", "hotel.toml: links = 3: must be a table of links, such as [links.grand]"),
        ("[links]\ngrand = 3", "hotel.toml: links.grand = 3: must be a table of settings"),
        ('api = "tcp:80"', 'hotel.toml: api = "tcp:80": must be a table, [api]'),
        (
            "[api]\nlisten = 8080",
            'hotel.toml: api.listen = 8080: must be an endpoint of Twisted, such as "tcp',
        ),
        ('[api]\n"z z" = 1', 'hotel.toml: "api.z z" = 1: there is no such setting'),
        ("[api]\nzz = 1", "hotel.toml: api.zz = 1: there is no such setting"),
        ('state_dir = ""', 'hotel.toml: state_dir = "": must be the path of a directory'),
        ("state_dir = 1", "hotel.toml: state_dir = 1: must be the path of a directory"),
    ],
)
def test_error_in_a_file_is_one_line(text: str, expected_start: str, write_file: WriteFile) -> None:
    (line,) = error_lines(write_file(text))
    assert line.startswith(expected_start)


def test_unreadable_file_raises_error(tmp_path: Path) -> None:
    assert error_lines(tmp_path / "hotel.toml") == ["hotel.toml: cannot be read: No such file or directory"]
    (tmp_path / "latin.toml").write_bytes(b'state_dir = "\xfc"')
    assert error_lines(tmp_path / "latin.toml") == ["latin.toml: is not TOML: must be encoded in UTF-8"]


@pytest.mark.parametrize(
    "raw",
    [
        {"alive_interval": 0},
        {"alive_interval": -1},
        {"alive_interval": "30"},
        {"alive_interval": True},
        {"alive_interval": float("inf")},
        {"alive_interval": float("nan")},
        {"alive_timeout": 100_000},
        {"alive_on": "LS"},
        {"alive_on": ["LA"]},
        {"alive_by": "any"},
        {"connect": "listen"},
        {"late_charge": "refuse"},
        {"record_gap": -0.1},
        {"send_limit": 0},
        {"send_limit": 1.5},
        {"send_limit": True},
        {"posting_digits": 9},
        {"posting_digits": 0},
        {"outbox_limit": 0},
        {"port": 0},
        {"port": 65536},
        {"port": "5010"},
        {"host": ""},
        {"host": "the pms"},
        {"host": "x" * 64 + ".example"},
        {"host": "a..b"},
        {"host": "10.0.0.5:5010"},
        {"host": "[::1]"},
        {"host": "tcp://pms"},
        {"host": "pms\n"},
        {"host": 5},
        {"profile": "Opera"},
        {"profile": ["opera"]},
        {"describe": 1},
        {"tls": "yes"},
        {"charset": "utf-16"},
        {"charset": "klingon"},
        {"charset": "cp1252\0"},
        {"charset": ""},
        {"framing": "lrc"},
        {"timezone": "Vienna"},
        {"timezone": "Europe"},
        {"timezone": "/etc/localtime"},
        {"timezone": ""},
        {"timezone": 1},
        {"expires_at": "2027-01-01"},
        {"expires_at": "2027-01-01T00:00:00"},
        {"expires_at": "0001-01-01T00:00:00+14:00"},
        {"expires_at": "next year"},
        {"expires_at": datetime(2027, 1, 1)},  # noqa: DTZ001  (TOML has times without an offset)
        {"expires_at": 1},
        {"ca_file": ""},
        {"ca_file": "a\0b"},
        {"records": "GI"},
    ],
    ids=repr,
)
def test_error_about_an_invalid_value_says_what_is_expected(raw: dict[str, object]) -> None:
    ((key, _),) = raw.items()
    assert re.fullmatch(
        rf"{key} = .+: must be {re.escape(setting_of(LinkDefinition, key).expected)}", error_text(raw)
    )


@pytest.mark.parametrize(
    "raw",
    [
        {"alive_interval": 1, "record_gap": 0},
        {"alive_timeout": 0.5},
        {"retry_initial": 30, "retry_max": 30},
        {"host": "fe80::1%eth0"},
        {"host": "münchen.example"},
        {"charset": "gbk", "framing": "crlf"},
        {"timezone": "America/Argentina/Buenos_Aires"},
        {"posting_digits": 4, "send_limit": 1, "unanswered": "resend", "sync_on": "declared"},
        {"tls": True, "ca_file": __file__},
        {"tls": False, "ca_file": "/not/needed/yet"},
        {"records": {"XL": "G#RNMT", "PS": "RNPT+0$2", "GC": ""}},
        {"alive_by": "nothing", "late_charge": "send"},
        {"connect": "accept", "host": "pms.example"},
        {"enabled": False, "describe": False},
    ],
    ids=repr,
)
def test_valid_value_is_unchanged(raw: dict[str, Any]) -> None:
    link = parse_link("grand", LINK | raw)
    serialized = {"host": link.host, **serialize_settings(link.settings)}
    assert {key: serialized[key] for key in raw} == raw


@pytest.mark.parametrize(
    "records",
    [
        {"GI": "RNG"},
        {"GI": "RN" * 1001},
        {"GI": "RNQQ"},
        {"QQ": "RN"},
        {"LS": "DATI"},
        {"GI": 1},
        {"gi": "RN"},
    ],
    ids=lambda records: str(records)[:30],
)
def test_error_about_a_record_override_names_the_record(records: dict[str, object]) -> None:
    (id,) = records
    assert error_text({"records": {"GO": "RNG#", **records}}).startswith(f"records.{id} = ")


def test_conflicting_settings_raise_error() -> None:
    assert error_text({"retry_max": 0.5}) == "retry_max = 0.5: must be at least retry_initial, which is 1"
    assert error_text({"connect": "accept", "tls": True}) == (
        'tls = true: must be false, because connect is "accept": a connection that the PMS opens is plain TCP'
    )
    assert error_text({"retry_initial": 60}) == "retry_initial = 60: must be at most retry_max, which is 30"
    assert error_text({"tls": True, "ca_file": "/no/such.pem"}) == (
        'ca_file = "/no/such.pem": must be the path of a readable file of PEM certificates'
    )


@pytest.mark.parametrize("name", ["", "a" * 65, "my hotel", "hotel/1", "hôtel", "grand\n"])
def test_invalid_link_name_is_rejected(name: str) -> None:
    with pytest.raises(
        ConfigError, match=r'^name = .*: must be named by 1 to 64 letters, digits, "-" and "_"'
    ):
        parse_link(name, LINK)


def test_long_value_is_cut_in_the_error() -> None:
    assert len(error_text({"timezone": "x" * 5000})) < 250


@pytest.mark.parametrize(
    ("text", "host", "port", "profile"),
    [
        ("10.20.0.5:5010", "10.20.0.5", 5010, "generic"),
        ("pms.example:1,opera", "pms.example", 1, "opera"),
        ("[::1]:5010", "::1", 5010, "generic"),
        ("[fe80::1%eth0]:65535,protel", "fe80::1%eth0", 65535, "protel"),
    ],
)
def test_pms_argument_is_parsed(text: str, host: str, port: int, profile: str) -> None:
    link = parse_pms_argument(text)
    assert (link.name, link.host, link.port, link.profile) == ("pms", host, port, profile)
    assert link.settings == LinkSettings(**PROFILE_PRESETS[link.profile])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5010",
        "pms",
        "pms:",
        ":5010",
        "::1:5010",
        "pms:0",
        "pms:70000",
        "pms:5010,",
        "pms:5010,fidelio",
        "[x]:1,",
    ],
)
def test_error_about_a_pms_argument_is_one_line(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_pms_argument(text)
    assert str(caught.value) == (
        f'--pms = "{text}": must be HOST:PORT or HOST:PORT,PROFILE, such as 10.20.0.5:5010,opera;'
        " PROFILE is generic or opera or suite8 or protel"
    )


def test_effective_settings_are_serialized_to_json() -> None:
    raw = {"expires_at": "2027-01-01T00:00:00.5+01:00", "records": {"GI": "RN"}}
    serialized = serialize_settings(parse_link("grand", LINK | raw).settings)
    assert json.loads(json.dumps(serialized)) == serialized
    assert serialized["expires_at"] == "2026-12-31T23:00:00.500Z"
    assert serialized["timezone"] is None
    assert list(serialized) == [attribute.name for attribute in fields(LinkSettings)]
    assert parse_link("grand", LINK | serialized).settings == parse_link("grand", LINK | raw).settings


@pytest.mark.parametrize("cls", [LinkDefinition, Config])
def test_every_setting_has_meaning_and_expectation(cls: type) -> None:
    settings = [setting_of(cls, attribute.name) for attribute in fields(cls)]
    assert all(setting.meaning and setting.expected for setting in settings)


def test_defaults_are_valid() -> None:
    defaults = serialize_settings(LinkSettings())
    assert parse_link("grand", LINK | defaults).settings == LinkSettings()
