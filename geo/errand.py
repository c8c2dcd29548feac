"""What runs in the database on somebody's behalf, so that it can be cancelled when nobody waits for it any more."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock

import psycopg

_CURRENT: ContextVar["Errand | None"] = ContextVar("errand", default=None)


class Errand:
    """The connections that work for one request. Abandoned, it cancels what runs on them, and what would yet begin."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._lock = Lock()
        self._running: set[psycopg.Connection] = set()
        self.abandoned = False

    @contextmanager
    def on(self, connection: psycopg.Connection) -> Iterator[None]:
        """Work on a connection; when the block ends it is somebody else's."""
        with self._lock:
            self._running.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(connection)

    def abandon(self) -> None:
        """Nobody waits any more: cancel in the database. The lock keeps a connection from being given back meanwhile."""
        with self._lock:
            self.abandoned = True
            for connection in self._running:
                connection.cancel_safe(timeout=5)


@contextmanager
def begin() -> Iterator[Errand]:
    """A new errand; the threads that are started inside the block know it."""
    mine = Errand()
    token = _CURRENT.set(mine)
    try:
        yield mine
    finally:
        _CURRENT.reset(token)


def current() -> Errand | None:
    """The errand that this thread or task runs for."""
    return _CURRENT.get()
