"""The life of one link, as a table.

A link is in one of seven states; their names, the *markers*, are what the world sees. Everything that
can happen to a link is an event, and `TABLE` says for every event and every state what then happens.
It is total: an event that means nothing in a state is ignored there, so that nothing can raise in the
middle of received data (which would cost the connection).

Two rules hold all of it together:

* Nothing outlives its state. Leaving one ends its timers, its dial and its connection; `Move` does
  that at one place, and a move says so where the connection is to live on.
* A marker is announced by the entry into its state, once all that runs in it runs. An event that
  arrives meanwhile waits until the move is done (Automat postpones it), so announcements are in order.

The machine knows neither sockets nor clocks: `Core` holds its collaborators.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Literal, Protocol

from attrs import define, frozen
from automat import TypeMachineBuilder

from pmslink.link.cause import Cause

Marker = Literal["DISABLED", "EXPIRED", "CLOSED", "WAIT_LS", "ESTABLISHED", "EXPECTION", "WAIT_LE"]
Intent = Literal["enabled", "disabled", "expired", "disconnected"]
Timer = Literal["start_timeout", "listen_time", "end_timeout"]


class Events(Protocol):
    """What can happen to a link. Each comes with its cause, which is told if the marker changes."""

    # from the user, the clock on the wall, and the configuration

    def enable(self, cause: Cause) -> None:
        """The user switches the integration on, or asks for the connection now."""

    def disable(self, cause: Cause) -> None:
        """The user switches the integration off."""

    def expire(self, cause: Cause) -> None:
        """The PMS service subscription has ended."""

    def disconnect(self, cause: Cause) -> None:
        """The user ends the link in good order."""

    def readdress(self, cause: Cause) -> None:
        """What a connection is made of has changed: host, port, tls, framing or charset."""

    # from the connection

    def redial(self, cause: Cause) -> None:
        """The redial delay is over."""

    def connected(self, cause: Cause) -> None:
        """TCP is up, and with it TLS where that is used."""

    def lost(self, cause: Cause) -> None:
        """The dial failed, or the connection was lost or proved useless."""

    # from the timers

    def silent(self, cause: Cause) -> None:
        """The listen time after the connection is over."""

    def start_overdue(self, cause: Cause) -> None:
        """The start timeout is over."""

    def check_overdue(self, cause: Cause) -> None:
        """The answer to a link check did not come."""

    def sync_overdue(self, cause: Cause) -> None:
        """The PMS never confirmed the link description."""

    def end_overdue(self, cause: Cause) -> None:
        """The PMS's LE did not come."""

    # from the store

    def store_failed(self, cause: Cause) -> None:
        """What the PMS sends could not be kept for some time; it had better queue it itself."""

    # from the PMS

    def ls(self, cause: Cause) -> None:
        """LS: the PMS (re)started."""

    def ld(self, cause: Cause) -> None:
        """LD: the peer mirrors our part."""

    def la(self, cause: Cause) -> None:
        """LA: it is alive, or confirms what we described."""

    def record(self, cause: Cause) -> None:
        """Another record of FIAS."""

    def le(self, cause: Cause) -> None:
        """LE: the PMS ends the link."""


class Line(Protocol):
    """The way to the PMS: at most one dial or connection at a time, and the redial delay."""

    def dial(self) -> None:
        """Dial, as soon as the last connection is gone."""

    def redial_later(self) -> None:
        """Start the redial delay; `Events.redial` follows."""

    def hang_up(self, gently: bool) -> None:
        """End the delay, the dial or the connection; nothing more is heard of it."""


class Talk(Protocol):
    """What is said on the connection."""

    def greet(self) -> None:
        """Send LS."""

    def dock(self, record: str) -> None:
        """The link is established, by this record: describe it, and from in sync on check it."""

    def restart(self) -> None:
        """LS on the established link: describe it again."""

    def mirrored(self) -> None:
        """LD on the established link."""

    def confirmed(self) -> None:
        """LA on the established link."""

    def take_leave(self) -> None:
        """Send LE as soon as no posting waits for its answer, and then start the end timeout."""

    def answer_farewell(self) -> None:
        """Send LE."""

    def fall_silent(self) -> None:
        """The link is established no more: end its checks and limits, send no more data."""

    def break_off(self) -> None:
        """The connection is left: what waits for an answer will get none."""


class Timers(Protocol):
    """The timers of a state, named as the settings that hold their seconds."""

    def start_timer(self, timer: Timer) -> None:
        """Start it; the event of that name follows unless the state is left before."""

    def stop_timers(self) -> None:
        """End all of them."""


@define(eq=False)
class Core:
    """What all states share."""

    line: Line
    talk: Talk
    timers: Timers
    announce: Callable[[Marker, Cause], None]
    intent: Intent
    marker: Marker
    cause: Cause

    def __repr__(self) -> str:
        return f"<Core {self.marker}, {self.intent}>"


builder = TypeMachineBuilder(Events, Core)

CLOSED = builder.state("CLOSED")
WAIT_LS = builder.state("WAIT_LS")
ESTABLISHED = builder.state("ESTABLISHED")
EXPECTION = builder.state("EXPECTION")
WAIT_LE = builder.state("WAIT_LE")
DISABLED = builder.state("DISABLED")
EXPIRED = builder.state("EXPIRED")

STATES = {
    state.name: state for state in (DISABLED, EXPIRED, CLOSED, WAIT_LS, ESTABLISHED, EXPECTION, WAIT_LE)
}

Action = Callable[[Events, Core, Cause], None]


Ends = Literal["nothing", "abruptly", "gently", "with LE"]


@frozen
class Move:
    """What an event does in a state: enter another one (or none), doing this there.

    `ends` tells what becomes of the way to the PMS that the state before had: its redial delay, dial or
    connection.
    """

    to: Marker | None
    action: Action
    ends: Ends = "nothing"

    @property
    def name(self) -> str:
        return self.action.__name__

    def __call__(self, link: Events, core: Core, cause: Cause) -> None:
        if self.to is None:
            self.action(link, core, cause)
            return
        core.timers.stop_timers()
        core.talk.fall_silent()
        if self.ends == "with LE":
            core.talk.answer_farewell()
        if self.ends != "nothing":
            core.talk.break_off()
            said_le = core.marker == "WAIT_LE"  # which an abort could take back
            core.line.hang_up(gently=said_le or self.ends != "abruptly")
        core.marker, core.cause = self.to, cause
        self.action(link, core, cause)
        core.announce(self.to, cause)


def enter(to: Marker, ends: Ends) -> Callable[[Action], Move]:
    """What is done on entry into a state."""
    return lambda action: Move(to, action, ends)


def stay(action: Action) -> Move:
    """What is done without a change of state."""
    return Move(None, action)


# What leads into a state.


@enter("WAIT_LS", ends="abruptly")
def dial(link: Events, core: Core, cause: Cause) -> None:
    core.line.dial()
    core.timers.start_timer("start_timeout")


@enter("ESTABLISHED", ends="nothing")
def dock(link: Events, core: Core, cause: Cause) -> None:
    core.talk.dock(str(cause.params["record"]))


@enter("EXPECTION", ends="abruptly")
def abnormal(link: Events, core: Core, cause: Cause) -> None:
    core.line.redial_later()


@enter("WAIT_LE", ends="nothing")
def part(link: Events, core: Core, cause: Cause) -> None:
    core.talk.take_leave()


def _redial_if_wanted(link: Events, core: Core, cause: Cause) -> None:
    if core.intent == "enabled":  # the PMS ended the link, or it was enabled again in WAIT_LE
        core.line.redial_later()


ended = enter("CLOSED", ends="gently")(_redial_if_wanted)
answer_le = enter("CLOSED", ends="with LE")(_redial_if_wanted)


@enter("CLOSED", ends="abruptly")
def rest(link: Events, core: Core, cause: Cause) -> None:
    pass


@enter("CLOSED", ends="abruptly")
def reopen(link: Events, core: Core, cause: Cause) -> None:
    link.redial(cause)  # once this move is done: CLOSED is seen on the way, as the specification has it


@enter("DISABLED", ends="abruptly")
def switch_off(link: Events, core: Core, cause: Cause) -> None:
    pass


@enter("EXPIRED", ends="abruptly")
def run_out(link: Events, core: Core, cause: Cause) -> None:
    pass


# What happens within a state.


@stay
def same(link: Events, core: Core, cause: Cause) -> None:
    """A control that finds the link as it wants it."""


@stay
def at_rest(link: Events, core: Core, cause: Cause) -> None:
    core.line.hang_up(gently=False)  # no redial will follow


@stay
def refuse(link: Events, core: Core, cause: Cause) -> None:
    """A control that does not apply; `applies` lets the interface say so."""


@stay
def ignore(link: Events, core: Core, cause: Cause) -> None:
    """An event that means nothing here."""


@stay
def taken(link: Events, core: Core, cause: Cause) -> None:
    """A record that changes no state: the link has taken it already, on the way here."""


@stay
def now(link: Events, core: Core, cause: Cause) -> None:
    if core.intent == "enabled":
        link.redial(cause)


@stay
def listen(link: Events, core: Core, cause: Cause) -> None:
    core.timers.start_timer("listen_time")


@stay
def greet(link: Events, core: Core, cause: Cause) -> None:
    core.talk.greet()


@stay
def restart(link: Events, core: Core, cause: Cause) -> None:
    core.talk.restart()


@stay
def mirrored(link: Events, core: Core, cause: Cause) -> None:
    core.talk.mirrored()


@stay
def confirmed(link: Events, core: Core, cause: Cause) -> None:
    core.talk.confirmed()


_ = ignore
# fmt: off
TABLE: dict[str, tuple[Move, ...]] = {
    #                 DISABLED    EXPIRED     CLOSED      WAIT_LS     ESTABLISHED EXPECTION   WAIT_LE
    "enable":        (reopen,     reopen,     dial,       same,       same,       dial,       same),
    "disable":       (same,       switch_off, switch_off, switch_off, switch_off, switch_off, switch_off),
    "expire":        (run_out,    same,       run_out,    run_out,    run_out,    run_out,    run_out),
    "disconnect":    (refuse,     refuse,     at_rest,    rest,       part,       rest,       same),
    "readdress":     (same,       same,       now,        reopen,     reopen,     reopen,     same),
    "redial":        (_,          _,          dial,       _,          _,          dial,       _),
    "connected":     (_,          _,          _,          listen,     _,          _,          _),
    "lost":          (_,          _,          _,          abnormal,   abnormal,   _,          ended),
    "silent":        (_,          _,          _,          greet,      _,          _,          _),
    "start_overdue": (_,          _,          _,          abnormal,   _,          _,          _),
    "check_overdue": (_,          _,          _,          _,          abnormal,   _,          _),
    "sync_overdue":  (_,          _,          _,          _,          abnormal,   _,          _),
    "end_overdue":   (_,          _,          _,          _,          _,          _,          ended),
    "store_failed":  (_,          _,          _,          abnormal,   abnormal,   _,          _),
    "ls":            (_,          _,          _,          dock,       restart,    _,          _),
    "ld":            (_,          _,          _,          dock,       mirrored,   _,          _),
    "la":            (_,          _,          _,          dock,       confirmed,  _,          _),
    "record":        (_,          _,          _,          dock,       taken,      _,          taken),
    "le":            (_,          _,          _,          answer_le,  answer_le,  _,          ended),
}
# fmt: on

for _event, _row in TABLE.items():
    for _state, _move in zip(STATES.values(), _row, strict=True):
        _state.upon(getattr(Events, _event)).to(STATES.get(_move.to or "", _state))(_move.__call__)

Machine = builder.build()

# Automat compares every transition with the one it looks for, some twenty microseconds each time. There
# are few, and they never change, so each is looked for once.
_automaton = Machine.__automat_automaton__
_automaton.outputForInput = cache(_automaton.outputForInput)  # type: ignore[method-assign]


def applies(event: str, marker: Marker) -> bool:
    """Whether a control applies in a state; the interface answers 409 where it does not."""
    return TABLE[event][list(STATES).index(marker)] is not refuse
