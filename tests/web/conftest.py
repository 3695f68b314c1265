"""A service for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_twisted

from tests.web.served import Served


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]
async def served() -> AsyncIterator[Served]:
    service = Served()
    yield service
    await service.stop()
