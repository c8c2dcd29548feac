"""A filter's tree into a condition over the rows of a kind: what its names mean, and how deep it may go."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func
from sqlalchemy.dialects.postgresql import ARRAY

from geo.cql2 import literals, shapes, terms
from geo.cql2.operators import OPERATIONS
from geo.cql2.terms import Term, truth
from geo.cql2.words import DEEPEST, MOST, BadFilter
from geo.crs import Crs
from geo.kinds import Kind
from geo.tables import rows

NAME = re.compile(r"[^\W\d][\w.:-]{0,62}")

Tree = Any


@dataclass(frozen=True, slots=True)
class Scope:
    """What the words of a filter mean: the kind's properties, the language of its texts, the CRS of its geometries."""

    kind: Kind
    crs: Crs
    lang: str | None = None

    def property(self, name: Any) -> Term:
        """The property of that name, as it is shown."""
        if name == "geometry" and self.kind.geometry:
            return Term(type="geometry", made=rows(self.kind).c.geom, name="geometry")
        column = self.kind.filterables.get(name) if isinstance(name, str) else None
        if column is None:
            raise BadFilter(f"asks for {_shown(name, 'a property')}, which is none of this collection's queryables")
        type_ = terms.TYPES[column.type]
        sql = rows(self.kind).c[column.name]
        if column.translated and self.lang:
            translated = rows(self.kind).c.translations.op("#>>")(cast([self.lang, column.name], ARRAY(Text)))
            sql = func.coalesce(translated, sql, type_=Text())
        return Term(type=type_, made=sql, name=column.name, integer=column.type == "integer")


def condition(tree: Tree, scope: Scope) -> ColumnElement[bool]:
    """The rows that the filter asks for; BadFilter names the operator or property that does not fit."""
    _bounded(tree)
    return truth(_term(tree, scope))


def _bounded(tree: Tree) -> None:
    """Refuse what is too deep or too much before anything descends into it."""
    waiting, operators = [(tree, 0)], 0
    while waiting:
        part, depth = waiting.pop()
        if isinstance(part, dict):
            operators += "op" in part
            if depth > DEEPEST or operators > MOST:
                limit = f"is nested more than {DEEPEST} deep" if depth > DEEPEST else f"has more than {MOST} operators"
                raise BadFilter(limit)
            waiting.extend((value, depth + ("op" in part)) for value in part.values())
        elif isinstance(part, list):
            waiting.extend((value, depth) for value in part)


def _shown(name: Any, instead: str) -> str:
    """A name that a client sent, as far as it is safe to repeat."""
    return name if isinstance(name, str) and NAME.fullmatch(name) else instead


def _term(tree: Tree, scope: Scope) -> Term:
    if isinstance(tree, bool):
        return Term(type="boolean", value=tree)
    if isinstance(tree, int | float):
        return literals.number(tree)
    if isinstance(tree, str):
        return literals.text(tree)
    if isinstance(tree, list):
        raise BadFilter("has an array where none is understood: only IN takes a list")
    if not isinstance(tree, dict):
        raise BadFilter("has a null where a value should be; IS NULL asks for what is not known")
    return _named(tree, scope)


def _named(tree: dict[str, Any], scope: Scope) -> Term:
    for name, read in MEMBERS.items():
        if name in tree:
            return read(tree, scope)
    raise BadFilter("has an object that is no operator, property, date, timestamp, interval, box or geometry")


def _interval(tree: dict[str, Any], scope: Scope) -> Term:
    ends = tree["interval"]
    if not isinstance(ends, list) or len(ends) != 2:
        raise BadFilter("has an INTERVAL that has not two ends")
    return literals.interval(*(_end(one, scope) for one in ends))


def _end(value: Any, scope: Scope) -> Term | None:
    if isinstance(value, str):
        return literals.end(value)
    return _term(value, scope)


def _operation(tree: dict[str, Any], scope: Scope) -> Term:
    op, arguments = tree["op"], tree.get("args")
    made = OPERATIONS.get(op) if isinstance(op, str) else None
    if made is None:
        raise BadFilter(f"uses {_shown(op, 'an operator')}, which is no operator or function of this service")
    if op == "in":
        arguments = _with_list(arguments)
    counts, build = made
    if not isinstance(arguments, list) or len(arguments) not in counts:
        raise BadFilter(f"gives {op} a wrong number of arguments")
    return build(op, *(_term(one, scope) for one in arguments))


def _with_list(arguments: Any) -> list[Tree]:
    if not isinstance(arguments, list) or len(arguments) != 2 or not isinstance(arguments[1], list):
        raise BadFilter("has an IN without a list")
    return [arguments[0], *arguments[1]]


MEMBERS: Mapping[str, Callable[[dict[str, Any], Scope], Term]] = {
    "op": _operation,
    "property": lambda tree, scope: scope.property(tree["property"]),
    "date": lambda tree, _: literals.day(tree["date"]),
    "timestamp": lambda tree, _: literals.timestamp(tree["timestamp"]),
    "interval": _interval,
    "bbox": lambda tree, scope: shapes.box(tree["bbox"], scope.crs),
    "type": lambda tree, scope: shapes.geometry(tree, scope.crs),
}
"""How each sort of object of CQL2 JSON is told, and read."""
