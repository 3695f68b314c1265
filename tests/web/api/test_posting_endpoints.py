"""Tests of postings: create, idempotency, list, resend and discard."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from pmslink.link import controls
from pmslink.web.api.answer_deadline import ANSWER_DEADLINE_S
from tests.memory_store import InlineThread
from tests.store.store_harness import ManualThread
from tests.time_limit import time_limit
from tests.web.served_api import Response, ServedApi, run_reactor_turns

PATH = "/api/v1/links/grand/postings"
MINIBAR = {"type": "minibar", "room": "101", "article": "7"}
CHARGE = {"type": "charge", "room": "101", "amount": 500, "outlet": "BAR", "text": "Two beers"}


def with_key(key: str) -> dict[str, str]:
    return {"idempotency-key": key}


async def create_posting(served: ServedApi, body: object = MINIBAR, key: str | None = None) -> Any:
    answer = await served.post(PATH, body, headers=with_key(key) if key else None)
    assert answer.status == 202
    return answer.json()


def answer_from_pms(served: ServedApi, number: int, status: str, text: str = "") -> None:
    served.send_from_pms(f"PA|RN101|AS{status}|P#{number}|CT{text}|DA261120|TI070005|")


@time_limit(10)
async def test_a_posting_is_accepted(served_api: ServedApi) -> None:
    served_api.add_link(timezone="Asia/Tokyo")
    call = {
        "type": "call",
        "room": "101",
        "dialled": "+81 (3) 1234",
        "duration": 61,
        "amount": 150,
        "started": "2026-11-20T06:59:00.0017Z",
    }
    posting = await create_posting(served_api, call)
    assert posting == {
        "id": posting["id"],
        "number": 1,
        "type": "call",
        "room": "101",
        "started": "2026-11-20T06:59:00.001Z",
        "dialled": "8131234",
        "duration": 61,
        "amount": 150,
        "state": "pending",
        "attempts": 0,
        "created": "2026-11-20T07:00:00.000Z",
        "sent": None,
        "answered": None,
        "answer": None,
        "text_answer": None,
        "reason": None,
        "room_sent": None,
        "reservation": None,
    }
    link = (await served_api.get("/api/v1/links/grand")).json()
    assert link["outbox"] == {
        "pending": 1,
        "unknown": 0,
        "refused": 0,
        "oldest": "2026-11-20T07:00:00.000Z",
    }


@time_limit(10)
async def test_it_is_sent_once_the_link_is_in_sync_and_answered(served_api: ServedApi) -> None:
    served_api.add_link(timezone="Asia/Tokyo")
    posting = await create_posting(served_api)
    served_api.advance(5)
    served_api.dock()
    served_api.advance(2)  # first the PMS may send what it has queued
    served_api.advance(0.1)  # sent records are stored with the next batch, or a little later
    sent = (await served_api.get("/api/v1/links/grand/records?type=PS")).json()["records"]
    assert [record["text"] for record in sent] == ["PS|RN101|PTM|MA7|M#1|DA261120|TI160000|P#1|"]
    served_api.advance(1.9)
    answer_from_pms(served_api, 1, "OK", "thanks")
    assert (await served_api.get(f"{PATH}/{posting['id']}")).json() == posting | {
        "state": "done",
        "attempts": 1,
        "sent": "2026-11-20T07:00:07.000Z",
        "answered": "2026-11-20T07:00:09.000Z",
        "answer": "OK",
        "text_answer": "thanks",
        "room_sent": "101",
    }


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "fax", "room": "101"}, "type"),
        ({**MINIBAR, "room": "a|b"}, "room"),
        ({**MINIBAR, "room": "日本"}, "room"),
        ({**CHARGE, "text": "日本"}, "text"),
        ({**CHARGE, "outlet": "日本"}, "outlet"),
        ({**MINIBAR, "colour": 3}, "colour"),
        ({**MINIBAR, "started": "yesterday"}, "started"),
        ({"type": "minibar", "room": "101"}, "article"),
        ([], None),
    ],
)
@time_limit(10)
async def test_an_invalid_posting_is_rejected(served_api: ServedApi, body: object, field: str | None) -> None:
    served_api.add_link()
    answer = await served_api.post(PATH, body)
    assert answer.error == (400, "invalid")
    assert answer.json()["error"].get("field") == field
    assert (await served_api.get(PATH)).json() == {"postings": [], "next": None}


@time_limit(10)
async def test_a_posting_needs_json_and_an_existing_link(served_api: ServedApi) -> None:
    served_api.add_link()
    text = await served_api.call("POST", PATH, {"content-type": "text/plain"}, b"{}")
    assert text.error == (415, "unsupported_type")
    for path in ("", "/1", "?state=done"):
        answer = await served_api.get(f"/api/v1/links/none/postings{path}")
        assert answer.error == (404, "unknown_link")
    for path in ("", "/1/resend", "/1/discard"):
        answer = await served_api.post(f"/api/v1/links/none/postings{path}", MINIBAR)
        assert answer.error == (404, "unknown_link")


# Idempotency


@time_limit(10)
async def test_a_repeated_key_and_body_return_the_same_posting(served_api: ServedApi) -> None:
    served_api.add_link()
    posting = await create_posting(served_api, key="client key 1")
    served_api.dock()
    served_api.advance(2)  # what the PMS may have queued comes first
    repeated = {"article": "7", "room": "101", "type": "minibar", "started": None}
    answer = await served_api.post(PATH, repeated, headers=with_key("client key 1"))
    assert answer.status == 200
    assert answer.json() == posting | {
        "state": "sent",
        "attempts": 1,
        "sent": "2026-11-20T07:00:02.000Z",
        "room_sent": "101",
    }
    assert (await create_posting(served_api, key="another"))["number"] == 2


@time_limit(10)
async def test_a_repeated_key_with_another_body_is_rejected(served_api: ServedApi) -> None:
    served_api.add_link()
    await create_posting(served_api, key="k")
    for other in ({**MINIBAR, "count": 2}, {**MINIBAR, "room": "102"}, CHARGE):
        answer = await served_api.post(PATH, other, headers=with_key("k"))
        assert answer.error == (409, "key_reused")


@time_limit(10)
async def test_a_key_repeated_in_one_commit_makes_one_posting(served_api: ServedApi) -> None:
    served_api.add_link()
    connections = [await start_request(served_api, MINIBAR, "k") for _ in range(3)]
    other = await start_request(served_api, CHARGE, "k")
    await run_reactor_turns(20)  # all requests were read, and no response was sent
    await served_api.until(lambda: all(connection.closed.called for connection in (*connections, other)))
    first_lines = [bytes(connection.received).partition(b"\r\n")[0] for connection in (*connections, other)]
    assert [int(line.split()[1]) for line in first_lines] == [202, 200, 200, 409]
    assert len((await served_api.get(PATH)).json()["postings"]) == 1


@pytest.mark.parametrize("key", ["", "x" * 129, "é", "a\tb"])
@time_limit(10)
async def test_an_invalid_key_is_rejected(served_api: ServedApi, key: str) -> None:
    served_api.add_link()
    answer = await served_api.post(PATH, MINIBAR, headers=with_key(key))
    assert answer.error == (400, "invalid")
    assert answer.json()["error"]["field"] == "Idempotency-Key"


@time_limit(10)
async def test_a_key_may_have_128_characters(served_api: ServedApi) -> None:
    served_api.add_link()
    await create_posting(served_api, key="~" * 128)
    answer = await served_api.post(PATH, MINIBAR, headers=with_key("~" * 128))
    assert answer.status == 200


async def start_request(served: ServedApi, body: object, key: str) -> Any:
    raw = json.dumps(body).encode()
    head = f"POST {PATH} HTTP/1.1\r\nhost: localhost:{served.port}\r\nconnection: close\r\n"
    more = f"content-type: application/json\r\nidempotency-key: {key}\r\ncontent-length: {len(raw)}\r\n\r\n"
    connection = await served.connect((head + more).encode() + raw)
    await run_reactor_turns()
    return connection


# Disconnected clients, a full disk, a full outbox


@time_limit(10)
async def test_a_posting_is_accepted_although_its_client_disconnects(served_api: ServedApi) -> None:
    served_api.add_link()
    served_api.dock()
    connection = await start_request(served_api, MINIBAR, "k")
    await run_reactor_turns(20)
    connection.transport.abortConnection()
    await connection.closed
    await run_reactor_turns(20)
    (posting,) = (await served_api.get(PATH)).json()["postings"]
    assert posting["state"] == "sent"
    answer = await served_api.post(PATH, MINIBAR, headers=with_key("k"))
    assert (answer.status, answer.json()["id"]) == (200, posting["id"])


@time_limit(10)
async def test_an_unexpected_error_after_a_disconnect_is_logged(
    served_api: ServedApi, leak_check: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    link = served_api.add_link()
    monkeypatch.setattr(link.outbox, "_on_enqueued", lambda outcome: 1 / 0)
    for is_disconnected in (True, False):
        connection = await start_request(served_api, MINIBAR, "k")
        await run_reactor_turns(20)
        if is_disconnected:
            connection.transport.abortConnection()
            await connection.closed
        await run_reactor_turns(20)
        served_api.advance()
        await run_reactor_turns()
        assert leak_check.pop()["log_failure"].check(ZeroDivisionError)
    assert b"500 Internal" in connection.received


@time_limit(10)
async def test_a_store_outage_after_a_disconnect_is_not_logged(served_api: ServedApi) -> None:
    served_api.add_link()
    connection = await start_request(served_api, MINIBAR, "k")
    await run_reactor_turns(20)
    connection.transport.abortConnection()
    await connection.closed
    await run_reactor_turns(20)
    served_api.break_store()
    served_api.advance()
    served_api.repair_store()
    assert (await served_api.get(PATH)).json() == {"postings": [], "next": None}


@pytest.mark.parametrize("when", ["before", "meanwhile"])
@time_limit(10)
async def test_postings_are_rejected_while_the_store_fails(served_api: ServedApi, when: str) -> None:
    link = served_api.add_link()
    served_api.break_store()
    if when == "before":
        controls.disable(link)
        served_api.advance()
    answer = await served_api.post(PATH, MINIBAR, headers=with_key("k"))
    assert answer.error == (503, "store")
    assert "the disk is full" in answer.json()["error"]["message"]
    served_api.repair_store()
    assert (await served_api.get(PATH)).json() == {"postings": [], "next": None}
    await create_posting(served_api, key="k")


@time_limit(10)
async def test_e1_a_change_that_the_disk_does_not_confirm_is_answered_after_a_minute(
    served_api: ServedApi,
) -> None:
    served_api.add_link()
    served_api.store.journal._thread = thread = ManualThread()
    answering = Deferred.fromCoroutine(served_api.post(PATH, MINIBAR, headers=with_key("k")))
    await served_api.until(lambda: thread.is_busy)
    served_api.advance(ANSWER_DEADLINE_S)
    answer = await answering
    assert answer.error == (504, "outcome_unknown")
    assert "Idempotency-Key" in answer.json()["error"]["message"]
    thread.run_queued()
    served_api.store.journal._thread = InlineThread()
    served_api.advance()
    assert (await served_api.post(PATH, MINIBAR, headers=with_key("k"))).status == 200


@time_limit(10)
async def test_a_full_outbox_rejects_postings(served_api: ServedApi) -> None:
    served_api.add_link(outbox_limit=1)
    await create_posting(served_api, key="k")
    answer = await served_api.post(PATH, MINIBAR)
    assert answer.error == (503, "outbox_full")
    assert (await served_api.post(PATH, MINIBAR, headers=with_key("k"))).status == 200


@time_limit(10)
async def test_postings_are_rejected_if_all_numbers_are_in_use(served_api: ServedApi) -> None:
    served_api.add_link(posting_digits=1)
    for number in range(1, 10):
        assert (await create_posting(served_api))["number"] == number
    assert (await served_api.post(PATH, MINIBAR)).error == (503, "outbox_full")


@time_limit(10)
async def test_a_failed_read_of_the_store_is_reported(
    served_api: ServedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    served_api.add_link()

    def fail(*_: object) -> None:
        raise OSError("no such disk")

    monkeypatch.setattr(Connection, "begin", fail)
    for path in ("postings", "postings/1", "transitions", "records", "events"):
        answer = await served_api.get(f"/api/v1/links/grand/{path}")
        assert answer.error == (503, "store")
        assert "no such disk" in answer.json()["error"]["message"]


# List, resend and discard


@time_limit(10)
async def test_the_outbox_is_listed_newest_first(served_api: ServedApi) -> None:
    served_api.add_link()
    postings = [await create_posting(served_api) for _ in range(4)]
    await served_api.post(f"{PATH}/{postings[2]['id']}/discard")

    async def ids(query: str) -> list[int]:
        return [posting["id"] for posting in (await served_api.get(PATH + query)).json()["postings"]]

    newest_ids = [posting["id"] for posting in reversed(postings)]
    assert await ids("") == newest_ids
    assert await ids("?limit=2") == newest_ids[:2]
    assert await ids(f"?limit=2&before={newest_ids[1]}") == newest_ids[2:]
    assert await ids("?state=discarded") == [newest_ids[1]]
    assert await ids("?state=pending&limit=1") == newest_ids[:1]
    answer = await served_api.get(f"{PATH}?state=lost")
    assert answer.error == (400, "invalid")
    assert answer.json()["error"]["field"] == "state"


@pytest.mark.parametrize("id", ["0", "1", "x", "9" * 30, "%D9%A1", "-1"])
@time_limit(10)
async def test_an_unknown_posting_is_not_found(served_api: ServedApi, id: str) -> None:
    served_api.add_link()
    calls: list[Response] = [
        await served_api.get(f"{PATH}/{id}"),
        await served_api.post(f"{PATH}/{id}/resend"),
        await served_api.post(f"{PATH}/{id}/discard"),
    ]
    assert [answer.error for answer in calls] == [(404, "unknown_posting")] * 3


@time_limit(10)
async def test_a_posting_belongs_to_one_link(served_api: ServedApi) -> None:
    served_api.add_link()
    served_api.add_link("other", enabled=False)
    id = (await create_posting(served_api))["id"]
    assert (await served_api.get(f"/api/v1/links/other/postings/{id}")).error == (404, "unknown_posting")


@time_limit(10)
async def test_a_refused_posting_is_resent(served_api: ServedApi) -> None:
    served_api.add_link()
    served_api.dock()
    id = (await create_posting(served_api))["id"]
    served_api.advance()
    answer_from_pms(served_api, 1, "UR", "unknown room")
    refused = (await served_api.get(f"{PATH}/{id}")).json()
    assert (refused["state"], refused["answer"], refused["text_answer"]) == ("refused", "UR", "unknown room")
    resent = await served_api.post(f"{PATH}/{id}/resend")
    assert (resent.status, resent.json()["state"], resent.json()["answer"]) == (200, "pending", None)
    assert (await served_api.get(f"{PATH}/{id}")).json()["state"] == "sent"
    answer_from_pms(served_api, 1, "OK")
    assert (await served_api.get(f"{PATH}/{id}")).json()["state"] == "done"


@time_limit(10)
async def test_a_posting_is_discarded(served_api: ServedApi) -> None:
    served_api.add_link()
    id = (await create_posting(served_api))["id"]
    given_up = await served_api.post(f"{PATH}/{id}/discard", {})
    assert (given_up.status, given_up.json()["state"]) == (200, "discarded")
    link = (await served_api.get("/api/v1/links/grand")).json()
    assert (link["outbox"]["pending"], link["outbox"]["oldest"]) == (0, None)


@time_limit(10)
async def test_an_action_in_the_wrong_state_is_rejected(served_api: ServedApi) -> None:
    served_api.add_link()
    id = (await create_posting(served_api))["id"]
    pending = await served_api.post(f"{PATH}/{id}/resend")
    assert pending.error == (409, "wrong_state")
    assert "pending; it must be unknown or refused" in pending.json()["error"]["message"]
    served_api.dock()
    served_api.advance(2)
    sent = await served_api.post(f"{PATH}/{id}/discard")
    assert sent.error == (409, "wrong_state")
    assert "sent; it must be unknown, refused or pending" in sent.json()["error"]["message"]


@time_limit(10)
async def test_an_action_needs_json_and_a_working_store(served_api: ServedApi) -> None:
    served_api.add_link()
    id = (await create_posting(served_api))["id"]
    form = {"content-type": "text/plain"}
    rejected = await served_api.call("POST", f"{PATH}/{id}/discard", headers=form, body=b"x")
    assert rejected.error == (415, "unsupported_type")
    served_api.break_store()
    assert (await served_api.post(f"{PATH}/{id}/discard")).error == (503, "store")
