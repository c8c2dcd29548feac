"""Questions about the rows of a collection, as pure functions that return SQL: box, period, equality, words, filters."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, and_, case, false, func, or_, true
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.sql.operators import and_ as and_op

from geo.collections import Collection, belonging
from geo.cql2 import Filter
from geo.kinds import KINDS
from geo.sorting import Order
from geo.space import WGS84, Bbox
from geo.tables import rows

DIALECT = psycopg.dialect()
SIDES = ("west", "south", "east", "north")

Period = tuple[date | None, date | None]
"""First and last day, both included; None is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which items are asked for: all conditions must hold. `after` is the place of the last item of the page before:
    its id, or its key and its id where the page goes along the z-order curve. `words` are sought in names and
    descriptions; `filters` are CQL2, and boxes in other coordinate systems.
    """

    limit: int
    bbox: Bbox | None = None
    period: Period | None = None
    equals: Mapping[str, Any] = field(default_factory=dict)
    words: str | None = None
    filters: tuple[Filter, ...] = ()
    order: Order | None = None
    after: tuple[int, ...] = ()

    @property
    def narrowed(self) -> bool:
        """Whether anything but paging is asked."""
        return bool(self.bbox or self.period or self.equals or self.searching)

    @property
    def searching(self) -> bool:
        """Whether it has conditions of which nobody knows how many rows meet them, nor which index serves."""
        return bool(self.words or self.filters)


ANY = Question(limit=1)
"""Every item."""


def matching(collection: Collection, question: Question, *, indexed: bool = True) -> ColumnElement[bool]:
    """The rows of the collection's table that the question asks for, on whichever page."""
    return and_(besides(collection, question), meeting(collection, question.bbox, indexed=indexed))


def besides(collection: Collection, question: Question) -> ColumnElement[bool]:
    """All of the question's conditions but its box."""
    return and_(
        collection.condition(),
        during(collection, question.period),
        *(rows(collection.kind).c[name] == value for name, value in sorted(question.equals.items())),
        naming(collection, question.words),
        *(one.condition for one in question.filters),
    )


def meeting(collection: Collection, bbox: Bbox | None, *, indexed: bool = True) -> ColumnElement[bool]:
    """Rows whose geometry meets the box; rows of a kind without geometry meet every box.

    Without `indexed` the box is only compared, in a CASE, into which the planner does not look: it takes it for true
    of every second row and walks by id. It would look into the spatial index otherwise, having prepared the statement
    for boxes unknown.
    """
    if bbox is None or collection.kind.geometry is None:
        return true()
    geom = rows(collection.kind).c.geom
    meets = or_(*(func.ST_Intersects(geom, envelope(part)) for part in bbox.parts()))
    return meets if indexed else case((meets, true()), else_=false())


def during(collection: Collection, period: Period | None) -> ColumnElement[bool]:
    """Rows whose own interval meets the period; a row without dates meets every period."""
    if period is None:
        return true()
    start, end = (rows(collection.kind).c[name] for name in collection.kind.interval)
    first, last = period
    return and_(
        or_(start.is_(None), start <= last) if last else true(),
        or_(end.is_(None), end >= first) if first else true(),
    )


def naming(collection: Collection, words: str | None) -> ColumnElement[bool]:
    """Rows whose name or description has all of these words, or words that begin so; case and accents do not matter."""
    if words is None:
        return true()
    c = rows(collection.kind).c
    return func.territory.searchable(c.name, c.description, c.translations).bool_op("@@")(func.territory.sought(words))


def envelope(box: Bbox) -> ColumnElement:
    """The box as a geometry in the CRS of the column, so that the column's index serves."""
    # ST_Envelope makes a point or a line of a box without height or width, which GEOS would not intersect as a polygon.
    return func.ST_Envelope(
        func.ST_MakeEnvelope(float(box.west), float(box.south), float(box.east), float(box.north), WGS84)
    )


HELD = "(ST_X(f.geom) between %(west{n})s and %(east{n})s and ST_Y(f.geom) between %(south{n})s and %(north{n})s)"


def held(box: Bbox) -> tuple[str, dict[str, float]]:
    """The points in a box as SQL text, and its values: exact, where the spatial index knows seven digits."""
    parts = box.parts()
    sides = {f"{side}{n}": float(getattr(part, side)) for n, part in enumerate(parts) for side in SIDES}
    return "(" + " or ".join(HELD.format(n=n) for n in range(len(parts))) + ")", sides


def chosen(collection: Collection, question: Question, prefix: str = "") -> tuple[str, dict[str, Any]]:
    """All of the question's conditions but its box, spelled; where there are none, from what was spelled before."""
    if question.period or question.equals or question.searching:
        return spelled(besides(collection, question), prefix)
    text, values = _membership(collection.kind.id, json.dumps(collection.filter, sort_keys=True), prefix)
    return text, dict(values)


@lru_cache(maxsize=1_000)
def _membership(kind: str, filter: str, prefix: str) -> tuple[str, Mapping[str, Any]]:
    return spelled(belonging(KINDS[kind], json.loads(filter)), prefix)


def summed(collection: Collection, question: Question) -> bool:
    """Whether the sums that the database keeps answer for it, box apart: they are of each class, and of nothing else."""
    narrowed = question.period or question.equals or question.searching
    return collection.kind.rolled_up and not narrowed and set(collection.filter) <= {collection.kind.classed_by}


def classes(collection: Collection, name: str) -> dict[str, list[str]]:
    """The classes that a collection is made of, as the value of that name; nothing where its filter names none."""
    wanted = collection.filter.get(collection.kind.classed_by or "")
    return {} if wanted is None else {name: [wanted] if isinstance(wanted, str) else list(wanted)}


def spelled(condition: ColumnElement, prefix: str = "") -> tuple[str, dict[str, Any]]:
    """The condition as SQL text in the driver's style, and its values: text that stays the same is prepared once.

    `prefix` keeps the names of several conditions in one statement apart.
    """
    # Others are put beside it by AND.
    compiled = condition.self_group(against=and_op).compile(dialect=DIALECT)
    if not prefix:
        return str(compiled), dict(compiled.params)
    values = {f"{prefix}{name}": value for name, value in compiled.params.items()}
    return str(compiled).replace("%(", f"%({prefix}"), values
