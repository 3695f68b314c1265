"""Tests that setup.cfg declares every imported package, even if another package requires it."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from functools import cache
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OWN_PACKAGES = {"pmslink", "tests", "bench"}


def imported_modules(directory: str) -> Iterator[tuple[str, str]]:
    """Yield each imported module with the file that imports it."""
    for file in sorted((ROOT / directory).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                yield name, str(file.relative_to(ROOT))


@cache
def distributions_of(module: str) -> frozenset[str]:
    """Return the normalized names of the distributions that a module may come from."""
    top_level, *submodules = module.split(".")
    names = set(packages_distributions().get(top_level, ())) - OWN_PACKAGES
    if len(names) > 1 and submodules:  # a namespace package, such as zope
        folder = f"{top_level}/{submodules[0]}"
        names = {name for name in names if any(str(file).startswith(folder) for file in files_of(name))}
    return frozenset(map(normalized, names))


@cache
def files_of(name: str) -> tuple[str, ...]:
    return tuple(map(str, distribution(name).files or ()))


def normalized(name: str) -> str:
    return re.sub("[-_.]+", "-", name).lower()


def declared(*extras: str) -> set[str]:
    """Return the normalized names in install_requires and in these extras."""
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    lists = [parser["options"]["install_requires"]]
    lists += [parser["options.extras_require"][extra] for extra in extras]
    lines = [line for requirements in lists for line in requirements.splitlines() if line]
    return {normalized(re.split(r"[\[<>=!~; ]", line)[0]) for line in lines}


@pytest.mark.parametrize(
    ("directory", "extras"),
    [("pmslink", ()), ("twisted", ()), ("tests", ("test",)), ("bench", ("test", "bench"))],
)
def test_every_imported_package_is_declared(directory: str, extras: tuple[str, ...]) -> None:
    available = declared(*extras)
    third_party = [
        (module, file)
        for module, file in imported_modules(directory)
        if module.split(".")[0] not in sys.stdlib_module_names | OWN_PACKAGES
    ]
    assert third_party
    undeclared = [(module, file) for module, file in third_party if not distributions_of(module) & available]
    assert undeclared == []


def test_a_module_of_a_namespace_package_belongs_to_one_distribution() -> None:
    assert distributions_of("zope.interface") == {"zope-interface"}
