"""Every event in every state, checked against an independent table of the expected calls."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pmslink.link.cause import Cause
from pmslink.link.machine import STATES, TABLE, Core, Events, Intent, Machine, Marker, TimerName, applies

CAUSE = Cause("started", {"record": "LS"})

# Leaving a state ends its timers, link checks and deadlines. Every change of state in the table below
# begins with one of these; they differ in how the dial or connection ends.
LEAVE = "stop timers, suspend"
ABORT = f"{LEAVE}, abort in flight, hang up"
GRACEFULLY = f"{LEAVE}, abort in flight, hang up gracefully"
WITH_LE = f"{LEAVE}, send LE, abort in flight, hang up gracefully"

NOTHING = ""
DIAL = f"{ABORT}, dial, start start_timeout, announce WAIT_LS"
REDIAL = "redial later"
REOPEN = f"{ABORT}, announce CLOSED, {DIAL}"
DOCK = f"{LEAVE}, dock LS, announce ESTABLISHED"
ABNORMAL = f"{ABORT}, {REDIAL}, announce EXPECTION"
DISABLE = f"{ABORT}, announce DISABLED"
EXPIRE = f"{ABORT}, announce EXPIRED"
CLOSE_ABRUPTLY = f"{ABORT}, announce CLOSED"
DISCONNECT = f"{LEAVE}, send LE when idle, announce WAIT_LE"
ENDED_BY_PMS = f"{WITH_LE}, {REDIAL}, announce CLOSED"
CLOSE_GRACEFULLY = f"{GRACEFULLY}, announce CLOSED"

# The intent that a link has in each state when an event finds it there: the one that brought it there.
# CLOSED and WAIT_LE have two lives; the second ones stand below.
INTENTS: dict[Marker, Intent] = {
    "DISABLED": "disabled",
    "EXPIRED": "expired",
    "CLOSED": "enabled",
    "WAIT_LS": "enabled",
    "ESTABLISHED": "enabled",
    "EXPECTION": "enabled",
    "WAIT_LE": "disconnected",
}
INTENT_AFTER_CONTROL: dict[str, Intent] = {"enable": "enabled", "disable": "disabled", "expire": "expired"}
"""The intent that each control sets before its event; for `disconnect` see below."""

EXPECTED: dict[str, dict[Marker, str]] = {
    "enable": {
        "DISABLED": REOPEN,
        "EXPIRED": REOPEN,
        "CLOSED": DIAL,
        "WAIT_LS": NOTHING,
        "ESTABLISHED": NOTHING,
        "EXPECTION": DIAL,
        "WAIT_LE": NOTHING,
    },
    "disable": {
        "DISABLED": NOTHING,
        "EXPIRED": DISABLE,
        "CLOSED": DISABLE,
        "WAIT_LS": DISABLE,
        "ESTABLISHED": DISABLE,
        "EXPECTION": DISABLE,
        "WAIT_LE": f"{GRACEFULLY}, announce DISABLED",
    },
    "expire": {
        "DISABLED": EXPIRE,
        "EXPIRED": NOTHING,
        "CLOSED": EXPIRE,
        "WAIT_LS": EXPIRE,
        "ESTABLISHED": EXPIRE,
        "EXPECTION": EXPIRE,
        "WAIT_LE": f"{GRACEFULLY}, announce EXPIRED",
    },
    "disconnect": {
        "DISABLED": NOTHING,
        "EXPIRED": NOTHING,
        "CLOSED": "hang up",  # no redial may follow; the marker stays
        "WAIT_LS": CLOSE_ABRUPTLY,
        "ESTABLISHED": DISCONNECT,
        "EXPECTION": CLOSE_ABRUPTLY,
        "WAIT_LE": NOTHING,
    },
    "readdress": {
        "DISABLED": NOTHING,
        "EXPIRED": NOTHING,
        "CLOSED": DIAL,
        "WAIT_LS": REOPEN,
        "ESTABLISHED": REOPEN,
        "EXPECTION": REOPEN,
        "WAIT_LE": NOTHING,
    },
    "blocked": {
        "CLOSED": "hang up",
        "WAIT_LS": CLOSE_ABRUPTLY,
        "ESTABLISHED": CLOSE_ABRUPTLY,
        "EXPECTION": CLOSE_ABRUPTLY,
        "WAIT_LE": CLOSE_GRACEFULLY,
    },
    "redial": {"CLOSED": DIAL, "EXPECTION": DIAL},
    "connected": {"WAIT_LS": "start listen_time"},
    "lost": {"WAIT_LS": ABNORMAL, "ESTABLISHED": ABNORMAL, "WAIT_LE": CLOSE_GRACEFULLY},
    "silent": {"WAIT_LS": "send LS"},
    "start_overdue": {"WAIT_LS": ABNORMAL},
    "check_overdue": {"ESTABLISHED": ABNORMAL},
    "sync_overdue": {"ESTABLISHED": ABNORMAL},
    "end_overdue": {"WAIT_LE": CLOSE_GRACEFULLY},
    "store_failed": {"WAIT_LS": ABNORMAL, "ESTABLISHED": ABNORMAL},
    "ls": {"WAIT_LS": DOCK, "ESTABLISHED": "on LS"},
    "ld": {"WAIT_LS": DOCK, "ESTABLISHED": "on LD"},
    "la": {"WAIT_LS": DOCK, "ESTABLISHED": "on LA"},
    "record": {"WAIT_LS": DOCK, "ESTABLISHED": NOTHING, "WAIT_LE": NOTHING},
    "le": {"WAIT_LS": ENDED_BY_PMS, "ESTABLISHED": ENDED_BY_PMS, "WAIT_LE": CLOSE_GRACEFULLY},
}

MARKERS: tuple[Marker, ...] = tuple(INTENTS)
CELLS = [(event, marker) for event in EXPECTED for marker in MARKERS]


class LoggingLink:
    """A link whose collaborators only log the calls that they get."""

    def __init__(self, marker: Marker, intent: Intent) -> None:
        self.log: list[str] = []
        self.core = Core(self, self, self, self.announce, intent, marker, Cause("started"))
        self.machine: Events = Machine(self.core, STATES[marker])
        self.when_announced: dict[Marker, str] = {}
        """Events that arrive while a marker is announced, by marker."""

    def event(self, name: str, cause: Cause = CAUSE) -> str:
        """Return the calls that an event causes."""
        self.log.clear()
        getattr(self.machine, name)(cause)
        return ", ".join(self.log)

    def announce(self, marker: Marker, cause: Cause) -> None:
        assert (marker, cause) == (self.core.marker, self.core.cause)
        self.log.append(f"announce {marker}")
        if marker in self.when_announced:
            getattr(self.machine, self.when_announced.pop(marker))(CAUSE)

    # DialerPort

    def dial(self) -> None:
        self.log.append("dial")

    def redial_later(self) -> None:
        self.log.append("redial later")

    def hang_up(self, graceful: bool) -> None:
        self.log.append("hang up gracefully" if graceful else "hang up")

    # SessionPort

    def send_ls(self) -> None:
        self.log.append("send LS")

    def dock(self, record: str) -> None:
        self.log.append(f"dock {record}")

    def on_ls(self) -> None:
        self.log.append("on LS")

    def on_ld(self) -> None:
        self.log.append("on LD")

    def on_la(self) -> None:
        self.log.append("on LA")

    def send_le_when_idle(self) -> None:
        self.log.append("send LE when idle")

    def send_le(self) -> None:
        self.log.append("send LE")

    def abort_in_flight(self) -> None:
        self.log.append("abort in flight")

    def suspend(self) -> None:
        self.log.append("suspend")

    # Timers

    def start_timer(self, timer: TimerName) -> None:
        self.log.append(f"start {timer}")

    def stop_timers(self) -> None:
        self.log.append("stop timers")


def link_before(event: str, marker: Marker) -> LoggingLink:
    """A link in that state, with the intent that the event's control has just given it."""
    return LoggingLink(marker, INTENT_AFTER_CONTROL.get(event, INTENTS[marker]))


def last_announced(calls: str, before: Marker) -> Marker:
    announced = [call.removeprefix("announce ") for call in calls.split(", ") if call.startswith("announce")]
    return next((marker for marker in MARKERS if announced and marker == announced[-1]), before)


def test_the_table_has_a_cell_for_every_event_in_every_state() -> None:
    events = [name for name in vars(Events) if not name.startswith("_")]
    assert list(TABLE) == events == list(EXPECTED)
    assert tuple(STATES) == MARKERS
    assert all(len(row) == len(STATES) for row in TABLE.values())


@pytest.mark.parametrize(("event", "marker"), CELLS)
def test_an_event_in_a_state_does_what_the_contract_says(event: str, marker: Marker) -> None:
    link = link_before(event, marker)
    expected = EXPECTED[event].get(marker, NOTHING)
    assert link.event(event) == expected
    assert link.core.marker == last_announced(expected, marker)
    # The machine itself has moved as well: it now does what it does in that state.
    after = link.core.marker
    link.core.intent = "disabled"
    assert link.event("disable") == EXPECTED["disable"][after]


@pytest.mark.parametrize(("event", "marker"), CELLS)
def test_nothing_outlives_the_state_that_is_left(event: str, marker: Marker) -> None:
    link = link_before(event, marker)
    calls = link.event(event).split(", ")
    for at, call in enumerate(calls):
        if not call.startswith("announce"):
            continue
        entered = call.removeprefix("announce ")
        entry = calls[:at]
        exit_at = len(entry) - 1 - entry[::-1].index("stop timers")
        assert entry[exit_at + 1] == "suspend"
        if entered in ("ESTABLISHED", "WAIT_LE"):  # these two live on the connection of the state before
            assert not any(step.startswith("hang up") for step in entry[exit_at:])
        else:
            hung_up = next(i for i in range(exit_at, at) if entry[i].startswith("hang up"))
            begun = [i for i in range(exit_at, at) if entry[i] in ("dial", "redial later")]
            assert all(hung_up < i for i in begun)


@pytest.mark.parametrize(("event", "marker"), CELLS)
def test_a_marker_that_did_not_change_is_not_announced(event: str, marker: Marker) -> None:
    link = link_before(event, marker)
    announced = [call for call in link.event(event).split(", ") if call.startswith("announce")]
    seen = [f"announce {marker}", *announced]
    assert all(old != new for old, new in pairwise(seen))


@pytest.mark.parametrize("intent", ["enabled", "disconnected"])
@pytest.mark.parametrize(
    ("event", "exit_calls"), [("le", GRACEFULLY), ("lost", GRACEFULLY), ("end_overdue", GRACEFULLY)]
)
def test_after_wait_le_only_an_enabled_link_redials(event: str, exit_calls: str, intent: Intent) -> None:
    link = LoggingLink("WAIT_LE", intent)
    redial = f", {REDIAL}" if intent == "enabled" else ""
    assert link.event(event) == f"{exit_calls}{redial}, announce CLOSED"


def test_a_link_at_rest_stays_closed_when_its_address_changes() -> None:
    link = LoggingLink("CLOSED", "disconnected")
    assert link.event("readdress") == NOTHING
    assert link.core.marker == "CLOSED"


def test_the_end_of_an_expiry_by_the_clock_returns_to_rest_without_a_dial() -> None:
    link = LoggingLink("EXPIRED", "disconnected")  # the intent from before the expiry
    assert link.event("enable") == CLOSE_ABRUPTLY
    assert link.core.marker == "CLOSED"


def test_an_event_during_an_announcement_is_handled_after_it() -> None:
    link = LoggingLink("EXPECTION", "enabled")
    link.when_announced = {"WAIT_LS": "lost", "EXPECTION": "disable"}
    assert link.event("redial") == f"{DIAL}, {ABNORMAL}, {DISABLE}"
    assert link.core.marker == "DISABLED"


def test_switching_off_while_closed_is_announced_still_ends_what_was_about_to_start() -> None:
    link = LoggingLink("DISABLED", "enabled")
    link.when_announced = {"CLOSED": "disable"}
    # The dial was requested before the link was disabled, so it comes first and is then ended.
    assert link.event("enable") == f"{CLOSE_ABRUPTLY}, {DIAL}, {DISABLE}"


def test_disconnect_applies_wherever_there_is_something_to_end() -> None:
    assert [marker for marker in MARKERS if not applies("disconnect", marker)] == ["DISABLED", "EXPIRED"]
    assert all(applies(event, marker) for event, marker in CELLS if event != "disconnect")


def test_the_repr_of_a_link_shows_only_its_state() -> None:
    assert repr(LoggingLink("WAIT_LS", "enabled").core) == "<Core WAIT_LS, enabled>"


def test_a_move_has_the_name_of_its_action() -> None:
    assert TABLE["ls"][MARKERS.index("WAIT_LS")].name == "dock"
