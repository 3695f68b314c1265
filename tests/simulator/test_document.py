"""Tests that docs/simulator.md agrees with the code."""

from __future__ import annotations

import re
from pathlib import Path

from pmslink.simulator.control.control_api import ControlApi
from pmslink.simulator.pms.fault_switches import fault_meanings

DOCUMENT = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


def test_every_fault_is_documented_with_its_meaning() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|", DOCUMENT, re.MULTILINE)
    assert dict(rows) == fault_meanings()


def test_every_call_is_documented() -> None:
    paths = {part for rule in ControlApi.app.url_map.iter_rules() for part in re.split("<.*?>", rule.rule)}
    assert [part for part in paths if part not in DOCUMENT] == []
