"""Tests of work by hand while the PMS cannot be reached, and of its comparison with the PMS."""

from __future__ import annotations

from typing import Any

import pytest

from tests.time_limit import time_limit
from tests.web.api.test_room_endpoints import events
from tests.web.protected_api import TokenProtectedApi
from tests.web.served_api import ServedApi

LINK = "/api/v1/links/grand"
ROOMS = f"{LINK}/rooms"
COLE = {"name": "Cole", "first_name": "Ann", "language": "EA", "departure": "2026-11-25"}


def dock_with_guests(served: ServedApi) -> None:
    """Adams is in 101 and Bauer in 103 when the link is lost."""
    served.add_link("grand", timezone="UTC", alive_interval=36_000)
    served.dock()
    served.send_from_pms("GI|RN101|G#1|GSN|GNAdams|CS2|", "GI|RN103|G#3|GSN|GNBauer|CS2|")
    served.advance(5)


def lose_link(served: ServedApi) -> None:
    served.pms.latest_connection.transport.loseConnection()  # type: ignore[union-attr]
    served.advance()


def come_back(served: ServedApi, *records: str) -> None:
    """Dock again, once the link has dialled, and send what the PMS has of all rooms."""
    link = served.links.get("grand")
    while link is not None and link.core.marker != "WAIT_LS":  # the delay is random
        served.advance(0.1)
    served.dock()
    served.send_from_pms("DS|", *records, "DE|")


async def act(served: ServedApi, room: str, kind: str, body: object = None) -> Any:
    return await served.post(f"{ROOMS}/{room}/{kind}", body)


async def changes(served: ServedApi) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = (await served.get(f"{LINK}/by-hand")).json()["changes"]
    return listed


@time_limit(10)
async def test_what_was_done_by_hand_is_listed_and_marked(served_api: ServedApi) -> None:
    dock_with_guests(served_api)
    lose_link(served_api)
    answer = await act(served_api, "102", "check-in", COLE | {"class_of_service": 3})
    assert answer.status == 202
    (change,) = answer.json()["changes"]
    assert (change["what"], change["room"], change["by"], change["agrees"]) == ("check_in", "102", None, None)
    assert (change["guest"]["number"], change["guest"]["name"]) == ("", "Cole")
    assert (change["guest"]["arrival"], change["guest"]["departure"]) == ("2026-11-20", "2026-11-25")
    assert (await act(served_api, "101", "move", {"to": "104"})).status == 202
    assert (await act(served_api, "103", "check-out")).status == 202
    listed = (await served_api.get(f"{LINK}/by-hand")).json()
    assert (listed["waiting"], listed["differ"], listed["agreed"]) == (3, 0, 0)
    rooms = (await served_api.get(ROOMS)).json()["rooms"]
    assert {room["room"]: room["by_hand"] and room["by_hand"]["what"] for room in rooms} == {
        "101": "move",
        "102": "check_in",
        "103": "check_out",
        "104": "move",
    }
    assert (await served_api.get(f"{ROOMS}/102")).json()["by_hand"] == {
        "what": "check_in",
        "by": None,
        "at": change["at"],
    }
    assert (await served_api.get(LINK)).json()["by_hand"] == {"open": 3, "differ": 0}
    by = [(event["type"], event["room"], event.get("by")) for event in await events(served_api)]
    assert by[-7:] == [
        ("guest.checked_in", "102", "local"),
        ("room.class_of_service", "102", "local"),
        ("guest.moved", "104", "local"),
        ("room.class_of_service", "101", "local"),
        ("room.class_of_service", "104", "local"),
        ("guest.checked_out", "103", "local"),
        ("room.class_of_service", "103", "local"),
    ]


@time_limit(10)
async def test_it_is_refused_while_the_link_is_in_sync(served_api: ServedApi) -> None:
    dock_with_guests(served_api)
    for kind, body in [("check-in", COLE), ("check-out", None), ("move", {"to": "104"})]:
        assert (await act(served_api, "101", kind, body)).error == (409, "in_sync")


@pytest.mark.parametrize("control", ["disable", "expire", "disconnect"])
@time_limit(10)
async def test_it_is_taken_while_the_link_is_off(served_api: ServedApi, control: str) -> None:
    dock_with_guests(served_api)
    await served_api.post(f"{LINK}/{control}")
    served_api.advance(30)
    assert (await act(served_api, "102", "check-in", COLE)).status == 202


@time_limit(10)
async def test_a_resync_is_requested_and_both_sides_are_shown(served_api: ServedApi) -> None:
    dock_with_guests(served_api)
    lose_link(served_api)
    await act(served_api, "102", "check-in", COLE)
    await act(served_api, "104", "check-in", {"name": "Day"})
    await act(served_api, "101", "move", {"to": "105"})
    await act(served_api, "103", "check-out")
    assert (await served_api.get(LINK)).json()["resync"]["wanted"] is True
    come_back(
        served_api,
        "GI|RN101|G#1|GSN|GNAdams|CS2|SF|",
        "GI|RN102|G#2|GSN|GNCOLE|SF|",
        "GI|RN104|G#4|GSN|GNEngel|SF|",
        "GI|RN103|G#3|GSN|GNBauer|CS2|SF|",
    )
    assert (await served_api.get(LINK)).json()["by_hand"] == {"open": 2, "differ": 2}
    listed = await changes(served_api)
    assert [(one["what"], one["agrees"], one["decided"]) for one in listed] == [
        ("check_in", True, None),
        ("check_in", False, "pms"),
        ("move", False, None),
        ("check_out", False, None),
    ]
    sides = [
        tuple(
            (one[side]["room"], one[side]["guest"] and one[side]["guest"]["name"]) for side in ("ours", "pms")
        )
        for one in listed
    ]
    assert sides == [
        (("102", "COLE"), ("102", "COLE")),
        (("104", "Day"), ("104", "Engel")),
        (("105", "Adams"), ("101", "Adams")),
        (("103", None), ("103", "Bauer")),
    ]
    assert listed[2]["until"][:15] == "2026-11-21T07:0"


@time_limit(10)
async def test_a_person_decides(served_api: ServedApi) -> None:
    dock_with_guests(served_api)
    lose_link(served_api)
    await act(served_api, "101", "move", {"to": "105"})
    await act(served_api, "103", "check-out")
    move, check_out = [one["id"] for one in await changes(served_api)]
    assert (await served_api.post(f"{LINK}/by-hand/{move}/take")).error == (409, "not_compared")
    come_back(served_api, "GI|RN101|G#1|GSN|GNAdams|CS2|SF|", "GI|RN103|G#3|GSN|GNBauer|CS2|SF|")
    kept = await served_api.post(f"{LINK}/by-hand/{move}/keep")
    assert (kept.status, kept.json()["decided"], kept.json()["until"]) == (202, "keep", None)
    taken = await served_api.post(f"{LINK}/by-hand/{check_out}/take")
    assert (taken.status, taken.json()["decided"]) == (202, "take")
    assert (await served_api.post(f"{LINK}/by-hand/{check_out}/take")).error == (409, "decided")
    rooms = {room["room"]: room for room in (await served_api.get(ROOMS)).json()["rooms"]}
    assert [guest["name"] for guest in rooms["103"]["guests"]] == ["Bauer"]
    assert [guest["name"] for guest in rooms["105"]["guests"]] == ["Adams"]
    assert [one["decided"] for one in await changes(served_api)] == ["keep", "take"]
    assert (await served_api.post(f"{LINK}/by-hand/4711/take")).error == (404, "unknown_change")
    assert (await served_api.post(f"{LINK}/by-hand/x/keep")).error == (404, "unknown_change")


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        ("check-in", {}, "name"),
        ("check-in", {"name": " "}, "name"),
        ("check-in", {"name": 1}, "name"),
        ("check-in", {"name": "."}, "name"),
        ("check-in", {"name": "--- ´", "first_name": "Ann"}, "name"),
        ("check-in", {"name": "x" * 201}, "name"),
        ("check-in", COLE | {"departure": "25.11.2026"}, "departure"),
        ("check-in", COLE | {"class_of_service": 10}, "class_of_service"),
        ("check-in", COLE | {"number": "17"}, "number"),
        ("move", {}, "to"),
        ("move", {"to": "1|2"}, "to"),
    ],
)
@time_limit(10)
async def test_a_wrong_body_is_named(served_api: ServedApi, kind: str, body: object, field: str) -> None:
    served_api.add_link("grand", enabled=False)
    answer = await act(served_api, "101", kind, body)
    assert answer.error == (400, "invalid")
    assert answer.json()["error"]["field"] == field


@time_limit(10)
async def test_an_occupied_and_a_vacant_room_are_refused(served_api: ServedApi) -> None:
    served_api.add_link("grand", enabled=False)
    assert (await act(served_api, "101", "check-out")).error == (409, "vacant")
    assert (await act(served_api, "101", "check-in", COLE)).status == 202
    assert (await act(served_api, "102", "check-in", {"name": "Day"})).status == 202
    assert (await act(served_api, "101", "move", {"to": "102"})).error == (409, "occupied")
    renamed = await act(served_api, "101", "check-in", {"name": "Coleman"})
    assert renamed.json()["changes"][0]["guest"]["name"] == "Coleman"
    assert (await act(served_api, "101", "check-out")).json() == {"changes": []}


@time_limit(10)
async def test_it_is_unknown_of_an_unknown_link(served_api: ServedApi) -> None:
    for path in ("rooms/101/check-in", "rooms/101/check-out", "by-hand/1/take"):
        assert (await served_api.post(f"/api/v1/links/none/{path}")).error[0] == 404
    assert (await served_api.get("/api/v1/links/none/by-hand")).error == (404, "unknown_link")


@time_limit(10)
async def test_charges_wait_until_the_pms_confirms_the_stay(served_api: ServedApi) -> None:
    dock_with_guests(served_api)
    lose_link(served_api)
    for room in ("102", "104"):
        await act(served_api, room, "check-in", {"name": f"Guest of {room}"})
    served_api.advance(1)
    posted = [
        (await served_api.post(f"{LINK}/postings", {"type": "minibar", "room": room, "article": "7"}))
        for room in ("102", "104", "101")
    ]
    assert {one.status for one in posted} == {202}
    ids = [one.json()["id"] for one in posted]
    link = (await served_api.get(LINK)).json()
    assert (link["held"]["by"], link["held"]["waiting"], link["held"]["until"]) == ("local", 2, None)
    come_back(
        served_api,
        "GI|RN101|G#1|GSN|GNAdams|CS2|SF|",
        "GI|RN102|G#2|GSN|GNGuest of 102|SF|",
        "GI|RN104|G#4|GSN|GNSomebody|SF|",
    )
    served_api.advance(15)
    served_api.send_from_pms("PA|RN102|ASOK|P#1|")
    served_api.advance()
    served_api.send_from_pms("PA|RN101|ASOK|P#3|")
    rows = [(await served_api.get(f"{LINK}/postings/{id}")).json() for id in ids]
    assert [(row["state"], row["reason"], row["reservation"]) for row in rows] == [
        ("done", None, "2"),
        ("refused", "local_guest", None),
        ("done", None, "1"),
    ]
    refused = [event for event in await events(served_api) if event["type"] == "posting.refused"]
    assert [event["posting"]["room"] for event in refused] == ["104"]
    assert (await served_api.get(LINK)).json()["held"] is None


@time_limit(10)
async def test_names_are_masked_for_view_and_the_token_is_named(protected_api: TokenProtectedApi) -> None:
    protected_api.add_link("grand", enabled=False)
    desk = protected_api.bearer_headers("desk")
    answer = await protected_api.post(f"{ROOMS}/101/check-in", COLE, desk)
    assert answer.json()["changes"][0]["by"] == "desk"
    await protected_api.post(f"{ROOMS}/101/move", {"to": "102"}, desk)
    control = protected_api.bearer_headers("control")
    audit = (await protected_api.get("/api/v1/audit", headers=control)).json()["audit"]
    assert [(one["action"], one["object"], one["after"], one["who"]) for one in audit] == [
        ("room.move", "room 101", {"to": "102"}, "desk"),
        ("room.check_in", "room 101", None, "desk"),
    ]
    switchboard = protected_api.bearer_headers("pbx")
    assert (await protected_api.post(f"{ROOMS}/102/check-out", headers=switchboard)).error == (
        403,
        "forbidden",
    )
    wall = protected_api.bearer_headers("view")
    (change,) = (await protected_api.get(f"{LINK}/by-hand", headers=wall)).json()["changes"]
    assert (change["guest"]["name"], change["ours"]["guest"]["name"], change["by"]) == ("•••", "•••", "desk")
    assert (await protected_api.post(f"{ROOMS}/101/check-out", headers=wall)).error == (403, "forbidden")
