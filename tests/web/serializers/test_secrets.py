"""Tests that the secret of a webhook is never returned."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from pmslink.link.link import Link
from pmslink.store.tables.link_rows import StoredLink
from tests.time_limit import time_limit
from tests.web.served_api import Response, ServedApi
from tests.web.stream_client import open_stream

SECRET = "correct horse battery staple"
HOOK = {"webhook_url": "https://pbx.example/events", "webhook_secret": SECRET}
NEW = {"name": "new", "host": "192.0.2.1", "port": 5010}


async def create_link(served: ServedApi, **settings: object) -> Link:
    assert (await served.post("/api/v1/links", {**NEW, **settings})).status == 201
    link = served.links.get("new")
    assert link is not None
    return link


async def patch(served: ServedApi, **body: object) -> Response:
    return await served.post("/api/v1/links/new", body, method="PATCH")


def stored_definition(link: Link) -> Any:
    """Return the stored settings of a link."""
    return json.loads(link.definition or "")


@time_limit(10)
async def test_a_secret_is_stored_and_used_but_never_returned(served_api: ServedApi) -> None:
    stream = await open_stream(served_api)
    answer = await served_api.post("/api/v1/links", {**NEW, **HOOK})
    assert answer.json()["settings"]["webhook_secret"] == "***"
    assert answer.json()["settings"]["webhook_url"] == HOOK["webhook_url"]
    link = served_api.links.get("new")
    assert link is not None
    assert link.settings().webhook_secret == stored_definition(link)["webhook_secret"] == SECRET
    reported = [answer.body, (await patch(served_api, send_limit=5)).body]
    reported += [(await served_api.get(f"/api/v1/links{path}")).body for path in ("", "/new", "/new/events")]
    await stream.wait_for_changes(2)
    assert '"webhook_secret":"***"' in stream.body_text
    await stream.disconnect()
    assert not [line for line in [*reported, stream.body_text.encode()] if SECRET.encode() in line]


@time_limit(10)
async def test_a_link_without_a_secret_returns_null(served_api: ServedApi) -> None:
    await create_link(served_api)
    assert (await served_api.get("/api/v1/links/new")).json()["settings"]["webhook_secret"] is None


@pytest.mark.parametrize("body", [{"webhook_secret": "***"}, {"send_limit": 5}])
@time_limit(10)
async def test_a_secret_is_unchanged_until_a_new_one_is_sent(
    served_api: ServedApi, body: Mapping[str, object]
) -> None:
    link = await create_link(served_api, **HOOK)
    assert (await patch(served_api, **body)).status == 200
    assert link.settings().webhook_secret == stored_definition(link)["webhook_secret"] == SECRET
    answer = await patch(served_api, webhook_secret="another one, as long")
    assert answer.json()["settings"]["webhook_secret"] == "***"
    assert link.settings().webhook_secret == "another one, as long"


@time_limit(10)
async def test_returned_settings_can_be_sent_back(served_api: ServedApi) -> None:
    link = await create_link(served_api, **HOOK, status_codes={"*61": 3}, tariff={"rates": [RATE]})
    before = link.settings()
    settings = (await served_api.get("/api/v1/links/new")).json()["settings"]
    assert (await patch(served_api, **settings)).status == 200
    assert link.settings() == before


RATE = {"prefix": "", "interval": 60, "price": 10}


@time_limit(10)
async def test_a_secret_is_deleted_with_the_webhook_address(served_api: ServedApi) -> None:
    link = await create_link(served_api, **HOOK)
    answer = await patch(served_api, webhook_secret=None)
    assert (answer.error, answer.json()["error"]["field"]) == ((400, "invalid"), "webhook_secret")
    answer = await patch(served_api, webhook_url=None)
    assert (answer.error, answer.json()["error"]["field"]) == ((400, "invalid"), "webhook_url")
    assert SECRET not in answer.body.decode()
    assert (await patch(served_api, webhook_url=None, webhook_secret=None)).status == 200
    assert not {*HOOK} & {*stored_definition(link)}


@pytest.mark.parametrize("secret", ["***", "hush", ["hush"], "hush" * 60, "hush\n" * 10])
@time_limit(10)
async def test_an_invalid_secret_is_rejected_and_not_returned(served_api: ServedApi, secret: object) -> None:
    invalid = {"webhook_url": "https://pbx.example/", "webhook_secret": secret}
    answers = [await served_api.post("/api/v1/links", {**NEW, **invalid})]
    link = await create_link(served_api)
    answers.append(await patch(served_api, **invalid))
    for answer in answers:
        assert (answer.error, answer.json()["error"]["field"]) == ((400, "invalid"), "webhook_secret")
        assert answer.json()["error"]["message"] == (
            'webhook_secret = "***": must be text of 16 to 200 printable ASCII characters'
        )
    assert link.settings().webhook_secret is None


@time_limit(20)
async def test_a_secret_survives_a_restart(served_api: ServedApi) -> None:
    await create_link(served_api, **HOOK)
    await served_api.stop()
    after = ServedApi(previous=served_api)
    link = after.links.get("new")
    assert link is not None
    assert link.settings().webhook_secret == SECRET
    await after.stop()


@time_limit(10)
async def test_settings_with_a_redacted_secret_can_be_tried(served_api: ServedApi) -> None:
    body = {"host": "192.0.2.1", "port": 5010, "webhook_url": "https://pbx.example/"}
    assert (await served_api.post("/api/v1/links/test", {**body, "webhook_secret": "***"})).status == 200
    assert (await served_api.post("/api/v1/links/test", {**body, "webhook_secret": "hush"})).status == 400
    assert (await served_api.post("/api/v1/links/test", body)).status == 400
    assert len(served_api.tested_configs) == 1


@time_limit(10)
async def test_the_log_hides_the_secret_of_a_stored_link_with_invalid_settings(
    served_api: ServedApi,
) -> None:
    definition = json.dumps({"host": "pms", "port": 5010, "webhook_secret": "hush"})
    served_api.links._stored_links["old"] = StoredLink("old", definition, "enabled")
    log_events: list[LogEvent] = []
    publisher: Any = globalLogPublisher
    publisher.addObserver(log_events.append)
    served_api.links.add_stored()
    publisher.removeObserver(log_events.append)
    text = "\n".join(formatEvent(event) for event in log_events)
    assert 'webhook_secret = "***"' in text
    assert "hush" not in text + repr(log_events)
