"""A service with webhooks for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_twisted

from tests.pbx.webhook.http_receiver import Errand
from tests.pbx.webhook.webhook_harness import Hooked


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]
async def hooked() -> AsyncIterator[Hooked]:
    service = Hooked()
    yield service
    await service.stop()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]
async def errand() -> AsyncIterator[Errand]:
    one = Errand()
    yield one
    await one.end()
