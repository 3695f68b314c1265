"""Memory of hotels with a guest in every room: the additional memory of the process for each room."""

from __future__ import annotations

import gc
import time
import tracemalloc
from itertools import count
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.internet.task import react

from bench.bench_processes import print_table, state_directory
from bench.commit_throughput import open_disk_store
from bench.many_links_service import resident_kib
from pmslink.fias.record import Record
from pmslink.hotel import record_reducer
from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.store_service import Store
from pmslink.store.tables.log_entries import RecordLogged
from pmslink.timestamps import utc_now

ROOMS = 3000
HOTEL_COUNT = 10
"""Number of hotels; many, because the process allocates memory in large blocks."""
BATCH_RECORDS = 500
CHECK_IN_COUNT = 1000


def build_resync() -> list[str]:
    """Return the records of a resync: a guest with all fields in every room."""
    guests = [
        f"GI|RN{room}|G#{500_000 + room}|GSN|GNAdamson-Smith {room}|GFAnnabel|GTMrs|GLEA|GV2|"
        f"GGTOUR{room % 40}|GA261120|GD261127|CS2|SF|"
        for room in range(1000, 1000 + ROOMS)
    ]
    return ["DS|", *guests, "DE|"]


def measure_state() -> float:
    """Measure the KiB of a room in the hotel state, as tracemalloc counts them."""
    numbers = count(1)
    context = Context(1795618877519, HotelPolicy(), lambda: next(numbers))
    texts = build_resync()
    gc.collect()
    tracemalloc.start()
    state = HotelState({})
    for text in texts:
        record_reducer.apply_record(state, Record(text), context)
        state.pop_events()
    gc.collect()
    allocated_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return allocated_bytes / 1024 / ROOMS


async def store_records(store: Store, link: str, texts: list[str]) -> None:
    """Store records as received from the PMS of a link."""
    for start in range(0, len(texts), BATCH_RECORDS):
        for text in texts[start : start + BATCH_RECORDS]:
            store.journal.submit_nowait(append_records, RecordLogged(link, utc_now(), "in", text[:2], text))
        await store.journal.wait_idle()


async def store_resyncs(store: Store) -> int:
    """Store a resync of each hotel, and return the resident memory of the process in KiB."""
    for number in range(HOTEL_COUNT):
        await store_records(store, f"hotel-{number}", build_resync())
    gc.collect()
    return resident_kib()


async def measure_check_ins(store: Store) -> float:
    """Measure the milliseconds of a check-in until it is on disk, one after the other."""
    started_at = time.monotonic()
    for number in range(CHECK_IN_COUNT):
        await store_records(store, "hotel-0", [f"GI|RN{1000 + number}|G#{number}|GSY|GNBench|"])
    return 1000 * (time.monotonic() - started_at) / CHECK_IN_COUNT


async def measure(reactor: Any) -> None:
    """Run all measurements and print the table."""
    room_kib = measure_state()
    with state_directory() as folder:
        store = open_disk_store(reactor, folder)
        store.startService()
        await store_records(store, "small", build_resync()[:100])
        empty_kib = resident_kib()
        first_kib = await store_resyncs(store)
        second_kib = await store_resyncs(store)
        check_in_ms = await measure_check_ins(store)
        await store.stopService()
    rooms = HOTEL_COUNT * ROOMS
    rows = [
        ("a room in the hotel state itself", f"{room_kib:.1f} KiB"),
        (f"the process, for each of {rooms:,} rooms", f"{(first_kib - empty_kib) / rooms:.1f} KiB"),
        (
            "additional memory after another resync of all rooms",
            f"{(second_kib - first_kib) / rooms:.1f} KiB",
        ),
        (f"a check-in in a hotel of {ROOMS:,} rooms, until it is on disk", f"{check_in_ms:.1f} ms"),
    ]
    print_table(f"hotels of {ROOMS:,} rooms, a guest in each", ("measured",), rows)


if __name__ == "__main__":
    react(lambda reactor: ensureDeferred(measure(reactor)))
