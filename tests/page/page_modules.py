"""Functions of the page's modules, called in the browser."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

_CALL = """
async ([module, name, args]) => {
  const main = document.querySelector("script[type=module]").src;
  const value = (await import(new URL(module, main)))[name];
  return typeof value === "function" ? value(...args) : value;
}
"""


def call_module(page: Page, module: str, name: str, *args: Any) -> Any:
    """Call an exported function of a module such as `core/rooms.js`, and return its result."""
    return page.evaluate(_CALL, [module, name, list(args)])
