"""Fixtures: a served API for each test, with and without tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_twisted

from tests.web.protected_api import TokenProtectedApi
from tests.web.served_api import ServedApi


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]
async def served_api() -> AsyncIterator[ServedApi]:
    service = ServedApi()
    yield service
    await service.stop()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]
async def protected_api(tmp_path: Path) -> AsyncIterator[TokenProtectedApi]:
    service = TokenProtectedApi(tmp_path)
    yield service
    await service.stop()
