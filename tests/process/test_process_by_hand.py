"""Work by hand during an outage, with the service and the PMS simulator as processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.process.server_processes import (
    ServerProcess,
    ServiceProcess,
    fake_wall_clock,
    free_ports,
    run_service,
    run_simulator,
    wait_until,
)

LINK = "/api/v1/links/grand"
ROOMS = f"{LINK}/rooms"


class Hotel:
    """A hotel whose PMS and PBX are processes; the link is in sync."""

    def __init__(self, pms: ServerProcess, pbx: ServiceProcess) -> None:
        self.pms, self.pbx = pms, pbx
        self.pbx.wait_until_state("ESTABLISHED")
        self.first_event = 0
        wait_until(
            lambda: any(event["type"] == "resync.ended" for event in self.events()),
            "the events of the first resync are stored",
        )
        rooms = self.pms.call("GET", "/rooms")["rooms"]
        guests = {guest["number"]: guest for guest in self.pms.call("GET", "/guests")["guests"]}
        self.vacant = [room["room"] for room in rooms if not room["guests"]]
        self.single = [guests[room["guests"][0]] for room in rooms if len(room["guests"]) == 1]
        self.first_event = self.pbx.call("GET", f"{LINK}/events?limit=1000")["next"]

    def cut(self) -> None:
        """Let the PMS hang until `restore`."""
        self.pms.call("POST", "/faults", {"frozen": True})
        self.pms.call("POST", "/link/drop")
        self.pbx.wait_until_state("EXPECTION")

    def restore(self) -> None:
        """Let the PMS go on, and wait until what was done by hand is compared with it."""
        self.pms.call("DELETE", "/faults")
        self.pbx.wait_until_state("ESTABLISHED")
        wait_until(lambda: self.by_hand()["waiting"] == 0, "the PMS was asked for all rooms")

    def act(self, room: str, what: str, body: object = None) -> None:
        """Do something by hand. The link tries to dock meanwhile, but is not in sync."""
        answer = self.pbx.call("POST", f"{ROOMS}/{room}/{what}", body)
        assert "changes" in answer, answer

    def by_hand(self) -> Any:
        return self.pbx.call("GET", f"{LINK}/by-hand") or {"waiting": None, "changes": []}

    def names(self) -> tuple[Mapping[str, list[str]], Mapping[str, list[str]]]:
        """The names of the guests by occupied room, as the PBX and as the PMS has them."""
        rooms = self.pbx.call("GET", ROOMS)["rooms"]
        guests = self.pms.call("GET", "/guests")["guests"]
        of_pbx = {one["room"]: sorted(guest["name"] for guest in one["guests"]) for one in rooms}
        of_pms = {
            guest["room"]: sorted(one["name"] for one in guests if one["room"] == guest["room"])
            for guest in guests
        }
        return {room: names for room, names in of_pbx.items() if names}, of_pms

    def events(self) -> list[Any]:
        """The events since the first resync, without those of the link."""
        events = self.pbx.call("GET", f"{LINK}/events?limit=1000&after={self.first_event}")["events"]
        return [event for event in events if event["type"] != "link.changed"]


def work_during_outage(hotel: Hotel) -> None:
    """Check three guests in, move one, check one out, and wake one up; the PMS learns of three of these."""
    confirmed, also_confirmed, unknown, new_room = hotel.vacant[:4]
    moved, checked_out = hotel.single[:2]
    hotel.cut()
    hotel.act(confirmed, "check-in", {"name": "Larsen", "first_name": "Nils"})
    hotel.act(also_confirmed, "check-in", {"name": "müller anna"})
    hotel.act(unknown, "check-in", {"name": "Nobody", "class_of_service": 3})
    hotel.act(moved["room"], "move", {"to": new_room})
    hotel.act(checked_out["room"], "check-out")
    hotel.pbx.call("PUT", f"{ROOMS}/{confirmed}/wake-up", {"at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"})
    wait_until(lambda: any(event["type"] == "wake_up.due" for event in hotel.events()), "the wake-up rings")
    assert {one["what"] for one in hotel.by_hand()["changes"]} == {"check_in", "move", "check_out"}
    hotel.pms.call("POST", "/guests", {"room": confirmed, "name": "LARSEN", "first_name": "Nils"})
    hotel.pms.call("POST", "/guests", {"room": also_confirmed, "name": "Müller", "first_name": "Anna"})
    hotel.pms.call("PATCH", f"/guests/{moved['number']}", {"room": new_room})
    hotel.restore()
    listed = {one["room"]: one for one in hotel.by_hand()["changes"]}
    assert {room: one["agrees"] for room, one in listed.items()} == {
        confirmed: True,
        also_confirmed: True,
        unknown: False,
        moved["room"]: True,
        checked_out["room"]: False,
    }
    assert listed[unknown]["pms"] == {"room": unknown, "guest": None}
    assert listed[checked_out["room"]]["pms"]["guest"]["name"] == checked_out["name"]
    assert hotel.pbx.link()["by_hand"] == {"open": 2, "differ": 2}
    of_pbx, of_pms = hotel.names()
    assert {room for room in {*of_pbx, *of_pms} if of_pbx.get(room) != of_pms.get(room)} == {
        unknown,
        checked_out["room"],
    }


def expect_each_event_once(hotel: Hotel) -> None:
    events = [event for event in hotel.events() if event["type"].startswith("guest.")]
    counts = Counter((event["type"], event["room"], event["guest"]["name"].casefold()) for event in events)
    assert set(counts.values()) == {1}, counts
    by_hand = [event["type"] for event in events if event.get("by") == "local"]
    assert sorted(by_hand) == ["guest.checked_in"] * 3 + ["guest.checked_out", "guest.moved"]


def test_what_differs_is_taken_by_a_person(tmp_path: Path) -> None:
    pms_port, control, api = free_ports(3)
    with (
        run_simulator(tmp_path, pms_port, control, rooms=20) as pms,
        run_service(tmp_path, pms_port, api, timezone="UTC") as pbx,
    ):
        hotel = Hotel(pms, pbx)
        work_during_outage(hotel)
        for change in hotel.by_hand()["changes"]:
            if not change["agrees"]:
                taken = pbx.call("POST", f"{LINK}/by-hand/{change['id']}/take")
                assert taken["decided"] == "take", taken
        of_pbx, of_pms = hotel.names()
        assert of_pbx == of_pms
        assert hotel.pbx.link()["by_hand"] == {"open": 0, "differ": 0}
        expect_each_event_once(hotel)


@pytest.mark.debian
def test_what_differs_is_taken_over_a_day_later(tmp_path: Path) -> None:
    pms_port, control, api = free_ports(3)
    clock, environment = fake_wall_clock(tmp_path)
    with (
        run_simulator(tmp_path, pms_port, control, rooms=20) as pms,
        run_service(tmp_path, pms_port, api, environment=environment, timezone="UTC") as pbx,
    ):
        hotel = Hotel(pms, pbx)
        work_during_outage(hotel)
        until = min(one["until"] for one in hotel.by_hand()["changes"] if not one["agrees"])
        assert datetime.fromisoformat(until) > datetime.now(UTC)
        clock.write_text("+24h")
        wait_until(lambda: hotel.pbx.link()["by_hand"]["open"] == 0, "what the PMS says is taken over")
        of_pbx, of_pms = hotel.names()
        assert of_pbx == of_pms
        expect_each_event_once(hotel)
