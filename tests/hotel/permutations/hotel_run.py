"""Run a random hotel: the acts of its guests, sent in any of the ways of a PMS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Literal

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from pmslink.hotel.events import Event
from pmslink.timestamps import from_ms
from tests.hotel.permutations.chooser import Chooser, Draw
from tests.hotel.permutations.judged_hotel import JudgedHotel
from tests.hotel.permutations.order_sender import OrderSender
from tests.hotel.permutations.window_plans import PlanWriter
from tests.hotel.permutations.window_records import RecordWriter, ResyncWriter, Sent

ROOMS = ("101", "102", "103", "104", "105", "106")
NUMBERS = tuple(str(number) for number in range(1, 10))
RESTARTS = True
WINDOW_MS = 2000
"""A window ends this long after its last record."""
PAUSES_MS = 1000
"""The pauses within a window, all together, besides `RING_PAUSE_MS`."""
ACTS_OF_EXAMPLE = 5
"""About how many acts the guests of one hotel do."""
RING_PAUSE_MS = 600
"""The pause in which a wake-up is due. Each window begins half a second after a whole second."""


class HotelRun:
    """A hotel of four to six rooms. `errors` are the deviations from the truth."""

    def __init__(self, draw: Draw) -> None:
        self._choose = Chooser(draw)
        self._judged = JudgedHotel(ROOMS[: self._choose.number(6, 4)], NUMBERS)
        self._orders = OrderSender(self._choose, self._judged, set())
        self._resync: Literal["", "before", "after"] = ""
        self._has_sent_rooms = False
        self._unsent_rooms: list[str] | None = None
        """The rooms that a resync over several windows has not sent yet."""
        self.counts: Counter[str] = Counter()

    def __repr__(self) -> str:
        return repr(self._judged)

    @property
    def errors(self) -> list[str]:
        return self._judged.errors

    def run_window(self) -> None:
        """Send what happens in a window, wait for its end, and judge the result."""
        self._judged.wait(1500 - self._judged.hotel.now_ms % 1000)
        writer = PlanWriter(self._choose, self._judged.truth, list(NUMBERS))
        plan = writer.write()
        self._judged.begin_window(plan)
        self._orders.changed_classes.clear()
        self._send_long_resync()
        self._choose_resync()
        sent = self._write_records()
        self._request_ringing_wake_up()
        self._send_all(sent)
        self.counts.update(windows=1, acts=bool(plan.guests), resyncs=bool(self._resync))
        self._end_window()

    def _choose_resync(self) -> None:
        """Choose whether a resync is sent, with what was before the window's acts, or what is after them."""
        choices: list[Literal["before", "after"]] = ["before"]
        choices += ["after"] if self._is_determined_by_resync() else []
        is_possible = self._unsent_rooms is None and self._choose.rarely(5)
        self._resync = self._choose.one(choices) if is_possible else ""

    def _send_long_resync(self) -> None:
        """Begin a resync over several windows, or send some of its rooms before the window's acts."""
        judged = self._judged
        self._has_sent_rooms = False
        if self._unsent_rooms is None:
            if self._choose.rarely(12):
                self._unsent_rooms = self._choose.shuffled(judged.truth.settings)
                judged.receive("DS|")
            return
        writer = ResyncWriter(self._choose, judged.truth, judged.window, judged.names, is_after=False)
        for room in self._unsent_rooms[: self._choose.number(len(self._unsent_rooms))]:
            self._unsent_rooms.remove(room)
            self._has_sent_rooms = True
            for record in writer.write_room(room):
                self._send(record)
        if not self._unsent_rooms:
            self._unsent_rooms = None
            judged.receive("DE|")

    def _is_determined_by_resync(self) -> bool:
        """Check whether the contract determines the result if a resync is the first to say who has come.

        A resync resets no room that was vacant, and it cannot say that a room has no class of service.
        """
        window, settings = self._judged.window, self._judged.truth.settings
        for room in set(window.plan.targets.values()):
            if not window.stayers(room) and not settings[room].are_default:
                return False
            had_class = window.left_by(room).class_of_service is not None
            if had_class and room in window.plan.arrivals.values() and room not in window.plan.classes:
                return False
        return True

    def _write_records(self) -> list[Sent]:
        truth, window, names = self._judged.truth, self._judged.window, self._judged.names
        sent = RecordWriter(
            self._choose, truth, window, names, "before" if self._has_sent_rooms else self._resync
        ).write()
        if not self._resync:
            return sent
        resync = ResyncWriter(self._choose, truth, window, names, self._resync == "after").write()
        if self._resync == "before":  # its guests must be sent before anything happens to them
            return [*resync[:-1], *self._choose.merged(sent, resync[-1:])]
        return self._choose.merged(sent, resync)

    def _request_ringing_wake_up(self) -> None:
        """Request a wake-up that is due within the window."""
        window, truth = self._judged.window, self._judged.truth
        rooms = [room for room in truth.settings if truth.guests_of(room)]
        rooms = [room for room in rooms if not truth.guests_of(room) & window.plan.returned]
        rooms = [room for room in rooms if window.settings_of(room) is not None]
        if rooms and self._choose.rarely(6):
            room = self._choose.one(rooms)
            at = from_ms(self._judged.hotel.now_ms // 1000 * 1000 + 1000).replace(tzinfo=None)
            self._judged.ringing = self._orders.request_wake_up(room, at.isoformat()), room

    def _send_all(self, sent: Sequence[Sent]) -> None:
        pauses_ms, resyncing = PAUSES_MS, False
        ring_at = self._choose.number(len(sent)) if self._judged.ringing else -1
        for at, record in enumerate([*sent, None]):
            if at == ring_at:
                self._judged.wait(RING_PAUSE_MS)
            if RESTARTS and not resyncing and self._choose.rarely(12):
                self._judged.restart()
            if self._choose.rarely(4):
                pause_ms = min(self._choose.one([100, 499, 999]), pauses_ms)
                pauses_ms -= pause_ms
                self._judged.wait(pause_ms)
            while self._choose.rarely(3):
                self._send_order(is_last=record is None)
            if record is not None:
                self._send(record)
                resyncing = record.text == "DS|" or (resyncing and record.text != "DE|")

    def _send_order(self, is_last: bool) -> None:
        rooms = list(self._judged.truth.settings)
        if self._resync == "after" and not is_last:
            rooms = [room for room in rooms if not self._judged.window.is_touched(room)]
        if not self._resync and self._choose.rarely(4):
            self._orders.change_guest()
        else:
            self._orders.send(rooms)

    def _send(self, record: Sent) -> None:
        window, value = self._judged.window, None
        if record.states_class == "current":
            value = self._judged.truth.settings[record.room].class_of_service
        elif record.states_class == "planned" and record.room not in self._orders.changed_classes:
            value = window.plan.classes.get(record.room)
        has_come = record.come in window.come
        window.shared |= record.shared_rooms
        emptied_rooms = record.emptied_rooms - {record.room} if has_come else record.emptied_rooms
        window.send_gone(record.gone, emptied_rooms)
        if record.come:
            window.send_come(record.come, record.by_resync, record.is_missed)
        self._judged.receive(record.text if value is None else f"{record.text}CS{value}|")
        if target := window.plan.targets.get(record.come):
            self._check_arrival(record, target, has_come)

    def _check_arrival(self, record: Sent, target: str, has_come: bool) -> None:
        """Check that nobody who comes must wait for the event."""
        if self._judged.replay.rooms.get(record.come) != target:
            self.errors.append(f"{record.come} has come into {target}, and no event says so")
        events = [event for event in self._judged.hotel.emitted if isinstance(event, Event)]
        flags = [event.resync for event in events if event.type == "guest.checked_in"]
        is_new = record.come in self._judged.window.plan.arrivals and not has_come
        is_resync = record.by_resync or record.text.startswith("GC")
        if flags != ([is_resync] if is_new else []):
            self.errors.append(f"{len(flags)} check-ins of {record.come}, not one with resync {is_resync}")

    def _end_window(self) -> None:
        judged = self._judged
        # what belongs to guests who leave is theirs until the end; a resync that does not mention them is one
        if self._resync != "after":
            if early := judged.cancelled - judged.window.cancelled - judged.doubled_wake_ups():
                self.errors.append(f"wake-ups {early} are cancelled before the window ends")
            if early_guests := judged.window.plan.departures - judged.replay.rooms.keys():
                self.errors.append(f"{early_guests} are checked out before the window ends")
        judged.window.end()
        judged.wait(WINDOW_MS)
        judged.finish_ringing()
        judged.judge()


@st.composite
def hotel_runs(draw: Callable[[st.SearchStrategy[Any]], Any], most_windows: int = 12) -> HotelRun:
    """Draw and run windows of a hotel, up to the first deviation."""
    run = HotelRun(draw)
    for _ in range(draw(st.integers(1, most_windows))):
        if run.errors:
            break
        try:
            run.run_window()
        except Exception as error:
            error.add_note(repr(run))
            raise
    return run


def run_hotels(acts: int, random_seed: int | None = None) -> Counter[str]:
    """Run hotels until their guests have done so many acts. Raises AssertionError at the first deviation.

    Without a seed, every run is the same. Returns what was done, in numbers.
    """
    counts: Counter[str] = Counter()
    while counts["acts"] < acts:
        examples = (acts - counts["acts"]) // ACTS_OF_EXAMPLE + 10

        def check(run: HotelRun) -> None:
            counts.update(run.counts, hotels=1)
            if run.errors:
                raise AssertionError(repr(run))  # in full length, with all events

        # a second round needs other choices than the first
        determined = seed(counts["acts"] if random_seed is None else random_seed + counts["acts"])
        limits = settings(max_examples=examples, database=None, suppress_health_check=[HealthCheck.too_slow])
        determined(limits(given(hotel_runs())(check)))()
    return counts
