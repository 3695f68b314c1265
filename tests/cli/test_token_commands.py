"""`pmslink token`: add, list and remove tokens."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from pmslink.cli.main import main
from pmslink.web.auth.token_file import TOKEN_FILE_NAME, digest_token, parse_tokens, read_token_file
from tests.cli.fake_service import Run

NO_TOKENS = (
    "No tokens. On loopback every local user has full access; on any other address pmslink refuses to start. "
    "A service that had tokens rejects all requests until it is restarted."
)


def add(capsys: pytest.CaptureFixture[str], state: Path, name: str, role: str = "view") -> tuple[str, str]:
    """Add a token and return stdout and stderr."""
    assert main(["token", "add", name, "--role", role, "--state-dir", str(state)]) == 0
    printed = capsys.readouterr()
    return printed.out, printed.err


def test_add_prints_only_the_token_on_stdout_and_hints_on_stderr(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    state = tmp_path / "made" / "state"
    output, hint = add(capsys, state, "desk", "pbx")
    assert re.fullmatch(r"pmslink_[A-Za-z0-9_-]{43}\n", output)
    assert "Authorization: Bearer TOKEN" in hint
    assert "This is the first token: from now on every request needs one." in hint
    assert f"the pmslink with state directory\n{state}." in hint
    assert "No token has the role control yet" in hint
    (token,) = parse_tokens(state, read_token_file(state))
    assert (token.name, token.role, token.digest) == ("desk", "pbx", digest_token(output.strip()))
    assert state.stat().st_mode & 0o777 == 0o700
    assert (state / TOKEN_FILE_NAME).stat().st_mode & 0o777 == 0o600
    _, hint = add(capsys, state, "bar", "control")
    assert "the first token" not in hint
    assert "No token has" not in hint


def test_list_shows_name_role_and_creation_time(
    capsys: pytest.CaptureFixture[str], run: Run, tmp_path: Path
) -> None:
    assert run("token", "list", "--state-dir", str(tmp_path)) == [NO_TOKENS]
    output, _ = add(capsys, tmp_path, "switchboard", "pbx")
    add(capsys, tmp_path, "desk", "view")
    heading, *lines = run("token", "list", "--state-dir", str(tmp_path))
    assert heading == "NAME         ROLE  CREATED"
    timestamp = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d"
    assert re.fullmatch(f"switchboard  pbx   {timestamp}", lines[0])
    assert re.fullmatch(f"desk         view  {timestamp}", lines[1])
    assert output.strip() not in str(lines)


def test_removing_the_last_token_explains_who_has_access(
    capsys: pytest.CaptureFixture[str], run: Run, tmp_path: Path
) -> None:
    add(capsys, tmp_path, "desk")
    add(capsys, tmp_path, "bar")
    assert run("token", "remove", "desk", "--state-dir", str(tmp_path)) == []
    assert run("token", "remove", "bar", "--state-dir", str(tmp_path)) == [NO_TOKENS]


def test_existing_unknown_and_invalid_names_are_rejected(
    capsys: pytest.CaptureFixture[str], fail: Run, tmp_path: Path
) -> None:
    add(capsys, tmp_path, "desk")
    at = ["--state-dir", str(tmp_path)]
    assert fail("token", "add", "desk", "--role", "pbx", *at) == [
        "there is a token desk already: remove it first, or choose another name"
    ]
    assert fail("token", "remove", "bar", *at) == ["there is no token bar"]
    assert fail("token", "add", "a b", "--role", "pbx", *at) == [
        "'a b': the name must be 1 to 64 letters, digits, - and _"
    ]


def test_state_directory_comes_from_a_configuration(
    capsys: pytest.CaptureFixture[str], run: Run, tmp_path: Path
) -> None:
    add(capsys, tmp_path / "state", "desk")
    config = tmp_path / "hotel.toml"
    config.write_text(f'state_dir = "{tmp_path / "state"}"')
    assert run("token", "remove", "desk", "--config", str(config)) == [NO_TOKENS]


def test_invalid_token_file_and_missing_directory_are_reported(fail: Run, tmp_path: Path) -> None:
    (error,) = fail("token", "remove", "desk", "--state-dir", str(tmp_path / "nowhere"))
    assert error == f"the state directory {tmp_path}/nowhere: No such file or directory"
    (error,) = fail("token", "add", "desk", "--role", "view", "--state-dir", "/dev/null/state")
    assert error == "state_dir = /dev/null/state: cannot be created: Not a directory"
    (tmp_path / TOKEN_FILE_NAME).write_text("rubbish\n")
    for command in (["list"], ["remove", "desk"], ["add", "desk", "--role", "view"]):
        (error,) = fail("token", *command, "--state-dir", str(tmp_path))
        assert error.startswith(f"{tmp_path / TOKEN_FILE_NAME}, line 1: must be NAME ROLE sha256:HEX CREATED")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["add"],
        ["add", "desk"],
        ["add", "desk", "--role", "root"],
        ["remove"],
        ["list", "--state-dir", "a", "--config", "b"],
    ],
)
def test_invalid_command_line_is_rejected(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["token", *arguments])
    assert caught.value.code == 2
    assert "usage: pmslink token" in capsys.readouterr().err


def test_concurrent_additions_are_all_stored(tmp_path: Path) -> None:
    program = f"{sysconfig.get_path('scripts')}/pmslink"
    command = [sys.executable, program, "token", "add"]
    processes = [
        subprocess.Popen(
            [*command, f"t{number}", "--role", "view", "--state-dir", tmp_path],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        for number in range(4)
    ]
    printed = [process.communicate(timeout=60)[0].decode() for process in processes]
    tokens = parse_tokens(tmp_path, read_token_file(tmp_path))
    assert {token.name: token.digest for token in tokens} == {
        f"t{number}": digest_token(token.strip()) for number, token in enumerate(printed)
    }
