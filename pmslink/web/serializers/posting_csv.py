"""CSV form of postings (RFC 4180), for spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

_COLUMNS = (
    *("id", "created", "type", "room", "room_sent", "started"),
    *("dialled", "call_type", "duration", "amount", "currency", "article", "count", "outlet", "text"),
    *("state", "reason", "number", "attempts", "sent", "answered", "answer", "text_answer", "reservation"),
    "details",
)
"""Keys of a posting in JSON, and two more: the link's currency, and all other keys of updates as JSON."""
_FORMULA_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def serialize_csv_header() -> bytes:
    """Return the line with the names of the columns."""
    return _serialize_lines([_COLUMNS])


def serialize_csv_rows(postings: Iterable[Mapping[str, Any]], currency: str | None) -> bytes:
    """Return a line for each posting, given in JSON form. Amounts have two decimals."""
    return _serialize_lines(_cells(posting, currency) for posting in postings)


def _cells(posting: Mapping[str, Any], currency: str | None) -> list[object]:
    amount = posting.get("amount")
    details = {name: value for name, value in posting.items() if name not in _COLUMNS}
    values = {
        **posting,
        "amount": None if amount is None else f"{amount // 100}.{amount % 100:02}",
        "currency": None if amount is None else currency,
        "details": json.dumps(details, ensure_ascii=False) if details else None,
    }
    return [_make_inert(values.get(column)) for column in _COLUMNS]


def _make_inert(value: object) -> object:
    """Return a text that a spreadsheet does not take for a formula.

    A PMS or a PBX chooses some of these texts, and a formula could send the table to another host.
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_BEGINNINGS) else value


def _serialize_lines(lines: Iterable[Iterable[object]]) -> bytes:
    # All texts are quoted: a semicolon or a tab in one does not begin a new cell in any spreadsheet.
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_NONNUMERIC).writerows(lines)
    return text.getvalue().encode("utf-8", "replace")
