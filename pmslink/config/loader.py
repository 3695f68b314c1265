"""What pmslink is told to do: a TOML file, the flat settings of one link, or ``HOST:PORT[,PROFILE]``."""

from __future__ import annotations

import difflib
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, cast

import cattrs
from attrs import field, fields, frozen
from cattrs.gen import make_dict_structure_fn, override

from pmslink.config.cross_checks import cross_check
from pmslink.config.link_settings import PROFILE_PRESETS, LinkSettings, Profile
from pmslink.errors import PmslinkError
from pmslink.validation.setting_fields import (
    REDACTED,
    Setting,
    choice,
    integer,
    setting_metadata,
    setting_of,
    text,
)
from pmslink.validation.validators import NestedValueError, is_host, is_path

_T = TypeVar("_T")


class ConfigError(PmslinkError):
    """What is wrong in a configuration: where it stands, and what would be right.

    ``key`` is dotted (``links.grand.alive_interval``), ``value`` is what stands there (None: nothing),
    ``right`` tells what would be right ("must be …"), ``file`` is empty where there is none. What else
    was found wrong at the same time is in ``errors``; the text has a line for each. A secret is not told,
    right or wrong, and wherever it stands.
    """

    def __init__(
        self, key: str, value: object, expected: str, file: str = "", other_errors: Sequence[ConfigError] = ()
    ) -> None:
        value = _redact(key, value)
        super().__init__(key, value, expected, file)
        self.key = key
        self.value = value
        self.expected = expected
        self.file = file
        self.errors: tuple[ConfigError, ...] = (self, *other_errors)

    def __str__(self) -> str:
        return "\n".join(error._format_line() for error in self.errors)

    def _format_line(self) -> str:
        place = (
            f"{self.key} is missing" if self.value is None else f"{self.key} = {_format_value(self.value)}"
        )
        return ": ".join(part for part in (self.file, self.key and place, self.expected) if part)


@frozen
class LinkConfig:
    """One link, as ``parse_link`` makes it.

    ``given`` is what was set for it, host, port and profile aside: as it was written, but ready for
    JSON. ``settings`` is that over the presets of the profile.
    """

    name: str
    host: str
    port: int
    profile: Profile = "generic"
    given: Mapping[str, object] = field(factory=dict, repr=False)  # it may hold a secret
    settings: LinkSettings = field(factory=LinkSettings)


@frozen(kw_only=True)
class LinkDefinition(LinkSettings):
    """Everything that can be written for one link, in TOML and in JSON."""

    host: str = field(
        metadata=text(
            "host name or IP address of the PMS",
            "a host name or an IP address, without the port",
            is_host,
            schema={"minLength": 1},
        )
    )
    port: int = field(metadata=integer("TCP port of the PMS", 1, 65535))
    profile: Profile = field(
        default="generic",
        metadata=choice(Profile, "product of the PMS: selects the defaults of the link checks"),
    )


def parse_link(name: str, raw: Mapping[str, object], key_prefix: str = "") -> LinkConfig:
    """A link from what was written for it, flat; None stands for "not given".

    ``where`` is the dotted key of the link, for errors. Raises ConfigError about all that is wrong.
    """
    errors: list[ConfigError] = []
    if not re.fullmatch("[A-Za-z0-9_-]{1,64}", name):
        right = 'must be named by 1 to 64 letters, digits, "-" and "_"'
        errors.append(ConfigError(key_prefix or "name", name, right))
    given = {key: value for key, value in raw.items() if value is not None}
    try:
        flat = _structure(LinkDefinition, {**_profile_presets(given), **given}, key_prefix)
        for key, value, right in cross_check(flat, given):
            errors.append(ConfigError(_dotted_key(key_prefix, key), value, right))
    except ConfigError as error:
        errors.extend(error.errors)
    if errors:
        raise _combine_errors(errors)
    return LinkConfig(
        name=name,
        host=flat.host,
        port=flat.port,
        profile=flat.profile,
        given={
            key: value.isoformat() if isinstance(value, datetime) else value
            for key, value in given.items()
            if key not in ("host", "port", "profile")
        },
        settings=LinkSettings(**{one.name: getattr(flat, one.name) for one in fields(LinkSettings)}),
    )


API_LINK_DEFAULTS: Mapping[str, object] = {"enabled": False}
"""What differs from the defaults for a link that is made over the interface: a person says when it docks."""


def parse_api_link(name: str, raw: Mapping[str, object]) -> LinkConfig:
    """A link that is made over the interface."""
    given = {key: value for key, value in raw.items() if value is not None}
    return parse_link(name, {**API_LINK_DEFAULTS, **given})


def _profile_presets(given: Mapping[str, object]) -> Mapping[str, object]:
    return next((PROFILE_PRESETS[known] for known in PROFILE_PRESETS if known == given.get("profile")), {})


_PMS_PATTERN = re.compile(r"(?:\[([^\[\]]+)\]|([^:,\[\]]+)):([0-9]{1,5})(?:,(.+))?")


def parse_pms_argument(text: str) -> LinkConfig:
    """The link ``pms`` from ``HOST:PORT[,PROFILE]``; an address of IPv6 stands in brackets.

    Raises ConfigError.
    """
    right = "must be HOST:PORT or HOST:PORT,PROFILE, such as 10.20.0.5:5010,opera; PROFILE is "
    wrong = ConfigError(
        "--pms", text, right + setting_of(LinkDefinition, "profile").expected.replace('"', "")
    )
    match = _PMS_PATTERN.fullmatch(text)
    if match is None:
        raise wrong
    bracketed, plain, port, profile = match.groups()
    try:
        return parse_link("pms", {"host": bracketed or plain, "port": int(port), "profile": profile})
    except ConfigError:
        raise wrong from None


def _parse_links(raw: object) -> tuple[LinkConfig, ...]:
    if not isinstance(raw, dict):
        raise ValueError
    links: list[LinkConfig] = []
    errors: list[ConfigError] = []
    for name, link in raw.items():
        where = _dotted_key("links", name)
        if not isinstance(link, dict):
            errors.append(ConfigError(where, link, "must be a table of settings"))
            continue
        try:
            links.append(parse_link(name, link, where))
        except ConfigError as error:
            errors.extend(error.errors)
    if errors:
        raise _combine_errors(errors)
    return tuple(links)


def _parse_path(raw: object) -> Path:
    if not isinstance(raw, str) or not is_path(raw):
        raise ValueError
    return Path(raw)


@frozen
class Config:
    """All that a configuration file can say."""

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


def load_config(path: str | os.PathLike[str]) -> Config:
    """Read and judge a configuration file. Raises ConfigError about all that is wrong in it."""
    file = os.fspath(path)
    try:
        return _structure(Config, _flatten_sections(_read_toml(file)))
    except ConfigError as problem:
        raise _combine_errors(problem.errors, file) from None


def _read_toml(file: str) -> dict[str, object]:
    try:
        return tomllib.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as problem:
        raise ConfigError("", None, f"cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError("", None, "is not TOML: must be written in UTF-8") from None
    except tomllib.TOMLDecodeError as problem:
        raise ConfigError("", None, f"is not TOML: {problem}") from None


def _flatten_sections(raw: Mapping[str, object]) -> dict[str, object]:
    flat = dict(raw)
    for section in _SECTIONS:
        table = flat.pop(section, {})
        if not isinstance(table, dict):
            raise ConfigError(section, table, f"must be a table, [{section}]")
        flat.update({f"{section}.{key}": value for key, value in table.items()})
    return flat


def _converter() -> cattrs.Converter:
    def hook(known: Setting) -> Any:
        return lambda raw, _type: known.validator(raw)

    converter = cattrs.Converter()
    for cls in (LinkDefinition, Config):
        overrides = {
            one.name: override(struct_hook=hook(setting_of(cls, one.name)), rename=TOML_KEYS.get(one.name))
            for one in fields(cls)
        }
        converter.register_structure_hook(
            cls,
            make_dict_structure_fn(cls, converter, _cattrs_forbid_extra_keys=True, **overrides),  # type: ignore[arg-type]
        )
    return converter


_CONVERTER = _converter()


def _structure(cls: type[_T], raw: Mapping[str, object], key_prefix: str = "") -> _T:
    try:
        return _CONVERTER.structure(raw, cls)
    except cattrs.ClassValidationError as group:
        raise _combine_errors(list(_config_errors(cls, raw, group, key_prefix))) from None


def _config_errors(
    cls: type, raw: Mapping[str, object], group: cattrs.ClassValidationError, key_prefix: str
) -> Iterator[ConfigError]:
    of_settings, of_keys = group.group_exceptions()
    for error, note in of_settings:
        if isinstance(error, ConfigError):
            yield from error.errors
            continue
        key = TOML_KEYS.get(note.name, note.name)
        value = raw.get(key)
        place = _dotted_key(key_prefix, key)
        right = ""
        if isinstance(error, NestedValueError):
            place = _dotted_key(place, error.key)
            value, right = error.value, error.expected
        yield ConfigError(place, value, right or f"must be {setting_of(cls, note.name).expected}")
    known = [TOML_KEYS.get(one.name, one.name) for one in fields(cls)]
    for unknown in of_keys:
        for key in sorted(cast(cattrs.ForbiddenExtraKeysError, unknown).extra_fields):
            near = difflib.get_close_matches(key, known, n=1)
            right = "there is no such setting" + (f"; did you mean {near[0]}?" if near else "")
            yield ConfigError(_dotted_key(key_prefix, key), raw[key], right)


def _combine_errors(errors: Sequence[ConfigError], file: str = "") -> ConfigError:
    first, *more = [ConfigError(error.key, error.value, error.expected, file) for error in errors]
    return ConfigError(first.key, first.value, first.expected, file, more)


def _dotted_key(key_prefix: str, key: str) -> str:
    shown = key if re.fullmatch("[A-Za-z0-9_.-]+", key) else json.dumps(key, ensure_ascii=False)
    return f"{key_prefix}.{shown}" if key_prefix else shown


def _redact(key: str, value: object) -> object:
    """A value as it may be told: without what stands under any secret's key, and who may open a URL."""
    name = key.rpartition(".")[2].lower()
    if "secret" in name and value is not None:
        return REDACTED
    if isinstance(value, Mapping):
        return {part: _redact(str(part), value[part]) for part in value}
    if isinstance(value, list):
        return [_redact("", part) for part in value]
    if isinstance(value, str) and ("//" in value or "url" in name):
        return re.sub("(?s).*@", f"{REDACTED}@", value)
    return value


def _format_value(value: object) -> str:
    shown = json.dumps(value, ensure_ascii=False, default=str)
    return shown if len(shown) <= 80 else shown[:79] + "…"
