"""Sends a child process to read a file, and listens to it. The formats are known in the child alone."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from geo.errors import BadInput, GohelleError, Problem, TooMuch, TooSlow, Unavailable
from geo.files.report import ImportRequest, Report

if TYPE_CHECKING:
    from geo.settings import Settings  # the child imports this package, too, and can do without SQLAlchemy

Progress = Callable[[str, int], None]
"""Told what is being done (`fetching MB`, `reading`, `checking`, `writing`) and how much of it is done so far."""

ROOT = Path(__file__).parent.parent.parent
RAISED = {"BadInput": BadInput, "TooMuch": TooMuch, "TooSlow": TooSlow, "Unavailable": Unavailable}

drivers: list[str] = []
"""The formats that GDAL has here, as the first child found out: it takes a process of its own to ask."""


class ImportDied(GohelleError):
    """The reading process ended without a word; the message says whether anything can have changed."""


def silent(_doing: str, _rows: int) -> None:
    """A progress that nobody watches."""


def run_import(settings: "Settings", request: ImportRequest, *, progress: Progress = silent) -> Report:
    """Read the file in a process of its own and write its rows in one transaction; tell what became of each.

    BadInput says what is wrong with the file or the mapping, TooMuch which bound it passes, TooSlow that its server
    keeps us waiting, Unavailable that there is no database, ImportDied that the process was killed. In each of these
    cases nothing was changed.
    """
    # The folder is ours, not the child's: a child that is killed leaves nothing unpacked behind.
    with TemporaryDirectory(prefix="gohelle-import-") as folder, _start() as child:
        try:
            _ask(child, settings, request, folder)
            return _listen(child, progress)
        finally:
            if child.poll() is None:
                child.kill()


def _start() -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "geo.files.reader"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        process_group=0,  # Ctrl-C is for us; we end the child
    )


def _ask(child: "subprocess.Popen[str]", settings: "Settings", request: ImportRequest, folder: str) -> None:
    """The database's address goes through a pipe: a password in arguments or environment is seen by others."""
    from geo.settings import conninfo  # noqa: PLC0415 (the child imports this package, and does without SQLAlchemy)

    asked = {
        "request": request.as_json(),
        "drivers": drivers,
        "database": conninfo(settings.database_url),
        "pack": str(settings.pack.absolute()),
        "folder": folder,
    }
    assert child.stdin  # noqa: S101 (opened as a pipe above)
    try:
        json.dump(asked, child.stdin)
        child.stdin.close()
    except BrokenPipeError:
        """It died at once; `_listen` says so."""


def _listen(child: "subprocess.Popen[str]", progress: Progress) -> Report:
    committing = False
    for kind, value in _words(child):
        if kind == "progress":
            progress(value["doing"], value["rows"])
        elif kind == "committing":
            committing = True
        elif kind == "drivers":
            drivers[:] = value
        elif kind == "report":
            child.wait()
            return Report.from_json(value)
        elif kind == "error":
            child.wait()
            raise _raised(value)
    raise ImportDied(_epitaph(child.wait(), committing=committing))


def _words(child: "subprocess.Popen[str]") -> Iterator[tuple[str, Any]]:
    assert child.stdout  # noqa: S101 (opened as a pipe above)
    for line in child.stdout:
        if line.startswith('{"'):  # a library may print, too
            yield from json.loads(line).items()


def _raised(value: dict[str, Any]) -> GohelleError:
    if value["type"] == "BadInput":
        return BadInput(*(Problem(**problem) for problem in value["problems"]))
    return RAISED[value["type"]](value["message"])


def _epitaph(code: int, *, committing: bool) -> str:
    how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
    if committing:
        return f"the reading process {how} while it was committing: run the import again, which changes nothing twice"
    if code == -signal.SIGXCPU:
        return "the file takes more computing than is allowed (docs/import.md says how much); nothing was changed"
    memory = " (the system does that when memory runs out)" if code == -9 else ""
    return f"the reading process {how}{memory}; nothing was changed"
