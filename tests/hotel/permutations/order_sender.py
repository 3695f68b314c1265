"""Orders for rooms: equipment, wake-ups, and changes of guests' data, from the PMS and from phones."""

from __future__ import annotations

from datetime import datetime

from attrs import define

from pmslink.hotel.phone_update_records import PhoneUpdate
from tests.hotel.permutations.chooser import Chooser
from tests.hotel.permutations.hotel_truth import Settings
from tests.hotel.permutations.judged_hotel import JudgedHotel

_WAKE_UP_TIMES = ("2026-01-02T06:00:00", "2026-01-02T06:30:00", "2026-01-02T07:00:00")


@define
class OrderSender:
    """Send orders at a moment of a window. `changed_classes`: rooms whose class of service RE has changed."""

    choose: Chooser
    judged: JudgedHotel
    changed_classes: set[str]

    def send(self, rooms: list[str]) -> None:
        """Send an order for one of these rooms, if it is determined what the order is about."""
        determined = [room for room in rooms if self.judged.window.settings_of(room) is not None]
        if not determined:
            return
        room = self.choose.one(determined)
        settings = self.judged.window.settings_of(room)
        assert settings is not None
        self.choose.one(
            [
                self._equip,
                self._equip,
                self._request_wake_up,
                self._request_wake_up,
                self._cancel_wake_ups,
                self._set_sign,
                self._set_status,
            ]
        )(room, settings)

    def _equip(self, room: str, settings: Settings) -> None:
        """Set class of service, message light and do-not-disturb by RE, some of them."""
        text = f"RE|RN{room}|"
        for code in self.choose.some(["ML", "CS", "DN"], most=3, least=1):
            if code == "CS":
                settings.class_of_service = self.choose.number(3)
                text += f"CS{settings.class_of_service}|"
                if self.judged.window.newcomers(room) & self.judged.window.come:
                    self.changed_classes.add(room)
            else:
                is_on = not self.choose.rarely(3)
                attribute = "message_light" if code == "ML" else "do_not_disturb"
                setattr(settings, attribute, is_on)
                text += f"{code}{'Y' if is_on else 'N'}|"
        self.judged.receive(text)

    def _request_wake_up(self, room: str, settings: Settings) -> None:
        time = self.choose.one(_WAKE_UP_TIMES)
        # if both have requested it, it is not determined whose it is
        self.request_wake_up(room, time, by_phone=self.choose.rarely(3) and time not in settings.wake_ups)

    def request_wake_up(self, room: str, time: str, by_phone: bool = False) -> int:
        """Request a wake-up and return its id."""
        settings = self.judged.window.settings_of(room)
        assert settings is not None
        at = datetime.fromisoformat(time)
        known = settings.wake_ups.get(time)
        before = set(self.judged.replay.wake_ups)
        if by_phone:
            self.judged.phone(PhoneUpdate("wake_up", room, at))
        else:
            self.judged.receive(f"WR|RN{room}|{at:DA%y%m%d|TI%H%M%S}|")
            settings.recent_times.add(time)
        new = set(self.judged.replay.wake_ups) - before
        if len(new) > 1 or (known is None and not new):
            self.judged.errors.append(f"the request for {room} at {time} sets {len(new)} wake-ups")
        if known is None or self.judged.window.origins(room):  # what guests bring may come later
            settings.wake_ups[time] = new | (known or set())
        elif new:
            self.judged.errors.append(f"the request for {room} at {time} sets {len(new)} wake-ups")
        return max(new, default=0)

    def _cancel_wake_ups(self, room: str, settings: Settings) -> None:
        window = self.judged.window
        if window.may_have_unknown_guests(room):
            return  # they, or the guests who leave, may be meant
        if any(window.leavers(origin) & window.plan.departures for origin in window.origins(room)):
            return  # what the guests bring may wait for the check-out of the others
        time = self.choose.one([*_WAKE_UP_TIMES, None])
        for one in [one for one in settings.wake_ups if time in (None, one)]:
            self.judged.window.cancelled |= settings.wake_ups.pop(one)
        at = None if time is None else datetime.fromisoformat(time)
        if self.choose.rarely(3):
            self.judged.phone(PhoneUpdate("wake_up_cancel", room, at))
        else:
            self.judged.receive(f"WC|RN{room}|{'DA|TI' if at is None else f'{at:DA%y%m%d|TI%H%M%S}'}|")

    def _set_sign(self, room: str, settings: Settings) -> None:
        settings.do_not_disturb = not self.choose.rarely(3)
        self.judged.phone(PhoneUpdate("dnd", room, settings.do_not_disturb))

    def _set_status(self, room: str, settings: Settings) -> None:
        """Set the room status by a maid's code, which says nothing of the guests."""
        self.judged.phone(PhoneUpdate("status", room, self.choose.number(6, 1)))

    def change_guest(self) -> None:
        """Change the name of a guest who stays, or repeat the check-in."""
        window = self.judged.window
        staying = [guest for guest in window.truth.room_by_guest if guest not in window.plan.guests]
        if not staying:
            return
        guest = self.choose.one(staying)
        room = window.truth.room_by_guest[guest]
        if not self.choose.rarely(3):
            self.judged.names[guest] += "'"
        text = f"RN{room}|G#{guest}|GN{self.judged.names[guest]}|"
        if window.is_touched(room):  # GS would depend on the order of the window's events
            self.judged.receive(f"GC|{text}")
        else:
            gs = "GSY|" if len(window.truth.guests_of(room)) > 1 else "GSN|"
            self.judged.receive(f"{self.choose.one(['GC', 'GI'])}|{text}{gs}")
