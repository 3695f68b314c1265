"""Load a configuration file (TOML) into a `Config`."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path

from attrs import field, frozen

from pmslink.config.config_errors import ConfigError, combine_errors, dotted_key
from pmslink.config.link_definition import LinkConfig, parse_link
from pmslink.config.settings_parser import SettingsParser
from pmslink.validation.setting_fields import integer, setting_metadata, text
from pmslink.validation.validators import is_path


def _parse_links(raw: object) -> tuple[LinkConfig, ...]:
    if not isinstance(raw, dict):
        raise ValueError
    links: list[LinkConfig] = []
    errors: list[ConfigError] = []
    by_address: dict[tuple[str, int], LinkConfig] = {}
    for name, link in raw.items():
        key = dotted_key("links", name)
        if not isinstance(link, dict):
            errors.append(ConfigError(key, link, "must be a table of settings"))
            continue
        try:
            links.append(parse_link(name, link, key))
        except ConfigError as error:
            errors.extend(error.errors)
            continue
        errors += find_address_conflict(links[-1], by_address)
    if errors:
        raise combine_errors(errors)
    return tuple(links)


def find_address_conflict(
    link: LinkConfig, by_address: MutableMapping[tuple[str, int], LinkConfig]
) -> Sequence[ConfigError]:
    """Return an error if an earlier link has the host and port of this one.

    `by_address` has the earlier links by their `address_key`; this one is added.
    """
    other = by_address.setdefault(link.address_key, link)
    if other is link:
        return ()
    accepts = link.settings.connect == "accept"
    shared = "accepts connections on this port" if accepts else f"has {link.host} and this port"
    key = dotted_key(dotted_key("links", link.name), "port")
    expected = f"must differ: {dotted_key('links', other.name)} {shared} already"
    return (ConfigError(key, link.port, expected),)


def _parse_path(raw: object) -> Path:
    if not isinstance(raw, str) or not is_path(raw):
        raise ValueError
    return Path(raw)


@frozen
class Config:
    """Hold everything that a configuration file can define."""

    state_dir: Path = field(
        default=Path("pmslink-state"),
        metadata=setting_metadata(
            "directory of the store, its lock file and the token file", "the path of a directory", _parse_path
        ),
    )
    api_listen: str = field(
        default="tcp:8080:interface=127.0.0.1",
        metadata=text(
            "address on which the JSON API and the page are served",
            'an endpoint of Twisted, such as "tcp:8080:interface=127.0.0.1" or "unix:/run/pmslink.sock"',
            re.compile("[a-z][a-z0-9]*:.+").fullmatch,
        ),
    )
    guest_days: int = field(
        default=30,
        metadata=integer("retention time of records and rooms that hold guest data", 1, 3650, "days"),
    )
    history_days: int = field(
        default=400, metadata=integer("retention time of transitions and postings", 1, 3650, "days")
    )
    links: tuple[LinkConfig, ...] = field(
        default=(),
        metadata=setting_metadata(
            "the links, by name", "a table of links, such as [links.grand]", _parse_links
        ),
    )


_SECTIONS = ("api", "retention")
TOML_KEYS = {
    "api_listen": "api.listen",
    "guest_days": "retention.guest_days",
    "history_days": "retention.history_days",
}
"""The dotted key in the file of each field of Config that has another name there."""

_PARSER = SettingsParser(Config, TOML_KEYS)


def load_config(path: str | os.PathLike[str]) -> Config:
    """Read and validate a configuration file. Raises ConfigError with all errors in it."""
    file = os.fspath(path)
    try:
        return _PARSER.parse(_flatten_sections(_read_toml(file)))
    except ConfigError as error:
        raise combine_errors(error.errors, file) from None


def _read_toml(file: str) -> dict[str, object]:
    try:
        return tomllib.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError("", None, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError("", None, "is not TOML: must be encoded in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError("", None, f"is not TOML: {error}") from None
    except RecursionError:
        raise ConfigError("", None, "is nested too deeply") from None


def _flatten_sections(raw: Mapping[str, object]) -> dict[str, object]:
    flat = dict(raw)
    for section in _SECTIONS:
        table = flat.pop(section, {})
        if not isinstance(table, dict):
            raise ConfigError(section, table, f"must be a table, [{section}]")
        flat.update({f"{section}.{key}": value for key, value in table.items()})
    return flat
