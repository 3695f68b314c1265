"""Generate a Mermaid diagram of the packages from their imports.

`python -m tests.package_diagram FILE` replaces the diagram in a document.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp

_DIAGRAM = re.compile(r"```mermaid\nflowchart TD\n.*?```\n", re.DOTALL)


def package_imports() -> dict[str, set[str]]:
    """Return the packages that each package of `pmslink` imports, without the small top-level modules."""
    graph = grimp.build_graph("pmslink")
    packages = {
        child.removeprefix("pmslink."): child
        for child in graph.find_children("pmslink")
        if graph.find_children(child) or child in ("pmslink.service", "pmslink.hotel_scheduler")
    }
    return {
        name: {
            other
            for other, target in packages.items()
            if other != name
            and graph.direct_import_exists(importer=module, imported=target, as_packages=True)
        }
        for name, module in packages.items()
    }


def direct_only(imports: dict[str, set[str]]) -> dict[str, set[str]]:
    """Omit each import that is also indirect, so that the diagram stays readable."""

    def reachable(name: str) -> Iterator[str]:
        for other in imports[name]:
            yield other
            yield from reachable(other)

    return {
        name: {
            other
            for other in others
            if not any(other in set(reachable(intermediate)) for intermediate in others - {other})
        }
        for name, others in imports.items()
    }


def diagram() -> str:
    """Return the diagram, with one arrow for each import that is not also indirect."""
    lines = ["```mermaid", "flowchart TD"]
    for name, others in sorted(direct_only(package_imports()).items()):
        lines.extend(f"    {name} --> {other}" for other in sorted(others))
    return "\n".join([*lines, "```", ""])


def redraw_diagram(document: str) -> str:
    """Replace the diagram in a document."""
    return _DIAGRAM.sub(lambda _: diagram(), document)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(redraw_diagram(path.read_text("utf-8")), "utf-8")
