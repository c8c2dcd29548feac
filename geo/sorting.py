"""Items in the order of their properties: what ORDER BY says, and what comes after the last item of a page."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Double,
    Text,
    and_,
    func,
    literal,
    literal_column,
    or_,
)
from sqlalchemy.dialects.postgresql import JSONB

from geo.collections import Collection
from geo.columns import Column
from geo.kinds import Kind
from geo.tables import rows

MOST = 5
"""Properties that one question may be sorted by."""

BEGINNING = 200
"""Characters of a text that count: a cursor holds them."""

TYPES = {
    "integer": BigInteger(),
    "number": Double(),
    "date": Date(),
    "timestamp": DateTime(timezone=True),
    "boolean": Boolean(),
}
"""How the values of a cursor are bound; all others are texts."""

Value = str | int | float | bool | date | datetime | None


@dataclass(frozen=True, slots=True)
class Key:
    """A property to sort by. What is not known comes last, in either direction."""

    column: Column
    descending: bool = False

    @property
    def name(self) -> str:
        """As a client writes it."""
        return f"-{self.column.name}" if self.descending else self.column.name


@dataclass(frozen=True, slots=True)
class Order:
    """By which keys, and the values of the last item before; the id decides between equals."""

    keys: tuple[Key, ...]
    after: tuple[Value, ...] | None = None


def sortables(kind: Kind) -> dict[str, Column]:
    """The columns that items are sorted by: all that filters know, but long texts."""
    return {name: column for name, column in kind.filterables.items() if not (column.translated and name != "name")}


def ordering(collection: Collection, order: Order) -> list[ColumnElement]:
    """What stands in ORDER BY."""
    made: list[ColumnElement] = []
    for key in order.keys:
        value = _value(collection.kind, key)
        made.append((value.desc() if key.descending else value.asc()).nulls_last())
    return [*made, rows(collection.kind).c.id.asc()]


def following(collection: Collection, order: Order, after: int) -> ColumnElement[bool]:
    """The rows that come after the item of that id, which had the order's values."""
    beyond: ColumnElement[bool] = rows(collection.kind).c.id > literal(after, BigInteger)
    for key, last in reversed(list(zip(order.keys, order.after or (), strict=True))):
        value = _value(collection.kind, key)
        if last is None:
            beyond = and_(value.is_(None), beyond)
            continue
        held = _bound(key.column, last)
        further = value < held if key.descending else value > held
        beyond = or_(further, value.is_(None), and_(value == held, beyond))
    return beyond


def values(collection: Collection, order: Order) -> ColumnElement:
    """The row's own values, as a JSON array for its cursor."""
    return func.jsonb_build_array(*(_value(collection.kind, key) for key in order.keys), type_=JSONB())


def read(column: Column, value: Any) -> Value:
    """A cursor's value as the column has it; ValueError if it cannot be one."""
    if value is None:
        return None
    if column.type in ("date", "timestamp") and isinstance(value, str):
        kind = date if column.type == "date" else datetime
        made = kind.fromisoformat(value)
        return made.replace(tzinfo=made.tzinfo or UTC) if isinstance(made, datetime) else made
    wanted = {"integer": (int,), "number": (int, float), "boolean": (bool,)}.get(column.type, (str,))
    if type(value) not in wanted or not _held(value):
        raise ValueError("a value of another type")
    return value


def _held(value: str | float) -> bool:
    """Whether PostgreSQL can hold it."""
    if isinstance(value, str):
        return len(value) <= BEGINNING and "\x00" not in value and value.encode(errors="replace").decode() == value
    return abs(value) < 2**63


def _value(kind: Kind, key: Key) -> ColumnElement:
    """What is compared: texts as people sort them, by the rules that all languages share."""
    column = rows(kind).c[key.column.name]
    if key.column.type in TYPES:
        return column
    return func.left(column, literal_column(str(BEGINNING))).collate("und-x-icu")


def _bound(column: Column, value: Value) -> ColumnElement:
    return literal(value, TYPES.get(column.type, Text()))
