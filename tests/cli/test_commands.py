"""The pmslink command, run against a small service on loopback."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from pmslink import __version__
from pmslink.cli.main import main

Run = Callable[..., list[str]]


class FakeService(ThreadingHTTPServer):
    """Answers as pmslink does, from what the test puts into it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.links: list[dict[str, object]] = []
        self.records: list[dict[str, object]] = []
        self.refusal: tuple[int, bytes] | None = None
        self.asked: list[str] = []
        self.authorization: str | None = None

    def answer(self, target: str) -> tuple[int, bytes]:
        self.asked.append(target)
        url = urlsplit(target)
        if self.refusal:
            return self.refusal
        if url.path == "/api/v1/links":
            return 200, json.dumps({"links": self.links}).encode()
        assert url.path == "/api/v1/links/grand/records"
        limit = int(parse_qs(url.query)["limit"][0])
        newest_first = sorted(self.records, key=lambda record: str(record["at"]), reverse=True)
        return 200, json.dumps({"records": newest_first[:limit]}).encode()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def record(self, direction: str, text: str) -> None:
        """Add a record that went over the link a second after the last."""
        id, *fields = text.strip("|").split("|")
        seconds = len(self.records)
        self.records.append(
            {
                "id": 7 * seconds + 1,  # ids grow over all links: this one's have holes
                "at": f"2026-01-01T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.250Z",
                "direction": direction,
                "type": id,
                "text": text,
                "fields": [[field[:2], field[2:]] for field in fields],
            }
        )


class Answer(BaseHTTPRequestHandler):
    server: FakeService

    def do_GET(self) -> None:
        self.server.authorization = self.headers["Authorization"]
        status, body = self.server.answer(self.path)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: stderr is what the tests look at."""


@pytest.fixture
def service() -> Iterator[FakeService]:
    with FakeService() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.stop()
        thread.join()


@pytest.fixture(autouse=True)
def _in_vienna(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Vienna")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command, which must succeed, and gives the lines it prints."""

    def run(*arguments: str) -> list[str]:
        status = main(arguments)
        printed = capsys.readouterr()
        assert (status, printed.err) == (0, "")
        return printed.out.splitlines()

    return run


@pytest.fixture
def fail(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command, which must fail, and gives the lines on stderr."""

    def fail(*arguments: str) -> list[str]:
        status = main(arguments)
        printed = capsys.readouterr()
        assert (status, printed.out) == (1, "")
        return printed.err.splitlines()

    return fail


def link(name: str, state: str, **more: object) -> dict[str, object]:
    return {
        "name": name,
        "state": state,
        "label": f"label of {state}",
        "since": "2026-01-02T03:04:05.678Z",
        "down_since": None,
        "reason": "The PMS said so",
        "advice": "",
        "in_sync": False,
        "attention": 4,
    } | more


def test_check_config_tells_what_a_file_defines(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "hotel.toml"
    file.write_text("""
        state_dir = "/var/lib/pmslink"
        [links.grand]
        host = "10.20.0.5"
        port = 5010
        profile = "opera"
        alive_interval = 300
        alive_timeout = 12.5
        timezone = "Europe/Vienna"
        [links.annexe]
        host = "::1"
        port = 5011
    """)
    assert run("check-config", str(file)) == [
        "state_dir: /var/lib/pmslink",
        "api.listen: tcp:8080:interface=127.0.0.1",
        "retention: guest data 30 days, history 400 days",
        'links.grand: 10.20.0.5:5010, opera, alive_timeout = 12.5, timezone = "Europe/Vienna"',
        "links.annexe: [::1]:5011, generic",
    ]


def test_check_config_says_that_there_are_no_links(run: Run, tmp_path: Path) -> None:
    (tmp_path / "hotel.toml").touch()
    assert run("check-config", str(tmp_path / "hotel.toml"))[-1] == "no links"


def test_check_config_tells_each_error_in_a_line(fail: Run, tmp_path: Path) -> None:
    file = tmp_path / "hotel.toml"
    file.write_text('[links.grand]\nhost = ""\nport = 0')
    assert fail("check-config", str(file)) == [
        f'{file}: links.grand.host = "": must be a host name or an IP address, without the port',
        f"{file}: links.grand.port = 0: must be a whole number from 1 to 65535",
    ]


def test_status_shows_the_worst_link_first(run: Run, service: FakeService) -> None:
    service.links = [
        link("fine", "ESTABLISHED", in_sync=True, attention=0),
        link("off", "DISABLED", attention=1),
        link("doubtful", "ESTABLISHED", in_sync=True, attention=3),
        link("new", "ESTABLISHED"),
        link("short", "EXPECTION", down_since="2026-01-02T00:00:00.000Z"),
        link("long", "EXPECTION", down_since="2026-01-01T00:00:00.000Z", advice="Ask the hotel."),
        link("dialling", "WAIT_LS"),
        link("later", "A_MARKER_OF_THE_FUTURE"),
    ]
    lines = run("status", "--url", service.url)
    assert [line.split()[0] for line in lines if line[0] != " "] == [
        *("LINK", "long", "short", "dialling", "later", "new", "doubtful", "off", "fine"),
    ]
    assert re.split("  +", lines[0]) == ["LINK", "STATE", "IN SYNC", "SINCE", "REASON"]
    assert re.split("  +", lines[1]) == [
        *("long", "EXPECTION", "label of EXPECTION", "no", "down since 2026-01-01 01:00:00+01:00"),
        "The PMS said so",
    ]
    assert lines[2] == "    Ask the hotel."
    assert re.split("  +", lines[-1])[3:] == ["yes", "2026-01-02 04:04:05+01:00", "The PMS said so"]
    assert len({line.index("The PMS said so") for line in lines if "The PMS" in line}) == 1


def test_trace_shows_past_records_decoded_oldest_first(run: Run, service: FakeService) -> None:
    service.record("in", "LS|DA260101|TI080000|")
    service.record("out", "PS|RN101|PTC|TA1050|P#17|+0|")
    service.record("in", "GI|RN101|GNMüller|HSx|SF|")
    assert run("trace", "grand", "--url", service.url, "--lines", "2", "--once") == [
        "2026-01-01 01:00:01.250+01:00 → PS posting simple  RN room=101  PT posting type=C"
        "  TA total amount=1050  P# posting number=17  +0 cash rounding=",
        "2026-01-01 01:00:02.250+01:00 ← GI guest check-in  RN room=101  GN name=Müller  HS=x  SF swap flag=",
    ]


def test_trace_takes_junk_and_keeps_it_from_steering_the_terminal(run: Run, service: FakeService) -> None:
    service.record("in", "QQ|RN\x1b[2J|")
    (line,) = run("trace", "grand", "--url", service.url, "--once")
    assert line.endswith(r"← QQ unknown record  RN room=\x1b[2J")


def test_what_is_printed_goes_to_whatever_stdout_is(service: FakeService) -> None:
    with redirect_stdout(StringIO()) as printed:
        assert main(["status", "--url", service.url]) == 0
    assert printed.getvalue().startswith("LINK")


def test_trace_may_begin_without_the_past(run: Run, service: FakeService) -> None:
    service.record("in", "LS|")
    assert run("trace", "grand", "--url", service.url, "--lines", "0", "--once") == []


def follow(monkeypatch: pytest.MonkeyPatch, *looks: Callable[[], object]) -> None:
    """Let these things happen between the looks of `trace`, and Ctrl-C at last."""
    left = iter(looks)

    def sleep(seconds: float) -> None:
        assert seconds == 0.5
        try:
            next(left)()
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr("pmslink.cli.trace.sleep", sleep)


def test_trace_follows_and_shows_each_record_once(
    run: Run, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def records(*texts: str) -> Callable[[], None]:
        def add() -> None:
            for text in texts:
                service.record("in", text)

        return add

    follow(monkeypatch, records(), records("LS|"), records(), records("GI|", "GO|"), records(*["RE|"] * 60))
    lines = run("trace", "grand", "--url", service.url)
    assert [line.split()[3] for line in lines] == ["LS", "GI", "GO", *["RE"] * 60]


def test_trace_says_that_records_were_missed(
    run: Run, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flood() -> None:
        for _ in range(1200):
            service.record("in", "RE|")

    service.record("in", "LS|")
    follow(monkeypatch, flood, lambda: service.record("in", "LE|"))
    lines = run("trace", "grand", "--url", service.url)
    assert lines[1] == "… at least 1000 records since the last poll: some may be missing here"
    assert [line.split()[3] for line in [lines[0], *lines[2:]]] == ["LS", *["RE"] * 1000, "LE"]


def test_trace_ends_with_one_line_when_the_service_goes_away(
    service: FakeService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service.record("in", "LS|")
    follow(monkeypatch, service.stop)
    assert main(["trace", "grand", "--url", service.url]) == 1
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 1
    assert printed.err.startswith(f"{service.url} cannot be reached: ")
    assert len(printed.err.splitlines()) == 1


def test_a_token_is_sent_from_the_first_line_of_a_file(
    run: Run, service: FakeService, tmp_path: Path
) -> None:
    run("status", "--url", service.url)
    assert service.authorization is None
    (tmp_path / "token").write_text("s3cret \nnot this\n")
    run("status", "--url", service.url + "/", "--token-file", str(tmp_path / "token"))
    assert service.authorization == "Bearer s3cret"
    assert service.asked == ["/api/v1/links"] * 2


@pytest.mark.parametrize("content", [b"", b"\nsecond line", b"\xff\xfe", b"a\tb"])
def test_a_file_without_a_token_is_told(content: bytes, fail: Run, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    assert fail("status", "--token-file", str(file)) == [f"{file} has no token in its first line"]


def test_a_token_file_that_is_not_there_is_told(fail: Run, tmp_path: Path) -> None:
    file = tmp_path / "token"
    assert fail("status", "--token-file", str(file)) == [f"{file} cannot be read: No such file or directory"]


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (
            404,
            b'{"error": {"code": "not_found", "message": "There is no such link"}}',
            ": There is no such link (404 not_found)",
        ),
        (502, b"<h1>Bad gateway</h1>", ": 502 Bad Gateway"),
        (500, b'{"error": "?"}', ": 500 Internal Server Error"),
        (200, b"<h1>Hello</h1>", " does not answer as pmslink does"),
        (200, b"[]", " does not answer as pmslink does"),
        (200, b'{"records": 5}', " does not answer as pmslink does"),
    ],
)
def test_an_error_answer_is_told_in_one_line(
    status: int, body: bytes, told: str, fail: Run, service: FakeService
) -> None:
    service.refusal = status, body
    assert fail("trace", "grand", "--url", service.url) == [service.url + told]


def test_a_name_cannot_lead_out_of_its_place_in_the_url(fail: Run, service: FakeService) -> None:
    service.refusal = 404, b""
    fail("trace", "../status?x=", "--url", service.url)
    assert service.asked == ["/api/v1/links/..%2Fstatus%3Fx%3D/records?limit=20"]


def test_a_service_that_is_not_there_is_told_in_one_line(fail: Run, service: FakeService) -> None:
    service.stop()
    assert fail("status", "--url", service.url) == [
        f"{service.url} cannot be reached: [Errno 111] Connection refused"
    ]


def test_a_proxy_of_the_environment_is_not_asked(
    run: Run, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert run("status", "--url", service.url)


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
def test_a_wrong_command_line_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: pmslink" in capsys.readouterr().err


COMMAND = [sys.executable, "-c", "import sys; from pmslink.cli.main import main; sys.exit(main())"]


def test_the_command_knows_its_version() -> None:
    done = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"pmslink {__version__}\n"


def test_a_reader_that_goes_away_ends_it_quietly(service: FakeService) -> None:
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


def test_a_terminal_without_arrows_gets_what_it_can_show(service: FakeService) -> None:
    service.record("in", "GI|RN101|GNMüller|")
    done = subprocess.run(
        [*COMMAND, "trace", "grand", "--url", service.url, "--once"],
        env={"PYTHONIOENCODING": "ascii", "TZ": "UTC"},
        capture_output=True,
        check=True,
    )
    assert b"? GI guest check-in  RN room=101  GN name=M?ller" in done.stdout
