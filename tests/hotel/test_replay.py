"""Whatever a PMS says twice means what it meant once, and however it is kept it means the same.

PMSs repeat records when a connection is new, and nothing tells the repetition from the first time but
what the record says. What is proved here, and what is not:

- a record that comes again at once changes nothing, whatever its kind, but for DS, which begins a resync
  anew;
- the records of guests and of the night audit carry the date and time when they were made, so a whole
  run of them that was heard in an earlier session changes nothing either, however much has come of them
  meanwhile; within a session it may be meant anew, for some PMSs tell no seconds;
- RE, WR and WC carry no such date. A run of them that goes to and fro, such as CS1, CS2, CS1, or an
  order, its cancellation and the order again, cannot be told from one that is meant anew, and is taken
  for that. So it is with guest records of a link whose description asks for no DA and TI.

A resync that is cut short by a restart takes nobody away; so no restart is tried inside one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, timedelta
from typing import Any

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from pmslink.fias.record import Record
from pmslink.hotel import record_reducer
from pmslink.hotel.events import WakeUpFinished
from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.hotel.hotel_state import TIMESTAMPED_RECORD_IDS, Context, HotelState
from pmslink.hotel.phone_updates import wake_up_result_update
from pmslink.hotel.rooms import Room
from pmslink.store.core.transaction import Entry
from pmslink.store.operations.hotel_updates import append_records, run_due
from pmslink.store.tables.hotel_states import rooms_of
from pmslink.store.tables.log_entries import HotelEventLogged
from pmslink.store.tables.outbox_rows import OutboxRowChanged
from pmslink.timestamps import to_ms
from tests.hotel.plausible_pms import Step, plausible_records
from tests.memory_store import MemoryDatabase
from tests.store.store_harness import LINK_NAME, START_TIME, FaultyDatabase, StoreHarness, make_record

RULES = HotelPolicy(timezone=UTC)
DETERMINED = settings(max_examples=150, derandomize=True)
BY_STORE = settings(max_examples=50, derandomize=True)

Outcome = tuple[list[object], dict[str, Room]]
"""The events and the rooms, without ids."""


def outcome_of(news: Iterable[object], rooms: Iterable[Room]) -> Outcome:
    return list(news), {room.room: _without_ids(room) for room in rooms}


def _without_ids(room: Room) -> Room:
    return evolve(room, wake_ups=tuple(evolve(one, id=0) for one in room.wake_ups))


def _happening(type: str, room: str | None, told: dict[str, Any]) -> object:
    """An event, without what is added where it is kept."""
    told = {name: value for name, value in told.items() if not name.endswith("extensions")}
    if "wake_up" in told:
        told["wake_up"] = told["wake_up"]["at"]
    return type, room, told


def fold(steps: Iterable[Step | None]) -> Outcome:
    """What comes of it without any store; at None the PMS starts the link anew."""
    state, ms, session, number = HotelState({}), to_ms(START_TIME), 0, iter(range(10**6))
    for step in steps:
        if step is None:
            session += 1
            continue
        if isinstance(step, int):
            ms += step * 1000
        now = Context(ms, RULES, number.__next__, session)
        if isinstance(step, int):
            record_reducer.advance(state, now)
        else:
            record_reducer.apply_record(state, Record(step), now)
    told = [
        wake_up_result_update(one).record.text
        if isinstance(one, WakeUpFinished)
        else _happening(one.type, one.room, {**one.payload, "resync": one.resync})
        for one in state.pop_events()
    ]
    return outcome_of(told, state.rooms.values())


def repeated(steps: Iterable[Step], times: Sequence[int]) -> Iterator[Step]:
    """Each record so many times, in place."""
    for at, step in enumerate(steps):
        again = isinstance(step, str) and not step.startswith("DS|")
        yield from [step] * (times[at % len(times)] if again else 1)


def replayable(steps: Iterable[Step]) -> list[Step]:
    """The records that say when they were made."""
    return [
        step
        for step in steps
        if isinstance(step, str) and step[:2] in TIMESTAMPED_RECORD_IDS and "SF|" not in step
    ]


@DETERMINED
@given(plausible_records(START_TIME), st.lists(st.integers(1, 3), min_size=1, max_size=5))
def test_an_immediate_repetition_of_a_record_changes_nothing(steps: list[Step], times: list[int]) -> None:
    assert fold(repeated(steps, times)) == fold(steps)


@DETERMINED
@given(plausible_records(START_TIME), st.integers(1, 20), st.sampled_from([0, 1, 3600]))
def test_guest_records_replayed_from_an_earlier_session_change_nothing(
    steps: list[Step], length: int, later: int
) -> None:
    assert fold([*steps, later, None, *replayable(steps)[-length:]]) == fold([*steps, later])


class Kept:
    """The same, folded by the store in any number of commits and between restarts."""

    def __init__(self) -> None:
        self.playing = StoreHarness(FaultyDatabase(MemoryDatabase()))
        self._live()
        self._told: list[Entry] = []
        self._batch: list[tuple[Any, Any]] = []  # operations and what they are about, for one commit

    def _live(self) -> None:
        self.playing.store.hotels.set_policy(LINK_NAME, RULES)

    def step(self, step: Step) -> None:
        if isinstance(step, int):
            self.commit()
            self.playing.now += timedelta(seconds=step)
            self._batch.append((run_due, LINK_NAME))
        else:
            self._batch.append((append_records, make_record(step, self.playing.now)))

    def commit(self) -> None:
        batch, self._batch = self._batch, []
        self.playing.outcomes([self.playing.journal.submit(*one) for one in batch])

    def restart(self, crash: bool) -> None:
        if crash:
            self.playing.crash()
        else:
            self.playing.stop()
        self.playing.start()
        self._live()

    def outcome(self) -> Outcome:
        rooms = self.playing.read(rooms_of, LINK_NAME)
        return outcome_of(filter(None, map(_told, self.playing.published)), rooms)


def _told(entry: Entry) -> object:
    if isinstance(entry, HotelEventLogged):
        return _happening(entry.type, entry.room, json.loads(entry.text))
    return entry.row.text if isinstance(entry, OutboxRowChanged) else None


@BY_STORE
@given(
    plausible_records(START_TIME),
    st.lists(st.sampled_from(["go on", "go on", "commit", "restart", "crash"]), min_size=1, max_size=7),
    st.integers(1, 20),
)
def test_batches_and_restarts_do_not_change_the_result(
    steps: list[Step], cuts: list[str], length: int
) -> None:
    kept = Kept()
    resyncing = False
    for at, step in enumerate(steps):
        kept.step(step)
        resyncing = (
            step[:2] == "DS" or (resyncing and step[:2] != "DE") if isinstance(step, str) else resyncing
        )
        match cuts[at % len(cuts)]:
            case "restart" | "crash" as how if not resyncing:
                kept.commit()
                kept.restart(crash=how == "crash")
            case "commit":
                kept.commit()
    kept.commit()
    kept.restart(crash=True)
    for step in (0, *replayable(steps)[-length:]):
        kept.step(step)
    kept.commit()
    try:
        assert kept.outcome() == fold([*steps, 0])
    finally:
        kept.playing.crash()
