"""The command line of the service, and the tree that is built from it."""

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
from pmslink.link.link_registry import utc_now
from pmslink.service import Options, build_service, makeService
from pmslink.store.core.database import SqliteDatabase
from pmslink.store.core.schema import create_or_migrate
from pmslink.store.core.transaction import Transaction
from pmslink.store.tables.hotel_states import HotelStore, UnitOfWork
from pmslink.store.tables.link_rows import StoredLink, store_links
from pmslink.web.auth import token_file_edits


def parsed(*arguments: str) -> Options:
    options = Options()  # type: ignore[no-untyped-call]
    options.parseOptions(list(arguments))
    return options


def complaint(*arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        parsed(*arguments)
    return str(ended.value.code)


def test_without_options_the_defaults_hold() -> None:
    assert parsed().config == Config()


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "hotel.toml"
    file.write_text(
        'state_dir = "a"\n[api]\nlisten = "tcp:1:interface=::1"\n[links.x]\nhost = "h"\nport = 1\n'
    )
    options = ["--config", str(file), "--state-dir", "b", "--api", "tcp:2:interface=127.0.0.1"]
    config = parsed(*options, "--pms", "[::1]:5010,opera").config
    assert config.state_dir == Path("b")
    assert config.api_listen == "tcp:2:interface=127.0.0.1"
    assert [(link.name, link.host, link.profile) for link in config.links] == [
        ("x", "h", "generic"),
        ("pms", "::1", "opera"),
    ]


def test_a_link_that_the_file_has_already_is_not_defined_twice(tmp_path: Path) -> None:
    file = tmp_path / "hotel.toml"
    file.write_text('[links.pms]\nhost = "h"\nport = 1\n')
    assert "has a link pms already" in complaint("--config", str(file), "--pms", "h:5010")


def test_every_error_of_a_file_has_its_line() -> None:
    assert complaint("--config", "/nowhere.toml") == (
        "pmslink: /nowhere.toml: cannot be read: No such file or directory"
    )


@pytest.mark.parametrize("endpoint", ["tcp:8080", "tcp:8080:interface=0.0.0.0", "tls:tcp:8080"])
def test_without_tokens_the_interface_is_not_opened_to_the_world(tmp_path: Path, endpoint: str) -> None:
    config = Config(state_dir=tmp_path / "state", api_listen=endpoint)
    with pytest.raises(SystemExit) as ended:
        build_service(reactor, config)
    (line,) = str(ended.value.code).splitlines()
    assert line.startswith(f"pmslink: api.listen = '{endpoint}': ")
    assert "add a token first: pmslink token add NAME --role control" in line
    assert not (tmp_path / "state").exists()


def test_with_a_token_it_may_listen_anywhere(tmp_path: Path) -> None:
    token_file_edits.add_token(tmp_path, "desk", "view", utc_now())
    config = Config(state_dir=tmp_path, api_listen="tcp:8080")
    assert len(list(build_service(reactor, config))) == 5


def test_tokens_that_are_wrong_are_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("rubbish")
    with pytest.raises(SystemExit) as ended:
        build_service(reactor, Config(state_dir=tmp_path))
    told = str(ended.value.code)
    assert told.startswith(f"pmslink: {tmp_path}/tokens, line 1: must be NAME ROLE sha256:HEX CREATED")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tokens"]


def test_the_demonstration_has_a_simulator_to_dock_to_and_a_state_that_goes_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reactor, "seconds", reactor.seconds)  # makeService sets it
    options = parsed("--demo")
    assert [(link.name, link.port) for link in options.config.links] == [("demo", 5010)]
    simulator, state, _ = list(makeService(options))
    assert len(list(simulator)) == 2
    assert state.path.is_dir()
    state.stopService()
    assert not state.path.exists()


def test_a_demonstration_that_is_given_a_state_directory_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reactor, "seconds", reactor.seconds)
    service: Any = makeService(parsed("--demo", "--state-dir", str(tmp_path / "kept")))
    assert len(list(service)) == 2
    assert (tmp_path / "kept").is_dir()


@pytest.mark.parametrize(
    "wrong",
    [
        "tcp:x:interface=127.0.0.1",
        "nothing:1:interface=127.0.0.1",
        "systemd:domain=INET:name=none",
        "ssl:8443:privateKey=/nowhere",
        "ssl:8443:privateKey=/dev/null",
    ],
)
def test_an_endpoint_that_is_none_is_named(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(SystemExit) as ended:
        build_service(reactor, Config(state_dir=tmp_path, api_listen=wrong))
    assert str(ended.value.code).startswith(f"pmslink: api.listen = {wrong}: ")


def test_a_state_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    place = tmp_path / "a" / "b"
    build_service(reactor, Config(state_dir=place))
    assert place.stat().st_mode & 0o777 == 0o700


def test_a_second_service_on_a_state_directory_is_refused_and_told_whose_it_is(tmp_path: Path) -> None:
    build_service(reactor, Config(state_dir=tmp_path))
    with pytest.raises(SystemExit) as ended:
        build_service(reactor, Config(state_dir=tmp_path))
    assert str(ended.value.code) == (
        f"pmslink: the state directory {tmp_path} is in use by another pmslink, process {os.getpid()}: "
        "stop that one, or name another directory"
    )


def test_a_store_that_is_none_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite3").write_bytes(b"no store" * 1000)
    with pytest.raises(SystemExit) as ended:
        build_service(reactor, Config(state_dir=tmp_path))
    told = str(ended.value.code)
    assert told.startswith(f"pmslink: {tmp_path}/store.sqlite3 is damaged: file is not a database")
    assert "pmslink store move-aside" in told


def test_links_of_the_interface_are_there_again_unless_the_configuration_took_their_names(
    tmp_path: Path, leak_check: list[LogEvent]
) -> None:
    given = {"host": "192.0.2.1", "port": 5010}
    database = SqliteDatabase(tmp_path)
    database.create()
    with database.writer() as connection, connection.begin():
        create_or_migrate(connection)
        transaction = Transaction(connection, count(1), UnitOfWork(HotelStore(utc_now)))
        wrong = json.dumps({**given, "ca_file": "/nowhere", "tls": True})
        store_links(
            transaction,
            [
                StoredLink("made", json.dumps(given), "enabled"),
                StoredLink("taken", json.dumps(given), "disconnected"),
                StoredLink("broken", wrong, "enabled"),
            ],
        )
    declared = parse_link("taken", {"host": "192.0.2.9", "port": 5011})
    *_, links, _ = list(build_service(reactor, Config(state_dir=tmp_path, links=(declared,))))
    assert [(link.name, link.declared, link.core.intent) for link in links] == [
        ("taken", True, "disconnected"),
        ("made", False, "enabled"),
    ]
    assert not leak_check


def test_a_state_directory_that_cannot_be_made_is_named() -> None:
    with pytest.raises(SystemExit) as ended:
        build_service(reactor, Config(state_dir=Path("/dev/null/state")))
    assert str(ended.value.code) == "pmslink: state_dir = /dev/null/state: cannot be made: Not a directory"


def test_a_state_directory_that_is_not_writable_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(SystemExit) as ended:
        build_service(reactor, Config(state_dir=tmp_path))
    assert str(ended.value.code) == f"pmslink: state_dir = {tmp_path}: is not writable"


def test_twistd_knows_both_programs() -> None:
    from twisted.application.service import IServiceMaker

    makers: dict[str, Any] = {maker.tapname: maker for maker in getPlugins(IServiceMaker)}
    assert makers["pmslink"].options is Options
    assert makers["pmssim"].options().defaults["listen"] == "tcp:5010:interface=127.0.0.1"
