"""Small PMSs, each with one habit of a real one. They close the connection on what it does not expect.

They are written from descriptions of such PMSs, and share no code with the service or the simulator.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure


class PmsLog:
    """What all connections of one PMS have seen."""

    def __init__(self) -> None:
        self.connections = 0
        self.checks = 0
        self.data: list[str] = []
        self.violations: list[str] = []
        self.newest: StrictPms | None = None


class StrictPms(Protocol):
    """A PMS that greets with LS, confirms the description with LA, and answers LS with LA."""

    greets = True
    end = b"\x03"
    charset = "cp1252"
    guest_name, guest_name_read = "Guest", "Guest"
    wants_resync = False
    checks_left_out = 0
    """Link checks that a resync replaces, because its records prove the link alive."""

    def __init__(self, log: PmsLog, clock: Any) -> None:
        self.log = log
        self._clock = clock
        self._rest = b""
        self._calls: list[IDelayedCall] = []
        self.is_described = False
        self._is_describing = False
        self._is_dropped = False

    def connectionMade(self) -> None:
        self.log.connections += 1
        self.log.newest = self
        if self.greets:
            self.send("LS|DA260101|TI120000|")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        for call in self._calls:
            if call.active():
                call.cancel()

    def dataReceived(self, data: bytes) -> None:
        *frames, self._rest = (self._rest + data).split(self.end)
        for frame in frames:
            if self._is_dropped:
                return
            self.on_record(frame.decode(self.charset))

    def send(self, text: str) -> None:
        self.transport.write(self.framed(text.encode(self.charset)))  # type: ignore[union-attr]

    def framed(self, record: bytes) -> bytes:
        return b"\x02" + record + self.end

    def later(self, seconds: float, call: Callable[..., None], *arguments: object) -> None:
        self._calls.append(self._clock.callLater(seconds, call, *arguments))

    def drop(self, why: str) -> None:
        self.log.violations.append(why)
        self._is_dropped = True
        self.transport.loseConnection()  # type: ignore[union-attr]

    def on_record(self, frame: str) -> None:
        if not frame.startswith("\x02"):
            self.drop(f"no STX: {frame}")
            return
        self.on_text(frame[1:])

    def on_text(self, text: str) -> None:
        match text[:2]:
            case "LS":
                self.log.checks += 1
                self.on_ls()
            case "LD":
                self._is_describing = True
            case "LR" if self._is_describing:
                self.on_lr(text)
            case "LA" if self._is_describing:
                self._is_describing = False
                self.is_described = True
                self.on_described()
            case "LA":
                self.on_la()
            case "LE":
                self.send("LE|")
            case _ if self._is_describing or not self.is_described:
                self.drop(f"data before the end of the description: {text}")
            case _:
                self.on_data(text)

    def on_data(self, text: str) -> None:
        self.log.data.append(text)
        if text.startswith("PS|"):
            fields = {field[:2]: field[2:] for field in text.split("|")[1:]}
            self.send(f"PA|RN{fields['RN']}|ASOK|P#{fields['P#']}|")

    def on_ls(self) -> None:
        self.send("LA|DA260101|TI120000|")

    def on_lr(self, text: str) -> None:
        """Accept the record."""

    def on_described(self) -> None:
        self.send("LA|DA260101|TI120000|")

    def on_la(self) -> None:
        self.drop("LA that answers nothing")


class LsForLs(StrictPms):
    """Answers LS with LS and wants a new description before anything else. It never sends LA (case D1)."""

    def on_ls(self) -> None:
        self.is_described = False
        self.send("LS|DA260101|TI120000|")

    def on_described(self) -> None:
        """Confirm nothing."""


class LsForLsThatConfirms(LsForLs):
    """Answers LS with LS, and each description with LA."""

    def on_described(self) -> None:
        self.send("LA|DA260101|TI120000|")


class SlowMirror(StrictPms):
    """Answers LS with LD, nine LRs with pauses and LA; until our LA it expects nothing (case D2)."""

    pause = 0.5
    waits_for_la = False
    is_mirroring = False

    def on_ls(self) -> None:
        if self.is_mirroring:
            self.drop("LS during the description of the PMS")
            return
        self.is_mirroring = True
        self.send("LD|DA260101|TI120000|V#1|IFPB|")
        for number in range(1, 10):
            self.later(number * self.pause, self.send, "LR|RIGI|FLRNG#GSGN|")
        self.later(10 * self.pause, self._end_description)

    def _end_description(self) -> None:
        self.waits_for_la = True
        self.send("LA|DA260101|TI120000|")

    def on_text(self, text: str) -> None:
        if not self.is_mirroring:
            super().on_text(text)
        elif self.waits_for_la and text.startswith("LA|"):
            self.is_mirroring = self.waits_for_la = False
        else:
            self.drop(f"during the description of the PMS: {text}")


class SlowMirrorThatWaits(SlowMirror):
    """Sends nothing before our LS, and confirms no description."""

    greets = False

    def on_described(self) -> None:
        """Confirm nothing: the LA of its own description was enough."""


class VerySlowMirrorThatWaits(SlowMirrorThatWaits):
    """Pauses for longer between its LRs."""

    pause = 3.5


class NeverAnswersLs(StrictPms):
    """Closes the connection on LS; accepts LA as a heartbeat (case D5)."""

    def on_ls(self) -> None:
        self.drop("LS")

    def on_la(self) -> None:
        self.log.checks += 1


class LaForLa(NeverAnswersLs):
    """Answers a heartbeat LA with LA."""

    def on_la(self) -> None:
        super().on_la()
        self.send("LA|DA260101|TI120000|")


class SilentForLs(StrictPms):
    """Ignores LS (case D5)."""

    def on_ls(self) -> None:
        """Answer nothing."""


class Lines(StrictPms):
    """Ends each record with CR LF, without STX and ETX (case D3)."""

    end = b"\r\n"

    def framed(self, record: bytes) -> bytes:
        return record + self.end

    def on_record(self, frame: str) -> None:
        if set(frame) & set("\x02\x03"):
            self.drop(f"STX or ETX: {frame}")
            return
        self.on_text(frame)


class NoNightAudit(StrictPms):
    """Closes the connection when NS or NE is declared (cases D7, D8)."""

    def on_lr(self, text: str) -> None:
        if text.startswith(("LR|RINS|", "LR|RINE|")):
            self.drop(text)


class NeverConfirms(StrictPms):
    """Answers LS with LA, and no description (case D4)."""

    def on_described(self) -> None:
        """Confirm nothing."""


class Utf8(StrictPms):
    """Sends UTF-8 (case D9)."""

    charset = "utf-8"
    guest_name = guest_name_read = "Åse Müller"


class ClockTwoHoursAhead(StrictPms):
    """Is two hours ahead of the hotel when the link starts (case D10)."""

    def send(self, text: str) -> None:
        super().send(text.replace("TI120000", "TI140000"))


class OversizedGreeting(StrictPms):
    """Sends a record of 20 000 bytes before LS (case D11)."""

    def connectionMade(self) -> None:
        self.send("GI|RN1|G#1|GSN|GN" + "x" * 20_000)
        super().connectionMade()


class OwnRecords(StrictPms):
    """Sends records that nobody understands behind each of its answers (case D12)."""

    def on_ls(self) -> None:
        super().on_ls()
        for text in ("GI|G#1|GSN|GNNobody|", "ZZ|RN101|", "GC|RN|G#1|GSN|"):
            self.send(text)


class ResyncWithoutEnd(StrictPms):
    """Answers DR with DS and never sends DE (case D13): the resync ends after ten minutes."""

    wants_resync = True
    checks_left_out = 20

    def on_data(self, text: str) -> None:
        super().on_data(text)
        if text.startswith("DR"):
            self.send("DS|DA260101|TI120000|")


class IgnoresDr(StrictPms):
    """Never answers DR (case D13)."""

    wants_resync = True


class StxInNames(StrictPms):
    """Sends STX inside of names (case D17)."""

    guest_name, guest_name_read = "An\x02na", "An na"
