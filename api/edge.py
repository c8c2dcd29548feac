"""The outermost layer, pure ASGI: request ids, known hosts, CORS on every public answer, HEAD, OPTIONS, the access log."""

import itertools
import secrets
import time
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import urlsplit

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.logs import AccessLog
from geo.settings import Settings

LARGEST_BODY = 11_000_000
"""Bytes of a request's body, wherever a route sets no bound of its own: a photo of 10 MB and a form around it."""

DRAINED = 100_000_000
"""Bytes of a refused body that are read and dropped: before a browser has sent all, it shows no answer."""

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
PRIVATE = ("/townhall", "/register/")
"""What only people of the town hall get: no page of another origin may read it, whoever's browser it runs in."""

ALONE = [(b"x-content-type-options", b"nosniff")]
PREFLIGHT = [
    (b"access-control-allow-methods", METHODS),
    (b"access-control-allow-headers", b"Accept, Accept-Language, Content-Type, Idempotency-Key, If-None-Match"),
    (b"access-control-max-age", b"86400"),
]

PROCESS = secrets.token_hex(4)
COUNTER = itertools.count(1)
"""A request's id: the process that answered, and a number."""

AtHand = Callable[[Scope], tuple[int, list[tuple[bytes, bytes]], bytes] | None]
"""Status, headers and body of an answer that is kept; see Memory."""

Page = Callable[[Request, dict[str, Any]], str | None]
"""A problem as a page, where a browser asks; see House.error_page."""

log = structlog.get_logger()


class Edge:
    """Wraps the application; everything it adds is on error answers too."""

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        bounds: Mapping[str, int],
        page: Page,
        at_hand: AtHand = lambda _: None,
    ) -> None:
        """Know the names by which this service may be called, and what may be answered without the application.

        `bounds` are the bytes that a body may have at paths that set a bound of their own.
        """
        self.app = app
        self.page = page
        self.at_hand = at_hand
        self.bounds = bounds
        parts = urlsplit(settings.public_url)
        self.hosts = {name.encode() for name in (*LOOPBACK, (parts.hostname or "").lower(), parts.netloc.lower())}
        self.log = AccessLog(machine=settings.log_format == "json")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refused = self._refusal(scope)
        if refused is None and scope["method"] == "GET" and (kept := self.at_hand(scope)) is not None:
            await self._hand_over(scope, send, *kept)
            return
        exchange = Exchange(scope, send)
        if refused:
            if exchange.method == "POST":
                await _drain(receive)
            await exchange.refuse(*refused, self.page)
        elif exchange.preflight:
            await exchange.empty([] if exchange.private else PREFLIGHT)
        else:
            await exchange.run(self.app, receive)
        exchange.note(self.log)

    async def _hand_over(
        self, scope: Scope, send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> None:
        """What an Exchange does, for an answer that is finished: it costs a tenth of what the bytes' way out does."""
        began, id = time.perf_counter(), f"{PROCESS}{next(COUNTER):x}"
        headers = [*headers, *ALWAYS, (b"x-request-id", id.encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        self.log.note("GET", scope["path"], status, began, len(body), id)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        host = length = b""
        for name, value in scope["headers"]:
            if name == b"host":
                host = value.lower()
            elif name == b"content-length":
                length = value
        if host not in self.hosts and host.rpartition(b":")[0] not in self.hosts:
            return 400, "this host name is not known here; GOHELLE_PUBLIC_URL names the one that is"
        bound = self.bounds.get(scope["path"], LARGEST_BODY)
        if length.isdigit() and int(length) > bound:
            return 413, problems.too_large(bound)
        return None


class Exchange:
    """One request and its answer as it passes the edge."""

    def __init__(self, scope: Scope, send: Send) -> None:
        """Give the request its id; HEAD is run as a GET whose body is not sent."""
        self.id = f"{PROCESS}{next(COUNTER):x}"
        self.method = scope["method"]
        self.scope: MutableMapping[str, Any] = {**scope, "state": {**scope.get("state", {}), "request_id": self.id}}
        if self.method == "HEAD":
            self.scope["method"] = "GET"
        asks = b"access-control-request-method"
        self.preflight = self.method == "OPTIONS" and any(name == asks for name, _ in scope["headers"])
        self.started = time.perf_counter()
        self.private = scope["path"].startswith(PRIVATE)
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
                await self.refuse(
                    500, "something went wrong on our side; the request id helps to find out what", _no_page
                )

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
        self.status, headers = message["status"], message["headers"]
        if self.status == 405:
            headers = [(name, _with_head(value) if name == b"allow" else value) for name, value in headers]
            if self.method == "OPTIONS":
                self.status = 204
                headers = [(name, value) for name, value in headers if name == b"allow"]
        headers = [*headers, *(ALONE if self.private else ALWAYS), (b"x-request-id", self.id.encode())]
        return {**message, "status": self.status, "headers": headers}

    async def empty(self, headers: list[tuple[bytes, bytes]]) -> None:
        """204 with these headers."""
        await self.send({"type": "http.response.start", "status": 204, "headers": headers})
        await self.send({"type": "http.response.body", "body": b""})

    async def refuse(self, status: int, detail: str, page: Page) -> None:
        """A problem of the edge's own."""
        answer = await run_in_threadpool(problems.response, Request(self.scope), status, detail, page=page)
        await self.send({"type": "http.response.start", "status": status, "headers": answer.raw_headers})
        await self.send({"type": "http.response.body", "body": answer.body})

    def note(self, log: AccessLog) -> None:
        """One line a request."""
        log.note(self.method, self.scope["path"], self.status, self.started, self.bytes, self.id)


def _no_page(*_: Any) -> None:
    """Where the application has just failed, it is not asked for a page."""


async def _drain(receive: Receive) -> None:
    """Read a body that nobody wants, up to DRAINED."""
    got, more = 0, True
    while more and got < DRAINED:
        message = await receive()
        got += len(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)


def _with_head(allowed: bytes) -> bytes:
    methods = {method.strip() for method in allowed.split(b",")} | {b"OPTIONS"}
    return b", ".join(sorted(methods | ({b"HEAD"} if b"GET" in methods else set())))
