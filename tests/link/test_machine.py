"""Every event in every state, against a table of its own that says what has to come of it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pmslink.link.cause import Cause
from pmslink.link.machine import STATES, TABLE, Core, Events, Intent, Machine, Marker, TimerName, applies

CAUSE = Cause("started", {"record": "LS"})

# What a state has running is ended whenever it is left: its timers, its checks and limits. Each way
# in the table below begins with one of these; what becomes of the dial or connection differs.
LEAVE = "stop timers, suspend"
ABORT = f"{LEAVE}, abort in flight, hang up"
GRACEFULLY = f"{LEAVE}, abort in flight, hang up gracefully"
WITH_LE = f"{LEAVE}, send LE, abort in flight, hang up gracefully"

SAME = ""
DIAL = f"{ABORT}, dial, start start_timeout, announce WAIT_LS"
REDIAL = "redial later"
REOPEN = f"{ABORT}, announce CLOSED, {DIAL}"
DOCK = f"{LEAVE}, dock LS, announce ESTABLISHED"
ABNORMAL = f"{ABORT}, {REDIAL}, announce EXPECTION"
DISABLE = f"{ABORT}, announce DISABLED"
EXPIRE = f"{ABORT}, announce EXPIRED"
REST = f"{ABORT}, announce CLOSED"
PART = f"{LEAVE}, send LE when idle, announce WAIT_LE"
ENDED_BY_PMS = f"{WITH_LE}, {REDIAL}, announce CLOSED"
ENDED = f"{GRACEFULLY}, announce CLOSED"

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
WANTED: dict[str, Intent] = {"enable": "enabled", "disable": "disabled", "expire": "expired"}
"""What the controls make of the intent before the machine hears of them; `disconnect` see below."""

EXPECTED: dict[str, dict[Marker, str]] = {
    "enable": {
        "DISABLED": REOPEN,
        "EXPIRED": REOPEN,
        "CLOSED": DIAL,
        "WAIT_LS": SAME,
        "ESTABLISHED": SAME,
        "EXPECTION": DIAL,
        "WAIT_LE": SAME,
    },
    "disable": {
        "DISABLED": SAME,
        "EXPIRED": DISABLE,
        "CLOSED": DISABLE,
        "WAIT_LS": DISABLE,
        "ESTABLISHED": DISABLE,
        "EXPECTION": DISABLE,
        "WAIT_LE": f"{GRACEFULLY}, announce DISABLED",
    },
    "expire": {
        "DISABLED": EXPIRE,
        "EXPIRED": SAME,
        "CLOSED": EXPIRE,
        "WAIT_LS": EXPIRE,
        "ESTABLISHED": EXPIRE,
        "EXPECTION": EXPIRE,
        "WAIT_LE": f"{GRACEFULLY}, announce EXPIRED",
    },
    "disconnect": {
        "DISABLED": SAME,
        "EXPIRED": SAME,
        "CLOSED": "hang up",  # no redial may follow; the marker stays
        "WAIT_LS": REST,
        "ESTABLISHED": PART,
        "EXPECTION": REST,
        "WAIT_LE": SAME,
    },
    "readdress": {
        "DISABLED": SAME,
        "EXPIRED": SAME,
        "CLOSED": DIAL,
        "WAIT_LS": REOPEN,
        "ESTABLISHED": REOPEN,
        "EXPECTION": REOPEN,
        "WAIT_LE": SAME,
    },
    "redial": {"CLOSED": DIAL, "EXPECTION": DIAL},
    "connected": {"WAIT_LS": "start listen_time"},
    "lost": {"WAIT_LS": ABNORMAL, "ESTABLISHED": ABNORMAL, "WAIT_LE": ENDED},
    "silent": {"WAIT_LS": "send LS"},
    "start_overdue": {"WAIT_LS": ABNORMAL},
    "check_overdue": {"ESTABLISHED": ABNORMAL},
    "sync_overdue": {"ESTABLISHED": ABNORMAL},
    "end_overdue": {"WAIT_LE": ENDED},
    "store_failed": {"WAIT_LS": ABNORMAL, "ESTABLISHED": ABNORMAL},
    "ls": {"WAIT_LS": DOCK, "ESTABLISHED": "on LS"},
    "ld": {"WAIT_LS": DOCK, "ESTABLISHED": "on LD"},
    "la": {"WAIT_LS": DOCK, "ESTABLISHED": "on LA"},
    "record": {"WAIT_LS": DOCK, "ESTABLISHED": SAME, "WAIT_LE": SAME},
    "le": {"WAIT_LS": ENDED_BY_PMS, "ESTABLISHED": ENDED_BY_PMS, "WAIT_LE": ENDED},
}

MARKERS: tuple[Marker, ...] = tuple(INTENTS)
CELLS = [(event, marker) for event in EXPECTED for marker in MARKERS]


class Logged:
    """A link whose collaborators only write down what is asked of them."""

    def __init__(self, marker: Marker, intent: Intent) -> None:
        self.log: list[str] = []
        self.core = Core(self, self, self, self.announce, intent, marker, Cause("started"))
        self.machine: Events = Machine(self.core, STATES[marker])
        self.when_announced: dict[Marker, str] = {}
        """Events that the one who is told of a marker answers with."""

    def event(self, name: str, cause: Cause = CAUSE) -> str:
        """What is asked of the collaborators when this happens."""
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


def link_before(event: str, marker: Marker) -> Logged:
    """A link in that state, with the intent that the event's control has just given it."""
    return Logged(marker, WANTED.get(event, INTENTS[marker]))


def last_announced(calls: str, before: Marker) -> Marker:
    told = [call.removeprefix("announce ") for call in calls.split(", ") if call.startswith("announce")]
    return next((marker for marker in MARKERS if told and marker == told[-1]), before)


def test_the_table_has_a_cell_for_every_event_in_every_state() -> None:
    events = [name for name in vars(Events) if not name.startswith("_")]
    assert list(TABLE) == events == list(EXPECTED)
    assert tuple(STATES) == MARKERS
    assert all(len(row) == len(STATES) for row in TABLE.values())


@pytest.mark.parametrize(("event", "marker"), CELLS)
def test_an_event_in_a_state_does_what_the_contract_says(event: str, marker: Marker) -> None:
    link = link_before(event, marker)
    expected = EXPECTED[event].get(marker, SAME)
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
        left = len(entry) - 1 - entry[::-1].index("stop timers")
        assert entry[left + 1] == "suspend"
        if entered in ("ESTABLISHED", "WAIT_LE"):  # these two live on the connection of the state before
            assert not any(step.startswith("hang up") for step in entry[left:])
        else:
            hung_up = next(i for i in range(left, at) if entry[i].startswith("hang up"))
            begun = [i for i in range(left, at) if entry[i] in ("dial", "redial later")]
            assert all(hung_up < i for i in begun)


@pytest.mark.parametrize(("event", "marker"), CELLS)
def test_a_marker_that_did_not_change_is_not_announced(event: str, marker: Marker) -> None:
    link = link_before(event, marker)
    told = [call for call in link.event(event).split(", ") if call.startswith("announce")]
    seen = [f"announce {marker}", *told]
    assert all(old != new for old, new in pairwise(seen))


@pytest.mark.parametrize("intent", ["enabled", "disconnected"])
@pytest.mark.parametrize(
    ("event", "left"), [("le", GRACEFULLY), ("lost", GRACEFULLY), ("end_overdue", GRACEFULLY)]
)
def test_after_wait_le_only_an_enabled_link_redials(event: str, left: str, intent: Intent) -> None:
    link = Logged("WAIT_LE", intent)
    redial = f", {REDIAL}" if intent == "enabled" else ""
    assert link.event(event) == f"{left}{redial}, announce CLOSED"


def test_a_link_at_rest_stays_closed_when_its_address_changes() -> None:
    link = Logged("CLOSED", "disconnected")
    assert link.event("readdress") == SAME
    assert link.core.marker == "CLOSED"


def test_what_happens_while_a_marker_is_announced_comes_after_it() -> None:
    link = Logged("EXPECTION", "enabled")
    link.when_announced = {"WAIT_LS": "lost", "EXPECTION": "disable"}
    assert link.event("redial") == f"{DIAL}, {ABNORMAL}, {DISABLE}"
    assert link.core.marker == "DISABLED"


def test_switching_off_while_closed_is_announced_still_ends_what_was_about_to_start() -> None:
    link = Logged("DISABLED", "enabled")
    link.when_announced = {"CLOSED": "disable"}
    # The dial was asked for before the switching off, so it comes first, and is ended.
    assert link.event("enable") == f"{REST}, {DIAL}, {DISABLE}"


def test_disconnect_applies_wherever_there_is_something_to_end() -> None:
    assert [marker for marker in MARKERS if not applies("disconnect", marker)] == ["DISABLED", "EXPIRED"]
    assert all(applies(event, marker) for event, marker in CELLS if event != "disconnect")


def test_what_is_logged_of_a_link_says_its_state_and_nothing_more() -> None:
    assert repr(Logged("WAIT_LS", "enabled").core) == "<Core WAIT_LS, enabled>"


def test_each_move_bears_the_name_of_what_it_does() -> None:
    assert TABLE["ls"][MARKERS.index("WAIT_LS")].name == "dock"
