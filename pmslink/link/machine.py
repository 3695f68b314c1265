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
from typing import Literal, Protocol

from attrs import define, frozen
from automat import TypeMachineBuilder

from pmslink.link.automat_cache import cache_transitions
from pmslink.link.cause import Cause

Marker = Literal["DISABLED", "EXPIRED", "CLOSED", "WAIT_LS", "ESTABLISHED", "EXPECTION", "WAIT_LE"]
Intent = Literal["enabled", "disabled", "expired", "disconnected"]
TimerName = Literal["start_timeout", "listen_time", "end_timeout"]


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


class DialerPort(Protocol):
    """The way to the PMS: at most one dial or connection at a time, and the redial delay."""

    def dial(self) -> None:
        """Dial, as soon as the last connection is gone."""

    def redial_later(self) -> None:
        """Start the redial delay; `Events.on_redial_due` follows."""

    def hang_up(self, graceful: bool) -> None:
        """End the delay, the dial or the connection; nothing more is heard of it."""


class SessionPort(Protocol):
    """What is said on the connection."""

    def send_ls(self) -> None:
        """Send LS."""

    def dock(self, record: str) -> None:
        """The link is established, by this record: describe it, and from in sync on check it."""

    def on_ls(self) -> None:
        """LS on the established link: describe it again."""

    def on_ld(self) -> None:
        """LD on the established link."""

    def on_la(self) -> None:
        """LA on the established link."""

    def send_le_when_idle(self) -> None:
        """Send LE as soon as no posting waits for its answer, and then start the end timeout."""

    def send_le(self) -> None:
        """Send LE."""

    def suspend(self) -> None:
        """The link is established no more: end its checks and limits, send no more data."""

    def abort_in_flight(self) -> None:
        """The connection is left: what waits for an answer will get none."""


class Timers(Protocol):
    """The timers of a state, named as the settings that hold their seconds."""

    def start_timer(self, timer: TimerName) -> None:
        """Start it; the event of that name follows unless the state is left before."""

    def stop_timers(self) -> None:
        """End all of them."""


@define(eq=False)
class Core:
    """What all states share."""

    dialer: DialerPort
    session: SessionPort
    timers: Timers
    on_transition: Callable[[Marker, Cause], None]
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


DisconnectMode = Literal["nothing", "abruptly", "gently", "with LE"]


@frozen
class Move:
    """What an event does in a state: enter another one (or none), doing this there.

    `ends` tells what becomes of the way to the PMS that the state before had: its redial delay, dial or
    connection.
    """

    to: Marker | None
    action: Action
    disconnect_mode: DisconnectMode = "nothing"

    @property
    def name(self) -> str:
        return self.action.__name__

    def __call__(self, link: Events, core: Core, cause: Cause) -> None:
        if self.to is None:
            self.action(link, core, cause)
            return
        core.timers.stop_timers()
        core.session.suspend()
        if self.disconnect_mode == "with LE":
            core.session.send_le()
        if self.disconnect_mode != "nothing":
            core.session.abort_in_flight()
            said_le = core.marker == "WAIT_LE"  # which an abort could take back
            core.dialer.hang_up(graceful=said_le or self.disconnect_mode != "abruptly")
        core.marker, core.cause = self.to, cause
        self.action(link, core, cause)
        core.on_transition(self.to, cause)


def enter(to: Marker, disconnect_mode: DisconnectMode) -> Callable[[Action], Move]:
    """What is done on entry into a state."""
    return lambda action: Move(to, action, disconnect_mode)


def stay(action: Action) -> Move:
    """What is done without a change of state."""
    return Move(None, action)


# What leads into a state.


@enter("WAIT_LS", disconnect_mode="abruptly")
def dial(link: Events, core: Core, cause: Cause) -> None:
    core.dialer.dial()
    core.timers.start_timer("start_timeout")


@enter("ESTABLISHED", disconnect_mode="nothing")
def dock(link: Events, core: Core, cause: Cause) -> None:
    core.session.dock(str(cause.params["record"]))


@enter("EXPECTION", disconnect_mode="abruptly")
def abnormal(link: Events, core: Core, cause: Cause) -> None:
    core.dialer.redial_later()


@enter("WAIT_LE", disconnect_mode="nothing")
def disconnect(link: Events, core: Core, cause: Cause) -> None:
    core.session.send_le_when_idle()


def _redial_if_enabled(link: Events, core: Core, cause: Cause) -> None:
    if core.intent == "enabled":  # the PMS ended the link, or it was enabled again in WAIT_LE
        core.dialer.redial_later()


close = enter("CLOSED", disconnect_mode="gently")(_redial_if_enabled)
answer_le = enter("CLOSED", disconnect_mode="with LE")(_redial_if_enabled)


@enter("CLOSED", disconnect_mode="abruptly")
def abort(link: Events, core: Core, cause: Cause) -> None:
    pass


@enter("CLOSED", disconnect_mode="abruptly")
def reopen(link: Events, core: Core, cause: Cause) -> None:
    link.redial(cause)  # once this move is done: CLOSED is seen on the way, as the specification has it


@enter("DISABLED", disconnect_mode="abruptly")
def disable(link: Events, core: Core, cause: Cause) -> None:
    pass


@enter("EXPIRED", disconnect_mode="abruptly")
def expire(link: Events, core: Core, cause: Cause) -> None:
    pass


# What happens within a state.


@stay
def unchanged(link: Events, core: Core, cause: Cause) -> None:
    """A control that finds the link as it wants it."""


@stay
def stop_redial(link: Events, core: Core, cause: Cause) -> None:
    core.dialer.hang_up(graceful=False)  # no redial will follow


@stay
def refuse(link: Events, core: Core, cause: Cause) -> None:
    """A control that does not apply; `applies` lets the interface say so."""


@stay
def ignore(link: Events, core: Core, cause: Cause) -> None:
    """An event that means nothing here."""


@stay
def handled(link: Events, core: Core, cause: Cause) -> None:
    """A record that changes no state: the link has taken it already, on the way here."""


@stay
def redial_now(link: Events, core: Core, cause: Cause) -> None:
    if core.intent == "enabled":
        link.redial(cause)


@stay
def listen(link: Events, core: Core, cause: Cause) -> None:
    core.timers.start_timer("listen_time")


@stay
def send_ls(link: Events, core: Core, cause: Cause) -> None:
    core.session.send_ls()


@stay
def handle_ls(link: Events, core: Core, cause: Cause) -> None:
    core.session.on_ls()


@stay
def handle_ld(link: Events, core: Core, cause: Cause) -> None:
    core.session.on_ld()


@stay
def handle_la(link: Events, core: Core, cause: Cause) -> None:
    core.session.on_la()


_ = ignore
# fmt: off
TABLE: dict[str, tuple[Move, ...]] = {
    #                DISABLED     EXPIRED      CLOSED       WAIT_LS      ESTABLISHED  EXPECTION    WAIT_LE
    "enable":       (reopen,      reopen,      dial,        unchanged,   unchanged,   dial,        unchanged),
    "disable":      (unchanged,   disable,     disable,     disable,     disable,     disable,     disable),
    "expire":       (expire,      unchanged,   expire,      expire,      expire,      expire,      expire),
    "disconnect":   (refuse,      refuse,      stop_redial, abort,       disconnect,  abort,       unchanged),
    "readdress":    (unchanged,   unchanged,   redial_now,  reopen,      reopen,      reopen,      unchanged),
    "redial":       (_,           _,           dial,        _,           _,           dial,        _),
    "connected":    (_,           _,           _,           listen,      _,           _,           _),
    "lost":         (_,           _,           _,           abnormal,    abnormal,    _,           close),
    "silent":       (_,           _,           _,           send_ls,     _,           _,           _),
    "start_overdue":(_,           _,           _,           abnormal,    _,           _,           _),
    "check_overdue":(_,           _,           _,           _,           abnormal,    _,           _),
    "sync_overdue": (_,           _,           _,           _,           abnormal,    _,           _),
    "end_overdue":  (_,           _,           _,           _,           _,           _,           close),
    "store_failed": (_,           _,           _,           abnormal,    abnormal,    _,           _),
    "ls":           (_,           _,           _,           dock,        handle_ls,   _,           _),
    "ld":           (_,           _,           _,           dock,        handle_ld,   _,           _),
    "la":           (_,           _,           _,           dock,        handle_la,   _,           _),
    "record":       (_,           _,           _,           dock,        handled,     _,           handled),
    "le":           (_,           _,           _,           answer_le,   answer_le,   _,           close),
}
# fmt: on

for _event, _row in TABLE.items():
    for _state, _move in zip(STATES.values(), _row, strict=True):
        _state.upon(getattr(Events, _event)).to(STATES.get(_move.to or "", _state))(_move.__call__)

Machine = builder.build()

cache_transitions(Machine)


def applies(event: str, marker: Marker) -> bool:
    """Whether a control applies in a state; the interface answers 409 where it does not."""
    return TABLE[event][list(STATES).index(marker)] is not refuse
