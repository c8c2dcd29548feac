"""One thread that hears of every commit: the versions as they are now, or None while it cannot know."""

import threading
import time
from collections.abc import Mapping

import psycopg

from geo.settings import Settings, conninfo

SILENCE = 2.0
"""Seconds without a sign of life after which nothing is known any more."""

BEAT = 0.5
"""Seconds between two signs of life."""


class Listener:
    """Hears the notifications of `territory.settle()`. A notification follows its commit within milliseconds."""

    def __init__(self, settings: Settings) -> None:
        """Know where to listen; `start` does."""
        self._conninfo = conninfo(settings.reader_url)
        self._known: Mapping[str, int] | None = None
        self._beat = 0.0
        self._merging = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """End with the next beat; a stopped listener knows nothing."""
        self._stop.set()
        self._known = None

    def current(self) -> Mapping[str, int] | None:
        """The version of each collection; None while the database has not been heard for SILENCE seconds."""
        return self._known if time.monotonic() - self._beat < SILENCE else None

    def tell(self, versions: Mapping[str, int]) -> None:
        """What this process has just committed: its own answers do not wait for the notification."""
        with self._merging:
            if self._known is not None:
                self._known = {**self._known, **{id: max(n, self._known.get(id, 0)) for id, n in versions.items()}}

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with psycopg.connect(self._conninfo, autocommit=True, connect_timeout=5) as connection:
                    self._listen(connection)
            except psycopg.Error:
                """Down: what was known is forgotten below, and all is read anew after the next connection."""
            self._known = None
            self._stop.wait(BEAT)

    def _listen(self, connection: psycopg.Connection) -> None:
        # First listen, then read: what is committed in between is heard a second time, never missed.
        connection.execute("listen territory")
        found = dict(connection.execute("select collection, version from territory.version").fetchall())
        self._known = None if self._stop.is_set() else found
        self._beat = time.monotonic()
        while not self._stop.is_set():
            for notification in connection.notifies(timeout=BEAT):
                collection, _, version = notification.payload.rpartition(" ")
                self.tell({collection: int(version)})
                self._beat = time.monotonic()
                if self._stop.is_set():
                    return
            connection.execute("select 1")
            self._beat = time.monotonic()
