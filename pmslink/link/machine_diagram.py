"""Draw the state machine: `python -m pmslink.link.machine_diagram FILE` updates the diagram in a document."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from pmslink.link.machine import STATES, TABLE

_DIAGRAM_BLOCK_RE = re.compile(r"```mermaid\n.*?```\n", re.DOTALL)


def diagram() -> str:
    """Return a Mermaid state diagram of every move that enters another state."""
    lines = ["```mermaid", "stateDiagram-v2"]
    markers = list(STATES)
    for old, marker in enumerate(markers):
        events: dict[str, list[str]] = {}
        for event, row in TABLE.items():
            if row[old].to is not None:
                events.setdefault(str(row[old].to), []).append(event)
        lines += [f"    {marker} --> {new}: {', '.join(names)}" for new, names in events.items()]
    return "\n".join([*lines, "```", ""])


def redraw_diagram(document: str) -> str:
    """Return the document with the diagram of the current table."""
    return _DIAGRAM_BLOCK_RE.sub(lambda _: diagram(), document)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(redraw_diagram(path.read_text(encoding="utf-8")), encoding="utf-8")
