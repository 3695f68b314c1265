"""Tests of postings as CSV."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from pmslink.web.serializers.posting_csv import serialize_csv_header, serialize_csv_rows

CALL = {
    "id": 7,
    "type": "call",
    "room": "101",
    "dialled": "0044",
    "amount": 1205,
    "state": "done",
    "number": 3,
}


def _read(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline=""), strict=True))


def _cells(posting: dict[str, Any], currency: str | None = None) -> dict[str, str]:
    (row,) = _read(serialize_csv_header() + serialize_csv_rows([posting], currency))
    return row


def test_lines_end_with_cr_lf_and_texts_are_quoted() -> None:
    data = serialize_csv_header() + serialize_csv_rows([CALL, {**CALL, "id": 8}], "EUR")
    header, first, second, rest = data.split(b"\r\n")
    assert header.startswith(b'"id","created","type","room",')
    assert first.startswith(b'7,"","call","101",')
    assert second.startswith(b'8,"","call","101",')
    assert rest == b""


def test_amounts_have_two_decimals_and_the_currency_of_the_link() -> None:
    assert [_cells({**CALL, "amount": amount})["amount"] for amount in (0, 5, 1205)] == [
        "0.00",
        "0.05",
        "12.05",
    ]
    assert _cells(CALL, "€")["currency"] == "€"
    assert _cells(CALL)["currency"] == ""
    unpriced = _cells({"id": 7, "type": "minibar"}, "EUR")
    assert (unpriced["amount"], unpriced["currency"]) == ("", "")


def test_quotes_commas_and_line_ends_stay_in_their_cell() -> None:
    text = 'He said "5, please";\r\nthen left'
    assert _cells({**CALL, "text_answer": text})["text_answer"] == text


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+49", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=cmd|"/c calc"!A0', "＝1"],
)
@pytest.mark.parametrize("column", ["room", "text", "text_answer", "answer", "reservation"])
def test_no_text_is_a_formula_in_a_spreadsheet(column: str, text: str) -> None:
    assert _cells({**CALL, column: text})[column] == "'" + text


def test_the_values_of_updates_are_in_one_column() -> None:
    row = _cells({"id": 9, "type": "voicemail", "room": "101", "unread": 1, "read": 3})
    assert row["details"] == '{"unread": 1, "read": 3}'
    assert _cells(CALL)["details"] == ""
