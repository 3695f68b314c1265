"""Memory of hotels whose rooms are all taken: what the process holds more for each room."""

from __future__ import annotations

import gc
import time
import tracemalloc
from itertools import count
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.internet.task import react

from bench.bench_processes import show, state_directory
from bench.commit_throughput import open_real
from bench.many_links import resident
from pmslink.fias.record import Record
from pmslink.hotel import record_reducer
from pmslink.hotel.hotel_policy import Rules
from pmslink.hotel.hotel_state import House, Now
from pmslink.link.link_registry import utc_now
from pmslink.store.operations.hotel_updates import keep_records
from pmslink.store.store_service import Store
from pmslink.store.tables.log_entries import Recorded

ROOMS = 3000
HOTELS = 10
"""So many of them, for the process takes its memory in large pieces."""
AT_ONCE = 500
CHECK_INS = 1000


def resync() -> list[str]:
    """All rooms are taken, each by a guest of whom much is told."""
    guests = [
        f"GI|RN{room}|G#{500_000 + room}|GSN|GNAdamson-Smith {room}|GFAnnabel|GTMrs|GLEA|GV2|"
        f"GGTOUR{room % 40}|GA261120|GD261127|CS2|SF|"
        for room in range(1000, 1000 + ROOMS)
    ]
    return ["DS|", *guests, "DE|"]


def alone() -> float:
    """KiB of a room in the house itself, as Python counts them."""
    number = count(1)
    now = Now(1795618877519, Rules(), lambda: next(number))
    records = [Record(text) for text in resync()]
    gc.collect()
    tracemalloc.start()
    house = House({})
    for record in records:
        record_reducer.hear(house, Record(record.text), now)
        house.take_news()
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held / 1024 / ROOMS


async def tell(store: Store, link: str, texts: list[str]) -> None:
    """Have the PMS of a link say this."""
    for at in range(0, len(texts), AT_ONCE):
        for text in texts[at : at + AT_ONCE]:
            store.journal.append(keep_records, Recorded(link, utc_now(), "in", text[:2], text))
        await store.journal.idle()


async def resyncs(store: Store) -> int:
    """Of all hotels; gives what the process holds then, in KiB."""
    for number in range(HOTELS):
        await tell(store, f"hotel-{number}", resync())
    gc.collect()
    return resident()


async def check_ins(store: Store) -> float:
    """Milliseconds of each, in a hotel of that size, one after the other."""
    begun = time.monotonic()
    for number in range(CHECK_INS):
        await tell(store, "hotel-0", [f"GI|RN{1000 + number}|G#{number}|GSY|GNBench|"])
    return 1000 * (time.monotonic() - begun) / CHECK_INS


async def measure(reactor: Any) -> None:
    house = alone()
    with state_directory() as folder:
        store = open_real(reactor, folder)
        store.startService()
        await tell(store, "small", resync()[:100])
        empty = resident()
        first = await resyncs(store)
        second = await resyncs(store)
        each = await check_ins(store)
        await store.stopService()
    rooms = HOTELS * ROOMS
    rows = [
        ("a room in the house itself", f"{house:.1f} KiB"),
        (f"the process, for each of {rooms:,} rooms", f"{(first - empty) / rooms:.1f} KiB"),
        ("and more after another resync of all", f"{(second - first) / rooms:.1f} KiB"),
        (f"a check-in in a hotel of {ROOMS:,} rooms, until it is safe", f"{each:.1f} ms"),
    ]
    show(f"hotels of {ROOMS:,} rooms, a guest in each", ("measured",), rows)


if __name__ == "__main__":
    react(lambda reactor: ensureDeferred(measure(reactor)))
