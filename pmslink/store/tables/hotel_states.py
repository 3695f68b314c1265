"""The houses of all links: what was said of them is folded in the commit that keeps it.

So a record and what came of it are both safe, or neither is, and nothing is told twice. In the writer's
thread the houses are in memory; a commit works on copies, which take the place of the originals once it
has succeeded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from attrs import asdict, frozen
from sqlalchemy import BindParameter, Connection, bindparam, delete, select

from pmslink.fias.record import Record
from pmslink.hotel.hotel_policy import Rules
from pmslink.hotel.hotel_state import REMEMBERED, STAMPED, House, Leaving
from pmslink.hotel.rooms import PERSONAL, Room, read_room, room_json
from pmslink.store.core.database import insert_many
from pmslink.store.core.schema import EVENTS, HOUSES, RECORDS, ROOMS
from pmslink.store.tables.log_entries import Happened, Planned, Transaction
from pmslink.store.tables.outbox_rows import ROWS_AT_ONCE
from pmslink.timestamps import to_ms

_USUAL = Rules()
_EARLIER = -1
"""The session of what an earlier service has heard."""
_LINK: BindParameter[str] = bindparam("link")
_ROOMS_OF = select(ROOMS.c.room, ROOMS.c.body, ROOMS.c.changed).where(ROOMS.c.link == _LINK)
_HOUSE_OF = select(HOUSES.c.body, HOUSES.c.next_at).where(HOUSES.c.link == _LINK)
_NO_ROOM = delete(ROOMS).where(ROOMS.c.link == _LINK, ROOMS.c.room.in_(bindparam("rooms", expanding=True)))
_NO_HOUSE = delete(HOUSES).where(HOUSES.c.link == _LINK)
_HEARD = (
    select(RECORDS.c.text)
    .where(RECORDS.c.link == _LINK, RECORDS.c.direction == "in", RECORDS.c.type.in_(sorted(STAMPED)))
    .where(RECORDS.c.text.not_like("%|SF%"))  # what a resync tells is not remembered
    .order_by(RECORDS.c.seq.desc())
    .limit(REMEMBERED)
)


@frozen
class _Kept:
    """A house as it is committed, and the row that stands for it beside those of its rooms."""

    house: House
    row: tuple[str, int | None] | None

    @property
    def next_at(self) -> int | None:
        """When something is to be done about it."""
        return None if self.row is None else self.row[1]


class Houses:
    """As they are committed, and by which rules they live."""

    def __init__(self, wall: Callable[[], datetime]) -> None:
        self.wall = wall
        self._rules: dict[str, Rules] = {}
        self._kept: dict[str, _Kept] = {}

    def live_by(self, link: str, rules: Rules) -> None:
        """From now on these are the rules of a hotel."""
        self._rules[link] = rules

    def forget_rules(self, link: str) -> None:
        """The link is no more."""
        self._rules.pop(link, None)

    def has_rules(self, link: str) -> bool:
        """Whether the link of a hotel runs; else nobody can tell what time it is there."""
        return link in self._rules

    def rules_of(self, link: str) -> Rules:
        """The rules of a hotel."""
        return self._rules.get(link, _USUAL)

    def kept(self, connection: Connection, link: str) -> _Kept:
        """In the writer's thread: the house as it is committed."""
        return self._kept.get(link) or _load(connection, link)

    def knows(self, link: str) -> bool:
        """In the writer's thread: whether the house is in memory."""
        return link in self._kept

    def keep(self, link: str, kept: _Kept | None) -> None:
        """In the writer's thread: this is committed; None for a link that was removed."""
        if kept is None:
            self._kept.pop(link, None)
        else:
            self._kept[link] = kept


class Drafts:
    """The houses that one commit changes, and what happens in them."""

    def __init__(self, houses: Houses) -> None:
        self._houses = houses
        self._before: dict[str, _Kept] = {}
        self._drafts: dict[str, House] = {}
        self._done: dict[str, _Kept | None] = {}
        self.events: list[Happened] = []
        self.rules_of = houses.rules_of
        self.wall = houses.wall

    def of(self, connection: Connection, link: str) -> House:
        """A house that this commit may change."""
        if link not in self._before:
            self._before[link] = self._houses.kept(connection, link)
        if link not in self._drafts:
            self._drafts[link] = self._before[link].house.copy()
        return self._drafts[link]

    def resyncs(self, connection: Connection, link: str) -> bool:
        """Whether a resync of this house runs. All links ask at a start, so no rooms are read for it."""
        if link in self._before or self._houses.knows(link):
            return self.of(connection, link).resyncing
        row = connection.execute(_HOUSE_OF, {"link": link}).first()
        return row is not None and bool(json.loads(row.body)["resyncing"])

    def forget(self, link: str) -> None:
        """The link is removed; whoever speaks of it after that finds an empty house."""
        self._before[link] = _Kept(House({}), None)
        self._drafts.pop(link, None)
        self.events = [one for one in self.events if one.link != link]
        self._done[link] = None

    def write(self, transaction: Transaction) -> None:
        """All that is different now, at the end of the commit."""
        if self.events:
            insert_many(transaction.connection, EVENTS, list(map(_event_row, self.events)))
        for link in self._done:  # as yet, those that were removed
            _plan(transaction, link, None)
        for link, house in self._drafts.items():
            _write_rooms(transaction.connection, link, house)
            before, row = self._before[link], _house_row(house)
            kept = _Kept(house, row)
            if row != before.row:
                transaction.connection.execute(_NO_HOUSE, {"link": link})
                if row is not None:
                    insert_many(transaction.connection, HOUSES, [(link, *row)])
            if kept.next_at != before.next_at:
                _plan(transaction, link, kept.next_at)
            self._done[link] = kept

    def committed(self) -> None:
        """What was written is safe."""
        for link, kept in self._done.items():
            self._houses.keep(link, kept)


def _event_row(entry: Happened) -> tuple[object, ...]:
    return (entry.seq, entry.link, to_ms(entry.at), entry.type, entry.room, entry.text)


def _write_rooms(connection: Connection, link: str, house: House) -> None:
    touched = sorted(house.touched)
    house.touched.clear()
    for at in range(0, len(touched), ROWS_AT_ONCE):
        names = touched[at : at + ROWS_AT_ONCE]
        connection.execute(_NO_ROOM, {"link": link, "rooms": names})
        insert_many(connection, ROOMS, [_room_row(link, house.rooms[name]) for name in names])


def _room_row(link: str, room: Room) -> tuple[object, ...]:
    named = any(getattr(guest, name) for guest in room.guests for name in PERSONAL)
    return (link, room.room, json.dumps(room_json(room), ensure_ascii=False), room.changed, named)


def _house_row(house: House) -> tuple[str, int | None] | None:
    """None if all there is to say of it is how its rooms are."""
    if not (house.auditing is not None or house.resyncing or house.leaving or house.waking):
        return None
    leaving = {room: _leaving(guests) for room, guests in house.leaving.items()}
    told = {"auditing": house.auditing, "resyncing": house.resyncing, "leaving": leaving}
    return json.dumps(told), house.next_at


def _leaving(guests: Mapping[str, Leaving]) -> dict[str, object]:
    return {number: asdict(one) for number, one in guests.items()}


def _plan(transaction: Transaction, link: str, next_at: int | None) -> None:
    planned = Planned(link, next_at)
    planned.seq = transaction.number()
    transaction.told.append(planned)


def _load(connection: Connection, link: str) -> _Kept:
    rooms = {room.room: room for room in _rooms(connection, link)}
    row = connection.execute(_HOUSE_OF, {"link": link}).first()
    told = json.loads(row.body) if row is not None else {}
    leaving = {
        room: {number: Leaving(**one) for number, one in guests.items()}
        for room, guests in told.get("leaving", {}).items()
    }
    house = House(rooms, told.get("auditing"), told.get("resyncing", False), leaving)
    for text in reversed(connection.execute(_HEARD, {"link": link}).scalars().all()):
        house.heard_before(Record(text), _EARLIER)
    return _Kept(house, None if row is None else (row.body, row.next_at))


def _rooms(connection: Connection, link: str) -> Iterator[Room]:
    for name, body, changed in connection.execute(_ROOMS_OF, {"link": link}):
        yield read_room(name, json.loads(body), changed)


def plans(connection: Connection) -> dict[str, int]:
    """When something is to be done about a house, by link."""
    asked = select(HOUSES.c.link, HOUSES.c.next_at).where(HOUSES.c.next_at.is_not(None))
    return {row.link: row.next_at for row in connection.execute(asked)}


# Reading.


def rooms_of(connection: Connection, link: str) -> list[Room]:
    """All rooms of a link that are known, by name."""
    return sorted(_rooms(connection, link), key=lambda room: room.room)


_ROOM_OF = _ROOMS_OF.where(ROOMS.c.room == bindparam("room"))


def room_of(connection: Connection, link: str, room: str) -> Room | None:
    """One of them."""
    row = connection.execute(_ROOM_OF, {"link": link, "room": room}).first()
    return None if row is None else read_room(row.room, json.loads(row.body), row.changed)
