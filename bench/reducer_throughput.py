"""Records of a resync per second: the reducer alone, and with the store.

The baseline of the store is records that do not change a hotel. The reducer alone is measured in CPU time,
which other processes do not affect, and so is the target of the store: the CPU of a record until it is on
disk.
"""

from __future__ import annotations

import re
import time
from itertools import count
from typing import Any

from attrs import frozen
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import react

from bench.bench_processes import format_spread, print_table, state_directory
from bench.commit_throughput import open_disk_store
from bench.resync_pms import build_resync
from pmslink.fias.record import Record
from pmslink.hotel import record_reducer
from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.service import _freeze_garbage_collector
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.store_service import Store
from pmslink.store.tables.log_entries import Direction, RecordLogged
from pmslink.timestamps import utc_now

ROOMS = 1000
ROUNDS = 21
TARGET_RECORDS_PER_S = 50_000
"""Of the reducer alone."""
MAX_CPU_US = 50
"""CPU per record of unchanged guests on disk: 20,000 records a second."""


def resync_texts() -> list[str]:
    """Return the texts of a resync's records, without STX and ETX."""
    return [text.decode() for text in re.findall(rb"\x02([^\x03]*)", build_resync(ROOMS))]


def measure_reducer(state: HotelState) -> float:
    """Measure records per second of CPU; the fields are split in the measured time."""
    records, numbers = [Record(text) for text in resync_texts()], count(1)
    context = Context(1795618877519, HotelPolicy(), lambda: next(numbers))
    started_at = time.process_time()
    for record in records:
        record_reducer.apply_record(state, record, context)
    cpu_s = time.process_time() - started_at
    state.pop_events()
    return len(records) / cpu_s


@frozen
class StoreRound:
    """What one round with the store has measured."""

    rate: float
    """Records per second."""
    cpu_us: float
    """Microseconds of CPU per record, of all threads."""


async def measure_store(store: Store, link: str, direction: Direction) -> StoreRound:
    """Measure records on disk, with the resulting rooms and events."""
    records = [RecordLogged(link, utc_now(), direction, text[:2], text) for text in resync_texts()]
    started_at, cpu_before_s = time.monotonic(), time.process_time()
    for record in records:
        store.journal.submit_nowait(append_records, record)
    await store.journal.wait_idle()
    cpu_s = time.process_time() - cpu_before_s
    return StoreRound(len(records) / (time.monotonic() - started_at), 1e6 * cpu_s / len(records))


async def run_rounds(reactor: Any) -> dict[str, list[StoreRound]]:
    """Measure the store with records to the PMS (baseline), new guests, and unchanged guests."""
    rounds: dict[str, list[StoreRound]] = {"baseline": [], "new": [], "unchanged": []}
    with state_directory() as folder:
        store = open_disk_store(reactor, folder)
        store.startService()
        await store.journal.wait_idle()
        for number in range(ROUNDS):
            rounds["baseline"].append(await measure_store(store, "sent", "out"))
            rounds["new"].append(await measure_store(store, f"hotel-{number}", "in"))
            rounds["unchanged"].append(await measure_store(store, "hotel-0", "in"))
        await store.stopService()
    return rounds


async def measure(reactor: Any) -> None:
    """Run all rounds and print the tables."""
    _freeze_garbage_collector()
    full_state = HotelState({})
    measure_reducer(full_state)
    target = f"over {TARGET_RECORDS_PER_S:,}"
    new = [measure_reducer(HotelState({})) for _ in range(ROUNDS)]
    unchanged = [measure_reducer(full_state) for _ in range(ROUNDS)]
    print_table(
        f"a resync of {ROOMS:,} rooms",
        ("records/s of CPU", "target"),
        [
            ("reducer, new guests", format_spread(new), target),
            ("reducer, unchanged guests", format_spread(unchanged), target),
        ],
    )
    rounds = await run_rounds(reactor)
    titles = {
        "baseline": "records to the PMS (baseline)",
        "new": "new guests",
        "unchanged": "unchanged guests",
    }
    print_table(
        "on disk",
        ("records/s", "ratio", "CPU per record", "target"),
        [(title, *_format_rounds(rounds, name)) for name, title in titles.items()],
    )


def _format_rounds(rounds: dict[str, list[StoreRound]], name: str) -> tuple[str, str, str, str]:
    pairs = zip(rounds[name], rounds["baseline"], strict=True)
    return (
        format_spread([one.rate for one in rounds[name]]),
        format_spread([one.rate / baseline.rate for one, baseline in pairs], 2),
        format_spread([one.cpu_us for one in rounds[name]], 1, " µs"),
        f"at most {MAX_CPU_US} µs" if name == "unchanged" else "–",
    )


if __name__ == "__main__":
    react(lambda reactor: ensureDeferred(measure(reactor)))
