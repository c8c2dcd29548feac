"""Has a child process print a page as PDF, and listens to it. WeasyPrint is known in the child alone."""

import subprocess
import sys
import time
from pathlib import Path
from threading import BoundedSemaphore

from geo import errand
from geo.errors import GohelleError, TooMuch, TooSlow, Unavailable

ROOT = Path(__file__).parent.parent.parent
SECONDS = 60
"""How long a child may take over one paper."""
LARGEST = 20_000_000
"""Characters of a page."""
WAIT_SECONDS = 10
LOOK_SECONDS = 0.5
NEEDED = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
"""The child's environment: no address of a database, no password."""
NO_PANGO = 3
"""The exit code of a child that finds no Pango to set text with."""

_TURN = BoundedSemaphore(1)
"""One paper at a time for one worker: each may take a processor and a gigabyte."""


class PrintingDied(GohelleError):
    """The printing process ended without a paper."""


def printed(html: str) -> bytes:
    """The page as PDF/UA; it must hold all that it shows, for nothing is fetched.

    TooMuch, TooSlow: a bound is passed, or nobody waits any more; Unavailable: other papers are being printed, or
    this machine lacks Pango; PrintingDied: the process.
    """
    if len(html) > LARGEST:
        raise TooMuch(f"a report may have at most {LARGEST} characters")
    if not _TURN.acquire(timeout=WAIT_SECONDS):
        raise Unavailable("other reports are being printed")
    try:
        return _run(html.encode("utf-8", "replace"))
    finally:
        _TURN.release()


def _run(html: bytes) -> bytes:
    mine, given_up = errand.current(), time.monotonic() + SECONDS
    with subprocess.Popen(
        [sys.executable, "-m", "geo.files.printer"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=NEEDED,
        process_group=0,  # Ctrl-C is for us; we end the child
    ) as child:
        told: bytes | None = html
        while True:
            try:
                paper, _ = child.communicate(told, timeout=LOOK_SECONDS)
                return _whole(paper, child.returncode)
            except subprocess.TimeoutExpired:
                told = None
                if time.monotonic() > given_up or (mine and mine.abandoned):
                    child.kill()
                    raise TooSlow(f"the report was not printed within {SECONDS} s") from None


def _whole(paper: bytes, code: int) -> bytes:
    if code == NO_PANGO:
        raise Unavailable("PDF needs Pango, which this machine lacks: see the README; HTML needs nothing")
    if code or not paper.startswith(b"%PDF-"):
        raise PrintingDied(f"the printing process ended with code {code}")
    return paper
