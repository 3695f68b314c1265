"""The list of links: order, filters, search, pages and short forms."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from pmslink.web.api.link_endpoints import LINKS_PER_TURN
from pmslink.web.http.compression import ResponseBody
from pmslink.web.serializers.link_serializer import BRIEF_KEYS
from tests.time_limit import time_limit
from tests.web.served_api import ServedApi, make_link_config


async def list_links(served: ServedApi, query: str = "") -> Any:
    return (await served.get(f"/api/v1/links?{query}".rstrip("?"))).json()


async def list_names(served: ServedApi, query: str = "") -> list[str]:
    return [link["name"] for link in (await list_links(served, query))["links"]]


async def list_pages(served: ServedApi, query: str) -> list[list[str]]:
    """Return the names of all pages of a list."""
    pages, after = [], ""
    while True:
        answer = await list_links(served, f"{query}{after}")
        pages.append([link["name"] for link in answer["links"]])
        if answer["next"] is None:
            return pages
        after = f"&after={quote(answer['next'])}"


def add_links_of_all_groups(served: ServedApi) -> None:
    """Add a link that is in sync, one that waits, one that is down, and one that is off."""
    served.add_link("sync", host="192.0.2.9", profile="opera")
    served.dock()
    served.add_link("look")
    served.dock()
    served.send_from_pms("??|")
    served.advance(1)
    served.add_link("waits")
    served.network.mode = "refuse"
    served.add_link("down", retry_initial=300, retry_max=300)
    served.add_link("off", enabled=False)


@time_limit(10)
async def test_links_are_filtered_by_group_attention_and_state(served_api: ServedApi) -> None:
    add_links_of_all_groups(served_api)
    expected = {"connected": "sync", "look": "look", "connecting": "waits", "down": "down", "off": "off"}
    for group, name in expected.items():
        assert await list_names(served_api, f"group={group}") == [name]
        assert (await served_api.get(f"/api/v1/links/{name}")).json()["group"] == group
    status = (await served_api.get("/api/v1/status")).json()
    assert status["groups"] == dict.fromkeys(expected, 1)
    assert status["attention"] == {"0": 1, "1": 1, "2": 1, "3": 0, "4": 2}
    assert await list_names(served_api, "attention=2,4") == ["down", "look", "waits"]
    assert await list_names(served_api, "attention=3") == []
    assert await list_names(served_api, "state=DISABLED") == ["off"]
    assert await list_names(served_api, "attention=4&state=WAIT_LS") == ["waits"]


@time_limit(10)
async def test_the_most_urgent_links_come_first_and_of_these_the_longest_down(served_api: ServedApi) -> None:
    add_links_of_all_groups(served_api)
    served_api.advance(1)
    served_api.add_link("abend", retry_initial=300, retry_max=300)
    order = ["down", "waits", "abend", "look", "off", "sync"]
    assert await list_names(served_api, "order=attention") == order
    assert await list_names(served_api) == sorted(order)
    assert (await served_api.get("/api/v1/status")).json()["worst"] == "down"


@time_limit(10)
async def test_links_are_searched_in_name_address_profile_state_and_reason(served_api: ServedApi) -> None:
    add_links_of_all_groups(served_api)
    for text, names in (
        ("OOK", ["look"]),
        ("192.0.2.9", ["sync"]),
        ("opera", ["sync"]),
        ("switched%20off", ["off"]),
        ("expection", ["down"]),
        ("refused", ["down"]),
        ("nowhere", []),
        ("", ["down", "look", "off", "sync", "waits"]),
    ):
        assert await list_names(served_api, f"q={text}") == names


@time_limit(10)
async def test_a_changed_address_is_found(served_api: ServedApi) -> None:
    await served_api.post("/api/v1/links", {"name": "grand", "host": "192.0.2.7", "port": 5010})
    assert await list_names(served_api, "q=192.0.2.7") == ["grand"]
    await served_api.post("/api/v1/links/grand", {"host": "192.0.2.8"}, method="PATCH")
    assert await list_names(served_api, "q=192.0.2.8") == ["grand"]
    assert await list_names(served_api, "q=192.0.2.7") == []


@pytest.mark.parametrize("order", ["name", "attention", "changed"])
@time_limit(10)
async def test_pages_list_every_link_once(served_api: ServedApi, order: str) -> None:
    add_links_of_all_groups(served_api)
    whole = await list_names(served_api, f"order={order}")
    for limit in (1, 2, 3, 5, 6):
        pages = await list_pages(served_api, f"order={order}&limit={limit}")
        assert [name for page in pages for name in page] == whole
        assert {len(page) for page in pages[:-1]} <= {limit}


@time_limit(10)
async def test_pages_continue_while_links_come_and_go(served_api: ServedApi) -> None:
    for name in ("a", "c", "e", "g"):
        served_api.add_link(name, enabled=False)
    first = await list_links(served_api, "limit=2")
    served_api.links._links.pop("c")  # the last one of the page
    served_api.add_link("b", enabled=False)
    served_api.add_link("d", enabled=False)
    after = quote(first["next"])
    assert await list_names(served_api, f"limit=2&after={after}") == ["d", "e"]


@time_limit(10)
async def test_without_a_limit_a_thousand_links_are_listed_some_in_each_turn(
    served_api: ServedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1001):
        served_api.links.add(make_link_config(f"hotel-{number:04}", port=1 + number, enabled=False))
    sizes: list[int] = []
    add = ResponseBody.add

    def recording_add(self: ResponseBody, part: bytes) -> None:
        sizes.append(part.count(b'"name":"hotel-'))
        add(self, part)

    monkeypatch.setattr(ResponseBody, "add", recording_add)
    listed = await list_links(served_api)
    assert max(sizes) == LINKS_PER_TURN
    assert len(listed["links"]) == 1000
    assert listed["links"][-1]["name"] == "hotel-0999"
    (last,) = (await list_links(served_api, f"after={quote(listed['next'])}"))["links"]
    assert last["name"] == "hotel-1000"


@time_limit(10)
async def test_a_brief_list_has_the_keys_of_a_list_only(served_api: ServedApi) -> None:
    add_links_of_all_groups(served_api)
    served_api.add_link("limited", connect="accept", host="192.0.2.4", expires_at="2027-01-01T00:00:00+01:00")
    for link in (await list_links(served_api, "fields=brief"))["links"]:
        settings, hours = link.pop("settings"), link.pop("hours")
        full = (await served_api.get(f"/api/v1/links/{link['name']}")).json()
        assert link == {key: full[key] for key in BRIEF_KEYS}
        assert settings == {key: full["settings"][key] for key in ("connect", "sync_timeout", "expires_at")}
        assert len(hours) == 24


@time_limit(10)
async def test_the_latest_change_comes_first(served_api: ServedApi) -> None:
    served_api.add_link("sync", alive_interval=3600)
    served_api.dock()
    served_api.network.mode = "refuse"
    served_api.advance(1)
    served_api.add_link("down", retry_initial=1, retry_max=1)
    served_api.advance(30)  # redials, which are no change
    served_api.add_link("off", enabled=False)
    assert await list_names(served_api, "order=changed") == ["off", "down", "sync"]
    assert await list_pages(served_api, "order=changed&limit=1") == [["off"], ["down"], ["sync"]]


@pytest.mark.parametrize("order", ["name", "attention", "changed"])
@time_limit(10)
async def test_a_part_from_the_middle_is_listed_with_the_count_of_all(
    served_api: ServedApi, order: str
) -> None:
    add_links_of_all_groups(served_api)
    whole = await list_names(served_api, f"order={order}")
    for offset in range(len(whole) + 2):
        part = await list_links(served_api, f"order={order}&offset={offset}&limit=2")
        assert [link["name"] for link in part["links"]] == whole[offset : offset + 2]
        assert part["total"] == len(whole)
        assert (part["next"] is None) == (offset + 2 >= len(whole))
    found = await list_links(served_api, f"order={order}&attention=4&limit=1")
    assert (len(found["links"]), found["total"]) == (1, 2)
    rest = await list_links(served_api, f"order={order}&attention=4&after={quote(found['next'])}")
    assert (len(rest["links"]), rest["total"]) == (1, 2)


@pytest.mark.parametrize(
    ("query", "field", "expected"),
    [
        ("limit=0", "limit", "a whole number from 1 to 1000"),
        ("limit=1001", "limit", "a whole number from 1 to 1000"),
        ("order=urgency", "order", '"name" or "attention" or "changed"'),
        ("offset=-1", "offset", "a whole number from 0 to 1000000"),
        ("offset=1&after=bmFtZSBh", "offset", "give either offset or after"),
        ("attention=5", "attention", "numbers from 0 to 4 separated by commas"),
        ("attention=", "attention", "numbers from 0 to 4 separated by commas"),
        ("attention=1,,2", "attention", "numbers from 0 to 4 separated by commas"),
        ("group=bad", "group", '"down" or "look" or "connecting" or "connected" or "off"'),
        ("state=established", "state", '"ESTABLISHED"'),
        ("fields=name", "fields", '"all" or "brief"'),
        (f"q={'x' * 101}", "q", "at most 100 characters"),
        ("after=", "after", "`next` of the response before"),
        ("after=%C3%A9", "after", "`next` of the response before"),
        ("after=bmFtZQ", "after", "`next` of the response before"),
        (f"after={'x' * 500}", "after", "`next` of the response before"),
        ("after=bmFtZSBh&order=attention", "after", "`next` of the response before"),
        ("sort=name", "sort", "order"),
    ],
)
@time_limit(10)
async def test_a_wrong_query_is_answered_with_what_is_right(
    served_api: ServedApi, query: str, field: str, expected: str
) -> None:
    answer = await served_api.get(f"/api/v1/links?{query}")
    assert answer.error == (400, "invalid")
    assert answer.json()["error"]["field"] == field
    assert expected in answer.json()["error"]["message"]


@time_limit(10)
async def test_the_text_of_a_link_is_kept_until_it_changes(served_api: ServedApi) -> None:
    link = served_api.add_link(alive_interval=60, alive_timeout=100)
    served_api.dock()
    link_json = served_api.site.api.link_json
    served_api.advance(15)
    text = link_json.serialize(link)
    served_api.advance(5)
    assert link_json.serialize(link) is text
    served_api.advance(60)
    served_api.send_from_pms("LA|DA261120|TI070000|")
    assert json.loads(link_json.serialize(link))["alive"]["last_answer"] is not None
    link.apply_config(make_link_config("grand", alive_interval=25))
    assert json.loads(link_json.serialize(link))["settings"]["alive_interval"] == 25
