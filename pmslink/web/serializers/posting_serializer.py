"""Postings as the interface takes and shows them."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from attrs import evolve
from twisted.web.server import Request

from pmslink.errors import FieldError
from pmslink.fias.charset import encode
from pmslink.hotel.call_tariff import Tariff
from pmslink.hotel.postings import Posting, build_posting_record, parse_posting, serialize_posting
from pmslink.link.link import Link
from pmslink.store.operations.outbox_enqueue import NewRow
from pmslink.store.tables.outbox_rows import OutboxRow
from pmslink.timestamps import optional_from_ms, to_ms
from pmslink.validation.json_body import BodyError
from pmslink.web.http.api_errors import ApiError
from pmslink.web.serializers.link_serializer import optional_timestamp

IDEMPOTENCY_KEY_HEADER = "Idempotency-Key"
_MAX_IDEMPOTENCY_KEY_CHARS = 128
_BODY_KEY_BY_FIELD = {"RN": "room", "CT": "text", "SO": "outlet"}
"""The keys of a posting that need not be in ASCII, by the field that carries them."""


def serialize_row(row: OutboxRow) -> dict[str, Any]:
    """A posting, or another row of the outbox: what was asked for, and what became of it."""
    return {
        "id": row.id,
        "number": row.number,
        "type": row.type,
        "room": row.room,
        **json.loads(row.body),
        "state": row.state,
        "attempts": row.attempts,
        "created": optional_timestamp(optional_from_ms(row.created)),
        "sent": optional_timestamp(optional_from_ms(row.sent)),
        "answered": optional_timestamp(optional_from_ms(row.answered)),
        "answer": row.answer,
        "text_answer": row.text_answer,
    }


def build_posting_row(
    link: Link, body: Mapping[str, object], idempotency_key: str | None, now: datetime
) -> NewRow:
    """What the outbox is offered for a body; a call may get the tariff's price. Raises BodyError."""
    settings = link.settings()
    posting = _apply_tariff(parse_posting(body, now), settings.tariff)
    record = build_posting_record(posting, settings.zone)
    try:
        encode(record, settings.charset)
    except FieldError as problem:
        name = _BODY_KEY_BY_FIELD.get(problem.code, problem.code)
        raise BodyError(name, f"{name} cannot be sent: {problem}") from None
    told = serialize_posting(posting)
    return NewRow(
        link.name,
        record.id,
        posting.type,
        posting.room,
        json.dumps({name: value for name, value in told.items() if name not in ("type", "room")}),
        record.text,
        to_ms(now),
        digits=settings.posting_digits,
        key=idempotency_key,
        asked=None if idempotency_key is None else _digest_body(body),
    )


def _apply_tariff(posting: Posting, tariff: Tariff | None) -> Posting:
    """A call that nobody has priced gets what the tariff says, if that has a rate for it."""
    if tariff is None or posting.type != "call" or "amount" in posting.details:
        return posting
    told: Mapping[str, Any] = posting.details
    priced = tariff.price(told["dialled"], told["duration"])
    if priced is None:
        return posting
    call_type = {} if priced.call_type is None else {"call_type": priced.call_type}
    return evolve(posting, details={"amount": priced.amount, **call_type, **told})


def idempotency_key_param(request: Request) -> str | None:
    """The key under which a caller may ask again for the same. Raises ApiError 400."""
    values = request.requestHeaders.getRawHeaders(IDEMPOTENCY_KEY_HEADER.encode(), [])
    if not values:
        return None
    key = b", ".join(values).decode("latin-1")
    if not (
        1 <= len(key) <= _MAX_IDEMPOTENCY_KEY_CHARS and all(" " <= character <= "~" for character in key)
    ):
        raise ApiError(
            400,
            "invalid",
            f"{IDEMPOTENCY_KEY_HEADER} must be "
            f"1 to {_MAX_IDEMPOTENCY_KEY_CHARS} characters of printable ASCII",
            IDEMPOTENCY_KEY_HEADER,
        )
    return key


def _digest_body(body: Mapping[str, object]) -> str:
    """The same for bodies that ask for the same, however they are written."""
    given = {name: value for name, value in body.items() if value is not None}
    canonical = json.dumps(given, sort_keys=True, separators=(",", ":")).encode()
    return urlsafe_b64encode(sha256(canonical).digest()[:18]).decode()
