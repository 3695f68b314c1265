"""Charsets: which ones are usable, and how records are encoded and frames decoded."""

from __future__ import annotations

import encodings.aliases

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmslink.errors import FieldError
from pmslink.fias.charset import decode, encode, is_usable_charset
from pmslink.fias.record import Record, build_record

USABLE_CHARSETS = sorted(name for name in set(encodings.aliases.aliases.values()) if is_usable_charset(name))


@pytest.mark.parametrize("name", ["cp1252", "UTF-8", "cp850", "gbk", "big5", "shift_jis", "gb18030", "ascii"])
def test_charsets_that_contain_ascii_are_usable(name: str) -> None:
    assert is_usable_charset(name)


@pytest.mark.parametrize(
    "name", ["utf-16", "cp037", "utf-7", "rot13", "hex", "klingon", "", "cp1252\0", "idna"]
)
def test_charsets_that_change_ascii_are_not_usable(name: str) -> None:
    assert not is_usable_charset(name)


@pytest.mark.parametrize("charset", USABLE_CHARSETS)
def test_no_usable_charset_encodes_a_character_with_the_bytes_stx_or_etx(charset: str) -> None:
    text = "".join(map(chr, range(0xA0, 0xD800))) + "".join(map(chr, range(0xE000, 0x10000)))
    encoded = text.encode(charset, "ignore")
    assert b"\x02" not in encoded
    assert b"\x03" not in encoded


@pytest.mark.parametrize(
    ("charset", "name"),
    [("gbk", "億"), ("big5", "育"), ("shift_jis", "ポ")],
)
def test_a_bar_byte_inside_a_character_does_not_separate_fields(charset: str, name: str) -> None:
    wire = encode(build_record("GI", [("RN", "101"), ("GN", name), ("GS", "N")]), charset)
    assert wire.count(b"|") > 4  # one is the second byte of a character
    assert Record(wire.decode(charset)).get("GN") == name


@given(
    st.sampled_from(USABLE_CHARSETS), st.text(st.characters(min_codepoint=0xA0, exclude_categories=["Cs"]))
)
def test_encoding_preserves_the_fields(charset: str, text: str) -> None:
    name = text.encode(charset, "ignore").decode(charset)
    record = build_record("GI", [("RN", "101"), ("GN", name.replace("|", "/")), ("GS", "N")])
    decoded = Record(encode(record, charset).decode(charset))
    assert [code for code, _ in decoded.fields] == ["RN", "GN", "GS"]
    assert (decoded.get("RN"), decoded.get("GS")) == ("101", "N")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("GI|RN101|GNŁódź|", "GN"),
        ("GI|RN101|GNŁ", "GN"),
        ("GI|RN101|Łódź|", "GI"),
        ("Ł|RN101|", "Ł"),
    ],
)
def test_a_character_missing_from_the_charset_raises_an_error_with_its_field(text: str, code: str) -> None:
    with pytest.raises(FieldError, match="'Ł' does not exist in the link's charset cp1252") as caught:
        encode(Record(text), "cp1252")
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("frame", "charset", "text"),
    [
        (b"GI|GNAdams|", "cp1252", "GI|GNAdams|"),
        (b"GI|GNM\xfcller|", "cp1252", "GI|GNMüller|"),
        (b"GI|GN\xd0\xd0|", "gbk", "GI|GN行|"),
        (b"GI|GN\xff|", "utf-8", "GI|GN\ufffd|"),
        (b"GI|GN~{PP~}|", "hz", "GI|GN行|"),
        (b"GI|GN\x1b$B9T\x1b(B|", "iso2022_jp", "GI|GN行|"),
    ],
)
def test_a_frame_is_decoded_in_the_charset_of_its_link(frame: bytes, charset: str, text: str) -> None:
    assert decode(frame, charset) == text
