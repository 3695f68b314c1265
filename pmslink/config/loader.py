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

from pmslink.config.cross_checks import contradictions
from pmslink.config.link_settings import PROFILES, LinkSettings, Profile
from pmslink.errors import PmslinkError
from pmslink.validation.setting_fields import (
    UNTOLD,
    Setting,
    WrongPartError,
    about,
    is_host,
    is_path,
    one_of,
    setting,
    text,
    whole,
)

_T = TypeVar("_T")


class ConfigError(PmslinkError):
    """What is wrong in a configuration: where it stands, and what would be right.

    ``key`` is dotted (``links.grand.alive_interval``), ``value`` is what stands there (None: nothing),
    ``right`` tells what would be right ("must be …"), ``file`` is empty where there is none. What else
    was found wrong at the same time is in ``errors``; the text has a line for each. A secret is not told,
    right or wrong, and wherever it stands.
    """

    def __init__(
        self, key: str, value: object, right: str, file: str = "", more: Sequence[ConfigError] = ()
    ) -> None:
        value = _untold(key, value)
        super().__init__(key, value, right, file)
        self.key = key
        self.value = value
        self.right = right
        self.file = file
        self.errors: tuple[ConfigError, ...] = (self, *more)

    def __str__(self) -> str:
        return "\n".join(error._line() for error in self.errors)

    def _line(self) -> str:
        place = f"{self.key} is missing" if self.value is None else f"{self.key} = {_shown(self.value)}"
        return ": ".join(part for part in (self.file, self.key and place, self.right) if part)


@frozen
class LinkConfig:
    """One link, as ``read_link`` makes it.

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
class FlatLink(LinkSettings):
    """Everything that can be written for one link, in TOML and in JSON."""

    host: str = field(
        metadata=text(
            "host name or IP address of the PMS",
            "a host name or an IP address, without the port",
            is_host,
            schema={"minLength": 1},
        )
    )
    port: int = field(metadata=whole("TCP port of the PMS", 1, 65535))
    profile: Profile = field(
        default="generic",
        metadata=one_of(Profile, "product of the PMS: selects the defaults of the link checks"),
    )


def read_link(name: str, raw: Mapping[str, object], where: str = "") -> LinkConfig:
    """A link from what was written for it, flat; None stands for "not given".

    ``where`` is the dotted key of the link, for errors. Raises ConfigError about all that is wrong.
    """
    errors: list[ConfigError] = []
    if not re.fullmatch("[A-Za-z0-9_-]{1,64}", name):
        right = 'must be named by 1 to 64 letters, digits, "-" and "_"'
        errors.append(ConfigError(where or "name", name, right))
    given = {key: value for key, value in raw.items() if value is not None}
    try:
        flat = _structured(FlatLink, {**_presets(given), **given}, where)
        for key, value, right in contradictions(flat, given):
            errors.append(ConfigError(_dotted(where, key), value, right))
    except ConfigError as error:
        errors.extend(error.errors)
    if errors:
        raise _together(errors)
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


WHEN_DEFINED: Mapping[str, object] = {"enabled": False}
"""What differs from the defaults for a link that is made over the interface: a person says when it docks."""


def read_defined(name: str, raw: Mapping[str, object]) -> LinkConfig:
    """A link that is made over the interface."""
    given = {key: value for key, value in raw.items() if value is not None}
    return read_link(name, {**WHEN_DEFINED, **given})


def _presets(given: Mapping[str, object]) -> Mapping[str, object]:
    return next((PROFILES[known] for known in PROFILES if known == given.get("profile")), {})


_PMS = re.compile(r"(?:\[([^\[\]]+)\]|([^:,\[\]]+)):([0-9]{1,5})(?:,(.+))?")


def read_pms(text: str) -> LinkConfig:
    """The link ``pms`` from ``HOST:PORT[,PROFILE]``; an address of IPv6 stands in brackets.

    Raises ConfigError.
    """
    right = "must be HOST:PORT or HOST:PORT,PROFILE, such as 10.20.0.5:5010,opera; PROFILE is "
    wrong = ConfigError("--pms", text, right + setting(FlatLink, "profile").right.replace('"', ""))
    match = _PMS.fullmatch(text)
    if match is None:
        raise wrong
    bracketed, plain, port, profile = match.groups()
    try:
        return read_link("pms", {"host": bracketed or plain, "port": int(port), "profile": profile})
    except ConfigError:
        raise wrong from None


def _read_links(raw: object) -> tuple[LinkConfig, ...]:
    if not isinstance(raw, dict):
        raise ValueError
    links: list[LinkConfig] = []
    errors: list[ConfigError] = []
    for name, link in raw.items():
        where = _dotted("links", name)
        if not isinstance(link, dict):
            errors.append(ConfigError(where, link, "must be a table of settings"))
            continue
        try:
            links.append(read_link(name, link, where))
        except ConfigError as error:
            errors.extend(error.errors)
    if errors:
        raise _together(errors)
    return tuple(links)


def _read_path(raw: object) -> Path:
    if not isinstance(raw, str) or not is_path(raw):
        raise ValueError
    return Path(raw)


@frozen
class Config:
    """All that a configuration file can say."""

    state_dir: Path = field(
        default=Path("pmslink-state"),
        metadata=about(
            "directory of the store, its lock file and the token file", "the path of a directory", _read_path
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
        metadata=whole("retention time of records and rooms that hold guest data", 1, 3650, "days"),
    )
    history_days: int = field(
        default=400, metadata=whole("retention time of transitions and postings", 1, 3650, "days")
    )
    links: tuple[LinkConfig, ...] = field(
        default=(),
        metadata=about("the links, by name", "a table of links, such as [links.grand]", _read_links),
    )


_SECTIONS = ("api", "retention")
TOML_KEYS = {
    "api_listen": "api.listen",
    "guest_days": "retention.guest_days",
    "history_days": "retention.history_days",
}
"""The dotted key in the file of each field of Config that has another name there."""


def load(path: str | os.PathLike[str]) -> Config:
    """Read and judge a configuration file. Raises ConfigError about all that is wrong in it."""
    file = os.fspath(path)
    try:
        return _structured(Config, _dotted_sections(_parsed(file)))
    except ConfigError as problem:
        raise _together(problem.errors, file) from None


def _parsed(file: str) -> dict[str, object]:
    try:
        return tomllib.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as problem:
        raise ConfigError("", None, f"cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError("", None, "is not TOML: must be written in UTF-8") from None
    except tomllib.TOMLDecodeError as problem:
        raise ConfigError("", None, f"is not TOML: {problem}") from None


def _dotted_sections(raw: Mapping[str, object]) -> dict[str, object]:
    flat = dict(raw)
    for section in _SECTIONS:
        table = flat.pop(section, {})
        if not isinstance(table, dict):
            raise ConfigError(section, table, f"must be a table, [{section}]")
        flat.update({f"{section}.{key}": value for key, value in table.items()})
    return flat


def _converter() -> cattrs.Converter:
    def hook(known: Setting) -> Any:
        return lambda raw, _type: known.read(raw)

    converter = cattrs.Converter()
    for cls in (FlatLink, Config):
        overrides = {
            one.name: override(struct_hook=hook(setting(cls, one.name)), rename=TOML_KEYS.get(one.name))
            for one in fields(cls)
        }
        converter.register_structure_hook(
            cls,
            make_dict_structure_fn(cls, converter, _cattrs_forbid_extra_keys=True, **overrides),  # type: ignore[arg-type]
        )
    return converter


_CONVERTER = _converter()


def _structured(cls: type[_T], raw: Mapping[str, object], where: str = "") -> _T:
    try:
        return _CONVERTER.structure(raw, cls)
    except cattrs.ClassValidationError as group:
        raise _together(list(_errors(cls, raw, group, where))) from None


def _errors(
    cls: type, raw: Mapping[str, object], group: cattrs.ClassValidationError, where: str
) -> Iterator[ConfigError]:
    of_settings, of_keys = group.group_exceptions()
    for error, note in of_settings:
        if isinstance(error, ConfigError):
            yield from error.errors
            continue
        key = TOML_KEYS.get(note.name, note.name)
        value = raw.get(key)
        place = _dotted(where, key)
        right = ""
        if isinstance(error, WrongPartError):
            place = _dotted(place, error.key)
            value, right = error.value, error.right
        yield ConfigError(place, value, right or f"must be {setting(cls, note.name).right}")
    known = [TOML_KEYS.get(one.name, one.name) for one in fields(cls)]
    for unknown in of_keys:
        for key in sorted(cast(cattrs.ForbiddenExtraKeysError, unknown).extra_fields):
            near = difflib.get_close_matches(key, known, n=1)
            right = "there is no such setting" + (f"; did you mean {near[0]}?" if near else "")
            yield ConfigError(_dotted(where, key), raw[key], right)


def _together(errors: Sequence[ConfigError], file: str = "") -> ConfigError:
    first, *more = [ConfigError(error.key, error.value, error.right, file) for error in errors]
    return ConfigError(first.key, first.value, first.right, file, more)


def _dotted(where: str, key: str) -> str:
    shown = key if re.fullmatch("[A-Za-z0-9_.-]+", key) else json.dumps(key, ensure_ascii=False)
    return f"{where}.{shown}" if where else shown


def _untold(key: str, value: object) -> object:
    """A value as it may be told: without what stands under any secret's key, and who may open a URL."""
    name = key.rpartition(".")[2].lower()
    if "secret" in name and value is not None:
        return UNTOLD
    if isinstance(value, Mapping):
        return {part: _untold(str(part), value[part]) for part in value}
    if isinstance(value, list):
        return [_untold("", part) for part in value]
    if isinstance(value, str) and ("//" in value or "url" in name):
        return re.sub("(?s).*@", f"{UNTOLD}@", value)
    return value


def _shown(value: object) -> str:
    shown = json.dumps(value, ensure_ascii=False, default=str)
    return shown if len(shown) <= 80 else shown[:79] + "…"
