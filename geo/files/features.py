"""What every reader gives, whatever the format: batches of rows with their geometries, in bounded memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from geo.errors import BadInput, Problem
from geo.files.mapping import outer
from geo.files.shapes import Checked
from geo.files.values import Row

BATCH = 2_000
SHOWN = 40
"""Fields that a message lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rows of the file, the first of which has this number (they count from 1), each with its geometry."""

    first: int
    rows: Sequence[Row]
    geometry: Checked


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What can be told before the first row: the fields that rows will have, and the coordinate system if any.

    `usual` is the one that the format has where nobody says another.
    """

    fields: tuple[str, ...]
    crs: str | None
    usual: str | None
    lines: int | None = None
    batches: Iterator[Batch]


def check_fields(asked: dict[str, bool], fields: Sequence[str]) -> None:
    """BadInput where the file lacks a field that the mapping asks for and cannot do without."""
    absent = [name for name, optional in asked.items() if outer(name, fields) not in fields and not optional]
    if absent:
        raise BadInput(
            Problem(
                parameter="mapping",
                message=f"the file has no field {', '.join(absent)}; its fields are {', '.join(fields[:SHOWN]) or 'none'}",
            )
        )
