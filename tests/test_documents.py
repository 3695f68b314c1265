"""Tests that the documents agree with the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import get_args

from pmslink.link.cause import CauseCode
from pmslink.link.machine import STATES
from pmslink.link.machine_diagram import diagram, redraw_diagram

ROOT = Path(__file__).parents[1]


def defined_names(path: Path) -> set[str]:
    """Return the classes, functions and methods (`Class.method`) that a module defines."""
    names: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            functions = (ast.FunctionDef, ast.AsyncFunctionDef)
            names |= {f"{node.name}.{part.name}" for part in node.body if isinstance(part, functions)}
    return names


def test_the_diagram_in_the_document_is_up_to_date() -> None:
    document = (ROOT / "docs/machine.md").read_text()
    assert diagram() in document, "run make docs"
    assert redraw_diagram(document) == document


def test_operations_document_has_every_state_and_cause() -> None:
    document = (ROOT / "docs/operations.md").read_text()
    assert [name for name in (*STATES, *get_args(CauseCode)) if f"`{name}`" not in document] == []


def test_the_architecture_names_functions_that_exist() -> None:
    document = (ROOT / "docs/architecture.md").read_text("utf-8")
    named = re.findall(r"`([A-Z]?\w+(?:\.\w+)?)` \(`([\w/]+\.py)`\)", document)
    assert len(named) > 30
    missing = [pair for pair in named if pair[0] not in defined_names(ROOT / "pmslink" / pair[1])]
    assert missing == []


PATH = re.compile(r"`((?:[\w-]+/)*[\w-]+(?:\.(?:py|js|yaml|json)|/))`")
ROOTS = (".", "pmslink", "pmslink/store", "pmslink/web", "pmslink/web/ui", "tests")


def test_paths_in_the_documents_exist() -> None:
    documents = ("docs/architecture.md", "CONTRIBUTING.md")
    paths = {path for name in documents for path in PATH.findall((ROOT / name).read_text("utf-8"))}
    assert len(paths) > 40
    missing = [path for path in sorted(paths) if not any((ROOT / root / path).exists() for root in ROOTS)]
    assert missing == []


def test_the_index_lists_every_document() -> None:
    index = (ROOT / "docs/index.md").read_text("utf-8")
    docs = ROOT / "docs"
    documents = {str(path.relative_to(docs)) for path in docs.rglob("*.md")} - {"index.md"}
    assert [name for name in sorted(documents) if f"({name})" not in index] == []
