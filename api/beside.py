"""The worker that `gohelle serve` keeps running beside the web workers: started, restarted, and ended with the service."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

LIVED_SECONDS = 60
"""A worker that lived for so long is started again at once."""

LONGEST_PAUSE = 30.0
GRACE_SECONDS = 15
"""How long a worker that was told to stop may finish the letter that it is sending."""

log = structlog.get_logger()


@contextmanager
def worker() -> Iterator[None]:
    """A worker process as long as the block runs, also where it crashes; it ends by itself if we are killed."""
    keeper = _Keeper()
    threading.Thread(target=keeper.run, name="worker", daemon=True).start()
    try:
        yield
    finally:
        keeper.stop()


class _Keeper:
    """Waits for the child, and starts another when it has ended."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Start the worker again and again, with longer pauses where it does not live."""
        pause = 0.5
        while child := self._start():
            began = time.monotonic()
            status = child.wait()
            pause = 0.5 if time.monotonic() - began > LIVED_SECONDS else min(LONGEST_PAUSE, 2 * pause)
            if not self._stopping.wait(pause):
                log.warning("worker ended and is started again", status=status)

    def stop(self) -> None:
        """End the worker after the job that it is doing; after GRACE_SECONDS without mercy: its job will be taken up."""
        self._stopping.set()
        with self._lock:
            child = self._child
        if child is None:
            return
        assert child.stdin  # noqa: S101 (opened as a pipe below)
        child.stdin.close()
        try:
            child.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _start(self) -> "subprocess.Popen[bytes] | None":
        with self._lock:
            if self._stopping.is_set():
                return None
            # Its standard input is the lifeline: the kernel closes it, however we end.
            command = [sys.executable, "-m", "api.command", "work", "--lifeline"]
            self._child = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 (our own program)
            return self._child
