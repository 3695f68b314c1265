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


def numbered(seq: int, entry: Entry) -> Entry:
    entry.seq = seq
    return entry


def happening(seq: int, type: str, **told: object) -> Entry:
    return numbered(seq, HotelEventLogged("grand", START_TIME, type, "101", json.dumps(told)))


def arrival(seq: int) -> Entry:
    return happening(seq, "guest.checked_in", guest=serialize_guest(GUEST))


def light(seq: int) -> Entry:
    return happening(seq, "room.message_light", value=True)


def row(body: dict[str, object]) -> OutboxRow:
    told = json.dumps(body)
    return OutboxRow(1, "grand", "PS", "call", "101", told, "PS|", None, None, None, None, 1, 1000, 6)


async def lived(guarded: TokenProtectedApi) -> None:
    """Guests come, and call, and drink."""
    guarded.add_link()
    guarded.dock()
    guarded.send_from_pms(CHECK_IN, PLAIN)
    guarded.pms.latest_connection.send("Smith was here")
    for body in (CALL, CHARGE):
        answer = await guarded.post("/api/v1/links/grand/postings", body, guarded.bearer_headers("pbx"))
        assert answer.status == 202
    guarded.advance(1)


# By themselves.


def test_an_entry_without_guest_data_is_returned_unchanged() -> None:
    changed = TransitionLogged(1, "grand", START_TIME, None, "CLOSED", "why", "{}")
    for entry in (changed, light(1), OutboxRowChanged(row({"amount": 7}))):
        assert redact_entry(entry) is entry


def test_a_redacted_copy_has_the_same_seq() -> None:
    copied: Any = redact_entry(arrival(7))
    assert (copied.seq, copied.type, copied.room) == (7, "guest.checked_in", "101")
    shown = evolve(GUEST, name="•••", first_name="•••", title="•••", group="•••")
    assert json.loads(copied.text) == {"guest": serialize_guest(shown)}
    moved = numbered(8, OutboxRowChanged(row(CALL)))
    copied = redact_entry(moved)
    assert (copied.seq, json.loads(copied.row.body)) == (8, CALL | {"dialled": "•••"})


def test_only_personal_fields_of_a_guest_are_masked() -> None:
    shown = redact_guest(serialize_guest(evolve(GUEST, title=None)))
    assert (shown["number"], shown["language"], shown["vip"], shown["departure"]) == (
        "5",
        "EA",
        "A",
        "2026-11-25",
    )
    assert shown["title"] is None


def test_a_posting_in_an_event_is_masked_like_any_posting() -> None:
    entry = happening(9, "posting.refused", posting=row_to_event(row(CALL)))
    copied: Any = redact_entry(entry)
    told = serialize_event(copied)["posting"]
    assert (told["dialled"], told["duration"]) == ("•••", 60)
    assert serialize_event(entry)["posting"]["dialled"] == "49891234"


def test_each_rendered_form_is_created_once_and_counted() -> None:
    past = ReplayBuffer(0)
    past.add([arrival(1), light(2)], START_TIME)
    before = past._size_bytes
    first, second = past.first_after(0), past.first_after(1)
    assert first is not None
    assert second is not None
    masked = past.render(first, sees_guests=False)
    assert "Smith" not in masked.decode()
    assert past.render(first, sees_guests=False) is masked
    assert past._size_bytes == before + len(masked)
    whole = past.render(first)
    assert past._size_bytes == before + len(masked) + len(whole)
    shared = past.render(second, sees_guests=False)
    assert past.render(second) is shared
    assert past._size_bytes == before + len(masked) + len(whole) + len(shared)
    past._max_events = 0
    past.add([], START_TIME)
    assert past._size_bytes == 0


# Over the interface.


@pytest.mark.parametrize("path", ["records", "events", "postings"])
@time_limit(10)
async def test_lists_are_masked_for_the_view_role_only(protected_api: TokenProtectedApi, path: str) -> None:
    await lived(protected_api)
    whole = await protected_api.get(
        f"/api/v1/links/grand/{path}", headers=protected_api.bearer_headers("control")
    )
    shown = await protected_api.get(
        f"/api/v1/links/grand/{path}", headers=protected_api.bearer_headers("view")
    )
    assert any(secret in whole.body.decode() for secret in SECRETS)
    assert [secret for secret in SECRETS if secret in shown.body.decode()] == []
    assert len(shown.json()[path]) == len(whole.json()[path])
    assert "•••" in shown.body.decode()
    if path != "records":
        other = await protected_api.get(
            f"/api/v1/links/grand/{path}", headers=protected_api.bearer_headers("pbx")
        )
        assert other.json() == whole.json()


@time_limit(10)
async def test_fields_and_text_of_a_record_are_both_masked(protected_api: TokenProtectedApi) -> None:
    await lived(protected_api)
    path = "/api/v1/links/grand/records"
    (one,) = (
        await protected_api.get(f"{path}?type=GI", headers=protected_api.bearer_headers("view"))
    ).json()["records"]
    assert one["text"] == MASKED
    assert one["fields"] == [["RN", "101"], ["G#", "5"], ["GN", "•••"], ["GF", "•••"], ["A0", "•••"]]
    shown = (await protected_api.get(path, headers=protected_api.bearer_headers("view"))).json()["records"]
    (junk,) = [one for one in shown if one["type"] == "•••"]
    assert (junk["text"], junk["fields"]) == ("•••|", [])
    guess = await protected_api.get(
        f"{path}?type=Smith%20was%20here", headers=protected_api.bearer_headers("view")
    )
    assert guess.json()["records"] == []


@time_limit(10)
async def test_a_single_posting_is_masked(protected_api: TokenProtectedApi) -> None:
    await lived(protected_api)
    path = "/api/v1/links/grand/postings"
    charge, call = (await protected_api.get(path, headers=protected_api.bearer_headers("view"))).json()[
        "postings"
    ]
    assert (charge["text"], call["dialled"], call["duration"]) == ("•••", "•••", 60)
    assert (
        await protected_api.get(f"{path}/{call['id']}", headers=protected_api.bearer_headers("view"))
    ).json() == call
    whole = await protected_api.get(f"{path}/{call['id']}", headers=protected_api.bearer_headers("pbx"))
    assert whole.json()["dialled"] == "49891234"


@time_limit(10)
async def test_the_stream_is_masked_for_the_view_role_also_after_a_resume(
    protected_api: TokenProtectedApi,
) -> None:
    looks_on = await open_stream(protected_api, headers=protected_api.bearer_headers("view"))
    signed = await protected_api.sign_in("view")
    too = await open_stream(protected_api, headers=signed.cookie_headers)
    hears = await open_stream(protected_api, headers=protected_api.bearer_headers("pbx"))
    await lived(protected_api)
    for one in (looks_on, too, hears):
        await one.drain()
    whole, shown = hears.events, looks_on.events
    assert too.events == shown
    assert [event.id for event in shown] == [event.id for event in whole]
    assert [secret for secret in SECRETS if secret not in hears.body_text] == [
        "ann@example"
    ]  # told in no event
    assert [secret for secret in SECRETS if secret in looks_on.body_text] == []
    (arrived,) = [event.data["guest"] for event in shown if event.data.get("type") == "guest.checked_in"]
    assert (arrived["number"], arrived["name"], arrived["first_name"]) == ("5", "•••", "•••")
    plain = [place for place, event in enumerate(whole) if "value" in event.data]
    assert plain
    assert [shown[place] for place in plain] == [whole[place] for place in plain]
    for one in (looks_on, too, hears):
        await one.disconnect()
    resumed = await open_stream(
        protected_api, last_event_id=shown[0].id, headers=protected_api.bearer_headers("view")
    )
    await resumed.drain()
    assert resumed.events == shown[1:]
    await resumed.disconnect()


@time_limit(20)
async def test_events_replayed_after_a_restart_are_masked(protected_api: TokenProtectedApi) -> None:
    watching = await open_stream(protected_api, headers=protected_api.bearer_headers("view"))
    await lived(protected_api)
    await watching.drain()
    await watching.disconnect()
    begin = watching.events[0].id
    told = [one for one in watching.events_of_kind("event") if one.id > begin]
    await protected_api.stop()
    after = ServedApi(previous=protected_api, links=[make_link_config()], state_dir=protected_api.state_dir)
    resumed = await open_stream(after, last_event_id=begin, headers=protected_api.bearer_headers("view"))
    await resumed.drain()
    assert resumed.events_of_kind("event")[: len(told)] == told
    assert "•••" in resumed.body_text
    assert [secret for secret in SECRETS if secret in resumed.body_text] == []
    await resumed.disconnect()
    await after.stop()
