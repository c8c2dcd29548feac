"""The typed parts of a filter: what a property, a literal or a function is worth in SQL, and what it may meet."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import BigInteger, Boolean, ColumnElement, Date, DateTime, Double, Interval, Text, cast, func, literal

from geo import columns
from geo.cql2.words import BadFilter

Type = Literal["text", "number", "boolean", "date", "timestamp", "interval", "geometry"]

TYPES: Mapping[columns.Type, Type] = {
    "text": "text",
    "choice": "text",
    "url": "text",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}
"""What each type of column is to a filter; a column of any other type cannot be filtered by."""

SAID: Mapping[Type, str] = {
    "text": "a text",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date",
    "timestamp": "a timestamp",
    "interval": "an interval",
    "geometry": "a geometry",
}
INSTANTS = ("date", "timestamp")
MOMENT = DateTime(timezone=True)
PARAMETERS = {"text": Text(), "number": Double(), "boolean": Boolean(), "date": Date(), "timestamp": MOMENT}
WHOLE_DAY = timedelta(days=1, microseconds=-1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One operand. `name` is the property's, `value` the literal's own; `integer` says that its SQL is a whole number.

    An interval has no SQL of its own: its ends are `start` and `end`, and None is open.
    """

    type: Type
    made: Any = None
    name: str | None = None
    value: Any = None
    integer: bool = False
    start: "Term | None" = None
    end: "Term | None" = None

    @property
    def sql(self) -> Any:
        """The operand as SQL: what was made of it, or a parameter."""
        return literal(self.value, PARAMETERS[self.type]) if self.made is None else self.made

    @property
    def said(self) -> str:
        """What messages call it: `a number (power_kw)`, or only `a number`."""
        return f"{SAID[self.type]} ({self.name})" if self.name else SAID[self.type]

    @property
    def whole(self) -> int | None:
        """The literal as a whole number, where it is one: only such ones are found in the index of `id`."""
        is_whole = isinstance(self.value, float) and self.value.is_integer() and abs(self.value) < 2**53
        return int(self.value) if is_whole else None


def compared(left: Term, right: Term) -> tuple[ColumnElement, ColumnElement]:
    """Both sides as SQL that compares as the types ask: whole numbers as such, dates with timestamps as midnights."""
    if {left.type, right.type} <= {*INSTANTS}:
        return (left.sql, right.sql) if left.type == right.type else (timestamp(left), timestamp(right))
    if left.type != right.type or left.type in ("interval", "geometry"):
        raise BadFilter(f"compares {left.said} with {right.said}")
    if left.integer and right.whole is not None:
        return left.sql, literal(right.whole, BigInteger)
    if right.integer and left.whole is not None:
        return literal(left.whole, BigInteger), right.sql
    return left.sql, right.sql


def ordered(sql: ColumnElement, type: Type) -> ColumnElement:
    """The side of a comparison by order: texts in the order of code points, on whatever machine."""
    return sql.collate("C") if type == "text" else sql


def timestamp(term: Term) -> ColumnElement:
    """An instant as a timestamp; of a date its first moment, in UTC."""
    return _moment(term)


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when a date or an interval goes, both included; of one type, so that spans of one type compare."""

    start: ColumnElement
    end: ColumnElement


def spans(left: Term, right: Term) -> tuple[Span, Span]:
    """Both operands of a temporal operator: as days if neither holds a timestamp, else as moments."""
    moments = any(part.type == "timestamp" for term in (left, right) for part in _parts(term))
    return (_span(left, moments=moments), _span(right, moments=moments))


def _parts(term: Term) -> tuple[Term, ...]:
    return tuple(part for part in (term.start, term.end) if part) if term.type == "interval" else (term,)


def _span(term: Term, *, moments: bool) -> Span:
    if term.type in INSTANTS:
        at = _moment(term) if moments else term.sql
        return Span(at, at)
    if term.type != "interval":
        raise BadFilter(f"asks when {term.said} is")
    kind = MOMENT if moments else Date()

    def bound(end: Term | None, infinity: str, *, last: bool) -> ColumnElement:
        beyond = cast(literal(infinity, Text), kind)
        if end is None:
            return beyond
        sql = _moment(end, last=last) if moments else end.sql
        # A thing without an end is there to this day, as everywhere in the service.
        return func.coalesce(sql, beyond) if end.name else sql

    return Span(bound(term.start, "-infinity", last=False), bound(term.end, "infinity", last=True))


def _moment(term: Term, *, last: bool = False) -> ColumnElement:
    """A timestamp as it is; of a date the first moment, or the last of a day that ends an interval."""
    if term.type == "timestamp":
        return term.sql
    midnight = func.timezone("UTC", cast(term.sql, DateTime()), type_=MOMENT)
    return midnight + literal(WHOLE_DAY, Interval) if last else midnight


def truth(term: Term) -> ColumnElement[bool]:
    """A term as a condition."""
    if term.type != "boolean":
        raise BadFilter(f"has {term.said} where it should have a condition")
    return term.sql
