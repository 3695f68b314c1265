"""A comparison server of posting_throughput: FastAPI on uvicorn, with sqlite3.

python -m bench.posting_fastapi PORT DATABASE
"""

from __future__ import annotations

import sys
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Header
from pydantic import BaseModel

from bench.bench_processes import LINK, POSTINGS_PATH
from bench.posting_table import PostingTable


class Posting(BaseModel):
    """The body of a request."""

    type: str
    room: str
    amount: int
    dialled: str
    duration: int
    call_type: str


def make_app(table: PostingTable) -> FastAPI:
    """Return an application with the route of postings."""
    app = FastAPI()

    @app.post(POSTINGS_PATH.replace(LINK, "{link}"), status_code=202)
    async def post(link: str, posting: Posting, idempotency_key: Annotated[str, Header()]) -> dict[str, Any]:
        return await table.accept(link, idempotency_key, posting.model_dump())

    return app


if __name__ == "__main__":
    uvicorn.run(
        make_app(PostingTable(sys.argv[2])), port=int(sys.argv[1]), log_level="error", access_log=False
    )
