"""What watchers of the stream are told, and how: entries of the store as Server-Sent Events.

A change of a link is kept as it is told, in JSON, but for the number that it gets when it is kept. That
links are gone is kept in the same place: who watches begins again there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pmslink.link.link import Link
from pmslink.link.state_history import Transition
from pmslink.store.tables.log_entries import Announced, Changed, Entry, Happened
from pmslink.store.tables.outbox_rows import Moved
from pmslink.timestamps import from_ms, timestamp
from pmslink.web.http.json_responses import written
from pmslink.web.serializers.event_serializer import event_json, is_event
from pmslink.web.serializers.link_serializer import link_json, transition_json
from pmslink.web.serializers.posting_serializer import row_json

_OF_LINK = '{"link":{"name":'
_REMOVAL = '{"removed":'


def is_shown(entry: Entry) -> bool:
    """Whether watchers are told of it."""
    return isinstance(entry, Announced | Moved) or is_event(entry)


def announcement(link: Link, transition: Transition | None) -> str:
    """A link as it is now, for the store."""
    change = None if transition is None else transition_json(transition)
    return written({"link": link_json(link), "transition": change}).decode()


def removal(names: Iterable[str]) -> str:
    """That these links are gone, for the store."""
    return _REMOVAL + json.dumps(list(names)) + "}"


def is_removal(entry: Entry) -> bool:
    return isinstance(entry, Announced) and entry.text.startswith(_REMOVAL)


def names_told(entries: Iterable[Entry]) -> set[str]:
    """The links that who was told all this knows of."""
    names: set[str] = set()
    for entry in entries:
        if is_removal(entry) and isinstance(entry, Announced):
            names.difference_update(json.loads(entry.text)["removed"])
        elif isinstance(entry, Announced) and (match := re.match(_OF_LINK + '"([^"]+)"', entry.text)):
            names.add(match[1])
    return names


def rendered(entry: Entry, told_at: datetime | None) -> bytes:
    """One entry, which was told at this moment, or by an earlier service."""
    if isinstance(entry, Announced):
        return _in_sse(entry.seq, "link", _begun(entry.seq, entry.at) + b"," + entry.text[1:].encode())
    if isinstance(entry, Moved):
        row = entry.row
        at = told_at or from_ms(max(row.created, row.sent or 0, row.answered or 0))
        told = {"link": row.link, "posting": row_json(row)}
        return event(entry.seq, "posting", at, told)
    return _in_sse(entry.seq, "event", written(event_json(entry)))


def event(number: int, kind: str, at: datetime, told: dict[str, Any]) -> bytes:
    """An event that is told by itself."""
    return _in_sse(number, kind, written({"seq": number, "at": timestamp(at), **told}))


def size(entry: Entry) -> int:
    """About how many bytes an entry takes in memory."""
    match entry:
        case Announced() | Happened():
            return 400 + len(entry.text)
        case Changed():
            return 600 + len(entry.reason) + len(entry.cause)
        case Moved():
            return 800 + len(entry.row.body) + len(entry.row.text) + len(entry.row.text_answer or "")
        case _:
            raise TypeError(entry)


def _begun(number: int, at: datetime) -> bytes:
    return b'{"seq":%d,"at":"%s"' % (number, timestamp(at).encode())


def _in_sse(number: int, kind: str, data: bytes) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, kind.encode(), data)
