"""Imports between packages go down only, and the diagram of the packages is current."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.package_diagram import diagram, package_imports

ROOT = Path(__file__).parents[1]


def test_imports_go_down_only() -> None:
    """Run the import contracts of `setup.cfg`; imports for type checking count too."""
    program = Path(sys.executable).parent / "lint-imports"
    checked = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_the_diagram_of_the_packages_is_current() -> None:
    document = (ROOT / "docs/architecture.md").read_text("utf-8")
    assert diagram() in document, "run make docs"


def test_every_package_has_a_docstring() -> None:
    packages = [path for path in (ROOT / "pmslink").rglob("__init__.py") if "static" not in path.parts]
    undocumented = [str(path) for path in packages if not path.read_text("utf-8").startswith('"""')]
    assert undocumented == []
    assert len(packages) > len(package_imports())


def test_the_service_imports_the_simulator_only_for_a_demonstration() -> None:
    code = "import sys, pmslink.service; print([name for name in sys.modules if 'simulator' in name])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
