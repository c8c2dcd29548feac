"""Files for browsers: how long each may be kept, and compressed once for all who take it."""

import gzip
from functools import lru_cache
from pathlib import Path

import brotli
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api import negotiation

TEXTS = {".js", ".mjs", ".css", ".svg", ".json"}
"""What becomes smaller; fonts and pictures are compressed already."""

KEPT = 200
"""Compressed files that a process keeps: more than there are."""


class Files(StaticFiles):
    """Files whose address carries a version (`?v=`) never change under it; others are asked for again."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with how long it may be kept."""
        response = await super().get_response(path, scope)
        if isinstance(response, FileResponse) and Path(response.path).suffix in TEXTS:
            response = await self._smaller(response, Headers(scope=scope))
        versioned = scope["query_string"].startswith(b"v=") and response.status_code == 200
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if versioned else "public, max-age=600"
        )
        return response

    async def _smaller(self, response: FileResponse, asked: Headers) -> Response:
        coding = negotiation.encoding(asked.get("accept-encoding", ""))
        if coding is None or "range" in asked:
            response.headers["Vary"] = "Accept-Encoding"
            return response
        tag = f'{response.headers["etag"][:-1]}-{coding}"'
        headers = {"Vary": "Accept-Encoding", "ETag": tag, "Last-Modified": response.headers["last-modified"]}
        if tag in asked.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        # Half a second for the largest: not in the loop that answers everybody else.
        body = await run_in_threadpool(_compressed, str(response.path), response.headers["etag"], coding)
        return Response(body, 200, {**headers, "Content-Encoding": coding}, response.headers["content-type"])


@lru_cache(maxsize=KEPT)
def _compressed(path: str, _: str, coding: str) -> bytes:
    """The file's bytes in that coding; its tag is there so that a changed file is read anew."""
    data = Path(path).read_bytes()
    return brotli.compress(data, quality=9) if coding == "br" else gzip.compress(data, compresslevel=9, mtime=0)
