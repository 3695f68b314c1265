"""Requests that add a row to the outbox: postings, and updates of rooms and phones.

Both become a record for the PMS, which is checked against the link's charset before it is stored.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from attrs import evolve
from twisted.web.server import Request

from pmslink.errors import FieldError
from pmslink.fias.charset import encode
from pmslink.fias.record import Record
from pmslink.hotel.call_tariff import Tariff
from pmslink.hotel.phone_update_records import OutboundUpdate, serialize_update_body
from pmslink.hotel.postings import Posting, build_posting_record, parse_posting, serialize_posting
from pmslink.link.link import Link
from pmslink.store.operations.outbox_enqueue import NewRow
from pmslink.timestamps import to_ms
from pmslink.validation.json_body import BodyError
from pmslink.web.http.api_errors import ApiError
from pmslink.web.http.cancellation import shield
from pmslink.web.http.json_responses import make_response
from pmslink.web.serializers.posting_serializer import serialize_row

IDEMPOTENCY_KEY_HEADER = "Idempotency-Key"
_MAX_IDEMPOTENCY_KEY_CHARS = 128
_IDEMPOTENCY_KEY_PATTERN = re.compile(f"[ -~]{{1,{_MAX_IDEMPOTENCY_KEY_CHARS}}}")
_CANONICAL_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
_BODY_KEY_BY_FIELD = {"RN": "room", "CT": "text", "SO": "outlet"}
"""The keys of a body that need not be in ASCII, by the field that carries their values."""


async def enqueue_row(request: Request, link: Link, row: NewRow) -> bytes:
    """Add a row to the outbox, and answer once it is stored: 202, or 200 for a repeated request."""
    enqueued = await shield(link.outbox.enqueue(row))
    return make_response(request, serialize_row(enqueued.row), 202 if enqueued.is_new else 200)


def make_posting_row(
    link: Link, body: Mapping[str, object], idempotency_key: str | None, now: datetime
) -> NewRow:
    """Return the row for the posting in a body, priced by the link's tariff. Raises BodyError."""
    settings = link.settings()
    posting = _apply_tariff(parse_posting(body, now), settings.tariff)
    details = serialize_posting(posting)
    row = _make_row(
        link,
        build_posting_record(posting, settings.zone),
        posting.type,
        posting.room,
        json.dumps({name: value for name, value in details.items() if name not in ("type", "room")}),
        now,
    )
    body_digest = None if idempotency_key is None else _digest_body(body)
    return row._replace(
        digits=settings.posting_digits,
        key=idempotency_key,
        asked=body_digest,
        started=to_ms(posting.started),
    )


def make_update_row(link: Link, update: OutboundUpdate, now: datetime, who: str) -> NewRow:
    """Return the row for an update of a room or its phone by a caller. Raises BodyError."""
    body = serialize_update_body(update, who)
    row = _make_row(link, update.record, update.type, update.room, body, now)
    return row._replace(subject=update.subject, until=update.until, phone_update=update.phone_update)


def _make_row(link: Link, record: Record, row_type: str, room: str, body: str, now: datetime) -> NewRow:
    """Return a row for a record that the link's charset can encode. Raises BodyError for any other."""
    try:
        encode(record, link.settings().charset)
    except FieldError as problem:
        name = _BODY_KEY_BY_FIELD.get(problem.code, problem.code)
        raise BodyError(name, f"{name} cannot be sent: {problem}") from None
    return NewRow(link.name, record.id, row_type, room, body, record.text, to_ms(now))


def _apply_tariff(posting: Posting, tariff: Tariff | None) -> Posting:
    """Return a call without an amount with the tariff's price, if the tariff has a rate for it."""
    if tariff is None or posting.type != "call" or "amount" in posting.details:
        return posting
    details: Mapping[str, Any] = posting.details
    priced = tariff.price(details["dialled"], details["duration"])
    if priced is None:
        return posting
    call_type = {} if priced.call_type is None else {"call_type": priced.call_type}
    return evolve(posting, details={"amount": priced.amount, **call_type, **details})


def parse_idempotency_key(request: Request) -> str | None:
    """Return the key under which a client may repeat a request safely, or None. Raises ApiError 400."""
    values = request.requestHeaders.getRawHeaders(IDEMPOTENCY_KEY_HEADER.encode(), [])
    if not values:
        return None
    key = b", ".join(values).decode("latin-1")
    if not _IDEMPOTENCY_KEY_PATTERN.fullmatch(key):
        raise ApiError(
            400,
            "invalid",
            f"{IDEMPOTENCY_KEY_HEADER} must be 1 to {_MAX_IDEMPOTENCY_KEY_CHARS} printable ASCII characters",
            IDEMPOTENCY_KEY_HEADER,
        )
    return key


def _digest_body(body: Mapping[str, object]) -> str:
    """Return a digest that is the same for the same values, whatever their order and JSON's whitespace."""
    values = {name: value for name, value in body.items() if value is not None}
    canonical = _CANONICAL_ENCODER.encode(values).encode()
    return urlsafe_b64encode(sha256(canonical).digest()[:18]).decode()
