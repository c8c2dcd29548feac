"""The way to PostgreSQL: two logins, three pools and a wire, and which failure is which word. No query stands here."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Literal, TypeVar

from psycopg import errors as pg
from psycopg.conninfo import make_conninfo
from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Dialect, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from geo import errand
from geo.errors import Broken, TooSlow, Unavailable
from geo.settings import Settings, conninfo
from geo.wire import Wire

Snapshot = Connection
"""What may be read through, for those who do not speak SQL themselves."""

Seen = TypeVar("Seen")


@dataclass(frozen=True, slots=True)
class Statement(Generic[Seen]):
    """A question that one statement settles with one row at most, and what its row, or none, says."""

    sql: str
    values: Mapping[str, Any]
    read: Callable[[Any], Seen]

    def asked(self, tx: Snapshot) -> Seen:
        """What it says in a snapshot."""
        return self.read(tx.exec_driver_sql(self.sql, dict(self.values)).one_or_none())


READ_SECONDS = 10
GLANCE_SECONDS = 2
"""What is not answered by then is no question for the wire: it would keep the others waiting."""

EXPENSIVE_SECONDS = 60
EXPENSIVE_CONNECTIONS = 2
ALIVE_SECONDS = 1.0
"""How long a connection is taken for alive after its last use."""

ALONE = "-c max_parallel_workers_per_gather=0 -c jit=off"
"""Many ask at once: starting helpers, or a compiler, for one question costs ten times what the question does."""

WITH_HELPERS = "-c max_parallel_workers_per_gather=2"
"""Few ask what takes seconds: there a helper halves the wait."""

WITH_JOBS = "-c search_path=public,jobs"
"""The job queue names its own tables and functions without their schema."""

ONE_PLAN = "-c plan_cache_mode=force_generic_plan"
SNAPSHOT = "begin isolation level repeatable read read only"

TOUCHED = "select exists (select from territory.touched where xid = pg_current_xact_id_if_assigned())"
VERSIONS = "select collection, version from territory.version"

Level = Literal["AUTOCOMMIT", "READ COMMITTED"]


class Database:
    """One for a process; its pools open connections when they are first asked."""

    def __init__(self, settings: Settings, *, wrote: Callable[[Mapping[str, int]], None] | None = None) -> None:
        """Name the pools; nothing is connected yet. `wrote` is told the versions that stand after each commit."""
        self._wrote = wrote
        size = max(2, settings.pool_size // 2)
        self._writer = _engine(settings.database_url, size=size, seconds=READ_SECONDS, options=WITH_JOBS)
        wired = max(1, settings.pool_size * 2 // 3)
        reading = max(1, settings.pool_size - wired)
        self._reader = _engine(settings.reader_url, size=reading, seconds=READ_SECONDS, level="AUTOCOMMIT")
        self._expensive = _engine(
            settings.reader_url,
            size=EXPENSIVE_CONNECTIONS,
            seconds=EXPENSIVE_SECONDS,
            options=WITH_HELPERS,
            level="AUTOCOMMIT",
        )
        arguments = _arguments(seconds=GLANCE_SECONDS, options=ONE_PLAN)
        self._wire = Wire(make_conninfo(conninfo(settings.reader_url), **arguments), size=wired)

    def read(self) -> AbstractContextManager[Connection]:
        """One snapshot under the reader's own login: PostgreSQL itself refuses a write, or a look into `register`."""
        return _snapshot(self._reader)

    async def glance(self, statement: Statement[Seen]) -> Seen:
        """What a statement says by itself, asked from the event loop; its plan is made once, for any values.

        For the questions that are asked all day, in a form that one plan suits: no thread, no round trips for the two
        ends of a transaction, and no planning, which costs three times what a tile does. TooSlow after GLANCE_SECONDS.
        """
        return statement.read(await self._wire.one(statement.sql, statement.values))

    def read_long(self) -> AbstractContextManager[Connection]:
        """Like `read`, for the few questions that may take long: they wait for each other, not others for them."""
        return _snapshot(self._expensive)

    def write(self) -> AbstractContextManager[Connection]:
        """A transaction of the service's own role; committed when the block ends, rolled back when it raises."""
        return self._writing() if self._wrote else _begin(self._writer)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with _begin(self._writer) as tx:
            yield tx
            public = tx.exec_driver_sql(TOUCHED).scalar()
        if public and self._wrote:
            with _begin(self._writer) as tx:
                self._wrote({row.collection: row.version for row in tx.exec_driver_sql(VERSIONS)})

    def close(self) -> None:
        """Give all connections back."""
        self._wire.close()
        for engine in (self._writer, self._reader, self._expensive):
            engine.dispose()


def _engine(url: URL, *, size: int, seconds: int, options: str = "", level: Level = "READ COMMITTED") -> Engine:
    engine = create_engine(
        url,
        pool_size=size,
        max_overflow=0,
        # The connection that was used last knows its plans and PostGIS its systems; in turn, each would have to learn them.
        pool_use_lifo=True,
        pool_timeout=10,
        isolation_level=level,
        # The row of a failed statement may be a resident's: it stays out of messages and logs.
        hide_parameters=True,
        connect_args=_arguments(seconds=seconds, options=options),
    )
    event.listen(engine, "checkin", _rest)
    event.listen(engine, "checkout", partial(_wake, engine.dialect))
    return engine


def _arguments(*, seconds: int, options: str) -> dict[str, Any]:
    return {
        "connect_timeout": 5,
        "application_name": "gohelle",
        "options": f"-c statement_timeout={seconds}s -c timezone=UTC -c datestyle=ISO {ALONE} {options}",
    }


def _rest(_: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    record.info["rested"] = time.monotonic()


def _wake(dialect: Dialect, raw: DBAPIConnection, record: ConnectionPoolEntry, _: object) -> None:
    """Ask a connection that has rested whether it lives: the pool replaces it if not. A busy one needs no round trip."""
    if time.monotonic() - record.info.get("rested", 0.0) < ALIVE_SECONDS:
        return
    try:
        alive = dialect.do_ping(raw)
    except dialect.loaded_dbapi.Error as error:
        raise DisconnectionError from error
    if not alive:
        raise DisconnectionError


@contextmanager
def _begin(engine: Engine) -> Iterator[Connection]:
    try:
        with engine.begin() as tx, _on_behalf(tx):
            yield tx
    except PoolTimeout as error:
        raise Unavailable("all connections to the database are in use") from error
    except DBAPIError as error:
        if isinstance(error.orig, pg.QueryCanceled):
            raise TooSlow("the database did not answer within its time limit") from error
        if error.connection_invalidated or isinstance(error.orig, pg.OperationalError | pg.InterfaceError):
            raise Unavailable("the database cannot be reached") from error
        # The driver's own message may quote the failing row, and that may be a resident's: it goes no further.
        raise Broken(_epitaph(error)).with_traceback(error.__traceback__) from None


@contextmanager
def _snapshot(engine: Engine) -> Iterator[Connection]:
    with _begin(engine) as tx:
        tx.exec_driver_sql(SNAPSHOT)
        yield tx  # the pool ends the transaction


@contextmanager
def _on_behalf(tx: Connection) -> Iterator[None]:
    """Let whoever asked be able to call it off."""
    mine, connection = errand.current(), tx.connection.driver_connection
    if mine is None or connection is None:
        yield
        return
    if mine.abandoned:
        raise TooSlow("nobody waits for this answer any more")
    with mine.on(partial(connection.cancel_safe, timeout=5)):
        yield


def _epitaph(error: DBAPIError) -> str:
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is None:
        return type(error.orig).__name__
    # Class 22 messages (data exceptions) quote the value.
    told = "" if (diagnosis.sqlstate or "22").startswith("22") else diagnosis.message_primary
    return f"{type(error.orig).__name__} {diagnosis.sqlstate} {diagnosis.constraint_name or ''} {told}".strip()
