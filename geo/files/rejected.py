"""The file of rejected rows: why each was refused, and the row's own fields, so that it can be mended and sent again."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from geo.errors import BadInput
from geo.files.formats import bad

COLUMNS = ("row", "source_key", "reason")
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def check_writable(path: Path) -> None:
    """Said before the import, not after it."""
    try:
        path.open("a", encoding="utf-8").close()
    except OSError as error:
        raise _unwritable(error) from error


def write_rejected(path: Path, fields: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Rows of number, key, reason and the values of the fields, as CSV in UTF-8."""
    own = [f"file.{name}" if name in COLUMNS else name for name in fields]
    try:
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(map(harmless, (*COLUMNS, *own)))
            writer.writerows([harmless(value) for value in row] for row in rows)
    except OSError as error:
        raise _unwritable(error) from error


def harmless(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _unwritable(error: OSError) -> BadInput:
    return bad(f"the rejected rows cannot be written there: {error.strerror}; nothing was changed")
