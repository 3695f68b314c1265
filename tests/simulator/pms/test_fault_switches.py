"""Tests of the faults: parsing, validation and serialization."""

from __future__ import annotations

from typing import Any

import pytest

from pmslink.simulator.pms.fault_switches import FaultError, Faults, fault_meanings


def test_a_pms_without_faults_has_every_switch_off() -> None:
    assert Faults().non_default() == {}
    assert set(Faults().serialize()) == set(fault_meanings())


def test_given_faults_are_merged_into_the_others_and_null_is_the_default() -> None:
    faults = Faults.parse({"hhmm": True, "pa_delay": 2.5, "charset": "gbk"})
    assert Faults.parse({"pa_delay": None, "no_ls": True}, faults).non_default() == {
        "hhmm": True,
        "no_ls": True,
        "charset": "gbk",
    }


def test_serialized_faults_are_parsed_to_the_same_faults() -> None:
    faults = Faults(hhmm=True, drop_after=3, name_bytes="0d0a", framing="crlf")
    assert Faults.parse(faults.serialize()) == faults


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("hhmn", True, "unknown fault; the faults are no_ls,"),
        ("hhmm", 1, "true or false"),
        ("drop_after", -1, "from 0"),
        ("drop_after", True, "from 0"),
        ("drop_after", 1.0, "from 0"),
        ("oversize", 1_000_001, "to 1000000"),
        ("pa_delay", 0.001, "0.01 to 86400"),
        ("pa_delay", "5", "0.01 to 86400"),
        ("pa_delay", False, "0.01 to 86400"),
        ("pa_delay", float("nan"), "0.01 to 86400"),
        ("pa_answer", "XX", "'NG'"),
        ("framing", [], "'crlf'"),
        ("trailer", "nak", "'lrc'"),
        ("charset", "utf-16", "cp850"),
        ("charset", "klingon", "cp850"),
        ("charset", 1, "cp850"),
        ("name_bytes", "2", "0d0a"),
        ("name_bytes", "41", "0d0a"),
        ("name_bytes", "01" * 17, "0d0a"),
        ("name_bytes", 2, "0d0a"),
        ("close_at_lr", "ABC", "for example RE"),
        ("clock_offset", 86_401, "from -86400 to 86400"),
        ("dial", "192.0.2.1:5010", "on this computer"),
        ("dial", "127.0.0.1", "on this computer"),
        ("dial", "127.0.0.1:0", "on this computer"),
        ("dial", "::1:5010", "on this computer"),
    ],
)
def test_an_invalid_fault_is_named_with_the_expected_value(name: str, value: Any, expected: str) -> None:
    with pytest.raises(FaultError) as error:
        Faults.parse({name: value})
    assert error.value.name == name
    assert str(error.value).startswith(f"{name}: ")
    assert expected in str(error.value)


@pytest.mark.parametrize("address", ["", "127.0.0.1:5010", "localhost:1", "[::1]:65535", "127.9.9.9:80"])
def test_the_address_to_dial_is_on_this_computer(address: str) -> None:
    assert Faults.parse({"dial": address}).dial == address
