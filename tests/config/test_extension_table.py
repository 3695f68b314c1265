"""Extension tables, and the errors about invalid ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pmslink.config import extension_table
from pmslink.config.extension_table import (
    MAX_TABLE_BYTES,
    ExtensionTableError,
    load_extension_mapping,
    load_extension_table,
)
from pmslink.config.link_settings import LinkSettings
from pmslink.hotel.extensions import ExtensionMapping


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "rooms.csv"


def problem(file: Path, content: str | bytes) -> str:
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ExtensionTableError) as caught:
        load_extension_table(str(file))
    assert str(caught.value) == f"{file}: {caught.value.problem}"
    return caught.value.problem


TABLE = """\ufeffRoom,Extension
# the old wing

101,7101
0102, 07102 ,7202
  # no guest rooms
101,7301,"7401"
"""


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_extensions_are_mapped_by_a_table(separator: str, end: str, table: Path) -> None:
    table.write_bytes(TABLE.replace(",", separator).replace("\n", end).encode())
    extensions = load_extension_mapping(LinkSettings(extensions="table", extension_table=str(table)))
    assert extensions.extensions_of_room("101") == ("7101", "7301", "7401")
    assert extensions.extensions_of_room("0102") == ("07102", "7202")
    assert (
        extensions.extensions_of_room("102")
        == extensions.extensions_of_room("room")
        == extensions.extensions_of_room("")
        == ()
    )
    assert (extensions.rooms_of_extension("7401"), extensions.rooms_of_extension("7102")) == (("101",), ())


def test_heading_is_skipped_in_the_first_row_only_and_needs_no_extension(table: Path) -> None:
    table.write_text("\n# rooms\nROOM\n101,1\n")
    assert load_extension_table(str(table)) == {"101": ("1",)}
    table.write_text("101,1\nroom,2\n")
    assert load_extension_table(str(table)) == {"101": ("1",), "room": ("2",)}


@pytest.mark.parametrize("content", ["", "\n\n", "room,extension", "# 101,1"])
def test_table_may_be_empty(content: str, table: Path) -> None:
    table.write_text(content)
    assert load_extension_table(str(table)) == {}


@pytest.mark.parametrize(
    ("content", "expected_error"),
    [
        ("101", "line 1 has a room without an extension"),
        ("# x\n\n101,1\n102\n", "line 4 has a room without an extension"),
        ("101,", "line 1 has an empty cell"),
        ("101,1\r\n102,,2", "line 2 has an empty cell"),
        ("101,1\n,2", "line 2 has an empty cell"),
        ('101,1\n102," "', "line 2 has an empty cell"),
        (",,", "line 1 has an empty cell"),
        ("101,1\n102,1", "line 2 has an extension that line 1 has already"),
        ("101,1\n101,2\n101,1", "line 3 has an extension that line 1 has already"),
        ("101,1,1", "line 1 has an extension that line 1 has already"),
        ('101,"1', "line 1 has a quotation mark that is unclosed or misplaced"),
        ('101,"1"2', "line 1 has a quotation mark that is unclosed or misplaced"),
        ("101,1\n102;2", "line 2 has an invalid cell: must be text of 1 to 40 characters"),
        ("101,1\n102,a\0b", "line 2 has an invalid cell: must be text of 1 to 40 characters"),
        ("101," + "1" * 41, "line 1 has an invalid cell: must be text of 1 to 40 characters"),
        (b"101,1\n102,\xfc", "line 2 is not encoded in UTF-8"),
    ],
    ids=repr,
)
def test_error_in_a_table_names_the_line(content: str | bytes, expected_error: str, table: Path) -> None:
    assert problem(table, content).startswith(expected_error)


def test_error_does_not_quote_the_file(table: Path) -> None:
    assert "hush" not in problem(table, "webhook_secret = hush")
    assert "hush" not in problem(table, "hush,\n")


def test_table_has_a_maximum_size(table: Path) -> None:
    table.write_bytes(b"101,1\n#".ljust(MAX_TABLE_BYTES, b" "))
    assert load_extension_table(str(table)) == {"101": ("1",)}
    assert problem(table, b"101,1\n#".ljust(MAX_TABLE_BYTES + 1, b" ")) == "the file is larger than 1 MiB"


def test_unreadable_table_raises_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "none.csv", tmp_path / "pipe"):
        with pytest.raises(ExtensionTableError, match=r"^[^:]*: no such file$"):
            load_extension_table(str(path))
    monkeypatch.setattr(os.path, "isfile", lambda path: True)  # it is gone a moment later
    with pytest.raises(ExtensionTableError, match="the file cannot be read: No such file or directory"):
        load_extension_mapping(LinkSettings(extensions="table", extension_table=str(tmp_path / "none.csv")))


def test_settings_select_the_mapping_scheme() -> None:
    assert ExtensionMapping() == load_extension_mapping(LinkSettings())
    assert load_extension_mapping(LinkSettings(extensions="strip", extension_prefix="7")) == ExtensionMapping(
        "strip", "7"
    )


def test_unneeded_prefix_and_table_are_ignored() -> None:
    settings = LinkSettings(extensions="same", extension_prefix="7", extension_table="/nowhere")
    assert load_extension_mapping(settings).extensions_of_room("101") == ("101",)


def test_unchanged_table_is_parsed_once(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table.write_text("101,7101\n")
    load_extension_table(str(table))
    with monkeypatch.context() as patched:
        patched.setattr(extension_table, "_split_rows", None)
        assert load_extension_table(str(table)) == {"101": ("7101",)}
    before = table.stat()
    table.write_text("101,7102\n")  # as long
    os.utime(table, ns=(before.st_atime_ns, before.st_mtime_ns))  # and at the same moment, for a coarse clock
    assert load_extension_table(str(table)) == {"101": ("7102",)}
