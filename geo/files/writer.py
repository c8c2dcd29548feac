"""The child process that writes one file: `python -m geo.files.writer`, a request on stdin, JSON lines on stdout.

Rows stream from PostgreSQL through Arrow into the file, some thousands at a time, so that memory stays the same
however many there are.
"""

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

# Read by the libraries when they are loaded: one thread and one arena are enough for a stream, and spare 100 MB.
os.environ |= {"ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import psycopg

from geo.errors import GohelleError, TooSlow, Unavailable
from geo.files import layers
from geo.files.batches import batches
from geo.files.export import Layer

SECONDS = 600
"""How long the database may take over one file."""


class Rows(io.RawIOBase):
    """What COPY sends, as a file to read from."""

    def __init__(self, copy: psycopg.Copy) -> None:
        """Nothing has been read yet."""
        self._chunks = iter(copy)
        self._left = memoryview(b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the next chunks go."""
        filled, room = 0, len(buffer)
        while filled < room:
            if not self._left:
                chunk = next(self._chunks, None)
                if chunk is None:
                    break
                self._left = memoryview(chunk)
            size = min(room - filled, len(self._left))
            buffer[filled : filled + size] = self._left[:size]
            self._left = self._left[size:]
            filled += size
        return filled


def say(kind: str, value: Any) -> None:
    """One line to the parent."""
    sys.stdout.write(json.dumps({kind: value}, ensure_ascii=True) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Write the one file."""
    asked = json.load(sys.stdin)
    try:
        say("written", _write(asked))
    except GohelleError as error:
        say("error", {"type": type(error).__name__, "message": str(error)})
    except psycopg.errors.QueryCanceled:
        say("error", {"type": TooSlow.__name__, "message": "the database did not answer within its time limit"})
    except psycopg.OperationalError:
        say("error", {"type": Unavailable.__name__, "message": "the database cannot be reached, or went away"})


def _write(asked: dict[str, Any]) -> int:
    layer = Layer(**asked["layer"])
    with _connection(asked["database"]) as connection, connection.cursor() as cursor:
        copying = f"copy ({asked['sql']}) to stdout (format csv)"
        with cursor.copy(copying.encode()) as copy:
            stream = io.BufferedReader(Rows(copy), 1 << 20)
            return layers.write(Path(asked["path"]), layer, batches(stream, layer))


def _connection(address: str) -> psycopg.Connection:
    options = f"-c timezone=UTC -c statement_timeout={SECONDS}s -c client_connection_check_interval=2s"
    return psycopg.connect(address, connect_timeout=10, application_name="gohelle export", options=options)


if __name__ == "__main__":
    main()
