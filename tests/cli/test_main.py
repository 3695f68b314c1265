"""The command line itself: arguments, version, and output to pipes and terminals."""

from __future__ import annotations

import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO

import pytest

from pmslink import __version__
from pmslink.cli.main import main
from tests.cli.fake_service import FakeService


def test_output_goes_to_a_replaced_stdout(service: FakeService) -> None:
    with redirect_stdout(StringIO()) as printed:
        assert main(["status", "--url", service.url]) == 0
    assert printed.getvalue().startswith("LINK")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["status", "--url", "127.0.0.1:8080"],
        ["trace"],
        ["trace", "grand", "--lines", "1001"],
        ["trace", "grand", "--lines", "-1"],
        ["trace", "grand", "--lines", "few"],
    ],
)
def test_invalid_command_line_is_rejected(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: pmslink" in capsys.readouterr().err


COMMAND = [sys.executable, "-c", "import sys; from pmslink.cli.main import main; sys.exit(main())"]


def test_version_is_printed() -> None:
    done = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"pmslink {__version__}\n"


def test_closed_pipe_ends_the_command_without_error_output(service: FakeService) -> None:
    for _ in range(1000):
        service.record("in", "GI|RN101|GNAdams|")
    command = [*COMMAND, "trace", "grand", "--url", service.url, "--lines", "1000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        assert b"GI guest check-in" in process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_unencodable_characters_are_replaced(service: FakeService) -> None:
    service.record("in", "GI|RN101|GNMüller|")
    done = subprocess.run(
        [*COMMAND, "trace", "grand", "--url", service.url, "--once"],
        env={"PYTHONIOENCODING": "ascii", "TZ": "UTC"},
        capture_output=True,
        check=True,
    )
    assert b"? GI guest check-in  RN room=101  GN name=M?ller" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "imports", "does_not_import"),
    [
        ("--help", "argparse", ("sqlalchemy", "twisted", "cattrs", "pmslink.config", "urllib.request")),
        ("status --help", "urllib.request", ("sqlalchemy", "twisted.internet", "cattrs", "pmslink.store")),
        ("token list --help", "pmslink.web.auth.token_file", ("sqlalchemy", "klein")),
        ("check-config --help", "pmslink.config.loader", ("sqlalchemy", "klein", "pmslink.store")),
        ("store check --help", "sqlalchemy", ("klein", "pmslink.link")),
    ],
)
def test_a_command_imports_only_what_it_uses(
    arguments: str, imports: str, does_not_import: tuple[str, ...]
) -> None:
    code = (
        "import sys\nfrom pmslink.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nfinally:\n    print(*sys.modules)"
    )
    command = [sys.executable, "-c", code, *arguments.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    modules = set(done.stdout.splitlines()[-1].split())
    assert imports in modules
    assert [name for name in does_not_import if name in modules] == []
