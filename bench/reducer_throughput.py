"""What a resync means to a hotel: the fold alone, and with the store behind it, beside records that mean
nothing.

The fold alone is measured in seconds of CPU, which other work on the machine does not lengthen.
"""

from __future__ import annotations

import re
import time
from itertools import count
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.internet.task import react

from bench.bench_processes import format_spread, print_table, state_directory
from bench.commit_throughput import open_disk_store
from bench.resync_pms import build_resync
from pmslink.fias.record import Record
from pmslink.hotel import record_reducer
from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.link.link_registry import utc_now
from pmslink.service import _freeze_garbage_collector
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.store_service import Store
from pmslink.store.tables.log_entries import Direction, RecordLogged

ROOMS = 1000
ROUNDS = 21
TARGET_RECORDS_PER_S = 50_000


def resync_texts() -> list[str]:
    """The records of a resync, as they stand between STX and ETX."""
    return [one.decode() for one in re.findall(rb"\x02([^\x03]*)", build_resync(ROOMS))]


def measure_reducer(state: HotelState) -> float:
    """Records a second of CPU; their fields are not split off yet."""
    records, number = [Record(text) for text in resync_texts()], count(1)
    now = Context(1795618877519, HotelPolicy(), lambda: next(number))
    begun = time.process_time()
    for record in records:
        record_reducer.apply_record(state, record, now)
    spent = time.process_time() - begun
    state.pop_events()
    return len(records) / spent


async def measure_store(store: Store, link: str, direction: Direction) -> float:
    """Records a second that are safe on disk, with all that came of them."""
    records = [RecordLogged(link, utc_now(), direction, text[:2], text) for text in resync_texts()]
    begun = time.monotonic()
    for record in records:
        store.journal.submit_nowait(append_records, record)
    await store.journal.wait_idle()
    return len(records) / (time.monotonic() - begun)


async def run_rounds(reactor: Any) -> dict[str, list[float]]:
    """The rates of the store, for records that mean nothing, for new guests, and for known ones."""
    rates: dict[str, list[float]] = {"nothing": [], "new": [], "known": []}
    with state_directory() as folder:
        store = open_disk_store(reactor, folder)
        store.startService()
        await store.journal.wait_idle()
        for number in range(ROUNDS):
            rates["nothing"].append(await measure_store(store, "sent", "out"))
            rates["new"].append(await measure_store(store, f"hotel-{number}", "in"))
            rates["known"].append(await measure_store(store, "hotel-0", "in"))
        await store.stopService()
    return rates


async def measure(reactor: Any) -> None:
    _freeze_garbage_collector()
    known = HotelState({})
    measure_reducer(known)
    target = f"over {TARGET_RECORDS_PER_S:,}"
    rows = [
        (
            "the fold, guests who are new",
            format_spread([measure_reducer(HotelState({})) for _ in range(ROUNDS)]),
            "",
            target,
        ),
        (
            "the fold, guests who are known",
            format_spread([measure_reducer(known) for _ in range(ROUNDS)]),
            "",
            target,
        ),
    ]
    rates = await run_rounds(reactor)
    for which, what in (("nothing", "records to the PMS"), ("new", "new guests"), ("known", "known guests")):
        beside = [one / bare for one, bare in zip(rates[which], rates["nothing"], strict=True)]
        rows.append((f"on disk, {what}", format_spread(rates[which]), format_spread(beside, 2), "–"))
    columns = ("records/s", "beside records that mean nothing", "target")
    print_table(f"a resync of {ROOMS:,} rooms", columns, rows)


if __name__ == "__main__":
    react(lambda reactor: ensureDeferred(measure(reactor)))
