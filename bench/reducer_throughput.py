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

from bench.bench_processes import show, spread, state_directory
from bench.commit_throughput import open_real
from bench.resync_pms import resync
from pmslink.fias.record import Record
from pmslink.hotel import record_reducer
from pmslink.hotel.hotel_policy import Rules
from pmslink.hotel.hotel_state import House, Now
from pmslink.link.link_registry import utc_now
from pmslink.service import _spare_the_collector
from pmslink.store.operations.hotel_updates import keep_records
from pmslink.store.store_service import Store
from pmslink.store.tables.log_entries import Direction, Recorded

ROOMS = 1000
ROUNDS = 21
TARGET = 50_000


def texts() -> list[str]:
    """The records of a resync, as they stand between STX and ETX."""
    return [one.decode() for one in re.findall(rb"\x02([^\x03]*)", resync(ROOMS))]


def folded(house: House) -> float:
    """Records a second of CPU; their fields are not split off yet."""
    records, number = [Record(text) for text in texts()], count(1)
    now = Now(1795618877519, Rules(), lambda: next(number))
    begun = time.process_time()
    for record in records:
        record_reducer.hear(house, record, now)
    spent = time.process_time() - begun
    house.take_news()
    return len(records) / spent


async def kept(store: Store, link: str, direction: Direction) -> float:
    """Records a second that are safe on disk, with all that came of them."""
    records = [Recorded(link, utc_now(), direction, text[:2], text) for text in texts()]
    begun = time.monotonic()
    for record in records:
        store.journal.append(keep_records, record)
    await store.journal.idle()
    return len(records) / (time.monotonic() - begun)


async def rounds(reactor: Any) -> dict[str, list[float]]:
    """The rates of the store, for records that mean nothing, for new guests, and for known ones."""
    rates: dict[str, list[float]] = {"nothing": [], "new": [], "known": []}
    with state_directory() as folder:
        store = open_real(reactor, folder)
        store.startService()
        await store.journal.idle()
        for number in range(ROUNDS):
            rates["nothing"].append(await kept(store, "sent", "out"))
            rates["new"].append(await kept(store, f"hotel-{number}", "in"))
            rates["known"].append(await kept(store, "hotel-0", "in"))
        await store.stopService()
    return rates


async def measure(reactor: Any) -> None:
    _spare_the_collector()
    known = House({})
    folded(known)
    target = f"over {TARGET:,}"
    rows = [
        ("the fold, guests who are new", spread([folded(House({})) for _ in range(ROUNDS)]), "", target),
        ("the fold, guests who are known", spread([folded(known) for _ in range(ROUNDS)]), "", target),
    ]
    rates = await rounds(reactor)
    for which, what in (("nothing", "records to the PMS"), ("new", "new guests"), ("known", "known guests")):
        beside = [one / bare for one, bare in zip(rates[which], rates["nothing"], strict=True)]
        rows.append((f"on disk, {what}", spread(rates[which]), spread(beside, 2), "–"))
    columns = ("records/s", "beside records that mean nothing", "target")
    show(f"a resync of {ROOMS:,} rooms", columns, rows)


if __name__ == "__main__":
    react(lambda reactor: ensureDeferred(measure(reactor)))
