"""What a peer sends that is no record: its kind, and what is shown of it."""

from __future__ import annotations

import pytest

from pmslink.fias.framing import Framing
from pmslink.link.unreadable_input import describe_input


@pytest.mark.parametrize(
    ("data", "framing", "kind", "shown"),
    [
        (b"LS|DA261130|TI000000|\r\n", "stx-etx", "crlf", "LS|DA261130|TI000000|"),
        (b"\r\nLS|DA261130|\r\n", "stx-etx", "crlf", "LS|DA261130|"),
        (b"\x02LS|DA261130|\r\n", "stx-etx", "crlf", "LS|DA261130|"),
        (b"\x02LS|DA261130|\x03", "crlf", "stx_etx", "LS|DA261130|"),
        (b"LS|DA261130|", "stx-etx", "other", "LS|DA261130|"),
        (b"LS|DA261130|\r", "stx-etx", "other", "LS|DA261130|"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "stx-etx", "tls", "15 03 01 00 02 02 46"),
        (b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76", "crlf", "tls", "16 03 03 00 7a 02 00 00"),
        (b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n", "stx-etx", "http", "HTTP/1.1 400 Bad Request"),
        (b"<!DOCTYPE html><html>", "stx-etx", "http", "<!DOCTYPE html><html>"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "stx-etx", "service", "SSH-2.0-OpenSSH_9.2p1"),
        (b"220 mail.example ESMTP\r\n", "crlf", "service", "220 mail.example ESMTP"),
        (b"\xff\xfd\x01\xff\xfb\x03login: ", "stx-etx", "service", "��·��·login: "),
        (b"\x4a\x00\x00\x00\x0a5.7.33 some more", "stx-etx", "other", "4a 00 00 00 0a 35 2e 37"),
    ],
)
def test_what_came_is_recognized(data: bytes, framing: Framing, kind: str, shown: str) -> None:
    found = describe_input(data, len(data), framing, "cp1252")
    assert found is not None
    assert (found.kind, found.shown, found.size) == (kind, shown, len(data))


@pytest.mark.parametrize("data", [b"\r\n", b"\x05", b"\x06\x06", b"\x00 \t\x15\x16"])
def test_what_converters_send_before_records_says_nothing(data: bytes) -> None:
    assert describe_input(data, len(data), "stx-etx", "cp1252") is None


def test_a_guest_in_a_record_is_masked() -> None:
    data = "GI|RN101|G#5|GNMüller|GFAnna|GSN|\r\n".encode("cp1252")
    found = describe_input(data, len(data), "stx-etx", "cp1252")
    assert found is not None
    assert found.shown == "GI|RN101|G#5|GN•••|GF•••|GSN|"
    assert "Müller" not in str(found.params)


def test_little_is_shown_of_anything_else() -> None:
    found = describe_input(b"<guest name='Anna Adams' room='101'/>", 37, "stx-etx", "cp1252")
    assert found is not None
    assert found.shown == "3c 67 75 65 73 74 20 6e"


def test_the_first_64_bytes_are_there_in_hexadecimal() -> None:
    found = describe_input(b"x" * 256, 5000, "stx-etx", "cp1252")
    assert found is not None
    assert found.hex == "78" * 64
    assert found.size == 5000


def test_a_long_line_is_cut() -> None:
    found = describe_input(b"HTTP/1.1 " + b"y" * 200, 209, "stx-etx", "cp1252")
    assert found is not None
    assert len(found.shown) == 61
