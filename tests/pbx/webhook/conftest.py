"""A service with webhooks for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_twisted

from tests.pbx.webhook.http_receiver import WebhookTransportHarness
from tests.pbx.webhook.webhook_harness import WebhookHarness


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]
async def webhook_service() -> AsyncIterator[WebhookHarness]:
    service = WebhookHarness()
    yield service
    await service.stop()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]
async def transport_harness() -> AsyncIterator[WebhookTransportHarness]:
    one = WebhookTransportHarness()
    yield one
    await one.stop()
