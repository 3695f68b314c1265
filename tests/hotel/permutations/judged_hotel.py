"""A hotel state, a PBX that applies its events, and the deviations of both from the truth."""

from __future__ import annotations

from attrs import define

from pmslink.hotel.events import Event
from pmslink.hotel.phone_update_records import PhoneUpdate
from pmslink.hotel.rooms import Room
from tests.hotel.hotel_driver import HotelDriver
from tests.hotel.permutations.event_replay import EventReplay
from tests.hotel.permutations.hotel_truth import HotelTruth, Window, WindowPlan

_VALUES = {
    "room.class_of_service": "class_of_service",
    "room.message_light": "message_light",
    "room.do_not_disturb": "do_not_disturb",
}
"""The attribute of a room that each event type reports."""


@define(init=False, repr=False)
class JudgedHotel:
    """A hotel whose every event is checked against the window that the PMS is sending."""

    truth: HotelTruth
    names: dict[str, str]
    hotel: HotelDriver
    replay: EventReplay
    window: Window
    transcript: list[str]
    errors: list[str]
    cancelled: set[int]
    """The ids of the wake-ups that events of this window have cancelled."""
    ringing: tuple[int, str] | None
    """The wake-up that is due in this window, and its room before the window."""
    ringing_rooms: list[str]
    """The rooms in which it has rung."""

    def __init__(self, rooms: tuple[str, ...], numbers: tuple[str, ...]) -> None:
        self.truth = HotelTruth(rooms)
        self.names = {number: f"N{number}" for number in numbers}
        self.hotel = HotelDriver()
        self.replay = EventReplay()
        self.transcript, self.errors = [], []
        self.begin_window(WindowPlan())

    def __repr__(self) -> str:
        return "\n".join(["", *self.transcript, *self.errors])

    def begin_window(self, plan: WindowPlan) -> None:
        self.window = Window(self.truth, plan)
        self.cancelled, self.ringing, self.ringing_rooms = set(), None, []

    def receive(self, text: str) -> None:
        """Receive a record of the PMS."""
        self._check(text, self.hotel.receive(text))

    def phone(self, update: PhoneUpdate) -> None:
        """Apply an update of a phone."""
        self._check(
            f"phone {update.type} {update.room} {update.value}", self.hotel.apply_phone_update(update)
        )

    def wait(self, ms: int) -> None:
        self._check(f"{ms} ms", self.hotel.wait(ms / 1000))

    def restart(self) -> None:
        self.transcript.append("restart")
        self.hotel.reload()

    def _check(self, what: str, lines: list[str]) -> None:
        self.transcript += [what, *(f"    {line}" for line in lines)]
        self.replay.apply(self.hotel.emitted)
        for event in self.hotel.emitted:
            if isinstance(event, Event):
                self._check_event(event)

    def _check_event(self, event: Event) -> None:
        if event.type == "guest.checked_out":
            guest = event.payload["guest"]["number"]
            if guest not in self.window.plan.departures:
                self.errors.append(f"{guest} stays in the hotel")
        elif event.type == "wake_up.cancelled":
            self.cancelled.add(event.payload["wake_up"]["id"])
        elif event.type == "wake_up.due":
            self._check_due(event.payload["wake_up"]["id"], event.room or "")

    def _check_due(self, id: int, room: str) -> None:
        if self.ringing is None or id != self.ringing[0]:
            self.errors.append(f"wake-up {id} rings in {room}, which is not due")
            return
        self.ringing_rooms.append(room)
        old_room = self.ringing[1]
        guests = self.window.leavers(old_room)
        if room == old_room and (self.window.stayers(room) or guests - self.window.gone):
            return
        if room == old_room and self.window.may_have_unknown_guests(room):
            return
        comers = {guest for guest in guests if self.window.plan.moves.get(guest) == room}
        if not comers & self.window.come:
            self.errors.append(f"wake-up {id} of {old_room} rings in {room}, where its guest is not")

    def finish_ringing(self) -> None:
        """Report that the wake-up that was due is answered, in the room where it belongs."""
        if self.ringing is None:
            return
        id = self.ringing[0]
        for room, settings in self.truth.settings.items():
            for time in [time for time, ids in settings.wake_ups.items() if id in ids]:
                if len(self.ringing_rooms) != 1:
                    self.errors.append(f"wake-up {id} of {room} has rung in {self.ringing_rooms}")
                elif id in self.replay.wake_ups:
                    del settings.wake_ups[time]
                    lines = self.hotel.report_wake_up("answered", room=room, id=id)
                    self._check(f"answered in {room}", lines)

    def doubled_wake_ups(self) -> set[int]:
        """The wake-ups at the same time in a room, of which one remains."""
        groups = [ids for settings in self.truth.settings.values() for ids in settings.wake_ups.values()]
        return {id for ids in groups if len(ids) > 1 for id in ids}

    def judge(self) -> None:
        """Compare the state and the replayed events with the truth, after the end of a window."""
        for name, settings in self.truth.settings.items():
            room = self.hotel.state.rooms.get(name, Room(name))
            self._judge_room(room)
            for event_type, attribute in _VALUES.items():
                expected, actual = getattr(settings, attribute), getattr(room, attribute)
                if expected is None and attribute == "do_not_disturb":
                    settings.do_not_disturb = actual
                elif expected != actual:
                    self.errors.append(f"{attribute} of {name} is {actual}, not {expected}")
                if self.replay.value(event_type, name) != actual:
                    self.errors.append(f"the events say another {attribute} of {name} than {actual}")
        self._judge_wake_ups()
        self.errors += self.replay.errors

    def _judge_room(self, room: Room) -> None:
        name, guests = room.room, {guest.number: guest.name for guest in room.guests}
        expected = {guest: self.names[guest] for guest in self.truth.guests_of(name)}
        replayed = {guest: self.replay.names[guest] for guest in self.replay.guests_of(name)}
        if guests != expected:
            self.errors.append(f"the guests of {name} are {guests}, not {expected}")
        if replayed != guests:
            self.errors.append(f"the guests of {name} are {guests}, and in the events {replayed}")

    def _judge_wake_ups(self) -> None:
        remaining: set[int] = set()
        doubled = self.doubled_wake_ups()
        for name, settings in self.truth.settings.items():
            room = self.hotel.state.rooms.get(name, Room(name))
            actual = {wake_up.at.isoformat(): wake_up.id for wake_up in room.wake_ups}
            if actual.keys() != settings.wake_ups.keys() or len(room.wake_ups) != len(actual):
                self.errors.append(
                    f"the wake-ups of {name} are {sorted(actual)}, not {sorted(settings.wake_ups)}"
                )
            for time, ids in settings.wake_ups.items():
                if actual.get(time) not in ids:
                    self.errors.append(
                        f"the wake-up of {name} at {time} is {actual.get(time)}, not one of {ids}"
                    )
                settings.wake_ups[time] = {actual.get(time, 0)}
            remaining.update(actual.values())
        if remaining != self.replay.wake_ups.keys():
            self.errors.append(f"the wake-ups are {remaining}, and in the events {self.replay.wake_ups}")
        if wrong := (self.cancelled - self.window.cancelled - doubled) | (
            self.window.cancelled - self.cancelled
        ):
            self.errors.append(f"wake-ups {wrong} are cancelled wrongly, or not")
