"""The outermost layer, pure ASGI: request ids, known hosts, CORS on every answer, HEAD, OPTIONS, the access log."""

import json
import secrets
import time
from collections.abc import MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from geo.settings import Settings

LARGEST_BODY = 8_000_000
"""Bytes of a request's body, wherever no smaller bound is set."""

LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}
METHODS = b"GET, HEAD, POST, OPTIONS"
ALWAYS = [
    # Public data without credentials: also on errors, and whether or not the request names an origin, so that a shared
    # cache never keeps an answer that a web map cannot read.
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"Content-Crs, ETag, Link, Location, OGC-NumberMatched, OGC-NumberReturned, Retry-After, X-Request-ID",
    ),
    (b"x-content-type-options", b"nosniff"),
]
PREFLIGHT = [
    (b"access-control-allow-methods", METHODS),
    (b"access-control-allow-headers", b"Accept, Accept-Language, Content-Type, Idempotency-Key, If-None-Match"),
    (b"access-control-max-age", b"86400"),
]

log = structlog.get_logger()


class Edge:
    """Wraps the application; everything it adds is on error answers too."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        """Know the names by which this service may be called."""
        self.app = app
        parts = urlsplit(settings.public_url)
        self.hosts = LOOPBACK | {(parts.hostname or "").lower(), parts.netloc.lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = Exchange(scope, send)
        refused = self._refusal(scope)
        if refused:
            await exchange.refuse(*refused)
        elif exchange.preflight:
            await exchange.empty(PREFLIGHT)
        else:
            await exchange.run(self.app, receive)
        exchange.note()

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if host not in self.hosts and host.rsplit(":", 1)[0] not in self.hosts:
            return 400, "this host name is not known here; GOHELLE_PUBLIC_URL names the one that is"
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > LARGEST_BODY:
            return 413, f"a body may have at most {LARGEST_BODY} bytes"
        return None


class Exchange:
    """One request and its answer as it passes the edge."""

    def __init__(self, scope: Scope, send: Send) -> None:
        """Give the request its id; HEAD is run as a GET whose body is not sent."""
        self.id = secrets.token_hex(8)
        self.method = scope["method"]
        self.scope: MutableMapping[str, Any] = {**scope, "state": {**scope.get("state", {}), "request_id": self.id}}
        if self.method == "HEAD":
            self.scope["method"] = "GET"
        names = {name for name, _ in scope["headers"]}
        self.preflight = self.method == "OPTIONS" and b"access-control-request-method" in names
        self.started = time.perf_counter()
        self.status = 0
        self.bytes = 0
        self._send = send

    async def run(self, app: ASGIApp, receive: Receive) -> None:
        """Let the application answer. Its 500 is already sent and logged when the exception comes up here."""
        try:
            await app(self.scope, receive, self.send)
        except Exception:
            if not self.status:
                log.exception("failed", request_id=self.id)
                await self.refuse(500, "something went wrong on our side; the request id helps to find out what")

    async def send(self, message: Message) -> None:
        """Pass the answer on, with what every answer carries."""
        if message["type"] == "http.response.start":
            message = self._start(message)
        elif message["type"] == "http.response.body":
            self.bytes += len(message.get("body", b""))
            if self.method == "HEAD":
                message = {**message, "body": b""}
        await self._send(message)

    def _start(self, message: Message) -> Message:
        headers = [(name, _with_head(value) if name == b"allow" else value) for name, value in message["headers"]]
        self.status = message["status"]
        if self.method == "OPTIONS" and self.status == 405:
            self.status = 204
            headers = [(name, value) for name, value in headers if name == b"allow"]
        headers += [*ALWAYS, (b"x-request-id", self.id.encode())]
        return {**message, "status": self.status, "headers": headers}

    async def empty(self, headers: list[tuple[bytes, bytes]]) -> None:
        """204 with these headers."""
        await self.send({"type": "http.response.start", "status": 204, "headers": headers})
        await self.send({"type": "http.response.body", "body": b""})

    async def refuse(self, status: int, detail: str) -> None:
        """A problem of the edge's own."""
        body = json.dumps(problems.document(status, detail, request_id=self.id)).encode()
        headers = [(b"content-type", problems.MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})

    def note(self) -> None:
        """One line a request. The query is left out: it may hold where somebody lives."""
        log.info(
            "request",
            method=self.method,
            path=self.scope["path"],
            status=self.status,
            reason=HTTPStatus(self.status).phrase if self.status else "connection closed",
            ms=round((time.perf_counter() - self.started) * 1000, 1),
            bytes=self.bytes,
            request_id=self.id,
        )


def _with_head(allowed: bytes) -> bytes:
    methods = {method.strip() for method in allowed.split(b",")} | {b"OPTIONS"}
    return b", ".join(sorted(methods | ({b"HEAD"} if b"GET" in methods else set())))
