"""Settings of a link that are right each by itself, and cannot be together."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from pmslink.config.extension_table import ExtensionTableError, load_extension_mapping
from pmslink.config.link_settings import LinkSettings
from pmslink.validation.setting_fields import setting_of

SettingConflict = tuple[str, object, str]
"""A setting, what stands there (None: nothing), and what would be right."""


def cross_check(link: LinkSettings, given: Mapping[str, object]) -> Iterator[SettingConflict]:
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
        yield "ca_file", link.ca_file, f"must be {setting_of(LinkSettings, 'ca_file').expected}"
    yield from _check_extensions(link)
    yield from _check_webhook(link)


def _check_webhook(link: LinkSettings) -> Iterator[SettingConflict]:
    for one, other in (("webhook_url", "webhook_secret"), ("webhook_secret", "webhook_url")):
        if getattr(link, one) is not None and getattr(link, other) is None:
            yield other, None, f"must be {setting_of(LinkSettings, other).expected}, for there is a {one}"


def _check_extensions(link: LinkSettings) -> Iterator[SettingConflict]:
    needed = {"same": None, "table": "extension_table"}.get(link.extensions, "extension_prefix")
    if needed is None:
        return
    value, right = getattr(link, needed), f"must be {setting_of(LinkSettings, needed).expected}"
    if value is None:
        yield needed, None, f'{right}, for extensions = "{link.extensions}"'
        return
    try:
        load_extension_mapping(link)
    except ExtensionTableError as problem:
        yield needed, value, f"{right}; {problem.problem}"
