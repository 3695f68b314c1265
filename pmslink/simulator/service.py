"""The simulator as a service of its own, or inside another one."""

from __future__ import annotations

import re
import resource
from datetime import datetime
from random import Random
from typing import Any

from attrs import evolve, frozen
from twisted.application.service import IService
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import serverFromString
from twisted.python import usage

from pmslink.listener import ListenerService
from pmslink.simulator.control.control_api import ControlApi
from pmslink.simulator.control.http_site import json_site
from pmslink.simulator.life.activity_scheduler import Life
from pmslink.simulator.life.pmslink_client import ApiTarget, make_phones
from pmslink.simulator.pms.pbx_connection import PmsFactory
from pmslink.simulator.pms.property import MAX_STORED_RECORDS, Pms
from pmslink.typed_service import TypedMultiService

MAX_ROOMS, MAX_PORTS = 10_000, 50_000
MIN_PACE_PER_MINUTE, MAX_PACE_PER_MINUTE = 0.1, 6000
"""Things that may happen in a minute."""
_MAX_RECORDS_IN_PROCESS = 200_000
"""Trace entries that all properties of a process may keep together."""
_MIN_RECORDS_PER_PROPERTY = 100
"""And at least so many each."""
_SPARE_DESCRIPTORS = 64
"""Descriptors that a process needs beside its ports and connections."""
_EXPECTED_FORM = "an endpoint should look like tcp:5010:interface=127.0.0.1"


@frozen
class ListenEndpoint:
    """An endpoint string, its port apart."""

    transport: str
    port: int
    arguments: str

    @classmethod
    def parse(cls, text: str) -> ListenEndpoint:
        """Read ``tcp:5010:interface=127.0.0.1`` and its like. Raises ValueError for anything else."""
        match = re.fullmatch(r"(tcp6?|ssl):(?:port=)?([0-9]{1,5})(:.*)?", text)
        if match is None or int(match[2]) > 65535:
            raise ValueError(_EXPECTED_FORM)
        place = cls(match[1], int(match[2]), match[3] or "")
        try:
            serverFromString(None, str(place))  # judges the rest, listens nowhere
        except TypeError:
            raise ValueError(_EXPECTED_FORM) from None
        return place

    def __str__(self) -> str:
        return f"{self.transport}:{self.port}{self.arguments}"

    def at_port_offset(self, offset: int) -> ListenEndpoint:
        """The same place some ports further; port 0, which is any free one, has no further."""
        return evolve(self, port=self.port + offset) if self.port else self


class Options(usage.Options):
    """The command line of ``twistd pmssim``."""

    optParameters = [  # noqa: RUF012 (Twisted's own convention)
        ["listen", "l", "tcp:5010:interface=127.0.0.1", "Where the PBX connects, a Twisted endpoint."],
        ["control", "c", "tcp:5011:interface=127.0.0.1", "Where the JSON control interface listens."],
        ["rooms", "r", "100", "How many rooms each property has."],
        ["ports", "p", "1", "How many properties, on consecutive ports."],
        ["pace", None, "6", "With --life or --phones: about so many things happen in a minute, in each."],
        ["phones", None, None, "URL,LINK: the guests' phones call pmslink there, for the first property."],
    ]
    optFlags = [["life", None, "Let guests come and go by themselves."]]  # noqa: RUF012

    def parseOptions(self, options: list[str] | None = None) -> None:
        """Read the command line. Whatever is wrong with it ends the program with one line on stderr."""
        try:
            super().parseOptions(options)  # type: ignore[no-untyped-call]
        except usage.UsageError as problem:
            raise SystemExit(f"pmssim: {problem}") from None

    def postOptions(self) -> None:
        """Raises UsageError for what cannot be."""
        for name, most in (("rooms", MAX_ROOMS), ("ports", MAX_PORTS)):
            given = self[name]
            if not (given.isascii() and given.isdigit() and len(given) < 9 and 1 <= int(given) <= most):
                raise usage.UsageError(f"--{name} {given}: should be a number from 1 to {most}")
            self[name] = int(given)
        self["pace"] = self._parse_pace()
        self["phones"] = self._parse_phones()
        listen, control = self._parse_endpoint("listen"), self._parse_endpoint("control")
        last = listen.at_port_offset(self["ports"] - 1).port
        if last > 65535:
            raise usage.UsageError(
                f"--ports {self['ports']}: the last would be port {last}; 65535 is the highest"
            )
        if control.port and listen.port <= control.port <= last:
            taken = f"{listen.port} to {last}"
            raise usage.UsageError(f"--control {control}: the properties take the ports {taken}")

    def _parse_pace(self) -> float:
        given = self["pace"]
        good = re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", given)
        if not (good and MIN_PACE_PER_MINUTE <= float(given) <= MAX_PACE_PER_MINUTE):
            raise usage.UsageError(
                f"--pace {given}: should be a number from {MIN_PACE_PER_MINUTE} to {MAX_PACE_PER_MINUTE}"
            )
        return float(given)

    def _parse_phones(self) -> ApiTarget | None:
        given = self["phones"]
        try:
            return None if given is None else ApiTarget.parse(given)
        except ValueError as problem:
            raise usage.UsageError(f"--phones {given}: {problem}") from None

    def _parse_endpoint(self, name: str) -> ListenEndpoint:
        try:
            return ListenEndpoint.parse(self[name])
        except (ValueError, OSError) as problem:
            raise usage.UsageError(f"--{name} {self[name]}: {problem}") from None


class Simulator(TypedMultiService):
    """Properties on consecutive ports from that of ``listen`` on, and one control interface for all.

    With a ``pace``, of so many happenings a minute, each property lives by itself.
    """

    def __init__(
        self,
        reactor: Any,
        listen: str,
        control: str,
        rooms: int = 100,
        ports: int = 1,
        pace: float | None = None,
    ) -> None:
        super().__init__()
        keep = min(MAX_STORED_RECORDS, max(_MIN_RECORDS_PER_PROPERTY, _MAX_RECORDS_IN_PROCESS // ports))
        places = [ListenEndpoint.parse(listen).at_port_offset(at) for at in range(ports)]
        self.properties = [
            Pms(reactor, local_now, rooms, port=place.port, max_records=keep, seed=at)
            for at, place in enumerate(places)
        ]
        self.lives = []
        if pace is not None:
            for at, pms in enumerate(self.properties):
                self.lives.append(Life(pms, reactor, Random(at), pace))  # noqa: S311 (repeatable, not secret)
        for pms, place in zip(self.properties, places, strict=True):
            self._listen(serverFromString(reactor, str(place)), PmsFactory(pms), pms.on_listening)
        self._listen(serverFromString(reactor, control), json_site(ControlApi(self.properties).app))

    def startService(self) -> None:
        super().startService()
        for life in self.lives:
            life.start()

    def stopService(self) -> Deferred[Any]:
        """Close the ports and whatever is connected."""
        for life in self.lives:
            life.stop()
        return gatherResults([super().stopService(), *(pms.stop() for pms in self.properties)])

    def _listen(self, *arguments: Any) -> None:
        ListenerService("pmssim", *arguments).setServiceParent(self)


def makeService(options: Options) -> IService:
    """The service of ``twistd pmssim``."""
    from twisted.internet import reactor

    _raise_descriptor_limit(2 * options["ports"] + _SPARE_DESCRIPTORS)
    pace, line = options["pace"], options["phones"]
    simulator = Simulator(
        reactor,
        options["listen"],
        options["control"],
        options["rooms"],
        options["ports"],
        pace if options["life"] else None,
    )
    if line is not None:
        make_phones(reactor, line, pace).setServiceParent(simulator)
    return simulator


def _raise_descriptor_limit(needed: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def local_now() -> datetime:
    return datetime.now().astimezone()
