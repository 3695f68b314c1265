"""Static imports of the page's modules, so that a browser can be told at once which ones it will need."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping

_STATIC_IMPORT = re.compile(rb'^(?:import|export)\b(?:[^;"]*?\bfrom)?\s*"(\.[^"]+)"', re.MULTILINE)


def find_imported_modules(sources: Mapping[str, bytes], entries: Iterable[str]) -> list[str]:
    """Return the names of `entries` and of all modules that they import, directly or not, nearest first.

    `sources` has the text of each module by its name. Dynamic imports, `import(…)`, do not count: they load
    when they are needed. Raises KeyError for an import of a module that does not exist.
    """
    modules = list(entries)
    for module in modules:  # grows while it is read
        folder = posixpath.dirname(module)
        for specifier in _STATIC_IMPORT.findall(sources[module]):
            imported = posixpath.normpath(posixpath.join(folder, specifier.decode()))
            if imported not in modules:
                modules.append(imported)
    return modules
