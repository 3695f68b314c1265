"""The store of the comparison servers of posting_throughput: sqlite3 as an everyday application uses it.

It does for each posting what pmslink's store does, with the same durability: look the idempotency key up,
assign the next number, insert the row into a table with three indexes, and wait for the commit.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS numbers (link TEXT PRIMARY KEY, last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS postings (
    id INTEGER PRIMARY KEY, link TEXT NOT NULL, key TEXT, number INTEGER NOT NULL, state TEXT NOT NULL,
    created INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS postings_by_key ON postings (link, key);
CREATE INDEX IF NOT EXISTS postings_by_number ON postings (link, number);
CREATE INDEX IF NOT EXISTS postings_by_state ON postings (link, state, id);
"""


class PostingTable:
    """A table of postings, and the only thread that uses its connection."""

    def __init__(self, path: str) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.executescript(_SCHEMA)

    async def accept(self, link: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
        """Store a posting in the thread, and return the body of the response once it is committed."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._accept, link, key, body)

    def _accept(self, link: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        row = execute("SELECT id, number, created FROM postings WHERE link = ? AND key = ?", (link, key))
        stored = row.fetchone()
        if stored is None:
            stored = self._insert(link, key, body)
        execute("COMMIT")
        row_id, number, created = stored
        answer = {"state": "pending", "attempts": 0, "sent": None, "answered": None, "answer": None}
        return {**body, **answer, "id": row_id, "number": number, "created": created}

    def _insert(self, link: str, key: str, body: dict[str, Any]) -> tuple[int | None, int, int]:
        execute = self._connection.execute
        last = execute("SELECT last FROM numbers WHERE link = ?", (link,)).fetchone()
        number = 1 if last is None else last[0] + 1
        created = time.time_ns() // 1_000_000
        inserted = execute(
            "INSERT INTO postings (link, key, number, state, created, body) VALUES (?, ?, ?, ?, ?, ?)",
            (link, key, number, "pending", created, json.dumps(body)),
        )
        execute("INSERT OR REPLACE INTO numbers VALUES (?, ?)", (link, number))
        return inserted.lastrowid, number, created
