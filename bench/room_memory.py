"""Memory of hotels whose rooms are all taken: what the process holds more for each room."""

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
from bench.many_links import resident_kib
from pmslink.fias.record import Record
from pmslink.hotel import record_reducer
from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.link.link_registry import utc_now
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.store_service import Store
from pmslink.store.tables.log_entries import RecordLogged

ROOMS = 3000
HOTEL_COUNT = 10
"""So many of them, for the process takes its memory in large pieces."""
BATCH_RECORDS = 500
CHECK_IN_COUNT = 1000


def build_resync() -> list[str]:
    """All rooms are taken, each by a guest of whom much is told."""
    guests = [
        f"GI|RN{room}|G#{500_000 + room}|GSN|GNAdamson-Smith {room}|GFAnnabel|GTMrs|GLEA|GV2|"
        f"GGTOUR{room % 40}|GA261120|GD261127|CS2|SF|"
        for room in range(1000, 1000 + ROOMS)
    ]
    return ["DS|", *guests, "DE|"]


def measure_state() -> float:
    """KiB of a room in the house itself, as Python counts them."""
    number = count(1)
    now = Context(1795618877519, HotelPolicy(), lambda: next(number))
    records = [Record(text) for text in build_resync()]
    gc.collect()
    tracemalloc.start()
    house = HotelState({})
    for record in records:
        record_reducer.apply_record(house, Record(record.text), now)
        house.pop_events()
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held / 1024 / ROOMS


async def store_records(store: Store, link: str, texts: list[str]) -> None:
    """Have the PMS of a link say this."""
    for at in range(0, len(texts), BATCH_RECORDS):
        for text in texts[at : at + BATCH_RECORDS]:
            store.journal.submit_nowait(append_records, RecordLogged(link, utc_now(), "in", text[:2], text))
        await store.journal.wait_idle()


async def store_resyncs(store: Store) -> int:
    """Of all hotels; gives what the process holds then, in KiB."""
    for number in range(HOTEL_COUNT):
        await store_records(store, f"hotel-{number}", build_resync())
    gc.collect()
    return resident_kib()


async def measure_check_ins(store: Store) -> float:
    """Milliseconds of each, in a hotel of that size, one after the other."""
    begun = time.monotonic()
    for number in range(CHECK_IN_COUNT):
        await store_records(store, "hotel-0", [f"GI|RN{1000 + number}|G#{number}|GSY|GNBench|"])
    return 1000 * (time.monotonic() - begun) / CHECK_IN_COUNT


async def measure(reactor: Any) -> None:
    house = measure_state()
    with state_directory() as folder:
        store = open_disk_store(reactor, folder)
        store.startService()
        await store_records(store, "small", build_resync()[:100])
        empty = resident_kib()
        first = await store_resyncs(store)
        second = await store_resyncs(store)
        each = await measure_check_ins(store)
        await store.stopService()
    rooms = HOTEL_COUNT * ROOMS
    rows = [
        ("a room in the house itself", f"{house:.1f} KiB"),
        (f"the process, for each of {rooms:,} rooms", f"{(first - empty) / rooms:.1f} KiB"),
        ("and more after another resync of all", f"{(second - first) / rooms:.1f} KiB"),
        (f"a check-in in a hotel of {ROOMS:,} rooms, until it is safe", f"{each:.1f} ms"),
    ]
    print_table(f"hotels of {ROOMS:,} rooms, a guest in each", ("measured",), rows)


if __name__ == "__main__":
    react(lambda reactor: ensureDeferred(measure(reactor)))
