"""Tests of the Prometheus metrics."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.defer import Deferred

from pmslink.link.webhook_status import WebhookStatus
from pmslink.web.metrics import LINKS_PER_TURN, Metrics
from tests.time_limit import time_limit
from tests.web.served_api import START_TIME, ServedApi, make_link_config

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


async def scrape(served: ServedApi) -> Samples:
    answer = await served.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    }


def sample_value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((f"pmslink_{name}", tuple(sorted(labels.items()))))


@time_limit(10)
async def test_metrics_of_a_link_in_sync(served_api: ServedApi) -> None:
    served_api.add_link(alive_interval=20, alive_timeout=30)
    served_api.dock()
    served_api.advance(20.5)
    served_api.send_from_pms("LA|DA261120|TI070000|", "??|", "GI|RN\x02GO|RN1|")
    samples = await scrape(served_api)
    grand = {"link": "grand"}
    assert sample_value(samples, "link_state", state="ESTABLISHED", **grand) == 1
    assert sample_value(samples, "link_state", state="CLOSED", **grand) == 0
    assert sum(name == "pmslink_link_state" for name, _ in samples) == 7
    assert sample_value(samples, "link_up", **grand) == 1
    assert sample_value(samples, "state_changes_total", **grand, **{"from": "", "to": "CLOSED"}) == 1
    assert (
        sample_value(samples, "state_changes_total", **grand, **{"from": "WAIT_LS", "to": "ESTABLISHED"}) == 1
    )
    assert sample_value(samples, "reconnects_total", **grand) == 1
    assert sample_value(samples, "records_total", direction="in", type="LA", **grand) == 2
    assert sample_value(samples, "records_total", direction="in", type="junk", **grand) == 1
    assert sample_value(samples, "records_total", direction="out", type="LD", **grand) == 1
    assert sample_value(samples, "skipped_bytes_total", what="torn", **grand) == len("GI|RN") + 1
    assert sample_value(samples, "last_receive_timestamp_seconds", **grand) == START_TIME.timestamp() + 20.5
    round_trip = sample_value(samples, "heartbeat_rtt_seconds", **grand)
    assert round_trip is not None
    assert 0.5 <= round_trip <= 10.5
    assert sample_value(samples, "watchers") == 0


@time_limit(10)
async def test_a_link_that_never_connected_has_no_timestamps(served_api: ServedApi) -> None:
    served_api.add_link(enabled=False)
    samples = await scrape(served_api)
    assert sample_value(samples, "link_up", link="grand") == 0
    assert sample_value(samples, "reconnects_total", link="grand") == 0
    names = {name for name, _ in samples}
    assert not names & {"pmslink_last_receive_timestamp_seconds", "pmslink_heartbeat_rtt_seconds"}


@time_limit(10)
async def test_metrics_of_what_needs_a_look(served_api: ServedApi) -> None:
    served_api.add_link(timezone="UTC")
    served_api.send_from_pms("LS|DA261120|TI090000|", "LA|", "GI|GSN|", "??|")
    samples = await scrape(served_api)
    assert sample_value(samples, "link_attention", link="grand") == 2
    assert sample_value(samples, "records_not_understood_total", link="grand") == 2
    assert sample_value(samples, "clock_offset_seconds", link="grand") == 7200


@time_limit(10)
async def test_metrics_of_the_outbox(served_api: ServedApi) -> None:
    served_api.add_link()
    grand = {"link": "grand"}
    assert sample_value(await scrape(served_api), "outbox_oldest_seconds", **grand) == 0
    for _ in range(2):
        await served_api.post(
            "/api/v1/links/grand/postings", {"type": "minibar", "room": "1", "article": "7"}
        )
    served_api.advance(5)
    samples = await scrape(served_api)
    assert sample_value(samples, "outbox_rows", state="pending", **grand) == 2
    assert sample_value(samples, "outbox_rows", state="unknown", **grand) == 0
    assert sample_value(samples, "outbox_oldest_seconds", **grand) == 5
    served_api.dock()
    served_api.advance(2.1)  # what the PMS has queued comes first
    served_api.send_from_pms("PA|RN1|ASUR|P#1|DA261120|TI070005|", "PA|ASOK|P#777|DA261120|TI070005|")
    samples = await scrape(served_api)
    assert sample_value(samples, "outbox_rows", state="pending", **grand) == 1
    assert sample_value(samples, "outbox_rows", state="refused", **grand) == 1
    assert sample_value(samples, "stray_answers_total", **grand) == 1


@time_limit(10)
async def test_the_health_of_the_store(served_api: ServedApi) -> None:
    assert sample_value(await scrape(served_api), "store_ok") == 1
    served_api.break_store()
    served_api.add_link()
    assert sample_value(await scrape(served_api), "store_ok") == 0


@time_limit(10)
async def test_a_webhook_whose_delivery_fails(served_api: ServedApi) -> None:
    link = served_api.add_link()
    assert sample_value(await scrape(served_api), "webhook_up", link="grand") is None
    link.webhook_status = WebhookStatus(
        "http://pbx.example/", "retrying", backlog=7, last_error="it answered 500"
    )
    samples = await scrape(served_api)
    assert (
        sample_value(samples, "webhook_up", link="grand"),
        sample_value(samples, "webhook_backlog", link="grand"),
    ) == (0, 7)
    link.webhook_status = WebhookStatus("http://pbx.example/")
    assert sample_value(await scrape(served_api), "webhook_up", link="grand") == 1


@time_limit(10)
async def test_metrics_of_many_links_are_rendered_some_in_each_turn(served_api: ServedApi) -> None:
    count = 2 * LINKS_PER_TURN + 1
    for number in range(count):
        served_api.links.add(make_link_config(f"hotel-{number}", port=1 + number, enabled=False))
    clock = served_api.clock
    metrics = Metrics(served_api.links, served_api.store.journal, clock, served_api.now, lambda: 0)
    turns = 0

    async def render() -> list[bytes]:
        return [part async for part in metrics.render()]

    rendering = Deferred.fromCoroutine(render())
    while not rendering.called:
        turns += 1
        clock.advance(0)
    assert turns >= 1
    parts = await rendering
    families = {family.name: family for family in text_string_to_metric_families(b"".join(parts).decode())}
    assert len(families) == 18
    links = {sample.labels["link"] for sample in families["pmslink_link_up"].samples}
    assert links == {f"hotel-{number}" for number in range(count)}
    assert len(families["pmslink_link_state"].samples) == 7 * count
    assert families["pmslink_state_changes"].type == "counter"
    assert families["pmslink_link_up"].documentation == "1 while a link is in sync"


@time_limit(10)
async def test_a_record_type_of_any_characters_is_escaped(served_api: ServedApi) -> None:
    link = served_api.add_link()
    link.trace.record_counts["in", 'a"\\\n'] += 1
    samples = await scrape(served_api)
    assert sample_value(samples, "records_total", link="grand", direction="in", type='a"\\\n') == 1
