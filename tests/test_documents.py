"""Documents that say what the code says."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from pmslink.link.cause import CauseCode
from pmslink.link.machine import STATES
from pmslink.link.machine_diagram import diagram, redraw_diagram

ROOT = Path(__file__).parents[1]


def test_the_drawing_of_the_machine_is_the_machine() -> None:
    document = (ROOT / "docs/machine.md").read_text()
    assert diagram() in document, "run make docs"
    assert redraw_diagram(document) == document


def test_operations_explains_every_state_and_every_cause() -> None:
    document = (ROOT / "docs/operations.md").read_text()
    assert [name for name in (*STATES, *get_args(CauseCode)) if f"`{name}`" not in document] == []
