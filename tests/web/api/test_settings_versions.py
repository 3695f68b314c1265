"""`ETag` and `If-Match`: two people who edit one link do not overwrite each other."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.time_limit import time_limit
from tests.web.served_api import Response, ServedApi

LINK = {"name": "grand", "host": "192.0.2.1", "port": 5010, "webhook_url": "https://pbx.example/"}
GRAND = "/api/v1/links/grand"


async def create(served: ServedApi, **settings: object) -> Response:
    created = await served.post("/api/v1/links", {**LINK, "webhook_secret": "s" * 16, **settings})
    assert created.status == 201
    return created


async def version(served: ServedApi) -> str:
    return (await served.get(GRAND)).headers["etag"]


async def change(served: ServedApi, settings: Mapping[str, object], if_match: str | None) -> Response:
    headers = {} if if_match is None else {"if-match": if_match}
    return await served.post(GRAND, dict(settings), headers, "PATCH")


@time_limit(10)
async def test_of_two_people_who_edit_one_link_the_second_is_told(served_api: ServedApi) -> None:
    await create(served_api)
    read_by_both = await version(served_api)
    first = await change(served_api, {"retry_max": 9}, read_by_both)
    assert first.status == 200
    second = await change(served_api, {"retry_max": 8}, read_by_both)
    assert second.error == (412, "changed")
    assert "read the link again" in second.json()["error"]["message"]
    assert (await served_api.get(GRAND)).json()["settings"]["retry_max"] == 9
    assert (await change(served_api, {"retry_max": 8}, first.headers["etag"])).status == 200


@time_limit(10)
async def test_without_a_version_the_last_change_wins(served_api: ServedApi) -> None:
    await create(served_api)
    for retry_max in (9, 8):
        assert (await change(served_api, {"retry_max": retry_max}, None)).status == 200


@pytest.mark.parametrize("form", ["*", "W/{}", '"other", {}', '{} , "other"'])
@time_limit(10)
async def test_a_version_is_accepted_in_each_form(served_api: ServedApi, form: str) -> None:
    await create(served_api)
    assert (await change(served_api, {"retry_max": 9}, form.format(await version(served_api)))).status == 200


@pytest.mark.parametrize("other", ['"other"', "other", 'W/""', ","])
@time_limit(10)
async def test_any_other_version_is_refused(served_api: ServedApi, other: str) -> None:
    await create(served_api)
    assert (await change(served_api, {"retry_max": 9}, other)).error == (412, "changed")


@pytest.mark.parametrize(
    "changed", [{"retry_max": 9}, {"port": 5011}, {"profile": "opera"}, {"webhook_secret": "t" * 16}]
)
@time_limit(10)
async def test_the_version_changes_with_each_setting_and_returns_with_it(
    served_api: ServedApi, changed: Mapping[str, object]
) -> None:
    await create(served_api, enabled=False)
    before = await version(served_api)
    assert (await change(served_api, changed, before)).headers["etag"] == await version(served_api) != before
    given = {**LINK, "webhook_secret": "s" * 16}
    await change(served_api, {key: given.get(key) for key in changed}, None)
    assert await version(served_api) == before


@time_limit(10)
async def test_the_version_stays_while_only_the_state_changes(served_api: ServedApi) -> None:
    created = await create(served_api, enabled=True)
    served_api.advance()
    served_api.dock()
    disabled = await served_api.post(f"{GRAND}/disable")
    assert created.headers["etag"] == disabled.headers["etag"] == await version(served_api)


@time_limit(10)
async def test_links_with_the_same_settings_have_versions_that_tell_nothing_of_a_secret(
    served_api: ServedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create(served_api)
    before = await version(served_api)
    monkeypatch.setattr("pmslink.web.api.settings_versions._KEY", b"of another process")
    assert await version(served_api) != before
