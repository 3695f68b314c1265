"""A service and the PMS simulator of several hotels, as processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from attrs import field, frozen

from tests.process.server_processes import (
    ServerProcess,
    ServiceProcess,
    free_ports,
    run_service,
    run_simulator,
    wait_until,
)

PROPERTY_COUNT = 4


@frozen
class HotelProcesses:
    """A service with a docked link `grand`, and the PMSs of more hotels, all with switchable faults."""

    pms: ServerProcess
    pbx: ServiceProcess
    ports: Sequence[int]
    """The ports of the PMSs; the first is that of `grand`."""
    _checked_in: list[tuple[int, str]] = field(factory=list, init=False)
    """The ports and numbers of the guests whom a test has checked in."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.pbx.port}"

    def make_link(self, name: str, port: int = 1, **settings: object) -> Any:
        """Create a link. Port 1 refuses connections; each link has another address of this machine there."""
        links = require_success(self.pbx.call("GET", "/api/v1/links"))["links"]
        used = {link["host"] for link in links if link["port"] == port}
        host = next(host for number in count(1) if (host := f"127.0.0.{number}") not in used)
        body = {"name": name, "host": host, "port": port, "profile": "generic", **settings}
        return require_success(self.pbx.call("POST", "/api/v1/links", body))

    def make_docked_link(self, name: str, port: int, **settings: object) -> None:
        """Create a link, and wait until it is in sync and its first resync has ended."""
        self.make_link(name, port, enabled=True, **settings)
        wait_until(lambda: self._is_docked(name), f"{name} is docked")

    def _is_docked(self, name: str) -> bool:
        link = self.link(name)
        return bool(link["in_sync"] and link["resync"]["ended"])

    def link(self, name: str = "grand") -> Any:
        return require_success(self.pbx.call("GET", f"/api/v1/links/{name}"))

    def transitions(self, name: str) -> list[Any]:
        """Return the transitions of a link, oldest first."""
        answer = require_success(self.pbx.call("GET", f"/api/v1/links/{name}/transitions"))
        return list(reversed(answer["transitions"]))

    def control(self, name: str, verb: str) -> Any:
        return require_success(self.pbx.call("POST", f"/api/v1/links/{name}/{verb}"))

    def enqueue_posting(self, name: str, **posting: object) -> Any:
        return require_success(self.pbx.call("POST", f"/api/v1/links/{name}/postings", posting))

    def remove_link(self, name: str) -> None:
        require_success(self.pbx.call("DELETE", f"/api/v1/links/{name}?discard=true"))

    def set_faults(self, port: int, **faults: object) -> None:
        require_success(self.pms.call("POST", f"/faults?port={port}", faults))

    def send_record(self, port: int, text: str) -> None:
        """Make the PMS send this record."""
        require_success(self.pms.call("POST", f"/records?port={port}", {"text": text}))

    def check_in(self, port: int, room: str, name: str, **details: object) -> str:
        """Check in a guest; return the guest's number."""
        guest = self.call_desk("POST", "/guests", port, {"room": room, "name": name, **details})
        self._checked_in.append((port, str(guest["number"])))
        return str(guest["number"])

    def call_desk(self, method: str, path: str, port: int, body: object = None) -> Any:
        """Call the control API of the hotel at this port."""
        return require_success(self.pms.call(method, f"{path}?port={port}", body))

    def vacant_rooms(self, port: int) -> list[str]:
        return [room["room"] for room in self.call_desk("GET", "/rooms", port)["rooms"] if not room["guests"]]

    def _guests_at(self, port: int) -> set[str]:
        """Return the numbers of the guests in the hotel at this port."""
        return {str(guest["number"]) for guest in self.call_desk("GET", "/guests", port)["guests"]}

    def call_rooms(self, method: str, path: str, body: object = None, link: str = "made") -> Any:
        """Call pmslink's API for rooms, like the PBX."""
        return require_success(self.pbx.call(method, f"/api/v1/links/{link}/rooms/{path}", body))

    def reset(self) -> None:
        """Restore the initial state, except for the history."""
        require_success(self.pms.call("DELETE", "/faults"))
        for port, number in self._checked_in:
            if number in self._guests_at(port):
                self.call_desk("DELETE", f"/guests/{number}", port)
        self._checked_in.clear()
        for link in self.pbx.call("GET", "/api/v1/links")["links"]:
            if link["name"] != "grand":
                self.remove_link(link["name"])
        self.control("grand", "enable")
        self.pbx.wait_until_state("ESTABLISHED")


def future_wake_up_time() -> datetime:
    """Return a future morning in the hotel's local time, which is that of this machine."""
    day = datetime.now() + timedelta(days=2)  # noqa: DTZ005
    return day.replace(hour=6, minute=45, second=0, microsecond=0)


def require_success(answer: Any) -> Any:
    assert answer is not None, "no response"
    assert "error" not in answer, answer
    return answer


@contextmanager
def start_hotel(folder: Path) -> Iterator[HotelProcesses]:
    ports = free_ports(PROPERTY_COUNT)
    with ExitStack() as stack:
        control, api = free_ports(2)
        pms = stack.enter_context(run_simulator(folder, ports[0], control, ports=PROPERTY_COUNT))
        pbx = stack.enter_context(run_service(folder, ports[0], api))
        pbx.wait_until_state("ESTABLISHED")
        yield HotelProcesses(pms, pbx, ports)
