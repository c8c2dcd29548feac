"""Files for browsers: how long each may be kept, and compressed once for all who take it."""

import gzip
import re
from functools import lru_cache
from pathlib import Path

import brotli
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api import negotiation

NAMED = re.compile(r"-[\w-]{8}\.js$")
"""The name of a built script, which its content gives it."""

TEXTS = {".js", ".mjs", ".css", ".svg", ".json"}
"""What becomes smaller; fonts and pictures are compressed already."""

KEPT = 200
"""Compressed files that a process keeps: more than there are."""


class Files(StaticFiles):
    """Files whose address carries a version (`?v=`, or a built script's name) never change under it; others are asked for again."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with how long it may be kept."""
        response = await super().get_response(path, scope)
        if isinstance(response, FileResponse) and Path(response.path).suffix in TEXTS:
            response = await self._smaller(response, Headers(scope=scope))
        versioned = scope["query_string"].startswith(b"v=") or NAMED.search(path)
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable"
            if versioned and response.status_code in (200, 304)
            else "public, max-age=600"
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
        # Reading, or a few milliseconds of work: not in the loop that answers everybody else.
        body = await run_in_threadpool(_compressed, str(response.path), response.headers["etag"], coding)
        return Response(body, 200, {**headers, "Content-Encoding": coding}, response.headers["content-type"])


@lru_cache(maxsize=KEPT)
def _compressed(path: str, _: str, coding: str) -> bytes:
    """The file's bytes in that coding, as the build left them or made now; its tag is there so that a changed file is read anew."""
    ready = Path(f"{path}.{'br' if coding == 'br' else 'gz'}")
    if ready.exists():
        return ready.read_bytes()
    data = Path(path).read_bytes()
    return brotli.compress(data, quality=11) if coding == "br" else gzip.compress(data, compresslevel=9, mtime=0)
