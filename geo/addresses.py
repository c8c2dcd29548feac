"""Where items stand, for whoever visits them all: slices of a collection by number, and when things changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Date, Integer, cast, func, select
from sqlalchemy.engine import Connection

from geo.collections import Collection
from geo.tables import VERSION, rows

SLICE = 20_000
"""Numbers that a slice spans; a sitemap may hold 50,000 addresses."""


@dataclass(frozen=True, slots=True)
class Slice:
    """The items numbered from `number` times SLICE on, and the day (UTC) on which one of them last changed."""

    number: int
    changed: date


def changed_on(tx: Connection, collection: Collection) -> date | None:
    """The day (UTC) on which the collection last changed, by whatever way; None if it never held anything.

    The moment would tell when the town decided on a home, or when its owner withdrew it.
    """
    day = cast(func.timezone("UTC", VERSION.c.changed_at), Date)
    return tx.execute(select(day).where(VERSION.c.collection == collection.id)).scalar_one_or_none()


def slices(tx: Connection, collection: Collection) -> Sequence[Slice]:
    """The slices that hold items, in order. A slice keeps its number while items come and go in others."""
    c = rows(collection.kind).c
    number = cast(func.div(c.id, SLICE), Integer).label("number")
    found = select(number, cast(func.max(c.updated_at), Date)).where(collection.condition())
    found = found.group_by(number).order_by(number)
    return [Slice(*row) for row in tx.execute(found)]


def listed(tx: Connection, collection: Collection, number: int) -> Sequence[tuple[int, date]]:
    """The items of one slice: their numbers, and the day (UTC) on which each last changed."""
    c = rows(collection.kind).c
    inside = c.id.between(number * SLICE, (number + 1) * SLICE - 1)
    found = select(c.id, cast(c.updated_at, Date)).where(collection.condition(), inside).order_by(c.id)
    return [(id, day) for id, day in tx.execute(found)]
