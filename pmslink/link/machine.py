"""The state machine of a link, as one table.

A link is in one of seven states. Their names, the *markers*, are what the API reports. Whatever can happen
to a link is an event of `Events`, and `TABLE` gives the move for every event in every state. The table is
total: an event without a meaning in a state is ignored there. So no event can raise an error while received
data is handled, which would end the connection.

Two rules hold for every move:

* Nothing outlives its state. `Move` ends the timers, the dial and the connection of the state before, at
  one place. Only a move with the disconnect mode "nothing" takes the connection over into the next state.
* A state announces its marker after its entry is complete. An event that arrives during a move waits until
  the move is done (Automat queues it), so announcements are in order.

The machine does no input or output itself: `Core` holds the collaborators that do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol, get_args

from attrs import define, frozen
from automat import TypeMachineBuilder

from pmslink.link.automat_cache import cache_transitions
from pmslink.link.cause import Cause

Marker = Literal["DISABLED", "EXPIRED", "CLOSED", "WAIT_LS", "ESTABLISHED", "EXPECTION", "WAIT_LE"]
Intent = Literal["enabled", "disabled", "expired", "disconnected"]
TimerName = Literal["start_timeout", "listen_time", "end_timeout"]


class Events(Protocol):
    """What can happen to a link. Each event has its cause, which is announced if the marker changes."""

    # from the user, the wall clock and the configuration

    def enable(self, cause: Cause) -> None:
        """Enable the link, or dial now, for the user."""

    def disable(self, cause: Cause) -> None:
        """Disable the link for the user."""

    def expire(self, cause: Cause) -> None:
        """Handle the end of the subscription."""

    def disconnect(self, cause: Cause) -> None:
        """End the connection with LE and stay closed, for the user."""

    def readdress(self, cause: Cause) -> None:
        """Handle a change of host, port, tls, framing or charset, which needs a new connection."""

    def blocked(self, cause: Cause) -> None:
        """Handle that another link has taken over the host and port: close the link and dial no more."""

    # from the connection

    def redial(self, cause: Cause) -> None:
        """Handle the end of the redial delay."""

    def connected(self, cause: Cause) -> None:
        """Handle a connection that is up: TCP, and TLS where it is used."""

    def lost(self, cause: Cause) -> None:
        """Handle a failed dial, or a connection that was lost or delivers only noise."""

    # from the timers

    def silent(self, cause: Cause) -> None:
        """Handle the end of the listen time without a record from the PMS."""

    def start_overdue(self, cause: Cause) -> None:
        """Handle the end of the start timeout."""

    def check_overdue(self, cause: Cause) -> None:
        """Handle a link check without an answer."""

    def sync_overdue(self, cause: Cause) -> None:
        """Handle a link description that the PMS never confirmed."""

    def end_overdue(self, cause: Cause) -> None:
        """Handle an LE that the PMS did not answer with its own."""

    # from the store

    def store_failed(self, cause: Cause) -> None:
        """Handle a store that has been failing for too long: the PMS is to queue its records."""

    # from the PMS

    def ls(self, cause: Cause) -> None:
        """Handle LS: the PMS has started, or starts again."""

    def ld(self, cause: Cause) -> None:
        """Handle LD: the PMS describes the link itself."""

    def la(self, cause: Cause) -> None:
        """Handle LA: the PMS is alive, or confirms the description."""

    def record(self, cause: Cause) -> None:
        """Handle any other record that FIAS knows."""

    def le(self, cause: Cause) -> None:
        """Handle LE: the PMS ends the link."""


class DialerPort(Protocol):
    """The dialer: at most one dial or connection at a time, and the redial delay."""

    def dial(self) -> None:
        """Dial, as soon as the last connection is closed."""

    def redial_later(self) -> None:
        """Start the redial delay; the event `redial` follows."""

    def hang_up(self, graceful: bool) -> None:
        """End the delay, the dial or the connection. No event of it follows."""


class SessionPort(Protocol):
    """The dialogue on the connection."""

    def send_ls(self) -> None:
        """Send LS."""

    def dock(self, record: str) -> None:
        """Describe the link, which this record has established. Start link checks once in sync."""

    def on_ls(self) -> None:
        """Handle LS on the established link: describe it again."""

    def on_ld(self) -> None:
        """Handle LD on the established link."""

    def on_la(self) -> None:
        """Handle LA on the established link."""

    def send_le_when_idle(self) -> None:
        """Send LE once no posting waits for its answer, and then start the end timeout."""

    def send_le(self) -> None:
        """Send LE."""

    def suspend(self) -> None:
        """Stop link checks and deadlines, and send no data: the link leaves ESTABLISHED."""

    def abort_in_flight(self) -> None:
        """Give up all answers that are outstanding: the connection ends."""


class Timers(Protocol):
    """The timers of a state, named as the settings that hold their seconds."""

    def start_timer(self, timer: TimerName) -> None:
        """Start a timer; its event follows unless the state ends before."""

    def stop_timers(self) -> None:
        """Stop all timers."""


@define(eq=False)
class Core:
    """The data and the collaborators that all states share."""

    dialer: DialerPort
    session: SessionPort
    timers: Timers
    on_transition: Callable[[Marker, Cause], None]
    intent: Intent
    marker: Marker
    cause: Cause
    intent_cause: Cause | None = None
    """The user's control that has set the intent; None if none has since the start."""

    def __repr__(self) -> str:
        return f"<Core {self.marker}, {self.intent}>"


builder = TypeMachineBuilder(Events, Core)

STATES = {marker: builder.state(marker) for marker in get_args(Marker)}
"""The states by marker, in the order of the columns of `TABLE`."""

Action = Callable[[Events, Core, Cause], None]
DisconnectMode = Literal["nothing", "abruptly", "gently", "with LE"]


@frozen
class Move:
    """What an event does in a state: run an action, and enter another state if `to` is not None.

    `disconnect_mode` says how the redial delay, the dial or the connection of the state before ends.
    """

    to: Marker | None
    action: Action
    disconnect_mode: DisconnectMode = "nothing"

    @property
    def name(self) -> str:
        """The name of the action."""
        return self.action.__name__

    def __call__(self, link: Events, core: Core, cause: Cause) -> None:
        """Make the move. This is the only place where a state ends and another one begins."""
        if self.to is None:
            self.action(link, core, cause)
            return
        core.timers.stop_timers()
        core.session.suspend()
        if self.disconnect_mode == "with LE":
            core.session.send_le()
        if self.disconnect_mode != "nothing":
            core.session.abort_in_flight()
            le_is_buffered = core.marker == "WAIT_LE"  # an abort could discard it
            core.dialer.hang_up(graceful=le_is_buffered or self.disconnect_mode != "abruptly")
        core.marker, core.cause = self.to, cause
        self.action(link, core, cause)
        core.on_transition(self.to, cause)


def enter(to: Marker, disconnect_mode: DisconnectMode) -> Callable[[Action], Move]:
    """Make the action of an entry into a state."""
    return lambda action: Move(to, action, disconnect_mode)


def stay(action: Action) -> Move:
    """Make an action that changes no state."""
    return Move(None, action)


# Actions that enter a state.


@enter("WAIT_LS", disconnect_mode="abruptly")
def dial(link: Events, core: Core, cause: Cause) -> None:
    """Dial, and give the PMS the start timeout."""
    core.dialer.dial()
    core.timers.start_timer("start_timeout")


@enter("ESTABLISHED", disconnect_mode="nothing")
def dock(link: Events, core: Core, cause: Cause) -> None:
    """Describe the link: a record from the PMS has started it."""
    core.session.dock(str(cause.params["record"]))


@enter("EXPECTION", disconnect_mode="abruptly")
def abnormal(link: Events, core: Core, cause: Cause) -> None:
    """Redial after the delay."""
    core.dialer.redial_later()


@enter("WAIT_LE", disconnect_mode="nothing")
def disconnect(link: Events, core: Core, cause: Cause) -> None:
    """Send LE as soon as no posting waits for its answer."""
    core.session.send_le_when_idle()


def _redial_if_enabled(link: Events, core: Core, cause: Cause) -> None:
    if core.intent == "enabled":  # else the link stays closed, as the user requested
        core.dialer.redial_later()


close = enter("CLOSED", disconnect_mode="gently")(_redial_if_enabled)
answer_le = enter("CLOSED", disconnect_mode="with LE")(_redial_if_enabled)


@enter("CLOSED", disconnect_mode="abruptly")
def abort(link: Events, core: Core, cause: Cause) -> None:
    """Close the link without LE."""


@enter("CLOSED", disconnect_mode="abruptly")
def reopen(link: Events, core: Core, cause: Cause) -> None:
    """Close the link, and dial again if it is enabled."""
    if core.intent == "enabled":
        link.redial(cause)  # runs after this move: the specification has CLOSED announced on the way


@enter("DISABLED", disconnect_mode="abruptly")
def disable(link: Events, core: Core, cause: Cause) -> None:
    """Close the link and stay disabled."""


@enter("EXPIRED", disconnect_mode="abruptly")
def expire(link: Events, core: Core, cause: Cause) -> None:
    """Close the link and stay expired."""


# Actions that stay in the state.


@stay
def unchanged(link: Events, core: Core, cause: Cause) -> None:
    """Do nothing: the link is already in the state that the control requests."""


@stay
def stop_redial(link: Events, core: Core, cause: Cause) -> None:
    """Cancel the redial."""
    core.dialer.hang_up(graceful=False)


@stay
def refuse(link: Events, core: Core, cause: Cause) -> None:
    """Do nothing: the control does not apply here. The API answers 409 (see `applies`)."""


@stay
def ignore(link: Events, core: Core, cause: Cause) -> None:
    """Do nothing: the event has no meaning here."""


@stay
def handled(link: Events, core: Core, cause: Cause) -> None:
    """Do nothing: the link handles data records itself."""


@stay
def redial_now(link: Events, core: Core, cause: Cause) -> None:
    """Redial without waiting, if the link is enabled."""
    if core.intent == "enabled":
        link.redial(cause)


@stay
def listen(link: Events, core: Core, cause: Cause) -> None:
    """Give the PMS the listen time to send the first record."""
    core.timers.start_timer("listen_time")


@stay
def send_ls(link: Events, core: Core, cause: Cause) -> None:
    """Send LS, because the PMS has sent nothing."""
    core.session.send_ls()


@stay
def handle_ls(link: Events, core: Core, cause: Cause) -> None:
    """Pass LS to the session."""
    core.session.on_ls()


@stay
def handle_ld(link: Events, core: Core, cause: Cause) -> None:
    """Pass LD to the session."""
    core.session.on_ld()


@stay
def handle_la(link: Events, core: Core, cause: Cause) -> None:
    """Pass LA to the session."""
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
    "blocked":      (_,           _,           stop_redial, abort,       abort,       abort,       abort),
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
    """Return whether a control applies in a state. The API answers 409 where it does not."""
    return TABLE[event][list(STATES).index(marker)] is not refuse
