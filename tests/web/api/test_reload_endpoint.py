"""POST /reload reads the configuration file again, as SIGHUP does (case E10)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from attrs import evolve

from pmslink.config.config_errors import ConfigError
from pmslink.config.link_definition import LinkConfig, parse_link
from pmslink.config.loader import Config
from pmslink.errors import NotApplicableError
from pmslink.link.config_reload import ConfigReload
from pmslink.link.link import Link
from pmslink.link.link_registry import LINKS_PER_TURN
from pmslink.store.operations.retention import Retention
from pmslink.web.api.reload_endpoint import ReloadResource
from tests.link.test_many_links import ManyLinks
from tests.time_limit import time_limit
from tests.web.served_api import ServedApi
from tests.web.stream_client import open_stream


def declare(name: str, port: int, **settings: object) -> LinkConfig:
    return parse_link(name, {"host": "pms.example", "port": port, **settings})


@pytest.fixture
def config() -> Config:
    return Config(links=(declare("changes", 1), declare("goes", 2)))


@time_limit(10)
async def test_e10_a_reload_answers_what_has_changed(served_api: ServedApi, config: Config) -> None:
    served_api.config = config
    answer = await served_api.post("/api/v1/reload")
    assert (answer.status, answer.json()) == (
        200,
        {"added": ["changes", "goes"], "changed": [], "removed": [], "needs_restart": []},
    )
    served_api.config = Config(
        links=(declare("changes", 1, answer_timeout=9), declare("comes", 3)),
        api_listen="tcp:1:interface=127.0.0.1",
        state_dir=Path("elsewhere"),
        guest_days=5,
        history_days=6,
    )
    answer = await served_api.post("/api/v1/reload")
    assert answer.json() == {
        "added": ["comes"],
        "changed": ["changes"],
        "removed": ["goes"],
        "needs_restart": ["api.listen", "state_dir"],
    }
    links = (await served_api.get("/api/v1/links")).json()["links"]
    assert [(link["name"], link["settings"]["answer_timeout"]) for link in links] == [
        ("changes", 9),
        ("comes", 30),
    ]
    assert served_api.store.retention == Retention(timedelta(days=5), timedelta(days=6))
    assert (await served_api.get("/api/v1/links/goes")).error == (404, "unknown_link")


@time_limit(10)
async def test_e10_an_invalid_file_changes_nothing(served_api: ServedApi, config: Config) -> None:
    served_api.config = config
    await served_api.post("/api/v1/reload")
    served_api.config = ConfigError("links.a.port", "x", "must be a whole number", "hotel.toml")
    answer = await served_api.post("/api/v1/reload")
    assert answer.error == (400, "invalid")
    assert answer.json()["error"] == {
        "code": "invalid",
        "message": 'hotel.toml: links.a.port = "x": must be a whole number',
        "field": "links.a.port",
    }
    served_api.config = NotApplicableError("not_applicable", "there is no configuration file")
    assert (await served_api.post("/api/v1/reload")).error == (409, "not_applicable")
    assert [link.name for link in served_api.links] == ["changes", "goes"]


@time_limit(10)
async def test_e10_an_extension_table_is_read_again(
    served_api: ServedApi, config: Config, tmp_path: Path
) -> None:
    table = tmp_path / "rooms.csv"
    table.write_text("101,7101\n")
    link = declare("grand", 3, extensions="table", extension_table=str(table))
    served_api.config = evolve(config, links=(link,))
    await served_api.post("/api/v1/reload")

    def extensions() -> list[str]:
        return list(served_api.store.hotels.policy_of("grand").extensions_of_room("101"))

    assert extensions() == ["7101"]
    table.write_text("101,7201\n")
    assert (await served_api.post("/api/v1/reload")).json()["changed"] == []
    assert extensions() == ["7201"]


@time_limit(10)
async def test_e10_a_reload_takes_no_body(served_api: ServedApi) -> None:
    assert (await served_api.post("/api/v1/reload", {"file": "x"})).error == (400, "invalid")


@time_limit(10)
async def test_e10_the_stream_says_which_links_a_reload_has_changed_and_removed(
    served_api: ServedApi, config: Config
) -> None:
    served_api.config = config
    await served_api.post("/api/v1/reload")
    client = await open_stream(served_api)
    before = len(await client.wait_for_changes(2))
    served_api.config = Config(links=(declare("changes", 1, answer_timeout=9),))
    await served_api.post("/api/v1/reload")
    served_api.advance()
    changes = await client.wait_for_changes(before + 2)
    assert changes[before:][:2] == [("link", "changes", None), ("reset", "", None)]


def test_e10_a_reload_publishes_many_changed_links_some_in_each_turn() -> None:
    many = ManyLinks()
    many.links.startService()
    many.work_until(lambda: many.all_in("WAIT_LS"))
    published: list[str] = []

    class RecordingBroadcaster:
        def publish_link(self, link: Link, transition: None) -> None:
            published.append(link.name)
            many.clock.note_work()

    started_with = Config(links=tuple(link.config for link in many.links))
    settings = {"host": "192.0.2.1", "answer_timeout": 9}
    changed = [parse_link(link.name, {**settings, "port": link.config.port}) for link in many.links]
    config_reload = ConfigReload(
        lambda: Config(links=tuple(changed)), started_with, many.links, cast(Any, many.store)
    )
    ReloadResource(
        config_reload, many.links, cast(Any, RecordingBroadcaster()), cast(Any, None), cast(Any, None)
    )
    many.clock.run_turn()
    config_reload.reload()
    work = many.work_until(lambda: len(published) == len(changed))
    assert published == [config.name for config in changed]
    assert max(work) == LINKS_PER_TURN
