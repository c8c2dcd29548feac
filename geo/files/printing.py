"""Has a child process print a page as PDF, and listens to it. WeasyPrint is known in the child alone."""

from threading import BoundedSemaphore

from geo.errors import GohelleError, TooMuch, Unavailable
from geo.files import child

SECONDS = 60
"""How long a child may take over one paper."""
LARGEST = 20_000_000
"""Characters of a page."""
WAIT_SECONDS = 10
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
        told = html.encode("utf-8", "replace")
        done = child.run("geo.files.printer", told=told, seconds=SECONDS, environment=child.BARE)
    finally:
        _TURN.release()
    return _whole(done.stdout, done.returncode)


def _whole(paper: bytes, code: int) -> bytes:
    if code == NO_PANGO:
        raise Unavailable("PDF needs Pango, which this machine lacks: see the README; HTML needs nothing")
    if code or not paper.startswith(b"%PDF-"):
        raise PrintingDied(f"the printing process ended with code {code}")
    return paper
