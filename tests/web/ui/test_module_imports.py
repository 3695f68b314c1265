"""Tests of the search for the modules that a module of the page imports."""

from __future__ import annotations

import pytest

from pmslink.web.ui.module_imports import find_imported_modules


def test_static_imports_are_followed_and_dynamic_ones_are_not() -> None:
    sources = {
        "main.js": b'// import "./no.js"\nimport { a } from "./core/a.js";\nimport "./core/b.js";\n'
        b'const view = () => import("./views/later.js");\n',
        "core/a.js": b'import {\n  c,\n  d,\n} from "./c.js";\nexport * from "./b.js";\n'
        b'export const from = "./no.js";\n',
        "core/b.js": b'import * as a from "./a.js";\nexport { x } from "../components/x.js";\n',
        "core/c.js": b"export const c = 1;\nexport const d = 2;\n",
        "components/x.js": b"export function x() {}\n",
        "views/later.js": b"",
    }
    modules = find_imported_modules(sources, ["main.js"])
    assert modules == ["main.js", "core/a.js", "core/b.js", "core/c.js", "components/x.js"]


def test_an_import_of_a_missing_module_is_an_error() -> None:
    with pytest.raises(KeyError, match=r"gone\.js"):
        find_imported_modules({"main.js": b'import "./gone.js";\n'}, ["main.js"])
