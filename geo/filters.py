"""Questions about the rows of a collection, as pure functions that return SQL: box, period, equality, key paging."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, case, false, func, or_, true
from sqlalchemy.dialects.postgresql import psycopg

from geo.collections import Collection
from geo.space import WGS84, Bbox
from geo.tables import rows

DIALECT = psycopg.dialect()

Period = tuple[date | None, date | None]
"""First and last day, both included; None is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which items are asked for: all conditions must hold. `after` is the last id of the page before."""

    limit: int
    bbox: Bbox | None = None
    period: Period | None = None
    equals: Mapping[str, Any] = field(default_factory=dict)
    after: int | None = None

    @property
    def narrowed(self) -> bool:
        """Whether anything but paging is asked."""
        return bool(self.bbox or self.period or self.equals)


def matching(collection: Collection, question: Question, *, indexed: bool = True) -> ColumnElement[bool]:
    """The rows of the collection's table that the question asks for, on whichever page."""
    return and_(
        collection.condition(),
        meeting(collection, question.bbox, indexed=indexed),
        during(collection, question.period),
        *(rows(collection.kind).c[name] == value for name, value in sorted(question.equals.items())),
    )


def meeting(collection: Collection, bbox: Bbox | None, *, indexed: bool = True) -> ColumnElement[bool]:
    """Rows whose geometry meets the box; rows of a kind without geometry meet every box.

    Without `indexed` the box is only compared: to the planner it is then true of every second row, so that it walks
    by id. It would look into the spatial index otherwise, having prepared the statement for boxes unknown.
    """
    if bbox is None or collection.kind.geometry is None:
        return true()
    geom = rows(collection.kind).c.geom
    meets = _holding if collection.kind.geometry == "Point" else _touching
    return or_(*(meets(geom, part, indexed) for part in bbox.parts()))


def _touching(geom: ColumnElement, box: Bbox, indexed: bool) -> ColumnElement[bool]:
    touches = func.ST_Intersects(geom, envelope(box))
    return touches if indexed else _opaque(touches)


def _holding(point: ColumnElement, box: Bbox, indexed: bool) -> ColumnElement[bool]:
    """The same for points, in half the time: the index finds them to seven digits, their coordinates say exactly."""
    inside = _opaque(
        and_(
            func.ST_X(point).between(float(box.west), float(box.east)),
            func.ST_Y(point).between(float(box.south), float(box.north)),
        )
    )
    return and_(point.bool_op("&&")(envelope(box)), inside) if indexed else inside


def _opaque(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The planner looks into no CASE: it takes one for true of half of the rows, and no index serves it."""
    return case((condition, true()), else_=false())


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


def envelope(box: Bbox) -> ColumnElement:
    """The box as a geometry in the CRS of the column, so that the column's index serves."""
    # ST_Envelope makes a point or a line of a box without height or width, which GEOS would not intersect as a polygon.
    return func.ST_Envelope(
        func.ST_MakeEnvelope(float(box.west), float(box.south), float(box.east), float(box.north), WGS84)
    )


def spelled(condition: ColumnElement[bool], prefix: str = "") -> tuple[str, dict[str, Any]]:
    """The condition as SQL text in the driver's style, and its values: text that stays the same is prepared once.

    `prefix` keeps the names of several conditions in one statement apart.
    """
    compiled = condition.compile(dialect=DIALECT)
    if not prefix:
        return str(compiled), dict(compiled.params)
    values = {f"{prefix}{name}": value for name, value in compiled.params.items()}
    return str(compiled).replace("%(", f"%({prefix}"), values
