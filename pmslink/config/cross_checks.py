"""Find settings of a link that are valid by themselves, but contradict each other or need another."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from pmslink.config.extension_table import ExtensionTableError, load_extension_mapping
from pmslink.config.link_settings import LinkSettings
from pmslink.validation.setting_fields import setting_of

SettingConflict = tuple[str, object, str]
"""The key of a setting, its value (None: missing), and what is expected ("must be …")."""


def cross_check(link: LinkSettings, given: Mapping[str, object]) -> Iterator[SettingConflict]:
    """Yield all conflicts.

    `given` has the settings that were given explicitly: a conflict names one of those, if possible.
    """
    if link.retry_initial > link.retry_max:
        if "retry_max" in given:
            yield (
                "retry_max",
                link.retry_max,
                f"must be at least retry_initial, which is {link.retry_initial}",
            )
        else:
            expected = f"must be at most retry_max, which is {link.retry_max}"
            yield "retry_initial", link.retry_initial, expected
    if link.tls and link.ca_file and not (os.path.isfile(link.ca_file) and os.access(link.ca_file, os.R_OK)):
        yield "ca_file", link.ca_file, f"must be {setting_of(LinkSettings, 'ca_file').expected}"
    if link.connect == "accept" and link.tls:
        yield (
            "tls",
            True,
            'must be false, because connect is "accept": a connection that the PMS opens is plain TCP',
        )
    yield from _check_extensions(link)
    yield from _check_webhook(link)


def _check_webhook(link: LinkSettings) -> Iterator[SettingConflict]:
    for key, partner in (("webhook_url", "webhook_secret"), ("webhook_secret", "webhook_url")):
        if getattr(link, key) is not None and getattr(link, partner) is None:
            expected = setting_of(LinkSettings, partner).expected
            yield partner, None, f"must be {expected}, because {key} is set"


def _check_extensions(link: LinkSettings) -> Iterator[SettingConflict]:
    needed = {"same": None, "table": "extension_table"}.get(link.extensions, "extension_prefix")
    if needed is None:
        return
    value, expected = getattr(link, needed), f"must be {setting_of(LinkSettings, needed).expected}"
    if value is None:
        yield needed, None, f'{expected}, because extensions is "{link.extensions}"'
        return
    try:
        load_extension_mapping(link)
    except ExtensionTableError as error:
        yield needed, value, f"{expected}; {error.problem}"
