"""A service with webhooks for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_twisted

from tests.pbx.hooked import Hooked
from tests.pbx.receiving import Errand


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
