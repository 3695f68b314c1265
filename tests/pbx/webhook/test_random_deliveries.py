"""Random events, failures, skips, changes and restarts: every event arrives in order, or was skipped."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from pmslink.pbx.webhook import request_body
from tests.pbx.webhook.webhook_harness import WEBHOOK_SETTINGS, WebhookHarness
from tests.time_limit import time_limit

URL = WEBHOOK_SETTINGS["webhook_url"]
LINK = {"name": "grand", "host": "192.0.2.1", "port": 5010, "enabled": False, **WEBHOOK_SETTINGS}
STEPS = 80


class RandomDeliveries:
    """A link whose receiver accepts, rejects and delays requests at random."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.harness = WebhookHarness()
        self.received: list[int] = []
        """The numbers of all accepted events, also of those that were accepted again."""
        self.skipped: set[int] = set()
        self._room = 1000

    async def start(self) -> None:
        assert (await self.harness.post("/api/v1/links", LINK)).status == 201

    async def make_step(self) -> None:
        steps = {
            self.add_events: 8,
            self.fail: 2,
            self.hold: 2,
            self.release: 4,
            self.poison: 2,
            self.work: 3,
            self.wait: 6,
            self.skip: 4,
            self.change_batch: 1,
            self.restart: 1,
        }
        (step,) = self._rng.choices([*steps], [*steps.values()])
        outcome = step()
        if outcome is not None:
            await outcome

    def add_events(self) -> None:
        count = self._rng.randint(1, 12)
        self.harness.check_in(*range(self._room, self._room + count))
        self._room += count

    def fail(self) -> None:
        self.harness.transport.failure_by_url[URL] = "it answered 500"
        self.harness.transport.is_reached = self._rng.random() < 0.5

    def hold(self) -> None:
        self.harness.transport.holds_responses = True

    def release(self) -> None:
        self.harness.transport.holds_responses = False
        pending, self.harness.transport.pending_responses = self.harness.transport.pending_responses, []
        for response in pending:
            if not response.called:
                response.callback(None)

    def poison(self) -> None:
        self.harness.transport.rejected_rooms = {str(self._rng.randint(self._room - 10, self._room + 5))}

    def work(self) -> None:
        self.harness.transport.failure_by_url.clear()

    def wait(self) -> None:
        self.harness.advance(self._rng.choice([0.1, 1.2, 5, 70]))

    async def skip(self) -> None:
        stuck = (await self.harness.webhook_status())["stuck"]
        seq = 7 if stuck is None else stuck["seq"]
        answer = await self.harness.post("/api/v1/links/grand/webhook/skip", {"seq": seq})
        assert answer.status == (409 if stuck is None else 200)
        if stuck is not None:
            self.skipped.add(seq)
        self.harness.advance()

    async def change_batch(self) -> None:
        size = self._rng.choice([1, 2, 5, 100])
        await self.harness.post("/api/v1/links/grand", {"webhook_batch": size}, method="PATCH")
        self.harness.advance()

    async def restart(self) -> None:
        self.harness.advance(0.1)  # cursors are stored with the next commit
        before = self.harness
        await (before.crash() if self._rng.random() < 0.5 else before.stop())
        self._take_received()
        self.harness = WebhookHarness(before)

    def _take_received(self) -> None:
        self.received += [event["seq"] for event in self.harness.transport.delivered]
        self.harness.transport.delivered.clear()

    async def finish(self) -> None:
        """Let the receiver accept everything."""
        self.work()
        self.harness.transport.rejected_rooms.clear()
        self.release()
        while (await self.harness.webhook_status())["state"] != "idle":
            self.harness.advance(70)
        self._take_received()

    async def all_events(self) -> list[int]:
        events: list[Any] = []
        while True:
            after = events[-1]["seq"] if events else 0
            page = await self.harness.get(f"/api/v1/links/grand/events?limit=1000&after={after}")
            if not page.json()["events"]:
                return [event["seq"] for event in events]
            events += page.json()["events"]


@pytest.mark.parametrize("seed", range(8))
@time_limit(60)
async def test_every_event_arrives_in_order_or_was_skipped(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_body, "MAX_BATCH_BYTES", 2000)  # some events
    deliveries = RandomDeliveries(Random(seed))
    await deliveries.start()
    for _ in range(STEPS):
        await deliveries.make_step()
    await deliveries.finish()
    first_time = list(dict.fromkeys(deliveries.received))
    assert first_time == sorted(first_time)
    missing = {*await deliveries.all_events()} - {*first_time}
    assert missing <= deliveries.skipped
    assert (await deliveries.harness.webhook_status())["backlog"] == 0
    await deliveries.harness.stop()
