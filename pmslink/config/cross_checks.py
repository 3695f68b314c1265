"""Settings of a link that are right each by itself, and cannot be together."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from pmslink.config.extension_table import ExtensionTableError, extensions_of
from pmslink.config.link_settings import LinkSettings
from pmslink.validation.setting_fields import setting

Contradiction = tuple[str, object, str]
"""A setting, what stands there (None: nothing), and what would be right."""


def contradictions(link: LinkSettings, given: Mapping[str, object]) -> Iterator[Contradiction]:
    """All contradictions; ``given`` is what a person set, and can put right."""
    if link.retry_initial > link.retry_max:
        if "retry_max" in given:
            yield (
                "retry_max",
                link.retry_max,
                f"must be at least retry_initial, which is {link.retry_initial}",
            )
        else:
            right = f"must be at most retry_max, which is {link.retry_max}"
            yield "retry_initial", link.retry_initial, right
    if link.tls and link.ca_file and not (os.path.isfile(link.ca_file) and os.access(link.ca_file, os.R_OK)):
        yield "ca_file", link.ca_file, f"must be {setting(LinkSettings, 'ca_file').right}"
    yield from _of_extensions(link)
    yield from _of_webhook(link)


def _of_webhook(link: LinkSettings) -> Iterator[Contradiction]:
    for one, other in (("webhook_url", "webhook_secret"), ("webhook_secret", "webhook_url")):
        if getattr(link, one) is not None and getattr(link, other) is None:
            yield other, None, f"must be {setting(LinkSettings, other).right}, for there is a {one}"


def _of_extensions(link: LinkSettings) -> Iterator[Contradiction]:
    needed = {"same": None, "table": "extension_table"}.get(link.extensions, "extension_prefix")
    if needed is None:
        return
    value, right = getattr(link, needed), f"must be {setting(LinkSettings, needed).right}"
    if value is None:
        yield needed, None, f'{right}, for extensions = "{link.extensions}"'
        return
    try:
        extensions_of(link)
    except ExtensionTableError as problem:
        yield needed, value, f"{right}; {problem.problem}"
