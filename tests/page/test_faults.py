"""Each fault of the PMS simulator, switched on: the list says within seconds what is wrong, and what to do.

Each fault has a hotel and a link of its own. All links are docked first; then a test switches one fault on.
The faults of the second table are habits that pmslink copes with: nothing is wrong, so the list says nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from attrs import fields, frozen
from playwright.sync_api import Browser, Page, expect

from pmslink.simulator.pms.fault_switches import Faults
from tests.page.browser import open_page
from tests.page.hotel_processes import HotelProcesses, require_success
from tests.page.link_rows import row
from tests.process.server_processes import free_ports, run_service, run_simulator, wait_until

WITHIN_S = 5
"""Seconds within which the list has to say what is wrong."""
LOAD_FACTOR = 4
"""How much slower than usual the machine of the tests may be."""
CALL = {"type": "call", "room": "101", "dialled": "+49 89 1234", "duration": 61, "amount": 250}
TIMINGS = {
    "alive_interval": 3600,
    "alive_timeout": 1,
    "start_timeout": 1,
    "sync_timeout": 1,
    "answer_timeout": 1,
    "listen_time": 0.2,
    "retry_initial": 0.2,
    "retry_max": 1,
}
"""Short, so that what is judged by a time limit is judged in time."""


@frozen
class Fault:
    """What to switch on, what brings it about, and what the list has to say."""

    faults: Mapping[str, object]
    words: str
    why: str
    remedy: str
    trigger: Callable[[Hotels, str, int], object]
    settings: Mapping[str, object] = {}


@frozen
class Hotels:
    """A service and the simulator of a hotel for each fault."""

    processes: HotelProcesses

    def redock(self, name: str, port: int) -> None:
        """Drop the connection: faults of the link start take effect with the next one."""
        self.processes.call_desk("POST", "/link/drop", port)

    def resync(self, name: str, port: int) -> None:
        """Ask for a resync, and have something for the PMS meanwhile."""
        self.processes.control(name, "resync")
        self.post(name, port)

    def dock_with_resync(self, name: str, port: int) -> None:
        """Dock again, and ask for a resync."""
        for control in ("disable", "resync", "enable"):
            self.processes.control(name, control)

    def post(self, name: str, port: int) -> None:
        """Send a charge, of which the PMS gets to know."""
        self.processes.enqueue_posting(name, **CALL)

    def change_room(self, name: str, port: int) -> None:
        """Change something in the hotel."""
        self.processes.call_desk("PATCH", "/rooms/102", port, {"message_light": True})

    def check_in(self, name: str, port: int) -> None:
        """Check in a guest with a letter that is not ASCII."""
        self.processes.check_in(port, "103", "Müller")

    def wait_for_check(self, name: str, port: int) -> None:
        """Do nothing: the next link check finds it."""

    def take_the_port(self, name: str, port: int) -> None:
        """Be the client that the PMS has already."""
        self.processes.control(name, "disable")
        with socket.create_connection(("127.0.0.1", port)) as other:
            wait_until(lambda: self._connections(port) == 2, "the PMS has the other client")
            self.processes.control(name, "enable")
            wait_until(lambda: self.processes.link(name)["state"] == "EXPECTION", "the link is refused")
            other.shutdown(socket.SHUT_RDWR)

    def _connections(self, port: int) -> int:
        (hotel,) = (
            hotel for hotel in self.processes.pms.call("GET", "/")["properties"] if hotel["port"] == port
        )
        return int(hotel["connections"])


REDOCK, POST, CHECK = Hotels.redock, Hotels.post, Hotels.wait_for_check
DOWN, LOOK, ODD, WELL = "Link down", "Check settings", "Check the records", "Connected"
CHECKS = {"alive_interval": 1}

FAULTS: dict[str, Fault] = {
    "close_at_lr": Fault(
        {"close_at_lr": "RE"}, DOWN, "closes the connection when RE", "leave RE out", REDOCK
    ),
    "never_la": Fault(
        {"never_la": True}, DOWN, "does not confirm the link", "Begin to send after” to “", REDOCK
    ),
    "one_per_read": Fault(
        {"one_per_read": True}, DOWN, "does not confirm", "Begin to send after” to “", REDOCK
    ),
    "ls_every": Fault({"ls_every": 1.5}, "Unstable", "started the link again", "Look at the history", REDOCK),
    "ls_unanswered": Fault(
        {"ls_unanswered": True},
        DOWN,
        "stopped answering the link checks",
        r"(hangs|heartbeat)",
        CHECK,
        CHECKS,
    ),
    "frozen": Fault(
        {"frozen": True}, DOWN, "stopped answering the link checks", r"(hangs|heartbeat)", CHECK, CHECKS
    ),
    "clock_offset": Fault(
        {"clock_offset": -7200}, LOOK, "clock is 2 h behind", "check the time zone", Hotels.redock
    ),
    "drop_after": Fault(
        {"drop_after": 3}, DOWN, "closes the connection when", "out of the description", REDOCK
    ),
    "refuse_second": Fault(
        {"refuse_second": True}, DOWN, "lost before the first record", "no other client", Hotels.take_the_port
    ),
    "framing": Fault({"framing": "crlf"}, DOWN, "not with ETX", "a line each", REDOCK),
    "charset": Fault(
        {"charset": "utf-8"}, LOOK, "Names look wrong", "Character set” to utf-8", Hotels.check_in
    ),
    "unknown_record": Fault(
        {"unknown_record": True}, ODD, "not understood.+ZZ", "Look at the records", Hotels.change_room
    ),
    "oversize": Fault({"oversize": 20_000}, ODD, "no FIAS records", "Look at the records", Hotels.check_in),
    "oversize_early": Fault(
        {"oversize_early": 20_000}, ODD, "20,00. bytes that are no FIAS", "Look at the records", REDOCK
    ),
    "dr_ignored": Fault(
        {"dr_ignored": True},
        WELL,
        "did not answer the resync request",
        "ask for a resync",
        Hotels.dock_with_resync,
    ),
    "de_missing": Fault(
        {"de_missing": True}, WELL, "end of the resync", "hangs", Hotels.resync, {"sync_timeout": 60}
    ),
    "pa_delay": Fault(
        {"pa_delay": 60}, "Decision", "did not say whether it booked", "decide in the out", POST
    ),
    "pa_never": Fault(
        {"pa_never": True}, "Decision", "did not say whether it booked", "decide in the out", POST
    ),
    "pa_skip": Fault({"pa_skip": 1}, "Decision", "did not say whether it booked", "decide in the out", POST),
    "pa_out_of_order": Fault(
        {"pa_out_of_order": True}, "Decision", "did not say whether it booked", "decide in the outbox", POST
    ),
    "pa_answer": Fault(
        {"pa_answer": "NG"}, "Decision", "The PMS refused 1 charge", "Look in the outbox", POST
    ),
    "pa_answer NA": Fault({"pa_answer": "NA"}, WELL, "Night audit since", "Nothing to do", POST),
    "pa_answer RY": Fault({"pa_answer": "RY"}, WELL, "asks for them again later", "Wait a minute", POST),
}

HABITS: dict[str, dict[str, object]] = {
    "no_ls": {"no_ls": True},
    "ls_la_at_once": {"ls_la_at_once": True},
    "la_unasked": {"la_unasked": 0.2},
    "la_for_la": {"la_for_la": True},
    "ld_mirror": {"no_ls": True, "ld_mirror": True, "mirror_pause": 0.01, "mirror_strict": True},
    "remember_declaration": {"remember_declaration": True},
    "split_bytes": {"split_bytes": True},
    "joined": {"joined": True},
    "trailer": {"trailer": "lrc"},
    "no_last_bar": {"no_last_bar": True},
    "unknown_field": {"unknown_field": True},
    "empty_fields": {"empty_fields": True},
    "shuffled": {"shuffled": True},
    "gs_twice": {"gs_twice": True},
    "hhmm": {"hhmm": True},
    "name_bytes": {"name_bytes": "02"},
    "duplicate_gi": {"duplicate_gi": True},
    "move_as_go_gi": {"move_as_go_gi": True},
    "move_as_gi_go": {"move_as_gi_go": True},
    "live_in_resync": {"live_in_resync": True},
    "pa_twice": {"pa_twice": True},
    "pa_stray": {"pa_stray": "OK"},
    "pa_without_number": {"pa_without_number": True},
}
OTHERS = {"mirror_pause", "mirror_strict", "dial"}
"""Faults that are switched on together with another one, or are tested with a link that accepts."""


def test_the_tables_name_all_faults() -> None:
    named = {name.split()[0] for name in (*FAULTS, *HABITS)} | OTHERS
    assert named == {fault.name for fault in fields(Faults)}


NAMES = [*FAULTS, *HABITS]


@pytest.fixture(scope="module")
def hotels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hotels]:
    """Run a hotel for each fault; all their links are docked."""
    folder = tmp_path_factory.mktemp("faults")
    ports = free_ports(len(NAMES) + 1)
    control, api = free_ports(2)
    with (
        run_simulator(folder, ports[0], control, ports=len(ports), rooms=12) as pms,
        run_service(folder, ports[0], api) as pbx,
    ):
        hotel = HotelProcesses(pms, pbx, ports)
        for name, port in zip(NAMES, ports[1:], strict=True):
            settings = FAULTS[name].settings if name in FAULTS else {}
            hotel.make_link(_link_name(name), port, enabled=True, **{**TIMINGS, **settings})
        wait_until(lambda: _all_docked(hotel), "all links are docked")
        yield Hotels(hotel)


def _link_name(fault: str) -> str:
    return fault.replace(" ", "-")


def _all_docked(hotel: HotelProcesses) -> bool:
    links = require_success(hotel.pbx.call("GET", "/api/v1/links?fields=brief"))["links"]
    return all(link["in_sync"] and link["resync"]["ended"] for link in links)


@pytest.fixture(scope="module")
def page(browser: Browser, hotels: Hotels) -> Iterator[Page]:
    with open_page(browser, hotels.processes.url) as user:
        expect(user.page.locator(".links .name")).to_have_count(len(NAMES) + 1)
        yield user.page


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_shows_its_cause_and_its_cure(hotels: Hotels, page: Page, name: str) -> None:
    fault, port, link = FAULTS[name], _port_of(hotels, name), _link_name(name)
    page.evaluate(_WATCH, [link, fault.words, fault.why, fault.remedy])
    hotels.processes.set_faults(port, **fault.faults)
    fault.trigger(hotels, link, port)
    expect(row(page, link)).to_have_attribute("data-told", "yes", timeout=1000 * WITHIN_S * LOAD_FACTOR)


_WATCH = """
([name, words, why, remedy]) => {
  const row = document.querySelector(`[data-name="${name}"]`);
  const look = () => {
    const [badge, what] = [".badge", ".wh"].map((part) => row.querySelector(part).innerText);
    const isTold = badge.includes(words) && new RegExp(why).test(what) && new RegExp(remedy).test(what);
    if (isTold) row.dataset.told = "yes";
  };
  new MutationObserver(look).observe(row, {characterData: true, childList: true, subtree: true});
}
"""


def _port_of(hotels: Hotels, name: str) -> int:
    return hotels.processes.ports[1 + NAMES.index(name)]


@pytest.mark.parametrize("name", HABITS)
def test_a_habit_that_harms_nobody_is_no_fault(hotels: Hotels, page: Page, name: str) -> None:
    port, link = _port_of(hotels, name), _link_name(name)
    before = hotels.processes.link(link)["last_in_sync"]
    hotels.processes.set_faults(port, **HABITS[name])
    hotels.redock(link, port)
    wait_until(lambda: _is_docked_again(hotels, link, before), "the link is docked again")
    hotels.check_in(link, port)
    posting = hotels.processes.enqueue_posting(link, **CALL)
    path = f"/api/v1/links/{link}/postings/{posting['id']}"
    wait_until(lambda: hotels.processes.pbx.call("GET", path)["state"] == "done", "the charge is booked")
    expect(row(page, link).locator(".badge")).to_contain_text(WELL)
    expect(row(page, link).locator(".remedy")).to_have_text("")


def _is_docked_again(hotels: Hotels, link: str, before: str) -> bool:
    status: dict[str, Any] = hotels.processes.link(link)
    return bool(status["in_sync"] and status["since"] > before and status["resync"]["ended"])
