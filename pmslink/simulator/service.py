"""The simulator as a Twisted service: the command line of `twistd pmssim`, and the ports."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

from attrs import evolve
from twisted.application.service import IService
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import serverFromString
from twisted.python import usage

from pmslink.endpoint_strings import MAX_PORT, EndpointString
from pmslink.file_descriptors import raise_descriptor_limit
from pmslink.foreground_pid_file import drop_default_pid_file
from pmslink.listener import ListenerService
from pmslink.simulator.control.control_api import make_control_site
from pmslink.simulator.life.activity_scheduler import Life
from pmslink.simulator.life.api_target import ApiTarget
from pmslink.simulator.life.pmslink_client import make_phones
from pmslink.simulator.pms.connection_factory import PmsFactory
from pmslink.simulator.pms.fault_switches import NO_FAULTS, FaultError, Faults
from pmslink.simulator.pms.pbx_address import PbxAddress
from pmslink.simulator.pms.property import MAX_STORED_RECORDS, Pms
from pmslink.timestamps import local_now
from pmslink.typed_service import TypedMultiService
from pmslink.web.auth.listen_policy import is_local_only

MAX_ROOMS, MAX_PORTS = 10_000, 50_000
MIN_PACE_PER_MINUTE, MAX_PACE_PER_MINUTE = 0.1, 6000
"""Range of activities per minute."""
_MAX_RECORDS_IN_PROCESS = 200_000
"""Limit of trace entries for all properties of a process together."""
_MIN_RECORDS_PER_PROPERTY = 100
"""Trace entries of one property, even if there are many properties."""
_DESCRIPTORS_PER_PROPERTY = 2
"""Descriptors of a property: its port and one connection."""
_SPARE_DESCRIPTORS = 64
"""Descriptors that a process needs for other purposes."""
_EXPECTED_FORM = "an endpoint should look like tcp:5010:interface=127.0.0.1"


def parse_listen_endpoint(text: str) -> EndpointString:
    """Parse the endpoint of a TCP or TLS port, for example ``tcp:5010:interface=127.0.0.1``.

    Raises ValueError for any other endpoint, and OSError if a file of keys or certificates cannot be read.
    """
    endpoint = EndpointString.parse(text)
    if endpoint.kind not in ("tcp", "tcp6", "ssl") or endpoint.port is None:
        raise ValueError(_EXPECTED_FORM)
    try:
        serverFromString(None, text)  # validates the other arguments; does not listen
    except TypeError:
        raise ValueError(_EXPECTED_FORM) from None
    return endpoint.with_port(endpoint.port)


def offset_port(endpoint: EndpointString, offset: int) -> EndpointString:
    """Return the endpoint with a port that is higher by `offset`; port 0 (any free port) stays 0."""
    return endpoint.with_port(endpoint.port + offset) if endpoint.port else endpoint


class Options(usage.Options):
    """The command line of ``twistd pmssim``."""

    optParameters = [  # noqa: RUF012 (Twisted's own convention)
        ["listen", "l", "tcp:5010:interface=127.0.0.1", "Twisted endpoint for the PBX."],
        ["control", "c", "tcp:5011:interface=127.0.0.1", "Twisted endpoint of the control API (JSON)."],
        ["rooms", "r", "100", "Number of rooms of each property."],
        ["ports", "p", "1", "Number of properties, on consecutive ports."],
        ["pace", None, "6", "Activities per minute of --life and of --phones, on average."],
        ["dial", None, None, "HOST:PORT: the first property connects to its PBX at this address."],
        ["phones", None, None, "URL,LINK: the first property's phones call pmslink's API for this link."],
    ]
    optFlags = [["life", None, "Generate activity of guests and the front desk."]]  # noqa: RUF012

    def opt_fault(self, text: str) -> None:
        """NAME=VALUE: a fault of all properties from the start; may be repeated."""
        name, _, value = text.partition("=")
        try:
            self["faults"] = Faults.parse({name: _parse_fault_value(name, value)}, self.get("faults"))
        except FaultError as problem:
            raise usage.UsageError(f"--fault {text}: {problem}") from None

    def parseOptions(self, options: list[str] | None = None) -> None:
        """Parse the command line. Raises SystemExit with one line for stderr if it is invalid."""
        try:
            usage.Options.parseOptions(self, options)
        except usage.UsageError as problem:
            raise SystemExit(f"pmssim: {problem}") from None

    def postOptions(self) -> None:
        """Validate the options and replace their texts by values. Raises UsageError for an invalid option."""
        drop_default_pid_file(self)
        self.setdefault("faults", NO_FAULTS)
        self["rooms"] = self._parse_count("rooms", MAX_ROOMS)
        self["ports"] = self._parse_count("ports", MAX_PORTS)
        self["pace"] = self._parse_pace()
        self["phones"] = self._parse_phones()
        self["dial"] = self._parse_dial_address()
        listen, control = self._parse_endpoint("listen"), self._parse_endpoint("control")
        first, control_port = listen.port or 0, control.port or 0
        last = first + self["ports"] - 1 if first else 0
        if last > MAX_PORT:
            raise usage.UsageError(
                f"--ports {self['ports']}: the last would be port {last}; {MAX_PORT} is the highest"
            )
        if control_port and first <= control_port <= last:
            raise usage.UsageError(f"--control {control}: the properties use the ports {first} to {last}")

    def _parse_count(self, name: str, maximum: int) -> int:
        text = self[name]
        if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= maximum):
            raise usage.UsageError(f"--{name} {text}: should be a number from 1 to {maximum}")
        return int(text)

    def _parse_pace(self) -> float:
        text = self["pace"]
        is_number = re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", text)
        if not (is_number and MIN_PACE_PER_MINUTE <= float(text) <= MAX_PACE_PER_MINUTE):
            raise usage.UsageError(
                f"--pace {text}: should be a number from {MIN_PACE_PER_MINUTE} to {MAX_PACE_PER_MINUTE}"
            )
        return float(text)

    def _parse_phones(self) -> ApiTarget | None:
        text = self["phones"]
        try:
            return None if text is None else ApiTarget.parse(text)
        except ValueError as problem:
            raise usage.UsageError(f"--phones {text}: {problem}") from None

    def _parse_dial_address(self) -> PbxAddress | None:
        text = self["dial"]
        try:
            return None if text is None else PbxAddress.parse(text)
        except ValueError as problem:
            raise usage.UsageError(f"--dial {text}: {problem}") from None

    def _parse_endpoint(self, name: str) -> EndpointString:
        try:
            return parse_listen_endpoint(self[name])
        except (ValueError, OSError) as problem:
            raise usage.UsageError(f"--{name} {self[name]}: {problem}") from None


def _parse_fault_value(name: str, text: str) -> Any:
    """Parse the value of a fault: text, or else JSON (true, 2.5)."""
    if isinstance(getattr(NO_FAULTS, name, None), str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


class Simulator(TypedMultiService):
    """Properties on consecutive ports, the first at ``listen``, and one control API for all.

    With a ``pace``, each property has automatic activity: this many activities per minute, on average. With
    an address to ``dial``, the first property connects to its PBX itself.
    """

    def __init__(
        self,
        reactor: Any,
        listen: str,
        control: str,
        rooms: int = 100,
        ports: int = 1,
        pace: float | None = None,
        faults: Faults = NO_FAULTS,
        dial: PbxAddress | None = None,
    ) -> None:
        super().__init__()
        max_records = min(
            MAX_STORED_RECORDS, max(_MIN_RECORDS_PER_PROPERTY, _MAX_RECORDS_IN_PROCESS // ports)
        )
        first = parse_listen_endpoint(listen)
        endpoints = [offset_port(first, index) for index in range(ports)]
        self.properties = [
            Pms(
                reactor,
                local_now,
                rooms,
                port=endpoint.port or 0,
                max_records=max_records,
                seed=index,
                connect=reactor.connectTCP,
            )
            for index, endpoint in enumerate(endpoints)
        ]
        self._faults, self._dial = faults, dial
        self.lives = []
        if pace is not None:
            for index, pms in enumerate(self.properties):
                rng = Random(index)  # noqa: S311 (repeatable, not secret)
                self.lives.append(Life(pms, reactor, rng, pace))
        for pms, endpoint in zip(self.properties, endpoints, strict=True):
            self._listen(serverFromString(reactor, str(endpoint)), PmsFactory(pms), pms.on_listening)
        self._listen(
            serverFromString(reactor, control), make_control_site(self.properties, is_local_only(control))
        )

    def startService(self) -> None:
        """Set the faults, and start the automatic activity; the ports are open already."""
        super().startService()
        for pms in self.properties if self._faults != NO_FAULTS else ():
            pms.set_faults(self._faults)
        if self._dial is not None:
            self.properties[0].set_faults(evolve(self._faults, dial=str(self._dial)))
        for life in self.lives:
            life.start()

    def stopService(self) -> Deferred[Any]:
        """Stop the activity, and close all ports and connections."""
        for life in self.lives:
            life.stop()
        return gatherResults([super().stopService(), *(pms.stop() for pms in self.properties)])

    def _listen(self, *arguments: Any) -> None:
        ListenerService("pmssim", *arguments).setServiceParent(self)


def makeService(options: Options) -> IService:
    """Make the service of ``twistd pmssim``."""
    from twisted.internet import reactor

    raise_descriptor_limit(_DESCRIPTORS_PER_PROPERTY * options["ports"] + _SPARE_DESCRIPTORS)
    pace, phones_target = options["pace"], options["phones"]
    simulator = Simulator(
        reactor,
        options["listen"],
        options["control"],
        options["rooms"],
        options["ports"],
        pace if options["life"] else None,
        options["faults"],
        options["dial"],
    )
    if phones_target is not None:
        make_phones(reactor, phones_target, pace).setServiceParent(simulator)
    return simulator
