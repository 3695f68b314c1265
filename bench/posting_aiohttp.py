"""A comparison server of posting_throughput: aiohttp with sqlite3.

python -m bench.posting_aiohttp PORT DATABASE
"""

from __future__ import annotations

import sys

from aiohttp import web

from bench.bench_processes import LINK, POSTINGS_PATH
from bench.posting_table import PostingTable


def make_app(table: PostingTable) -> web.Application:
    """Return an application with the route of postings."""

    async def post(request: web.Request) -> web.Response:
        key = request.headers["Idempotency-Key"]
        answer = await table.accept(request.match_info["link"], key, await request.json())
        return web.json_response(answer, status=202)

    app = web.Application()
    app.router.add_post(POSTINGS_PATH.replace(LINK, "{link}"), post)
    return app


if __name__ == "__main__":
    app = make_app(PostingTable(sys.argv[2]))
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
