"""The operators and functions of filters over typed operands: each once, and nothing that does not stand here."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Double, Text, and_, any_, cast, func, literal, not_, or_
from sqlalchemy.dialects.postgresql import ARRAY

from geo.cql2 import terms
from geo.cql2.terms import Span, Term, truth
from geo.cql2.words import ARITHMETIC, COMPARISONS, FOLDS, MOST, SPATIAL, TEMPORAL, BadFilter

ORDERS: Mapping[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}
RELATIONS: Mapping[str, Callable[[Span, Span], ColumnElement[bool]]] = {
    "t_after": lambda a, b: a.start > b.end,
    "t_before": lambda a, b: a.end < b.start,
    "t_contains": lambda a, b: and_(a.start < b.start, a.end > b.end),
    "t_disjoint": lambda a, b: or_(a.start > b.end, a.end < b.start),
    "t_during": lambda a, b: and_(a.start > b.start, a.end < b.end),
    "t_equals": lambda a, b: and_(a.start == b.start, a.end == b.end),
    "t_finishedBy": lambda a, b: and_(a.start < b.start, a.end == b.end),
    "t_finishes": lambda a, b: and_(a.start > b.start, a.end == b.end),
    "t_intersects": lambda a, b: and_(a.start <= b.end, a.end >= b.start),
    "t_meets": lambda a, b: a.end == b.start,
    "t_metBy": lambda a, b: a.start == b.end,
    "t_overlappedBy": lambda a, b: and_(a.start > b.start, a.start < b.end, a.end > b.end),
    "t_overlaps": lambda a, b: and_(a.start < b.start, a.end > b.start, a.end < b.end),
    "t_startedBy": lambda a, b: and_(a.start == b.start, a.end > b.end),
    "t_starts": lambda a, b: and_(a.start == b.start, a.end < b.end),
}
"""Allen's relations; an instant is a span that ends when it starts."""

# PostgreSQL raises an error over a division by zero or a number too large; these answer null (migration 0006).
SUMS: Mapping[str, str] = dict(
    zip(ARITHMETIC, ("plus", "minus", "times", "over", "remainder", "quotient", "power"), strict=True)
)


def _true(sql: Any) -> Term:
    return Term(type="boolean", made=sql)


def _and(_op: str, *conditions: Term) -> Term:
    return _true(and_(*map(truth, conditions)))


def _or(_op: str, *conditions: Term) -> Term:
    return _true(or_(*map(truth, conditions)))


def _not(_op: str, condition: Term) -> Term:
    return _true(not_(truth(condition)))


def _comparison(op: str, left: Term, right: Term) -> Term:
    return _true(_ordered(op, left, right))


def _ordered(op: str, left: Term, right: Term) -> ColumnElement[bool]:
    one, other = terms.compared(left, right)
    if op not in ("=", "<>"):
        one, other = terms.ordered(one, left.type), terms.ordered(other, right.type)
    return ORDERS[op](one, other)


def _between(_op: str, value: Term, low: Term, high: Term) -> Term:
    return _true(and_(_ordered(">=", value, low), _ordered("<=", value, high)))


def _like(_op: str, value: Term, pattern: Term) -> Term:
    _only("text", "compares by LIKE", value, pattern)
    if pattern.value is None:
        raise BadFilter("has a LIKE pattern that is no text of its own")
    if re.search(r"(?<!\\)(\\\\)*\\\Z", pattern.value):
        raise BadFilter("has a LIKE pattern that ends in a backslash")
    return _true(value.sql.collate("C").like(pattern.sql))


def _in(_op: str, value: Term, *listed: Term) -> Term:
    if (array := _array(value, listed)) is not None:
        return _true(value.sql == any_(array))
    return _true(or_(*(_ordered("=", value, one) for one in listed)))


def _array(value: Term, listed: Sequence[Term]) -> ColumnElement | None:
    """The list as one parameter, where it holds nothing but literals of the value's type."""
    if value.type not in ("text", "number") or any(one.type != value.type or one.made is not None for one in listed):
        return None
    if value.integer and all(one.whole is not None for one in listed):
        return literal([one.whole for one in listed], ARRAY(BigInteger))
    return literal([one.value for one in listed], ARRAY(Text if value.type == "text" else Double))


def _is_null(_op: str, value: Term) -> Term:
    if value.type == "interval":
        raise BadFilter("asks whether an interval is null")
    return _true(value.sql.is_(None))


def _arithmetic(op: str, left: Term, right: Term) -> Term:
    _only("number", f"calculates by {op}", left, right)
    made = getattr(func.territory, SUMS[op])
    return Term(type="number", made=made(_double(left), _double(right), type_=Double()))


def _double(term: Term) -> ColumnElement:
    return cast(term.sql, Double) if term.integer else term.sql


def _fold(op: str, value: Term) -> Term:
    _only("text", f"calls {op}", value)
    return Term(type="text", made=getattr(func.territory, op)(value.sql, type_=Text()), value=value.value)


def _spatial(op: str, one: Term, other: Term) -> Term:
    _only("geometry", f"calls {op}", one, other)
    return _true(getattr(func, SPATIAL[op])(one.sql, other.sql))


def _temporal(op: str, one: Term, other: Term) -> Term:
    return _true(RELATIONS[op](*terms.spans(one, other)))


def _only(type_: terms.Type, does: str, *operands: Term) -> None:
    for term in operands:
        if term.type != type_:
            raise BadFilter(f"{does} with {term.said}")


Build = Callable[..., Term]
OPERATIONS: Mapping[str, tuple[range, Build]] = {
    "and": (range(2, MOST + 2), _and),
    "or": (range(2, MOST + 2), _or),
    "not": (range(1, 2), _not),
    **dict.fromkeys(COMPARISONS, (range(2, 3), _comparison)),
    "like": (range(2, 3), _like),
    "between": (range(3, 4), _between),
    "in": (range(2, 10_000), _in),
    "isNull": (range(1, 2), _is_null),
    **dict.fromkeys(ARITHMETIC, (range(2, 3), _arithmetic)),
    **dict.fromkeys(FOLDS, (range(1, 2), _fold)),
    **dict.fromkeys(SPATIAL, (range(2, 3), _spatial)),
    **dict.fromkeys(TEMPORAL, (range(2, 3), _temporal)),
}
"""Each word of the allow-list: how many operands it takes, and what it makes of them."""
