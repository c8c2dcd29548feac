"""The child process that reads one file: `python -m geo.files.reader`, a request on stdin, JSON lines on stdout."""

import json
import os
import resource
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

MEMORY = 4 * 1024**3
OPENING = 300
SECONDS = 2 * 3600
"""What the process may use of address space and of seconds of the processor (until the file's fields are known, and
in all), whatever the file makes the libraries do."""

# Read by the libraries when they are loaded: one thread and one arena are enough for a stream, and spare 100 MB.
os.environ |= {"ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import psycopg  # noqa: E402 (after the environment that it is read in)

from geo.errors import BadInput, GohelleError, Problem, TooMuch, Unavailable  # noqa: E402
from geo.files import fetch, formats, mapping  # noqa: E402
from geo.files.features import Opened  # noqa: E402
from geo.files.load import Import  # noqa: E402
from geo.files.mapping import Dataset  # noqa: E402
from geo.files.report import ImportRequest, Report  # noqa: E402


def say(kind: str, value: Any) -> None:
    """One line to the parent; when nobody listens any more, this raises and nothing is committed."""
    sys.stdout.write(json.dumps({kind: value}, ensure_ascii=True) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Answer the one request."""
    asked = json.load(sys.stdin)
    _limit()
    try:
        say("report", _run(asked).as_json())
    except BrokenPipeError:
        sys.exit("the import was given up: nobody waits for it any more; nothing was changed")
    except GohelleError as error:
        say("error", _worded(error))
    except MemoryError:
        say("error", _worded(TooMuch(f"the file needs more memory than {MEMORY // 1024**3} GiB; nothing was changed")))
    except psycopg.OperationalError:
        say("error", _worded(Unavailable("the database cannot be reached, or went away; nothing was changed")))
    except (psycopg.DataError, psycopg.InternalError) as error:
        message = f"the database does not take the file: {error.diag.message_primary}; nothing was changed"
        say("error", _worded(BadInput(Problem(parameter="file", message=message))))
    except psycopg.IntegrityError as error:
        say("error", _worded(_clash(error)))


def _limit() -> None:
    bounds = {resource.RLIMIT_AS: MEMORY, resource.RLIMIT_CPU: OPENING, resource.RLIMIT_CORE: 0}
    for which, bound in (bounds | {resource.RLIMIT_FSIZE: formats.UNPACKED * 2}).items():
        _bound(which, bound)


def _bound(which: int, bound: int) -> None:
    """Only the soft limit: the parent then learns by the signal which bound was passed."""
    hard = resource.getrlimit(which)[1]
    resource.setrlimit(which, (bound if hard == resource.RLIM_INFINITY else min(bound, hard), hard))


def _worded(error: GohelleError) -> dict[str, Any]:
    if isinstance(error, BadInput):
        return {"type": "BadInput", "problems": [asdict(problem) for problem in error.problems]}
    return {"type": type(error).__name__, "message": str(error)}


def _clash(error: psycopg.IntegrityError) -> BadInput:
    """What only the table itself can see: a row that clashes with one that it has."""
    name = error.diag.constraint_name or error.diag.column_name or "a constraint"
    return BadInput(Problem(parameter="file", message=f"a row clashes with the table ({name}); nothing was changed"))


def _run(asked: dict[str, Any]) -> Report:
    request = ImportRequest.from_json(asked["request"])
    dataset = mapping.load(mapping.find(request.mapping, Path(asked["pack"])), kind=request.kind, key=request.key)
    folder = Path(asked["folder"])
    source = formats.prepare(_file(request, dataset, folder), folder)
    opened = _open(source, dataset, request, asked["drivers"])
    _bound(resource.RLIMIT_CPU, SECONDS)
    with psycopg.connect(asked["database"], **CONNECTION) as connection:
        return Import(request, dataset, opened, connection, say).report()


CONNECTION: dict[str, Any] = {
    "connect_timeout": 10,
    "application_name": "gohelle import",
    # No time limit, for a million rows take their time; but a dead client is noticed, and its locks go.
    "options": "-c timezone=UTC -c statement_timeout=0 -c client_connection_check_interval=2s -c search_path=public",
}


def _file(request: ImportRequest, dataset: Dataset, folder: Path) -> Path:
    """The file to read, fetched first where it has an address."""
    if isinstance(request.file, Path):
        return request.file
    largest = request.largest_mb or dataset.layout.largest_mb or fetch.LARGEST_MB
    bounds = fetch.Bounds(size=int(largest * 10**6), any_host=request.any_host)

    def watch(size: int) -> None:
        say("progress", {"doing": "fetching MB", "rows": size // 10**6})

    return fetch.fetch(request.file, folder / "fetched", bounds, watch)


def _open(source: formats.Source, dataset: Dataset, request: ImportRequest, drivers: list[str]) -> Opened:
    asked = dict(dataset.fields())
    if source.driver == "CSV":
        from geo.files.tabular import Csv  # noqa: PLC0415

        return Csv(source, dataset.layout, asked, placed=dataset.kind.geometry is not None).opened()
    from geo.files import layered  # noqa: PLC0415 (a CSV need not pay for GDAL and Arrow)

    if not drivers:
        drivers = layered.all_drivers()
        say("drivers", drivers)
    layered.only(source.driver, drivers)
    return layered.Layered(source, dataset.layout, asked, request.layer, whole=bool(request.rejected)).opened()


if __name__ == "__main__":
    main()
