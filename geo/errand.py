"""What runs in the database on somebody's behalf, so that it can be cancelled when nobody waits for it any more."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock

_CURRENT: ContextVar["Errand | None"] = ContextVar("errand", default=None)


class Errand:
    """The statements that run for one request. Abandoned, it calls them off, and what would yet begin."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._lock = Lock()
        self._running: list[Callable[[], None]] = []
        self.abandoned = False

    @contextmanager
    def on(self, call_off: Callable[[], None]) -> Iterator[None]:
        """Work on a connection, whose statement `call_off` cancels; when the block ends it is somebody else's."""
        with self._lock:
            self._running.append(call_off)
        try:
            yield
        finally:
            with self._lock:
                self._running.remove(call_off)

    def abandon(self) -> None:
        """Nobody waits any more: cancel in the database. The lock keeps a connection from being given back meanwhile."""
        with self._lock:
            self.abandoned = True
            for call_off in self._running:
                call_off()


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
