"""Tests of the redaction of guest data for the view role."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve

from pmslink.hotel.rooms import Guest, serialize_guest
from pmslink.store.core.transaction import Entry
from pmslink.store.tables.log_entries import HotelEventLogged, TransitionLogged
from pmslink.store.tables.outbox_rows import OutboxRow, OutboxRowChanged, row_to_event
from pmslink.web.serializers.event_serializer import serialize_event
from pmslink.web.serializers.redaction import redact_entry, redact_guest
from pmslink.web.stream.replay_buffer import ReplayBuffer
from tests.time_limit import time_limit
from tests.web.protected_api import TokenProtectedApi
from tests.web.served_api import START_TIME, ServedApi, make_link_config
from tests.web.stream_client import open_stream

CHECK_IN = "GI|RN101|G#5|GNSmith|GFAnn|A0ann@example|"
MASKED = "GI|RN101|G#5|GN•••|GF•••|A0•••|"
PLAIN = "RE|RN101|CS1|"
GUEST = Guest("5", "Smith", "Ann", "Dr", "EA", "A", "Tour", "2026-11-20", "2026-11-25")
CALL = {"type": "call", "room": "101", "dialled": "49891234", "duration": 60, "amount": 250}
CHARGE = {"type": "charge", "room": "101", "amount": 900, "text": "Champagne"}
SECRETS = ("Smith", "Ann", "ann@example", "49891234", "Champagne")


def with_seq(seq: int, entry: Entry) -> Entry:
    entry.seq = seq
    return entry


def hotel_event(seq: int, type: str, **details: object) -> Entry:
    return with_seq(seq, HotelEventLogged("grand", START_TIME, type, "101", json.dumps(details)))


def check_in_event(seq: int) -> Entry:
    return hotel_event(seq, "guest.checked_in", guest=serialize_guest(GUEST))


def light_event(seq: int) -> Entry:
    return hotel_event(seq, "room.message_light", value=True)


def row(body: dict[str, object]) -> OutboxRow:
    details = json.dumps(body)
    return OutboxRow(1, "grand", "PS", "call", "101", details, "PS|", None, None, None, None, 1, 1000, 6)


async def run_hotel(protected: TokenProtectedApi) -> None:
    """Check in a guest, and create a call and a charge."""
    protected.add_link()
    protected.dock()
    protected.send_from_pms(CHECK_IN, PLAIN)
    protected.pms.latest_connection.send("Smith was here")
    for body in (CALL, CHARGE):
        answer = await protected.post("/api/v1/links/grand/postings", body, protected.bearer_headers("pbx"))
        assert answer.status == 202
    protected.advance(1)


# Functions


def test_an_entry_without_guest_data_is_returned_unchanged() -> None:
    changed = TransitionLogged(1, "grand", START_TIME, None, "CLOSED", "why", "{}")
    for entry in (changed, light_event(1), OutboxRowChanged(row({"amount": 7}))):
        assert redact_entry(entry) is entry


def test_a_redacted_copy_has_the_same_seq() -> None:
    copied: Any = redact_entry(check_in_event(7))
    assert (copied.seq, copied.type, copied.room) == (7, "guest.checked_in", "101")
    received = evolve(GUEST, name="•••", first_name="•••", title="•••", group="•••")
    assert json.loads(copied.text) == {"guest": serialize_guest(received)}
    moved = with_seq(8, OutboxRowChanged(row(CALL)))
    copied = redact_entry(moved)
    assert (copied.seq, json.loads(copied.row.body)) == (8, CALL | {"dialled": "•••"})


def test_only_personal_fields_of_a_guest_are_masked() -> None:
    received = redact_guest(serialize_guest(evolve(GUEST, title=None)))
    assert (received["number"], received["language"], received["vip"], received["departure"]) == (
        "5",
        "EA",
        "A",
        "2026-11-25",
    )
    assert received["title"] is None


def test_a_posting_in_an_event_is_masked_like_any_posting() -> None:
    entry = hotel_event(9, "posting.refused", posting=row_to_event(row(CALL)))
    copied: Any = redact_entry(entry)
    details = serialize_event(copied)["posting"]
    assert (details["dialled"], details["duration"]) == ("•••", 60)
    assert serialize_event(entry)["posting"]["dialled"] == "49891234"


def test_each_rendered_form_is_created_once_and_counted() -> None:
    buffer = ReplayBuffer(0)
    buffer.add([check_in_event(1), light_event(2)], START_TIME)
    before = buffer._size_bytes
    first, second = buffer.first_after(0), buffer.first_after(1)
    assert first is not None
    assert second is not None
    masked = buffer.render(first, sees_guests=False)
    assert "Smith" not in masked.decode()
    assert buffer.render(first, sees_guests=False) is masked
    assert buffer._size_bytes == before + len(masked)
    unmasked = buffer.render(first)
    assert buffer._size_bytes == before + len(masked) + len(unmasked)
    shared = buffer.render(second, sees_guests=False)
    assert buffer.render(second) is shared
    assert buffer._size_bytes == before + len(masked) + len(unmasked) + len(shared)
    buffer._max_events = 0
    buffer.add([], START_TIME)
    assert buffer._size_bytes == 0


# API


@pytest.mark.parametrize("path", ["records", "events", "postings"])
@time_limit(10)
async def test_lists_are_masked_for_the_view_role_only(protected_api: TokenProtectedApi, path: str) -> None:
    await run_hotel(protected_api)
    unmasked = await protected_api.get(
        f"/api/v1/links/grand/{path}", headers=protected_api.bearer_headers("control")
    )
    received = await protected_api.get(
        f"/api/v1/links/grand/{path}", headers=protected_api.bearer_headers("view")
    )
    assert any(secret in unmasked.body.decode() for secret in SECRETS)
    assert [secret for secret in SECRETS if secret in received.body.decode()] == []
    assert len(received.json()[path]) == len(unmasked.json()[path])
    assert "•••" in received.body.decode()
    if path != "records":
        other = await protected_api.get(
            f"/api/v1/links/grand/{path}", headers=protected_api.bearer_headers("pbx")
        )
        assert other.json() == unmasked.json()


@time_limit(10)
async def test_fields_and_text_of_a_record_are_both_masked(protected_api: TokenProtectedApi) -> None:
    await run_hotel(protected_api)
    path = "/api/v1/links/grand/records"
    (record,) = (
        await protected_api.get(f"{path}?type=GI", headers=protected_api.bearer_headers("view"))
    ).json()["records"]
    assert record["text"] == MASKED
    assert record["fields"] == [["RN", "101"], ["G#", "5"], ["GN", "•••"], ["GF", "•••"], ["A0", "•••"]]
    received = (await protected_api.get(path, headers=protected_api.bearer_headers("view"))).json()["records"]
    (junk,) = [record for record in received if record["type"] == "•••"]
    assert (junk["text"], junk["fields"]) == ("•••|", [])
    filtered = await protected_api.get(
        f"{path}?type=Smith%20was%20here", headers=protected_api.bearer_headers("view")
    )
    assert filtered.json()["records"] == []


@time_limit(10)
async def test_a_single_posting_is_masked(protected_api: TokenProtectedApi) -> None:
    await run_hotel(protected_api)
    path = "/api/v1/links/grand/postings"
    charge, call = (await protected_api.get(path, headers=protected_api.bearer_headers("view"))).json()[
        "postings"
    ]
    assert (charge["text"], call["dialled"], call["duration"]) == ("•••", "•••", 60)
    assert (
        await protected_api.get(f"{path}/{call['id']}", headers=protected_api.bearer_headers("view"))
    ).json() == call
    unmasked = await protected_api.get(f"{path}/{call['id']}", headers=protected_api.bearer_headers("pbx"))
    assert unmasked.json()["dialled"] == "49891234"


@time_limit(10)
async def test_the_stream_is_masked_for_the_view_role_also_after_a_resume(
    protected_api: TokenProtectedApi,
) -> None:
    view_stream = await open_stream(protected_api, headers=protected_api.bearer_headers("view"))
    signed = await protected_api.sign_in("view")
    session_stream = await open_stream(protected_api, headers=signed.cookie_headers)
    pbx_stream = await open_stream(protected_api, headers=protected_api.bearer_headers("pbx"))
    await run_hotel(protected_api)
    for stream in (view_stream, session_stream, pbx_stream):
        await stream.drain()
    unmasked, received = pbx_stream.events, view_stream.events
    assert session_stream.events == received
    assert [event.id for event in received] == [event.id for event in unmasked]
    assert [secret for secret in SECRETS if secret not in pbx_stream.body_text] == [
        "ann@example"
    ]  # a record, but not an event
    assert [secret for secret in SECRETS if secret in view_stream.body_text] == []
    (arrived,) = [event.data["guest"] for event in received if event.data.get("type") == "guest.checked_in"]
    assert (arrived["number"], arrived["name"], arrived["first_name"]) == ("5", "•••", "•••")
    plain = [index for index, event in enumerate(unmasked) if "value" in event.data]
    assert plain
    assert [received[index] for index in plain] == [unmasked[index] for index in plain]
    for stream in (view_stream, session_stream, pbx_stream):
        await stream.disconnect()
    resumed = await open_stream(
        protected_api, last_event_id=received[0].id, headers=protected_api.bearer_headers("view")
    )
    await resumed.drain()
    assert resumed.events == received[1:]
    await resumed.disconnect()


@time_limit(20)
async def test_events_replayed_after_a_restart_are_masked(protected_api: TokenProtectedApi) -> None:
    client = await open_stream(protected_api, headers=protected_api.bearer_headers("view"))
    await run_hotel(protected_api)
    await client.drain()
    await client.disconnect()
    begin = client.events[0].id
    details = [event for event in client.events_of_kind("event") if event.id > begin]
    await protected_api.stop()
    after = ServedApi(previous=protected_api, links=[make_link_config()], state_dir=protected_api.state_dir)
    resumed = await open_stream(after, last_event_id=begin, headers=protected_api.bearer_headers("view"))
    await resumed.drain()
    assert resumed.events_of_kind("event")[: len(details)] == details
    assert "•••" in resumed.body_text
    assert [secret for secret in SECRETS if secret in resumed.body_text] == []
    await resumed.disconnect()
    await after.stop()
