"""Answers from memory: finished bodies of public GETs, each served only while every version that it rests on is current.

Pure ASGI, in front of the routes: an answer from here costs neither a thread nor the database.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import negotiation
from geo.columns import LANGUAGES
from geo.kinds import SCHEMES

BYTES = 64_000_000
"""How much a worker keeps, bodies and headers."""

LARGEST_SHARE = 16
"""No answer larger than this part of the whole is kept."""

OVERHEAD = 1_000
"""Bytes that an entry costs beside its body."""

TYPES = (
    "text/html",
    "application/geo+json",
    "application/geo+json-seq",
    "text/csv",
    "application/flatgeobuf",
    "application/geopackage+sqlite3",
    "application/vnd.apache.parquet",
    "application/vnd.google-earth.kml+xml",
    "application/gpx+xml",
    "application/zip",
    "application/json",
    "application/schema+json",
    "application/vnd.oai.openapi+json",
    "application/vnd.mapbox-vector-tile",
    "application/vnd.mapbox.tilejson+json",
    "application/x-protobuf",
    "application/atom+xml",
    "application/xml",
    "text/plain",
    "text/javascript",
    *(scheme.media_type for scheme in SCHEMES.values()),
)
Key = tuple[str, tuple[bytes, ...], tuple[tuple[negotiation.Liking, ...], str, str | None]]
Versions = Mapping[str, int]
Headers = list[tuple[bytes, bytes]]

OWN = frozenset((b"authorization", b"cookie"))
"""What makes a request somebody's own."""


@dataclass(slots=True)
class Kept:
    """A finished answer and the versions that it was made from; `current` is what was heard when they last held."""

    headers: Headers
    unchanged: Headers
    tag: bytes
    body: bytes
    versions: Versions
    current: Versions | None = None

    @property
    def size(self) -> int:
        """What it costs to keep."""
        return len(self.body) + OVERHEAD


class Memory:
    """Wraps the application. `current` gives the versions as they are now, or None while nobody knows."""

    def __init__(self, app: ASGIApp, current: Callable[[], Versions | None], *, limit: int = BYTES) -> None:
        """Hold nothing yet."""
        self.app = app
        self.current = current
        self.limit = limit
        self.size = 0
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._asked: dict[Key, asyncio.Future[None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from memory, or wait for whoever asks the same, or ask and keep the answer."""
        if scope["type"] != "http" or scope["method"] != "GET" or (key := _key(scope)[0]) is None:
            await self.app(scope, receive, send)
            return
        while (entry := self._find(key)) is None:
            waiting = self._asked.get(key)
            if waiting is None:
                await self._ask(key, scope, receive, send)
                return
            await asyncio.wait([waiting])
            if self._find(key) is None:  # that answer was not one to keep: each asks for itself
                await self.app(scope, receive, send)
                return
        status, headers, body = _chosen(entry, _key(scope)[1])
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def at_hand(self, scope: Scope) -> tuple[int, Headers, bytes] | None:
        """Status, headers and body of the answer to a GET, where it is kept and still holds."""
        key, held = _key(scope)
        entry = self._find(key) if key is not None else None
        return None if entry is None else _chosen(entry, held)

    def _find(self, key: Key) -> Kept | None:
        entry = self._kept.get(key)
        if entry is None:
            return None
        now = self.current()
        if now is None:
            return None
        if now is entry.current:
            self._kept.move_to_end(key)
            return entry
        for collection, version in entry.versions.items():
            if now.get(collection, 0) != version:
                if now.get(collection, 0) > version:
                    self._drop(key)
                return None
        entry.current = now
        self._kept.move_to_end(key)
        return entry

    async def _ask(self, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
        done = self._asked[key] = asyncio.get_running_loop().create_future()

        def let_go() -> None:
            if not done.done():
                done.set_result(None)

        heard = Heard(send, let_go)
        try:
            await self.app(scope, receive, heard)
            if (entry := heard.entry(scope)) is not None:
                self._keep(key, entry)
        finally:
            del self._asked[key]
            let_go()

    def _keep(self, key: Key, entry: Kept) -> None:
        if entry.size * LARGEST_SHARE > self.limit:
            return
        self._drop(key)
        self._kept[key] = entry
        self.size += entry.size
        while self.size > self.limit:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Key) -> None:
        gone = self._kept.pop(key, None)
        if gone is not None:
            self.size -= gone.size


class Heard:
    """Passes an answer on and remembers it, unless it comes in pieces: a file for which nobody else need wait."""

    def __init__(self, send: Send, in_pieces: Callable[[], None]) -> None:
        """Nothing heard yet."""
        self._send = send
        self._in_pieces = in_pieces
        self._status = 0
        self._headers: Headers = []
        self._body: list[bytes] = []
        self._whole = False

    async def __call__(self, message: Message) -> None:
        """Pass one message on."""
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            self._whole = not message.get("more_body", False) and not self._body
            self._body = [message.get("body", b"")]
            if not self._whole:
                self._in_pieces()
        await self._send(message)

    def entry(self, scope: Scope) -> Kept | None:
        """The answer as it can be kept: whole, 200, and with the versions that its handler read."""
        versions = scope.get("state", {}).get("versions")
        tag = dict(self._headers).get(b"etag")
        if self._status != 200 or not self._whole or versions is None or tag is None:
            return None
        told = (b"etag", b"vary", b"cache-control")
        unchanged = [(name, value) for name, value in self._headers if name in told]
        return Kept(self._headers, unchanged, tag, b"".join(self._body), versions)


def _chosen(entry: Kept, held: bytes) -> tuple[int, Headers, bytes]:
    """The whole answer, or 304 to a client that holds it."""
    if held and (entry.tag in held or held.strip() == b"*"):
        return 304, entry.unchanged, b""
    return 200, entry.headers, entry.body


def _key(scope: Scope) -> tuple[Key | None, bytes]:
    """What an answer depends on beside the data, and the tags that the client holds; no key for somebody's own."""
    accept = language = encoding = held = b""
    for name, value in scope["headers"]:
        if name == b"accept":
            accept = value
        elif name == b"accept-language":
            language = value
        elif name == b"accept-encoding":
            encoding = value
        elif name == b"if-none-match":
            held = value
        elif name in OWN:
            return None, b""
    return (scope["path"], _parameters(scope["query_string"]), _liked(accept, language, encoding)), held


@lru_cache(maxsize=1_000)
def _parameters(query: bytes) -> tuple[bytes, ...]:
    """In one order: that in which they are written matters to nobody."""
    return tuple(sorted(query.split(b"&")))


@lru_cache(maxsize=1_000)
def _liked(accept: bytes, language: bytes, encoding: bytes) -> tuple[tuple[negotiation.Liking, ...], str, str | None]:
    return _types(accept), _language(language), negotiation.encoding(encoding.decode("latin-1"))


def _types(accept: bytes) -> tuple[negotiation.Liking, ...]:
    return negotiation.likings(accept.decode("latin-1"), TYPES)


def _language(accept: bytes) -> str:
    """The order in which the client likes the languages: the territory may not speak its first."""
    liked = negotiation.weighted(accept.decode("latin-1"))
    return ",".join(tag for tag, weight in liked if weight and tag[:2] in LANGUAGES)
