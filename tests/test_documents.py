"""Tests that the documents agree with the code."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import get_args

from pmslink.config.link_definition import parse_link
from pmslink.link.cause import CauseCode
from pmslink.link.link_hints import HintCode
from pmslink.link.machine import STATES
from pmslink.link.machine_diagram import diagram, redraw_diagram
from pmslink.web.ui.page_files import load_page_files
from tests.page_documents import SERVED_DOCUMENTS, render_document

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


def test_every_hint_has_its_section_in_the_document_that_the_page_serves() -> None:
    document = (ROOT / "docs/pms-differences.md").read_text("utf-8")
    served = load_page_files().assets["pms-differences.html"].body.decode()
    for code in get_args(HintCode):
        assert f'<a id="hint-{code}"></a>\n### ' in document
        assert f"| hint | `{code}`" in document
        assert f'<a id="hint-{code}"></a>' in served


def test_the_served_documents_are_up_to_date() -> None:
    for name in SERVED_DOCUMENTS:
        assert load_page_files().assets[f"{name}.html"].body.decode() == render_document(name), (
            "run make docs"
        )


def test_anchors_within_a_served_document_exist() -> None:
    for name in SERVED_DOCUMENTS:
        text = render_document(name)
        assert set(re.findall(r'href="#([^"]+)"', text)) <= set(re.findall(r'id="([^"]+)"', text))
        assert not re.search(r'href="(?!#|icons/|page\.css|documents\.css)', text)


def test_the_settings_in_the_document_about_pmss_exist() -> None:
    document = (ROOT / "docs/pms-differences.md").read_text("utf-8")
    assignments = set(re.findall(r"`(\w+) = ([^`]+)`", document))
    assert len(assignments) > 10
    for name, value in assignments:
        values = tomllib.loads(f"{name} = {value}")
        parse_link("hotel", {"host": "192.0.2.1", "port": 5010, **values})


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


def anchors(document: str) -> set[str]:
    """Return the anchors that GitHub gives the headings of a document, and those that it sets itself."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", document, flags=re.DOTALL), re.MULTILINE)
    slugs = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'id="([^"]+)"', document))


def test_links_in_the_documents_lead_somewhere() -> None:
    dead = []
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    for document in documents:
        for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text("utf-8")):
            path, _, anchor = link.partition("#")
            target = document.parent / path if path else document
            if link.startswith("http"):
                continue
            if not target.exists() or (anchor and anchor not in anchors(target.read_text("utf-8"))):
                dead.append((document.name, link))
    assert len(documents) > 20
    assert dead == []
