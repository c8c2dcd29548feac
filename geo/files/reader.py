"""The child process that reads one file: `python -m geo.files.reader`, a request on stdin, JSON lines on stdout."""

import json
import os
import resource
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

MEMORY = 4 * 1024**3
SECONDS = 2 * 3600
"""What the process may use of address space and of processor time, whatever the file makes the libraries do."""

# Read by the libraries when they are loaded: one thread and one arena are enough for a stream, and spare 100 MB.
os.environ |= {"ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import psycopg  # noqa: E402 (after the environment that it is read in)

from geo.errors import BadInput, GohelleError, Problem, TooMuch, Unavailable  # noqa: E402
from geo.files import formats, mapping  # noqa: E402
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
    bounds = {resource.RLIMIT_AS: MEMORY, resource.RLIMIT_CPU: SECONDS, resource.RLIMIT_CORE: 0}
    for which, bound in (bounds | {resource.RLIMIT_FSIZE: formats.UNPACKED * 2}).items():
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
    source = formats.prepare(request.file, Path(asked["folder"]))
    opened = _open(source, dataset, request.layer)
    with psycopg.connect(asked["database"], **CONNECTION) as connection:
        return Import(request, dataset, opened, connection, say).report()


CONNECTION: dict[str, Any] = {
    "connect_timeout": 10,
    "application_name": "gohelle import",
    # No time limit, for a million rows take their time; but a dead client is noticed, and its locks go.
    "options": "-c timezone=UTC -c statement_timeout=0 -c client_connection_check_interval=2s -c search_path=public",
}


def _open(source: formats.Source, dataset: Dataset, layer: str | None) -> Opened:
    asked = dict(dataset.fields())
    if source.driver == "CSV":
        from geo.files.tabular import Csv  # noqa: PLC0415

        return Csv(source, dataset.layout, asked).opened()
    from geo.files.layered import Layered  # noqa: PLC0415 (a CSV need not pay for GDAL and Arrow)

    return Layered(source, dataset.layout, asked, layer).opened()


if __name__ == "__main__":
    main()
