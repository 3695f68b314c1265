"""What those see who look on: everything but who the guests are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve

from pmslink.hotel.rooms import Guest, guest_json
from pmslink.store.tables.log_entries import Changed, Entry, Happened
from pmslink.store.tables.outbox_rows import Moved, Row, row_told
from pmslink.web.serializers.event_serializer import event_json
from pmslink.web.serializers.redaction import masked_entry, masked_guest
from pmslink.web.stream.replay_buffer import Past
from tests.time_limit import within
from tests.web.protected_api import Guarded
from tests.web.served_api import START, Served, config
from tests.web.stream_client import watch

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
    return numbered(seq, Happened("grand", START, type, "101", json.dumps(told)))


def arrival(seq: int) -> Entry:
    return happening(seq, "guest.checked_in", guest=guest_json(GUEST))


def light(seq: int) -> Entry:
    return happening(seq, "room.message_light", value=True)


def row(body: dict[str, object]) -> Row:
    told = json.dumps(body)
    return Row(1, "grand", "PS", "call", "101", told, "PS|", None, None, None, None, 1, 1000, 6)


async def lived(guarded: Guarded) -> None:
    """Guests come, and call, and drink."""
    guarded.add()
    guarded.dock()
    guarded.say(CHECK_IN, PLAIN)
    guarded.pms.latest.say("Smith was here")
    for body in (CALL, CHARGE):
        answer = await guarded.post("/api/v1/links/grand/postings", body, guarded.bearer("pbx"))
        assert answer.status == 202
    guarded.run(1)


# By themselves.


def test_what_names_no_guest_stays_the_same_entry() -> None:
    changed = Changed(1, "grand", START, None, "CLOSED", "why", "{}")
    for entry in (changed, light(1), Moved(row({"amount": 7}))):
        assert masked_entry(entry) is entry


def test_a_copy_keeps_its_number() -> None:
    copied: Any = masked_entry(arrival(7))
    assert (copied.seq, copied.type, copied.room) == (7, "guest.checked_in", "101")
    shown = evolve(GUEST, name="•••", first_name="•••", title="•••", group="•••")
    assert json.loads(copied.text) == {"guest": guest_json(shown)}
    moved = numbered(8, Moved(row(CALL)))
    copied = masked_entry(moved)
    assert (copied.seq, json.loads(copied.row.body)) == (8, CALL | {"dialled": "•••"})


def test_of_a_guest_it_is_still_told_what_tells_not_who_he_is() -> None:
    shown = masked_guest(guest_json(evolve(GUEST, title=None)))
    assert (shown["number"], shown["language"], shown["vip"], shown["departure"]) == (
        "5",
        "EA",
        "A",
        "2026-11-25",
    )
    assert shown["title"] is None


def test_a_posting_in_an_event_is_masked_as_it_is_elsewhere() -> None:
    entry = happening(9, "posting.refused", posting=row_told(row(CALL)))
    copied: Any = masked_entry(entry)
    told = event_json(copied)["posting"]
    assert (told["dialled"], told["duration"]) == ("•••", 60)
    assert event_json(entry)["posting"]["dialled"] == "49891234"


def test_each_rendering_is_made_once_and_counted() -> None:
    past = Past(0)
    past.add([arrival(1), light(2)], START)
    before = past._bytes
    first, second = past.after(0), past.after(1)
    assert first is not None
    assert second is not None
    masked = past.event(first, sees_guests=False)
    assert "Smith" not in masked.decode()
    assert past.event(first, sees_guests=False) is masked
    assert past._bytes == before + len(masked)
    whole = past.event(first)
    assert past._bytes == before + len(masked) + len(whole)
    shared = past.event(second, sees_guests=False)
    assert past.event(second) is shared
    assert past._bytes == before + len(masked) + len(whole) + len(shared)
    past._most = 0
    past.add([], START)
    assert past._bytes == 0


# Over the interface.


@pytest.mark.parametrize("path", ["records", "events", "postings"])
@within(10)
async def test_lists_are_masked_for_who_looks_on_and_for_nobody_else(guarded: Guarded, path: str) -> None:
    await lived(guarded)
    whole = await guarded.get(f"/api/v1/links/grand/{path}", headers=guarded.bearer("control"))
    shown = await guarded.get(f"/api/v1/links/grand/{path}", headers=guarded.bearer("view"))
    assert any(secret in whole.body.decode() for secret in SECRETS)
    assert [secret for secret in SECRETS if secret in shown.body.decode()] == []
    assert len(shown.json()[path]) == len(whole.json()[path])
    assert "•••" in shown.body.decode()
    if path != "records":
        other = await guarded.get(f"/api/v1/links/grand/{path}", headers=guarded.bearer("pbx"))
        assert other.json() == whole.json()


@within(10)
async def test_fields_and_text_of_a_record_are_masked_alike(guarded: Guarded) -> None:
    await lived(guarded)
    path = "/api/v1/links/grand/records"
    (one,) = (await guarded.get(f"{path}?type=GI", headers=guarded.bearer("view"))).json()["records"]
    assert one["text"] == MASKED
    assert one["fields"] == [["RN", "101"], ["G#", "5"], ["GN", "•••"], ["GF", "•••"], ["A0", "•••"]]
    shown = (await guarded.get(path, headers=guarded.bearer("view"))).json()["records"]
    (junk,) = [one for one in shown if one["type"] == "•••"]
    assert (junk["text"], junk["fields"]) == ("•••|", [])
    guess = await guarded.get(f"{path}?type=Smith%20was%20here", headers=guarded.bearer("view"))
    assert guess.json()["records"] == []


@within(10)
async def test_one_posting_is_masked(guarded: Guarded) -> None:
    await lived(guarded)
    path = "/api/v1/links/grand/postings"
    charge, call = (await guarded.get(path, headers=guarded.bearer("view"))).json()["postings"]
    assert (charge["text"], call["dialled"], call["duration"]) == ("•••", "•••", 60)
    assert (await guarded.get(f"{path}/{call['id']}", headers=guarded.bearer("view"))).json() == call
    whole = await guarded.get(f"{path}/{call['id']}", headers=guarded.bearer("pbx"))
    assert whole.json()["dialled"] == "49891234"


@within(10)
async def test_the_stream_is_masked_for_who_looks_on_also_when_it_resumes(guarded: Guarded) -> None:
    looks_on = await watch(guarded, headers=guarded.bearer("view"))
    signed = await guarded.sign_in("view")
    too = await watch(guarded, headers=signed.cookie)
    hears = await watch(guarded, headers=guarded.bearer("pbx"))
    await lived(guarded)
    for one in (looks_on, too, hears):
        await one.rest()
    whole, shown = hears.events, looks_on.events
    assert too.events == shown
    assert [event.id for event in shown] == [event.id for event in whole]
    assert [secret for secret in SECRETS if secret not in hears.text] == ["ann@example"]  # told in no event
    assert [secret for secret in SECRETS if secret in looks_on.text] == []
    (arrived,) = [event.data["guest"] for event in shown if event.data.get("type") == "guest.checked_in"]
    assert (arrived["number"], arrived["name"], arrived["first_name"]) == ("5", "•••", "•••")
    plain = [place for place, event in enumerate(whole) if "value" in event.data]
    assert plain
    assert [shown[place] for place in plain] == [whole[place] for place in plain]
    for one in (looks_on, too, hears):
        await one.end()
    resumed = await watch(guarded, last=shown[0].id, headers=guarded.bearer("view"))
    await resumed.rest()
    assert resumed.events == shown[1:]
    await resumed.end()


@within(20)
async def test_what_was_told_before_a_restart_is_masked_too(guarded: Guarded) -> None:
    watching = await watch(guarded, headers=guarded.bearer("view"))
    await lived(guarded)
    await watching.rest()
    await watching.end()
    begin = watching.events[0].id
    told = [one for one in watching.of("event") if one.id > begin]
    await guarded.stop()
    after = Served(before=guarded, links=[config()], state_dir=guarded.state_dir)
    resumed = await watch(after, last=begin, headers=guarded.bearer("view"))
    await resumed.rest()
    assert resumed.of("event")[: len(told)] == told
    assert "•••" in resumed.text
    assert [secret for secret in SECRETS if secret in resumed.text] == []
    await resumed.end()
    await after.stop()
