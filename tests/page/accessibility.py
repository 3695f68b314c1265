"""Find faults of accessibility in a page, with axe-core."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.javascript_tools import read_axe

_FIND_VIOLATIONS = """
async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  const places = (nodes) => nodes.map(({ html }) => html.slice(0, 120));
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${places(nodes)}`);
}
"""


def accessibility_violations(page: Page) -> Any:
    """Return descriptions of what axe-core finds wrong in a page; [] if nothing is."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(read_axe())
    return page.evaluate(_FIND_VIOLATIONS)
