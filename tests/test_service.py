"""Tests of the service's command line, and of the services that it creates."""

from __future__ import annotations

import json
import os
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.logger import LogEvent
from twisted.plugin import getPlugins

from pmslink.config.link_definition import parse_link
from pmslink.config.loader import Config
from pmslink.service import Options, build_service, makeService
from pmslink.store.core.database import SqliteDatabase
from pmslink.store.core.schema_version import create_or_migrate
from pmslink.store.core.transaction import Transaction
from pmslink.store.tables.hotel_states import HotelStore, UnitOfWork
from pmslink.store.tables.link_rows import StoredLink, store_links
from pmslink.timestamps import utc_now
from pmslink.web.auth import token_file_edits


def parse_options(*arguments: str) -> Options:
    options = Options()  # type: ignore[no-untyped-call]
    options.parseOptions(list(arguments))
    return options


def error_text(*arguments: str) -> str:
    with pytest.raises(SystemExit) as exit_info:
        parse_options(*arguments)
    return str(exit_info.value.code)


def test_without_options_the_defaults_apply() -> None:
    assert parse_options().config == Config()


def test_the_command_line_overrides_the_file(tmp_path: Path) -> None:
    file = tmp_path / "hotel.toml"
    file.write_text(
        'state_dir = "a"\n[api]\nlisten = "tcp:1:interface=::1"\n[links.x]\nhost = "h"\nport = 1\n'
    )
    options = ["--config", str(file), "--state-dir", "b", "--api", "tcp:2:interface=127.0.0.1"]
    config = parse_options(*options, "--pms", "[::1]:5010,opera").config
    assert config.state_dir == Path("b")
    assert config.api_listen == "tcp:2:interface=127.0.0.1"
    assert [(link.name, link.host, link.profile) for link in config.links] == [
        ("x", "h", "generic"),
        ("pms", "::1", "opera"),
    ]


def test_a_link_in_the_file_and_on_the_command_line_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "hotel.toml"
    file.write_text('[links.pms]\nhost = "h"\nport = 1\n')
    assert error_text("--config", str(file), "--pms", "h:5010") == (
        f'pmslink: {file}: links.pms = "h:1": must have another name: the command line defines a link pms'
    )


def test_a_link_of_the_command_line_with_the_address_of_one_in_the_file_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "hotel.toml"
    file.write_text('[links.grand]\nhost = "h"\nport = 5010\n')
    assert error_text("--config", str(file), "--pms", "h:5010") == (
        "pmslink: links.pms.port = 5010: must differ: links.grand has h and this port already"
    )


def test_a_file_that_cannot_be_read_is_one_line() -> None:
    assert error_text("--config", "/nowhere.toml") == (
        "pmslink: /nowhere.toml: cannot be read: No such file or directory"
    )


@pytest.mark.parametrize("endpoint", ["tcp:8080", "tcp:8080:interface=0.0.0.0", "tls:tcp:8080"])
def test_without_tokens_the_api_does_not_listen_on_public_addresses(tmp_path: Path, endpoint: str) -> None:
    config = Config(state_dir=tmp_path / "state", api_listen=endpoint)
    with pytest.raises(SystemExit) as exit_info:
        build_service(reactor, config)
    (line,) = str(exit_info.value.code).splitlines()
    assert line.startswith(f"pmslink: api.listen = '{endpoint}': ")
    assert "add a token first: pmslink token add NAME --role control" in line
    assert not (tmp_path / "state").exists()


def test_with_a_token_the_api_may_listen_on_any_address(tmp_path: Path) -> None:
    token_file_edits.add_token(tmp_path, "desk", "view", utc_now())
    config = Config(state_dir=tmp_path, api_listen="tcp:8080")
    assert len(list(build_service(reactor, config))) == 7


def test_an_invalid_token_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("rubbish")
    with pytest.raises(SystemExit) as exit_info:
        build_service(reactor, Config(state_dir=tmp_path))
    text = str(exit_info.value.code)
    assert text.startswith(f"pmslink: {tmp_path}/tokens, line 1: must be NAME ROLE sha256:HEX CREATED")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tokens"]


def test_a_demo_has_a_simulator_and_a_temporary_state_directory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reactor, "seconds", reactor.seconds)  # makeService replaces it
    options = parse_options("--demo")
    assert [(link.name, link.port) for link in options.config.links] == [("demo", 5010)]
    simulator, state, _ = list(makeService(options))
    assert len(list(simulator)) == 2
    assert state.path.is_dir()
    state.stopService()
    assert not state.path.exists()


def test_a_demo_uses_the_state_directory_of_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reactor, "seconds", reactor.seconds)
    service: Any = makeService(parse_options("--demo", "--state-dir", str(tmp_path / "state")))
    assert len(list(service)) == 2
    assert (tmp_path / "state").is_dir()


@pytest.mark.parametrize(
    "endpoint",
    [
        "tcp:x:interface=127.0.0.1",
        "nothing:1:interface=127.0.0.1",
        "systemd:domain=INET:name=none",
        "ssl:8443:privateKey=/nowhere",
        "ssl:8443:privateKey=/dev/null",
    ],
)
def test_an_invalid_endpoint_is_named(tmp_path: Path, endpoint: str) -> None:
    with pytest.raises(SystemExit) as exit_info:
        build_service(reactor, Config(state_dir=tmp_path, api_listen=endpoint))
    assert str(exit_info.value.code).startswith(f"pmslink: api.listen = {endpoint}: ")


def test_a_new_state_directory_is_accessible_to_its_owner_only(tmp_path: Path) -> None:
    state_dir = tmp_path / "a" / "b"
    build_service(reactor, Config(state_dir=state_dir))
    assert state_dir.stat().st_mode & 0o777 == 0o700


def test_a_second_service_on_a_state_directory_is_rejected_and_names_the_first(tmp_path: Path) -> None:
    build_service(reactor, Config(state_dir=tmp_path))
    with pytest.raises(SystemExit) as exit_info:
        build_service(reactor, Config(state_dir=tmp_path))
    assert str(exit_info.value.code) == (
        f"pmslink: the state directory {tmp_path} is in use by another pmslink, process {os.getpid()}: "
        "stop that process, or use another directory"
    )


def test_an_invalid_store_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite3").write_bytes(b"no store" * 1000)
    with pytest.raises(SystemExit) as exit_info:
        build_service(reactor, Config(state_dir=tmp_path))
    text = str(exit_info.value.code)
    assert text.startswith(f"pmslink: {tmp_path}/store.sqlite3 is damaged: file is not a database")
    assert "pmslink store move-aside" in text


def test_stored_links_are_loaded_unless_the_configuration_has_their_names(
    tmp_path: Path, leak_check: list[LogEvent]
) -> None:
    definition = {"host": "192.0.2.1", "port": 5010}
    database = SqliteDatabase(tmp_path)
    database.create()
    with database.writer() as connection, connection.begin():
        create_or_migrate(connection)
        transaction = Transaction(connection, count(1), UnitOfWork(HotelStore(utc_now)))
        invalid = json.dumps({**definition, "ca_file": "/nowhere", "tls": True})
        store_links(
            transaction,
            [
                StoredLink("made", json.dumps(definition), "enabled"),
                StoredLink("taken", json.dumps(definition), "disconnected"),
                StoredLink("broken", invalid, "enabled"),
            ],
        )
    declared = parse_link("taken", {"host": "192.0.2.9", "port": 5011})
    *_, links, _, _ = list(build_service(reactor, Config(state_dir=tmp_path, links=(declared,))))
    assert [(link.name, link.declared, link.core.intent) for link in links] == [
        ("taken", True, "disconnected"),
        ("made", False, "enabled"),
    ]
    assert not leak_check


def test_a_state_directory_that_cannot_be_created_is_named() -> None:
    with pytest.raises(SystemExit) as exit_info:
        build_service(reactor, Config(state_dir=Path("/dev/null/state")))
    assert (
        str(exit_info.value.code)
        == "pmslink: state_dir = /dev/null/state: cannot be created: Not a directory"
    )


def test_a_state_directory_that_is_not_writable_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(SystemExit) as exit_info:
        build_service(reactor, Config(state_dir=tmp_path))
    assert str(exit_info.value.code) == f"pmslink: state_dir = {tmp_path}: is not writable"


def test_twistd_has_both_programs() -> None:
    from twisted.application.service import IServiceMaker

    makers: dict[str, Any] = {maker.tapname: maker for maker in getPlugins(IServiceMaker)}
    assert makers["pmslink"].options is Options
    assert makers["pmssim"].options().defaults["listen"] == "tcp:5010:interface=127.0.0.1"
