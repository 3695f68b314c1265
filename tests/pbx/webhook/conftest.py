"""Fixtures: a served API with webhooks, and a webhook transport with its receiver."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_twisted

from tests.pbx.webhook.http_receiver import WebhookTransportHarness
from tests.pbx.webhook.webhook_harness import WebhookHarness


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]
async def webhook_service() -> AsyncIterator[WebhookHarness]:
    harness = WebhookHarness()
    yield harness
    await harness.stop()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]
async def transport_harness() -> AsyncIterator[WebhookTransportHarness]:
    harness = WebhookTransportHarness()
    yield harness
    await harness.stop()
