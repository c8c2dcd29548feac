"""How the processes of the house write their log: one line an event, for people or for machines."""

import asyncio
import atexit
import json
import logging
import sys
import time
from functools import lru_cache

import structlog

from geo.settings import Settings


def configure_logging(settings: Settings) -> None:
    """One line an event on standard error: for people, or as JSON for machines (GOHELLE_LOG_FORMAT=json)."""
    # Tracebacks come without the variables' values: those may be a resident's.
    if settings.log_format == "json":
        transformer = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        shown = [structlog.processors.ExceptionRenderer(transformer), structlog.processors.JSONRenderer()]
    else:
        plain = structlog.dev.plain_traceback
        shown = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain, pad_event_to=12)]
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.add_log_level,
            *shown,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


WAIT = 0.25
"""Seconds for which lines of the access log are gathered: writing each by itself would cost more than a kept answer."""


class AccessLog:
    """One line a request on standard error, written by hand: a logging library takes longer than a kept answer."""

    def __init__(self, *, machine: bool) -> None:
        """For people, or as JSON for machines."""
        self._line = _json_line if machine else _line
        self._lines: list[str] = []
        self._due = 0.0
        atexit.register(self.flush)

    def note(self, method: str, path: str, status: int, began: float, size: int, id: str) -> None:
        """A request that began at this reading of `perf_counter`. Its query is left out: it may hold where somebody lives."""
        now = time.perf_counter()
        self._lines.append(self._line(method, path, status, (now - began) * 1000, size, id))
        if len(self._lines) == 1:
            self._due = now + WAIT
            asyncio.get_running_loop().call_later(WAIT, self.flush)
        elif now > self._due + WAIT:  # the loop that was to wake us is no more
            self.flush()

    def flush(self) -> None:
        """Write what was gathered."""
        lines, self._lines = self._lines, []
        sys.stderr.write("".join(lines))


def _line(method: str, path: str, status: int, milliseconds: float, size: int, id: str) -> str:
    return f"{_moment(int(time.time()))} request {method} {_plain(path)} {status} {milliseconds:.1f} ms {size} bytes {id}\n"


def _json_line(method: str, path: str, status: int, milliseconds: float, size: int, id: str) -> str:
    return (
        f'{{"timestamp":"{_moment(int(time.time()))}","level":"info","event":"request","method":"{method}",'
        f'"path":{json.dumps(path)},"status":{status},"ms":{milliseconds:.1f},"bytes":{size},"request_id":"{id}"}}\n'
    )


@lru_cache(maxsize=1_000)
def _plain(path: str) -> str:
    """No path may write a line of its own."""
    return path.encode("unicode_escape").decode("ascii")


@lru_cache(maxsize=2)
def _moment(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))


class Forwarded(logging.Handler):
    """What a library warns of, as a line of ours; without its traceback, whose words are not ours to vouch for."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        structlog.get_logger().warning(record.getMessage().partition("\n")[0], library=record.name)


def forward(*libraries: str) -> None:
    """Let the warnings of these libraries stand in our log."""
    for name in libraries:
        library = logging.getLogger(name)
        library.handlers, library.propagate = [Forwarded(logging.WARNING)], False
