"""A service for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_twisted

from tests.web.protected_api import Guarded
from tests.web.served_api import Served


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]
async def served() -> AsyncIterator[Served]:
    service = Served()
    yield service
    await service.stop()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]
async def guarded(tmp_path: Path) -> AsyncIterator[Guarded]:
    service = Guarded(tmp_path)
    yield service
    await service.stop()
