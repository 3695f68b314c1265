"""Rules for phone updates in the outbox, when the guest, the phone or the PMS has changed something since.

An update is queued while the link is down. These functions decide whether it is still to be sent, and
which part of it still applies. They are pure: the store reads the rows, calls them, and writes the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from attrs import evolve

from pmslink.fias.record import Record, build_record
from pmslink.hotel.guest_fields import parse_gs_flags
from pmslink.hotel.hotel_state import HotelState
from pmslink.hotel.phone_update_records import PhoneUpdate, parse_phone_update

POSTING_RECORD = "PS"
"""The record of a posting. All other records in the outbox are updates from a phone."""
WAKE_UP_RESULT_RECORD = "WA"
"""The record of a wake-up's result, which waits for nothing."""
WAKE_UP_REQUEST_RECORDS = ("WR", "WC")
WAKE_UP_RECORDS = (*WAKE_UP_REQUEST_RECORDS, WAKE_UP_RESULT_RECORD)
PERSONAL_SUBJECTS = ("sign", "make_up_room", "voicemail")
"""Subjects of an RE that belong to the guest, and not to the room."""
WAKE_UP_CHANGING_RECORDS = ("WR", "WC", "GO", "GC")
"""Records of the PMS that may change the wake-ups of a room."""

NEWER_VALUE_REASON = "a newer value is sent instead"
PMS_CHANGED_WAKE_UPS_REASON = "the PMS has spoken of this room's wake-up since"
WAKE_UP_ENDED_REASON = "the wake-up has ended"
GUEST_LEFT_REASON = "the guest has left the room"


class QueuedUpdate(Protocol):
    """The columns of an outbox row that the rules read. Times are milliseconds since 1970 in UTC."""

    @property
    def record(self) -> str:
        """The record id: PS, RE, WR, WC or WA."""

    @property
    def type(self) -> str:
        """The type of the posting or phone update."""

    @property
    def room(self) -> str:
        """The room of the posting or phone update."""

    @property
    def body(self) -> str:
        """The request body, as JSON."""

    @property
    def subject(self) -> str | None:
        """The field of an RE whose newer value replaces this one."""

    @property
    def until(self) -> int | None:
        """When a wake-up is due."""

    @property
    def attempts(self) -> int:
        """How many times the row was sent."""


# The guest leaves the room.


def guest_moved_reason(new_room: str) -> str:
    """Return the reason for discarding an update of the old room after a move."""
    return f"the guest has moved to room {new_room}"


def follows_guest(record_type: str, new_room: str | None) -> bool:
    """Return whether an update goes to the new room with a guest who moves.

    A PMS moves a guest's wake-ups to the new room. The other updates belong to the old room.
    """
    return new_room is not None and record_type in WAKE_UP_RECORDS


def is_void_after_departure(record_type: str) -> bool:
    """Return whether an update is void once the room is vacant.

    The result of a wake-up stays valid: the attempt was made before the guest left.
    """
    return record_type != "WA"


def replace_room(record: Record, new_room: str) -> Record:
    """Return the same record for another room (RN)."""
    return build_record(
        record.id, ((code, new_room if code == "RN" else value) for code, value in record.fields)
    )


def awaits_check_out(update: QueuedUpdate, load_state: Callable[[], HotelState]) -> bool:
    """Return whether an update has to wait, because a check-out of its room is pending.

    Only after the move window is it certain whether the guest moves or leaves, which may void the update.
    `load_state` is called only for an update that may have to wait.
    """
    if update.record in (POSTING_RECORD, WAKE_UP_RESULT_RECORD) or update.attempts:
        return False
    return bool(load_state().leaving_guests(update.room))


# The update is sent again after an attempt without an answer.


def is_resent_when_unknown(update: QueuedUpdate) -> bool:
    """Return whether an update may be sent again when it is unknown whether the PMS received it.

    A result of a wake-up may not: the PMS would apply a repeated result to another wake-up.
    """
    return update.record != "WA"


def is_expired(update: QueuedUpdate, now_ms: int) -> bool:
    """Return whether the wake-up of an update is past, so that it need not be sent again."""
    return update.until is not None and update.until < now_ms


def supersedes_wake_ups(record: Record, room: str) -> bool:
    """Return whether a record of the PMS supersedes earlier wake-up requests of a room.

    It does if it requests or clears a wake-up there, or if the room becomes vacant.
    """
    match record.id:
        case "WR" | "WC":
            return record.get("RN") == room
        case "GO":
            return record.get("RN") == room and record.get("GS") != "Y"
    return record.get("RO") == room and parse_gs_flags(record)[1] != "Y"


# The update is sent for the first time.


def parse_applicable_update(update: QueuedUpdate, now_ms: int) -> PhoneUpdate | None:
    """Return the change of the hotel state that a queued update makes when it is sent.

    None for a posting, for an update that does not change the hotel state, and for a past wake-up.
    """
    phone_update = parse_phone_update(update.type, update.room, update.body)
    if phone_update is None or (update.until is not None and update.until <= now_ms):
        return None
    return phone_update


def updates_to_reapply(
    update: QueuedUpdate, phone_update: PhoneUpdate, later: Iterable[QueuedUpdate], state: HotelState
) -> list[PhoneUpdate]:
    """Return the changes of a phone update that are applied once more when it is sent.

    The PMS may have sent other values while the update was queued. But it receives this update last, so the
    update's value applies again, except where a later queued update of the same room replaces it.
    """
    if update.record in WAKE_UP_REQUEST_RECORDS:
        return _wake_up_updates_to_reapply(phone_update, later, state)
    if any(other.subject == update.subject for other in later):
        return []
    return [phone_update]


def _wake_up_updates_to_reapply(
    phone_update: PhoneUpdate, later: Iterable[QueuedUpdate], state: HotelState
) -> list[PhoneUpdate]:
    """Return the update without the times that a later request sets or clears (None: clears all)."""
    later_updates = [
        parse_phone_update(other.type, other.room, other.body)
        for other in later
        if other.record in WAKE_UP_REQUEST_RECORDS
    ]
    later_times = {other.value for other in later_updates if other is not None}
    if None in later_times or phone_update.value in later_times:
        return []
    if phone_update.value is not None or not later_times:
        return [phone_update]
    room = state.rooms.get(phone_update.room)
    wake_ups = () if room is None else room.wake_ups
    return [evolve(phone_update, value=one.at) for one in wake_ups if one.at not in later_times]
