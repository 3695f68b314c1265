"""Tests that docs/events.md has one example of every event type, equal to a published event."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from pmslink.hotel.events import EventType
from tests.time_limit import time_limit
from tests.web.api.test_room_endpoints import events, put
from tests.web.served_api import ServedApi, validate_schema

DOCUMENT = (Path(__file__).parents[3] / "docs/events.md").read_text("utf-8")
EXAMPLES: list[dict[str, Any]] = [
    json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", DOCUMENT, re.DOTALL | re.MULTILINE)
]
LARSEN = "G#5006|GSN|GNLarsen-Dahl"


def test_every_event_type_has_one_example() -> None:
    types = [example["type"] for example in EXAMPLES]
    assert sorted(types) == sorted(get_args(EventType))
    assert [type for type in types if f"`{type}`" not in DOCUMENT] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["type"])
def test_every_example_matches_the_openapi_document(example: dict[str, Any]) -> None:
    validate_schema({"$ref": "#/components/schemas/Event"}, example)


def test_no_other_event_types_are_mentioned() -> None:
    families = "|".join({type.partition(".")[0] for type in get_args(EventType)})
    mentioned = set(re.findall(rf"`((?:{families})\.[a-z_]+)`", DOCUMENT))
    assert mentioned == set(get_args(EventType))


@time_limit(30)
async def test_the_examples_equal_published_events(served_api: ServedApi) -> None:
    published = [without_numbers(event) for event in await run_hotel(served_api)]
    for example in EXAMPLES:
        assert without_numbers(example) in published


async def run_hotel(served: ServedApi) -> list[dict[str, Any]]:
    """Publish every type of event, in a hotel in Vienna; return all events."""
    served.add_link(
        "grand",
        timezone="Europe/Vienna",
        extensions="prefix",
        extension_prefix="7",
        unanswered="hold",
        answer_timeout=5,
        alive_interval=36_000,
    )
    served.dock()
    served.send_from_pms("DS|DA261120|TI080000|", "GI|RN102|G#5004|GNBauer|GLGE|SF|", "DE|DA261120|TI080001|")
    served.advance(3)
    stay = "GFNils|GTDr|GLEA|GV1|GGOslo Choir|GA261120|GD261124"
    served.send_from_pms(f"GI|RN101|G#5006|GSN|GNLarsen|{stay}|CS2|DA261120|TI080003|")
    served.advance(5)
    served.send_from_pms(f"GC|RN101|{LARSEN}|DA261120|TI080008|", "RE|RN101|MLY|RS4|")
    served.advance(5)
    served.send_from_pms(f"GC|RN104|RO101|{LARSEN}|GSN|DA261120|TI080013|")
    served.advance(1)
    await put(served, "dnd", {"on": True}, "104")
    served.send_from_pms(
        "WR|RN104|DA261120|TI0830|", "WR|RN104|DA261121|TI0630|", "WC|RN104|DA261121|TI0630|"
    )
    served.advance(30 * 60)
    (due,) = (event for event in await events(served) if event["type"] == "wake_up.due")
    result = {"id": due["wake_up"]["id"], "attempt": 1, "result": "answered"}
    await served.post("/api/v1/links/grand/rooms/104/wake-up/result", result)
    served.send_from_pms("WR|RN104|DA261121|TI07:00|")
    served.send_from_pms("NS|DA261120|TI083300|", "NE|DA261120|TI083400|")
    call = {"type": "call", "room": "104", "dialled": "00498912345", "duration": 61, "amount": 250}
    await served.post("/api/v1/links/grand/postings", call)
    served.advance(1)
    served.send_from_pms("PA|RN104|ASNP|P#1|CTno post|DA261120|TI083401|")
    served.advance(1)
    minibar = {"type": "minibar", "room": "104", "article": "7", "count": 2}
    await served.post("/api/v1/links/grand/postings", minibar)
    served.advance(6)
    served.send_from_pms("GO|RN104|G#5006|GSN|DA261120|TI090000|")
    served.advance(3)
    served.send_from_pms("LE|DA261120|TI090000|")
    matches: list[dict[str, Any]] = (await served.get("/api/v1/links/grand/events?limit=1000")).json()[
        "events"
    ]
    return matches


def without_numbers(published: Any) -> Any:
    """Return an event without the numbers that differ between runs."""
    if isinstance(published, dict):
        return {key: without_numbers(value) for key, value in published.items() if key not in ("seq", "id")}
    return published
