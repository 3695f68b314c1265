"""Repeated records change nothing, and batches and restarts do not change the result.

PMSs repeat records on a new connection, and only the text of a record distinguishes a repetition from a new
record. These tests cover:

- an immediate repetition of any record changes nothing, except DS, which begins another resync;
- records of guests and of the night audit carry the date and time when they were made. A run of them that
  an earlier session received changes nothing, also after other records. Within a session it can be new,
  because some PMSs send times without seconds.

They do not cover RE, WR and WC, which carry no such date. A run of them that goes to and fro, such as CS1,
CS2, CS1, or a request, its cancellation and the request again, is applied as new. The same holds for guest
records of a link whose description declares no DA and TI.

A resync that a restart interrupts checks no guest out, so no restart happens within one.
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
from pmslink.hotel.phone_update_records import wake_up_result_update
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

POLICY = HotelPolicy(timezone=UTC)
DETERMINED = settings(max_examples=150, derandomize=True)
BY_STORE = settings(max_examples=50, derandomize=True)

Outcome = tuple[list[object], dict[str, Room]]
"""The events and the rooms, without ids."""


def outcome_of(emitted: Iterable[object], rooms: Iterable[Room]) -> Outcome:
    return list(emitted), {room.room: _without_ids(room) for room in rooms}


def _without_ids(room: Room) -> Room:
    return evolve(room, wake_ups=tuple(evolve(wake_up, id=0) for wake_up in room.wake_ups))


def _event_without_ids(event_type: str, room: str | None, payload: dict[str, Any]) -> object:
    """An event without ids, and without the extensions that the store adds."""
    payload = {name: value for name, value in payload.items() if not name.endswith("extensions")}
    if "wake_up" in payload:
        payload["wake_up"] = payload["wake_up"]["at"]
    return event_type, room, payload


def reduce_steps(steps: Iterable[Step | None]) -> Outcome:
    """Reduce the steps without a store; None begins a new session."""
    state, ms, session, number = HotelState({}), to_ms(START_TIME), 0, iter(range(10**6))
    for step in steps:
        if step is None:
            session += 1
            continue
        if isinstance(step, int):
            ms += step * 1000
        context = Context(ms, POLICY, number.__next__, session)
        if isinstance(step, int):
            record_reducer.advance(state, context)
        else:
            record_reducer.apply_record(state, Record(step), context)
    emitted = [
        wake_up_result_update(one).record.text
        if isinstance(one, WakeUpFinished)
        else _event_without_ids(one.type, one.room, {**one.payload, "resync": one.resync})
        for one in state.pop_events()
    ]
    return outcome_of(emitted, state.rooms.values())


def repeated(steps: Iterable[Step], times: Sequence[int]) -> Iterator[Step]:
    """Repeat each record in place, as often as `times` says in turn."""
    for at, step in enumerate(steps):
        again = isinstance(step, str) and not step.startswith("DS|")
        yield from [step] * (times[at % len(times)] if again else 1)


def replayable(steps: Iterable[Step]) -> list[Step]:
    """Select the records with their creation time."""
    return [
        step
        for step in steps
        if isinstance(step, str) and step[:2] in TIMESTAMPED_RECORD_IDS and "SF|" not in step
    ]


@DETERMINED
@given(plausible_records(START_TIME), st.lists(st.integers(1, 3), min_size=1, max_size=5))
def test_an_immediate_repetition_of_a_record_changes_nothing(steps: list[Step], times: list[int]) -> None:
    assert reduce_steps(repeated(steps, times)) == reduce_steps(steps)


@DETERMINED
@given(plausible_records(START_TIME), st.integers(1, 20), st.sampled_from([0, 1, 3600]))
def test_guest_records_replayed_from_an_earlier_session_change_nothing(
    steps: list[Step], length: int, later: int
) -> None:
    assert reduce_steps([*steps, later, None, *replayable(steps)[-length:]]) == reduce_steps([*steps, later])


class StoreReducer:
    """Reduce steps in the store, in any number of commits and between restarts."""

    def __init__(self) -> None:
        self.harness = StoreHarness(FaultyDatabase(MemoryDatabase()))
        self._set_policy()
        self._batch: list[tuple[Any, Any]] = []  # operations and their arguments, for one commit

    def _set_policy(self) -> None:
        self.harness.store.hotels.set_policy(LINK_NAME, POLICY)

    def step(self, step: Step) -> None:
        if isinstance(step, int):
            self.commit()
            self.harness.now += timedelta(seconds=step)
            self._batch.append((run_due, LINK_NAME))
        else:
            self._batch.append((append_records, make_record(step, self.harness.now)))

    def commit(self) -> None:
        batch, self._batch = self._batch, []
        self.harness.outcomes([self.harness.journal.submit(*one) for one in batch])

    def restart(self, crash: bool) -> None:
        if crash:
            self.harness.crash()
        else:
            self.harness.stop()
        self.harness.start()
        self._set_policy()

    def outcome(self) -> Outcome:
        rooms = self.harness.read(rooms_of, LINK_NAME)
        return outcome_of(filter(None, map(_comparable, self.harness.published)), rooms)


def _comparable(entry: Entry) -> object:
    if isinstance(entry, HotelEventLogged):
        return _event_without_ids(entry.type, entry.room, json.loads(entry.text))
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
    store = StoreReducer()
    resyncing = False
    for at, step in enumerate(steps):
        store.step(step)
        resyncing = (
            step[:2] == "DS" or (resyncing and step[:2] != "DE") if isinstance(step, str) else resyncing
        )
        match cuts[at % len(cuts)]:
            case "restart" | "crash" as how if not resyncing:
                store.commit()
                store.restart(crash=how == "crash")
            case "commit":
                store.commit()
    store.commit()
    store.restart(crash=True)
    for step in (0, *replayable(steps)[-length:]):
        store.step(step)
    store.commit()
    try:
        assert store.outcome() == reduce_steps([*steps, 0])
    finally:
        store.harness.crash()
