"""Tests of the README: its commands run, in order, against the demonstration.

The demonstration has fixed ports, so all commands run in a separate network namespace.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import frozen

from tests.process.server_processes import BIN_DIR, wait_until

ROOT = Path(__file__).parents[2]
COMMAND_TIMEOUT_S = 60
README_MAX_LINES = 180

WILDCARD = "…"
"""Placeholder in the README for text that differs between runs, or is omitted."""
CHANGES = re.compile(r" -X | -d | token add ")
"""Matches commands that change something; they are run only once."""
VARYING = re.compile(r"\d{4}-\d{2}-\d{2}[T ]?\d{2}:\d{2}:\d{2}[.\d]*(?:Z|\+00:00)|\b\d{13}\b")
"""Timestamps, and numbers of the store's sequence."""


@frozen
class Example:
    """A command in the README, and its output there."""

    command: str
    output: str


def parse_examples(text: str) -> list[Example]:
    """Return the commands of all `console` blocks, in order; a backslash continues a command."""
    examples: list[Example] = []
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = re.sub(r"\\\n\s*", "", part).partition("\n")
            examples.append(Example(command, output))
    return examples


def matches(expected: str, printed: str) -> bool:
    """Return whether output matches, apart from white space, timestamps, sequence numbers and `…`."""
    plain = re.sub(r"\s+", "", VARYING.sub("\0", expected))
    parts = [re.escape(part).replace("\0", r"[-+.:\dTZ]+") for part in plain.split(WILDCARD)]
    return re.fullmatch(".*?".join(parts), re.sub(r"\s+", "", printed), re.DOTALL) is not None


class Reader:
    """Runs commands in a temporary folder and a separate network namespace."""

    def __init__(self, folder: Path, namespace: str) -> None:
        self.folder = folder
        self.prefix = ["ip", "netns", "exec", namespace]

    def start(self, command: str, log: Path) -> subprocess.Popen[bytes]:
        with log.open("wb") as file:
            return subprocess.Popen(
                [*self.prefix, "sh", "-c", f"exec {command}"],
                cwd=self.folder,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def run(self, command: str) -> str:
        finished = subprocess.run(
            [*self.prefix, "bash", "-c", command],
            cwd=self.folder,
            capture_output=True,
            check=False,
            timeout=COMMAND_TIMEOUT_S,
        )
        return (finished.stdout + finished.stderr).decode()

    def expect(self, example: Example) -> None:
        """Run a command and compare its output; a command that only reads is repeated until it matches."""
        printed = self.run(example.command)
        deadline = time.monotonic() + COMMAND_TIMEOUT_S
        while not matches(example.output, printed) and not CHANGES.search(example.command):
            if time.monotonic() > deadline:
                break
            printed = self.run(example.command)
        assert matches(example.output, printed), f"{example.command}\n{printed}"


@contextmanager
def running(reader: Reader, command: str, log: Path, ready: str) -> Iterator[None]:
    """Run a server until the block ends; the block begins once its log matches `ready`."""
    process = reader.start(command, log)
    try:

        def is_ready() -> bool:
            assert process.poll() is None, log.read_text()
            return matches(f"{WILDCARD}{ready}{WILDCARD}", log.read_text())

        wait_until(is_ready, f"{command}: {ready}")
        yield
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """Return a reader with the installed programs, in a network with a loopback interface only."""
    name = f"pmslink-readme-{os.getpid()}"
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/bin").symlink_to(BIN_DIR)
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        for arguments in ("link set lo up", "addr add 10.20.0.5/32 dev lo"):  # the PMS of the example
            subprocess.run(["ip", "-n", name, *arguments.split()], check=True)
        yield Reader(tmp_path, name)
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


def midday_timezone() -> str:
    """Return a TZ in which it is midday: the simulated PMS has its night audit after 2:30."""
    return f"UTC{time.gmtime().tm_hour - 12:+d}"


def make_recipe(target: str) -> list[str]:
    """Return the commands that `make TARGET` runs once everything is installed."""
    options = ["-n", "-o", ".venv/installed", "-o", ".venv/installed-test", "BIN=.venv/bin"]
    printed = subprocess.run(
        ["make", *options, target], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    return [line for line in printed.splitlines() if not line.startswith("make")]


@pytest.mark.debian
def test_every_command_of_the_readme_has_the_output_in_the_readme(reader: Reader) -> None:
    text = (ROOT / "README.md").read_text("utf-8").replace("/var/lib/pmslink", str(reader.folder / "state"))
    (toml,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (reader.folder / "hotel.toml").write_text(toml)
    first, *examples = parse_examples(text)
    assert first.command == "make run"
    (demonstration,) = make_recipe("run")
    played: list[str] = []
    demonstration = f"env TZ={midday_timezone()} {demonstration}"
    with running(reader, demonstration, reader.folder / "demonstration.log", first.output):
        for example in examples:
            played.append(example.command)
            if example.command.startswith("make "):
                assert make_recipe(example.command.removeprefix("make "))
            elif example.command.endswith("--config hotel.toml") and "twistd" in example.command:
                second_command = f"{example.command} --api tcp:8081:interface=127.0.0.1"
                with running(reader, second_command, reader.folder / "service.log", "grand: …WAIT_LS…"):
                    pass
            else:
                reader.expect(example)
    assert len(played) == len(examples) > 15


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= README_MAX_LINES


def test_links_between_documents_are_valid() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in documents
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text("utf-8"))
        if "://" not in target and not (document.parent / target).exists()
    ]
    assert broken == []


def test_output_that_differs_from_the_readme_is_detected() -> None:
    assert matches('{"a":1, …}\n', '{"a": 1, "b": 2}')
    assert matches("at 2026-11-25 13:05:10+00:00", "at 2027-01-02 03:04:05+00:00")
    assert not matches("demo ESTABLISHED", "demo CLOSED")
    assert not matches("", "an error")
