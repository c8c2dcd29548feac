"""Has a child process write a file of rows, and listens to it. The formats are known in the child alone."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import BoundedSemaphore
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any

from geo.errors import GohelleError, TooSlow, Unavailable
from geo.files import child

if TYPE_CHECKING:
    from geo.settings import Settings  # the child imports this package, too, and can do without SQLAlchemy

SECONDS = 900
"""How long a child may take over one file."""
SUFFIXES: Mapping[str, str] = MappingProxyType(
    {
        "flatgeobuf": ".fgb",
        "gpkg": ".gpkg",
        "geoparquet": ".parquet",
        "kml": ".kml",
        "gpx": ".gpx",
        "shapefile": ".zip",
    }
)
"""The formats that a child writes, and how their files are named."""
RAISED: Mapping[str, type[GohelleError]] = {"TooSlow": TooSlow, "Unavailable": Unavailable}


AT_ONCE = 2
WAIT_SECONDS = 10
"""How many files a worker has written at once, and how long a request waits for its turn."""


class ExportDied(GohelleError):
    """The writing process ended without a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What a file is to hold: columns as (name, type), then the geometries, of one type and in one system."""

    name: str
    format: str
    columns: Sequence[tuple[str, str]]
    geometry: str | None
    srid: int


@dataclass(frozen=True, slots=True)
class Written:
    """A finished file, open for reading and no longer in any folder: it is gone when it is closed.

    A format that cannot hold every row says how many there were (`of`), and where in the file its report begins.
    """

    file: IO[bytes]
    size: int
    rows: int
    of: int | None = None
    told_at: int | None = None


_ROOM = BoundedSemaphore(AT_ONCE)


def write(settings: "Settings", layer: Layer, sql: str) -> Written:
    """Write what a SELECT of the layer's columns and of its geometry in hexadecimal finds.

    TooSlow, Unavailable: the database, or too many files at once; ExportDied: the process. The SELECT runs under the
    reader's login.
    """
    if not _ROOM.acquire(timeout=WAIT_SECONDS):
        raise Unavailable("as many files are being written as can be at once")
    try:
        # The folder is ours, not the child's: a child that is killed leaves nothing behind.
        with TemporaryDirectory(prefix="gohelle-export-") as folder:
            path = Path(folder) / f"data{SUFFIXES[layer.format]}"
            rows = _listen(_run(settings, layer, sql, path))
            return Written(path.open("rb"), path.stat().st_size, rows)
    finally:
        _ROOM.release()


def _run(settings: "Settings", layer: Layer, sql: str, path: Path) -> "subprocess.CompletedProcess[bytes]":
    from geo.settings import conninfo  # noqa: PLC0415 (the child imports this package, and does without SQLAlchemy)

    # Through a pipe: others can read a password in arguments or environment.
    asked = {"database": conninfo(settings.reader_url), "layer": asdict(layer), "sql": sql, "path": str(path)}
    return child.run("geo.files.writer", told=json.dumps(asked).encode(), seconds=SECONDS)


def _listen(done: "subprocess.CompletedProcess[bytes]") -> int:
    for line in done.stdout.decode().splitlines():
        if not line.startswith('{"'):  # a library may print, too
            continue
        said: dict[str, Any] = json.loads(line)
        if "written" in said:
            return said["written"]
        if "error" in said:
            raise RAISED[said["error"]["type"]](said["error"]["message"])
    raise ExportDied(f"the writing process ended with code {done.returncode}")
