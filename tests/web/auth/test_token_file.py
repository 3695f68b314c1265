"""Tests of the token file: reading, editing and reloading."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from pmslink.web.auth import token_file, token_file_edits, token_reload
from pmslink.web.auth.token_file import (
    TOKEN_FILE_NAME,
    Token,
    TokenFileError,
    TokenFileUnreadableError,
    parse_tokens,
    read_token_file,
)
from pmslink.web.auth.token_reload import TOKEN_FILE_POLL_INTERVAL_S, TokenRegistry
from tests.web.served_api import START_TIME

publisher: Any = globalLogPublisher
HASH = "ab" * 32
GOOD = f"desk view sha256:{HASH} 2026-11-20T07:00:00Z"


def read(state: Path) -> list[Token]:
    return parse_tokens(state, read_token_file(state))


def write(state: Path, text: str | bytes) -> None:
    (state / TOKEN_FILE_NAME).write_bytes(text if isinstance(text, bytes) else text.encode())


def names(state: Path) -> list[str]:
    return [token.name for token in read(state)]


# Reading


def test_without_a_file_there_are_no_tokens(tmp_path: Path) -> None:
    assert read(tmp_path) == []
    assert read(tmp_path / "nowhere") == []
    assert read(Path("/dev/null/nowhere")) == []


def test_each_line_is_a_token_and_comments_are_ignored(tmp_path: Path) -> None:
    write(tmp_path, b"# caf\xe9 \x0c\x1d\n\n   \n" + GOOD.encode() + b"\r\n")
    assert read(tmp_path) == [Token("desk", "view", b"\xab" * 32, datetime(2026, 11, 20, 7, tzinfo=UTC))]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("pmslink_secret", "must be NAME ROLE sha256:HEX CREATED, separated by spaces"),
        (f"{GOOD} more", "must be NAME ROLE sha256:HEX CREATED, separated by spaces"),
        (f" # {GOOD}", "must be NAME ROLE sha256:HEX CREATED"),
        (GOOD.replace("desk", "the.desk"), "the name must be 1 to 64 letters, digits, - and _"),
        (GOOD.replace("desk", "d" * 65), "the name must be 1 to 64 letters"),
        (GOOD.replace("view", "root"), "the role must be view or control or pbx or desk"),
        (GOOD.replace("sha256:", "md5:"), "the third value must be sha256: and 64 hex digits"),
        (GOOD.replace(HASH, HASH[1:]), "the third value must be sha256: and 64 hex digits"),
        (
            GOOD.replace(HASH, HASH.upper()),
            "the third value must be sha256: and 64 hex digits",
        ),
        (
            GOOD.replace("Z", ""),
            "the last value must be the time of creation, for example 2026-11-20T07:00:00Z",
        ),
        (GOOD.replace("T07:00:00Z", "Tnoon"), "the last value must be the time of creation"),
        (GOOD, "the name must differ from that of line 2"),
        (GOOD.replace("desk", "bar"), "the token must differ from that of line 2"),
    ],
)
def test_the_error_names_an_invalid_line_without_its_content(
    tmp_path: Path, line: str, expected: str
) -> None:
    write(tmp_path, f"# a comment\n{GOOD}\n{line}\n")
    with pytest.raises(TokenFileError) as raised:
        read(tmp_path)
    assert str(raised.value).startswith(f"{tmp_path / TOKEN_FILE_NAME}, line 3: {expected}")
    assert HASH[1:] not in str(raised.value).lower()
    assert "secret" not in str(raised.value)


def test_a_file_over_the_size_limits_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, f"{GOOD}\n{GOOD.replace('desk', 'bar').replace('ab', 'cd')}\n")
    monkeypatch.setattr(token_file, "MAX_TOKENS", 1)
    with pytest.raises(TokenFileError, match="must have at most 1 tokens"):
        read(tmp_path)
    monkeypatch.setattr(token_file, "MAX_TOKEN_FILE_BYTES", 100)
    with pytest.raises(TokenFileError, match="must have at most 100 bytes"):
        read(tmp_path)


def test_the_error_names_an_unreadable_file(tmp_path: Path) -> None:
    (tmp_path / TOKEN_FILE_NAME).mkdir()
    with pytest.raises(TokenFileError) as raised:
        read(tmp_path)
    assert str(raised.value) == f"{tmp_path / TOKEN_FILE_NAME}: cannot be read: Is a directory"


# Editing


def test_a_token_is_random_and_stored_as_a_digest_in_a_private_file(tmp_path: Path) -> None:
    old_umask = os.umask(0)
    try:
        token, count = token_file_edits.add_token(tmp_path, "desk", "view", START_TIME)
    finally:
        os.umask(old_umask)
    assert token.startswith("pmslink_")
    assert len(token) == len("pmslink_") + 43
    assert count == 1
    assert read(tmp_path) == [Token("desk", "view", sha256(token.encode()).digest(), START_TIME)]
    assert token not in (tmp_path / TOKEN_FILE_NAME).read_text()
    assert (tmp_path / TOKEN_FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == [TOKEN_FILE_NAME]
    assert token_file_edits.add_token(tmp_path, "bar", "pbx", START_TIME)[0] != token


def test_edits_preserve_lines_written_by_hand(tmp_path: Path) -> None:
    other = GOOD.replace("desk", "bar").replace("ab", "cd")
    write(tmp_path, f"# desk is Mary's\n\n{GOOD}\n{other}".encode() + b"\n# \xff")
    token_file_edits.add_token(tmp_path, "new", "control", START_TIME)
    assert names(tmp_path) == ["desk", "bar", "new"]
    assert token_file_edits.remove_token(tmp_path, "desk") == 2
    assert token_file_edits.remove_token(tmp_path, "new") == 1
    assert (
        tmp_path / TOKEN_FILE_NAME
    ).read_bytes() == f"# desk is Mary's\n\n{other}".encode() + b"\n# \xff\n"


def test_a_rejected_edit_leaves_the_file_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, GOOD)
    with pytest.raises(TokenFileError, match="there is a token desk already"):
        token_file_edits.add_token(tmp_path, "desk", "pbx", START_TIME)
    with pytest.raises(TokenFileError, match="'a b': the name must be 1 to 64 letters"):
        token_file_edits.add_token(tmp_path, "a b", "pbx", START_TIME)
    with pytest.raises(TokenFileError, match="there is no token bar"):
        token_file_edits.remove_token(tmp_path, "bar")
    monkeypatch.setattr(token_file_edits, "MAX_TOKEN_FILE_BYTES", 150)
    with pytest.raises(TokenFileError, match="would have more than 150 bytes"):
        token_file_edits.add_token(tmp_path, "bar", "pbx", START_TIME)
    monkeypatch.setattr(token_file_edits, "MAX_TOKENS", 1)
    with pytest.raises(TokenFileError, match="there are 1 tokens already"):
        token_file_edits.add_token(tmp_path, "bar", "pbx", START_TIME)
    assert (tmp_path / TOKEN_FILE_NAME).read_text() == GOOD
    with pytest.raises(TokenFileError, match="No such file"):
        token_file_edits.add_token(tmp_path / "nowhere", "desk", "pbx", START_TIME)


def test_an_invalid_file_is_not_edited(tmp_path: Path) -> None:
    write(tmp_path, "rubbish\n")
    with pytest.raises(TokenFileError, match="line 1"):
        token_file_edits.add_token(tmp_path, "desk", "pbx", START_TIME)
    assert (tmp_path / TOKEN_FILE_NAME).read_text() == "rubbish\n"


def test_a_failed_or_interrupted_edit_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, GOOD)
    (tmp_path / f"{TOKEN_FILE_NAME}.new").write_text("half of")

    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(TokenFileError, match="tokens: cannot be written: No space left on device"):
            token_file_edits.add_token(tmp_path, "bar", "pbx", START_TIME)
    assert names(tmp_path) == ["desk"]
    token_file_edits.add_token(tmp_path, "bar", "pbx", START_TIME)
    assert names(tmp_path) == ["desk", "bar"]


@pytest.mark.parametrize("user", [0, 1000])
def test_the_owner_of_the_directory_owns_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int
) -> None:
    """Check that a file written by root is readable for the service."""
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(os, "fchown", lambda file, owner, group: given.append((owner, group)))
    token_file_edits.add_token(tmp_path, "desk", "pbx", START_TIME)
    owner = tmp_path.stat()
    assert given == ([(owner.st_uid, owner.st_gid)] if user == 0 else [])


# Reloading


@pytest.fixture
def logged() -> Iterator[list[str]]:
    lines: list[str] = []

    def watch(event: LogEvent) -> None:
        lines.append(formatEvent(event))

    publisher.addObserver(watch)
    yield lines
    publisher.removeObserver(watch)


class PolledRegistry(TokenRegistry):
    """A token registry that counts its changes."""

    def __init__(self, state: Path) -> None:
        self.clock = Clock()
        super().__init__(state, self.clock)
        self.changes = 0
        self.on_change.append(self._count)
        self.start()

    def _count(self) -> None:
        self.changes += 1

    def poll(self, seconds: float = TOKEN_FILE_POLL_INTERVAL_S) -> int:
        self.clock.advance(seconds)
        return len(self)


def test_a_service_reloads_a_changed_file(tmp_path: Path) -> None:
    registry = PolledRegistry(tmp_path)
    assert registry.poll() == 0
    token, _ = token_file_edits.add_token(tmp_path, "desk", "view", START_TIME)
    assert registry.poll(TOKEN_FILE_POLL_INTERVAL_S / 2) == 0
    assert registry.poll(TOKEN_FILE_POLL_INTERVAL_S / 2) == 1
    loaded = registry.find(token)
    assert loaded is not None
    assert (loaded.name, loaded.role) == ("desk", "view")
    assert loaded in registry
    assert registry.find(token + "x") is None
    assert registry.find("\ud800") is None
    (tmp_path / TOKEN_FILE_NAME).unlink()
    assert registry.poll() == 0
    assert loaded not in registry
    assert registry.changes == 2
    registry.stop()
    registry.stop()
    assert registry.clock.getDelayedCalls() == []


def test_a_token_with_a_new_role_replaces_the_old_one(tmp_path: Path) -> None:
    token, _ = token_file_edits.add_token(tmp_path, "desk", "view", START_TIME)
    registry = PolledRegistry(tmp_path)
    before = registry.find(token)
    assert before is not None
    write(tmp_path, read_token_file(tmp_path).replace("desk view", "desk control"))
    registry.poll()
    assert before not in registry
    after = registry.find(token)
    assert after is not None
    assert after.role == "control"


def test_a_file_that_becomes_invalid_changes_nothing_and_is_logged_once(
    tmp_path: Path, logged: list[str]
) -> None:
    write(tmp_path, GOOD)
    registry = PolledRegistry(tmp_path)
    write(tmp_path, "rubbish pmslink_secret")
    assert [registry.poll() for _ in range(5)] == [1] * 5
    assert logged == [
        f"{tmp_path / TOKEN_FILE_NAME}, line 1: must be NAME ROLE sha256:HEX CREATED, separated by spaces; "
        "the tokens loaded before stay valid"
    ]
    write(tmp_path, "other rubbish")
    registry.poll()
    assert len(logged) == 2
    (tmp_path / TOKEN_FILE_NAME).unlink()
    assert registry.poll() == 0
    assert registry.is_required
    assert logged[-1:] == [
        "Last token removed; all requests are rejected until a token is added or a restart"
    ]


def test_an_unreadable_file_is_read_again_until_it_succeeds(
    tmp_path: Path, logged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, GOOD)
    registry = PolledRegistry(tmp_path)
    (tmp_path / TOKEN_FILE_NAME).unlink()
    with monkeypatch.context() as patched:
        patched.setattr(token_reload, "read_token_file", _unreadable)
        assert [registry.poll() for _ in range(3)] == [1] * 3
    assert logged == ["tokens: cannot be read: Too many open files; the tokens loaded before stay valid"]
    assert registry.poll() == 0


def _unreadable(state_dir: Path) -> str:
    raise TokenFileUnreadableError("tokens: cannot be read: Too many open files")


def test_added_and_removed_tokens_are_logged(tmp_path: Path, logged: list[str]) -> None:
    write(tmp_path, GOOD)
    registry = PolledRegistry(tmp_path)
    write(tmp_path, GOOD.replace(" view ", " pbx "))
    registry.poll()
    assert logged == ["Token desk (view) removed", "Token desk (pbx) added"]


def test_a_file_with_other_comments_only_changes_nothing(tmp_path: Path, logged: list[str]) -> None:
    write(tmp_path, GOOD)
    registry = PolledRegistry(tmp_path)
    write(tmp_path, f"# hello\n{GOOD}\n")
    assert registry.poll() == 1
    assert (registry.changes, logged) == (0, [])


def test_a_change_between_construction_and_start_is_loaded(tmp_path: Path) -> None:
    clock = Clock()
    registry = TokenRegistry(tmp_path, clock)
    write(tmp_path, GOOD)
    registry.start()
    assert len(registry) == 1


def test_a_file_that_is_invalid_at_the_start_is_rejected(tmp_path: Path) -> None:
    write(tmp_path, "rubbish")
    with pytest.raises(TokenFileError, match="line 1"):
        TokenRegistry(tmp_path, Clock())
