"""One-row statements asked from the event loop, over libpq's own asynchronous calls: prepared, and without a thread.

For the questions that are asked all day. A thread's turn, a pool and a cursor cost several times what a tile costs in the
database; here a question is written to a socket, and its answer wakes whoever waits for it. All else goes through `geo/db`.
"""

import asyncio
import re
from collections import deque, namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult
from psycopg.types.numeric import Int4, Int8

from geo import errand
from geo.errors import Broken, TooSlow, Unavailable

PATIENCE_SECONDS = 10
"""How long a question waits for a connection."""

FULL_SECONDS = 0.001
PREPARED = 200
"""Statements that a connection keeps prepared; then it begins anew."""

CANCELLED = "57014"
OUTDATED = ("0A000", "26000")
"""A prepared statement whose table has changed, or that is not there any more: another connection knows better."""

Row = Any
"""A named tuple of the statement's columns, or None."""


class Wire:
    """A few connections of one event loop, opened when they are first needed."""

    def __init__(self, conninfo: str, *, size: int) -> None:
        """Nothing is connected yet."""
        self._conninfo = conninfo
        self._size = size
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lines: set[Line] = set()
        self._idle: list[Line] = []
        self._opening = 0
        self._waiting: deque[asyncio.Future[Line | None]] = deque()

    async def one(self, sql: str, values: Mapping[str, Any]) -> Row:
        """The only row of a statement, or None; `%(name)s` in it takes the value of that name.

        Unavailable where no connection can be had or it broke, TooSlow where the database gave up or nobody waits.
        """
        line = await self._borrowed()
        try:
            return await line.ask(sql, values)
        finally:
            self._give_back(line)

    def close(self) -> None:
        """Give all connections back."""
        for line in self._lines:
            line.end()
        self._lines.clear()
        self._idle.clear()

    async def _borrowed(self) -> "Line":
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # a connection is of the loop that it was opened in
            self.close()
            self._loop, self._opening, self._waiting = loop, 0, deque()
        if line := self._free():
            return line
        if len(self._lines) + self._opening < self._size:
            return await self._opened(loop)
        return await self._turn(loop)

    def _free(self) -> "Line | None":
        while self._idle:
            line = self._idle.pop()
            if line.usable:
                return line
            self._drop(line)
        return None

    async def _turn(self, loop: asyncio.AbstractEventLoop) -> "Line":
        """The next connection that is given back; whoever came first is served first."""
        turn: asyncio.Future[Line | None] = loop.create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                try:
                    line = await turn
                except asyncio.CancelledError:
                    if not turn.cancelled():  # it was handed over already: it is the next one's
                        self._give_back(turn.result())
                    raise
        except TimeoutError as error:
            raise Unavailable("all connections to the database are in use") from error
        return line or await self._opened(loop)

    async def _opened(self, loop: asyncio.AbstractEventLoop) -> "Line":
        self._opening += 1
        try:
            line = Line(await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True), loop)
        except BaseException as error:
            self._opening -= 1
            self._give_back(None)  # its place is free: whoever waits may try
            if isinstance(error, psycopg.Error):
                raise Unavailable("the database cannot be reached") from error
            raise
        self._opening -= 1
        self._lines.add(line)
        return line

    def _give_back(self, line: "Line | None") -> None:
        """Hand a connection to whoever waits longest; one that broke, or None, is replaced by them."""
        if line and not line.usable:
            self._drop(line)
            line = None
        turn = next((one for one in iter(self._longest_waiting, None) if not one.done()), None)
        if turn is not None:
            turn.set_result(line)
        elif line:
            self._idle.append(line)

    def _longest_waiting(self) -> "asyncio.Future[Line | None] | None":
        return self._waiting.popleft() if self._waiting else None

    def _drop(self, line: "Line") -> None:
        self._lines.discard(line)
        line.end()


class Line:
    """One connection, asked one thing at a time."""

    def __init__(self, connection: psycopg.AsyncConnection, loop: asyncio.AbstractEventLoop) -> None:
        """Listen to its socket from now on."""
        self._connection = connection
        self._pg: PGconn = connection.pgconn
        self._loop = loop
        self._socket = self._pg.socket
        self._open = True
        self._prepared: dict[tuple[str, Sequence[int]], bytes] = {}
        self._heard: list[PGresult] = []
        self._answer: asyncio.Future[list[PGresult]] | None = None
        self._errand: errand.Errand | None = None
        self._calling_off: asyncio.Task[None] | None = None
        loop.add_reader(self._socket, self._readable)

    @property
    def usable(self) -> bool:
        """Whether it can be asked something: it stands, and nothing runs on it."""
        return self._open and self._answer is None and self._pg.status == ConnStatus.OK

    def end(self) -> None:
        """Close it, whatever runs; the number of its socket is soon another's, so the loop lets go of it first, once."""
        if self._open:
            self._open = False
            if not self._loop.is_closed():
                self._loop.remove_reader(self._socket)
            self._pg.finish()

    async def ask(self, sql: str, values: Mapping[str, Any]) -> Row:
        """The statement's only row; whoever's errand it is may call it off."""
        mine = errand.current()
        if mine is None:
            return await self._ask(sql, values)
        if mine.abandoned:
            raise TooSlow("nobody waits for this answer any more")
        self._errand = mine
        with mine.on(partial(self._called_off_elsewhere, mine)):
            try:
                return await self._ask(sql, values)
            finally:
                self._errand = None
                if self._calling_off:  # or it would hit the next statement
                    await self._calling_off
                    self._calling_off = None

    async def _ask(self, sql: str, values: Mapping[str, Any]) -> Row:
        text, names = numbered(sql)
        transformer = Transformer(self._connection)
        given = [_sized(values[name]) for name in names]
        data = transformer.dump_sequence(given, [PyFormat.AUTO] * len(given))
        types, formats = transformer.types or (), transformer.formats
        name = self._prepared.get((sql, types)) or await self._prepare(sql, text, types)
        result = await self._run(lambda: self._pg.send_query_prepared(name, data, formats, Format.BINARY))
        if not result.ntuples:
            return None
        transformer.set_pgresult(result, format=Format.BINARY)
        return transformer.load_row(0, _maker(tuple(result.fname(n) or b"" for n in range(result.nfields))))

    async def _prepare(self, sql: str, text: bytes, types: Sequence[int]) -> bytes:
        if len(self._prepared) >= PREPARED:
            await self._run(lambda: self._pg.send_query(b"deallocate all"))
            self._prepared.clear()
        name = b"w%d" % len(self._prepared)
        await self._run(lambda: self._pg.send_prepare(name, text, types))
        self._prepared[sql, types] = name
        return name

    async def _run(self, send: Callable[[], None]) -> PGresult:
        answer = self._answer = self._loop.create_future()
        try:
            send()
            while self._pg.flush():  # a statement larger than the socket's buffer
                await asyncio.sleep(FULL_SECONDS)
            results = await answer
        except psycopg.Error as error:
            self.end()
            raise Unavailable("the database cannot be reached") from error
        self._answer = None  # where the wait itself was called off, the statement still runs: not to be used again
        return self._checked(results[-1])

    def _checked(self, result: PGresult) -> PGresult:
        if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
            return result
        state = (result.error_field(DiagnosticField.SQLSTATE) or b"").decode()
        if state == CANCELLED:
            raise TooSlow("the database did not answer within its time limit")
        if state in OUTDATED or not state or state.startswith(("08", "57P")):
            self.end()
            raise Unavailable("the database cannot be reached")
        # The database's own message may quote what was asked: it goes no further.
        raise Broken(state)

    def _readable(self) -> None:
        try:
            self._pg.consume_input()
            while not self._pg.is_busy():
                result = self._pg.get_result()
                if result is None:
                    self._answered()
                    return
                self._heard.append(result)
        except psycopg.Error as error:
            self.end()
            if self._answer is not None and not self._answer.done():
                self._answer.set_exception(error)

    def _answered(self) -> None:
        if self._answer is None or self._answer.done():
            return
        heard, self._heard = self._heard, []
        self._answer.set_result(heard)

    def _called_off_elsewhere(self, whose: errand.Errand) -> None:
        """From another thread: the loop knows whether that errand's statement still runs."""
        self._loop.call_soon_threadsafe(self._call_off, whose)

    def _call_off(self, whose: errand.Errand) -> None:
        if self._answer is not None and self._errand is whose:
            self._calling_off = self._loop.create_task(self._connection.cancel_safe(timeout=5))


PLACE = re.compile(r"%\((\w+)\)s|%%")


@lru_cache(maxsize=1_000)
def numbered(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """The statement with `$1` in the place of each `%(name)s`, and the names in the order of their numbers."""
    names: dict[str, int] = {}

    def place(found: re.Match[str]) -> str:
        return f"${names.setdefault(found[1], len(names) + 1)}" if found[1] else "%"

    return PLACE.sub(place, sql).encode(), tuple(names)


def _sized(value: Any) -> Any:
    """A whole number in one of two sizes, or each magnitude would be a statement of its own."""
    if type(value) is not int:
        return value
    return Int4(value) if -(1 << 31) <= value < 1 << 31 else Int8(value)


@lru_cache(maxsize=100)
def _maker(names: tuple[bytes, ...]) -> Callable[[Sequence[Any]], Row]:
    return namedtuple("Row", [name.decode() for name in names])._make
