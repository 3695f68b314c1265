"""The outline of each view: the roles and names that a screen reader goes by, without the data of the hotel.

`python -m tests.page.outlines` writes them anew into KEPT_OUTLINES; `test_outlines.py` compares.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from playwright.sync_api import Page

from tests.page.browser import BrowserUser, open_page, start_chromium
from tests.page.hotel_processes import start_hotel
from tests.page.views import VIEWS, open_view

KEPT_OUTLINES = Path(__file__).parent / "outlines"
LANDMARK_ROLES = {"banner", "navigation", "main", "complementary", "dialog", "region", "group", "heading"}
CONTROL_ROLES = {"link", "button", "textbox", "searchbox", "combobox", "spinbutton", "checkbox", "switch"}
ROLES = LANDMARK_ROLES | CONTROL_ROLES | {"img", "table", "columnheader"}
DATA_ROLES = {"row", "listitem", "definition"}
"""Their contents are data, but for the head of a table."""
MOST_OF_A_KIND = 50
"""More siblings of one role are data, such as the rooms of the hotel."""
_AMOUNT = re.compile(r"(?<!level=)\b\d+(?:\.\d+)?(?: (?:ms|s|min|h|d)\b)?(?: \d+ (?:s|min|h)\b)?")


def outline(page: Page) -> str:
    """Return the outline of the view that is shown, a line for each element; amounts and times are 0."""
    snapshot = yaml.safe_load(page.locator("body").aria_snapshot())
    return "".join(f"{line}\n" for line in _lines(snapshot, ""))


def _lines(nodes: Sequence[Any], indent: str) -> Iterator[str]:
    named = [_name_and_children(node) for node in nodes]
    counts = Counter(_role(name) for name, _ in named)
    for name, children in named:
        role = _role(name)
        if counts[role] > MOST_OF_A_KIND or (role in DATA_ROLES and not _is_head(children)):
            continue
        if role in ROLES:
            yield indent + _AMOUNT.sub("0", name)
            yield from _lines(children, indent + "  ")
        else:
            yield from _lines(children, indent)


def _name_and_children(node: Any) -> tuple[str, Sequence[Any]]:
    if isinstance(node, str):
        return node, ()
    ((name, children),) = node.items()
    return name, children if isinstance(children, list) else ()


def _role(name: str) -> str:
    return name.split(" ", 1)[0]


def _is_head(children: Sequence[Any]) -> bool:
    """Whether these are the cells of the head of a table."""
    return any(_role(name) == "columnheader" for name, _ in map(_name_and_children, children))


def outlines_of_all_views(user: BrowserUser) -> Iterator[tuple[Path, str]]:
    """Open each view, and yield the file of its outline and the outline."""
    for view in VIEWS:
        open_view(user, view)
        yield KEPT_OUTLINES / f"{view.name}.txt", outline(user.page)


def main() -> None:
    KEPT_OUTLINES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as state,
        start_hotel(Path(state)) as hotel,
        start_chromium() as browser,
        open_page(browser, hotel.url) as user,
    ):
        for path, text in outlines_of_all_views(user):
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
