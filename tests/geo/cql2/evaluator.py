"""CQL2 evaluated in Python, row by row, with shapely and datetime: what the database is held against.

Nothing here is ours but the reading of the standard: null is unknown, and unknown stays unknown through comparisons.
"""

import math
import operator
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import shapely
from shapely.geometry import box, shape

Row = Mapping[str, Any]
"""A feature's properties, with `id` and `geometry`, as Python has them."""

COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Interval:
    """Two instants; None is open, whether by `..` or because a row has no value."""

    start: date | datetime | None
    end: date | datetime | None


def evaluate(tree: Any, row: Row) -> Any:
    """The tree's value for a row; of a filter True, False or None."""
    if isinstance(tree, bool | int | float | str):
        return tree
    return next(read(tree, row) for name, read in MEMBERS.items() if name in tree)


def _box(bbox: list[float]) -> Any:
    west, south, east, north = bbox if len(bbox) == 4 else _flat(bbox)
    parts = [(west, east)] if west <= east else [(west, 180), (-180, east)]
    return shapely.union_all([box(w, south, e, north) for w, e in parts])


def _flat(bbox: list[float]) -> list[float]:
    return [*bbox[:2], *bbox[3:5]]


def _end(value: Any, row: Row) -> Any:
    if isinstance(value, str):
        if value == "..":
            return None
        return date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
    return evaluate(value, row)


def _operation(op: str, arguments: list[Any], row: Row) -> Any:  # noqa: PLR0911 (one line for each sort of operator)
    if op == "in":
        value, listed = evaluate(arguments[0], row), [evaluate(one, row) for one in arguments[1]]
        return _any([_compare("=", value, one) for one in listed])
    values = [evaluate(one, row) for one in arguments]
    if op in LOGIC:
        return LOGIC[op](values)
    if any(value is None for value in values):
        return None
    if op in COMPARISONS:
        return _compare(op, *values)
    if op[:2] == "s_":
        return bool(getattr(shapely, op[2:])(*values))
    if op[:2] == "t_":
        return _temporal(op[2:], *values)
    return CALLED[op](*values) if op in CALLED else _arithmetic(op, *values)


def _all(values: list[Any]) -> bool | None:
    if any(value is False for value in values):
        return False
    return None if any(value is None for value in values) else True


def _any(values: list[Any]) -> bool | None:
    if any(value is True for value in values):
        return True
    return None if any(value is None for value in values) else False


def _compare(op: str, left: Any, right: Any) -> bool | None:
    if left is None or right is None:
        return None
    if isinstance(left, str):  # by code point, as UTF-8 sorts
        left, right = left.encode(), right.encode()
    if isinstance(left, date) and type(left) is not type(right):
        left, right = _moment(left), _moment(right)
    return COMPARISONS[op](left, right)


def _like(value: str, pattern: str) -> bool:
    parts, escaped = [], False
    for letter in pattern:
        if escaped or letter not in "%_\\":
            parts.append(re.escape(letter))
            escaped = False
        elif letter == "\\":
            escaped = True
        else:
            parts.append({"%": ".*", "_": "."}[letter])
    return re.fullmatch("".join(parts), value, re.DOTALL) is not None


def casei(text: str) -> str:
    """Folded as Unicode has it."""
    return text.casefold()


def accenti(text: str) -> str:
    """Without diacritics; ligatures as two letters."""
    for letter, plain in zip("øØłŁđĐœŒæÆ", ["o", "O", "l", "L", "d", "D", "oe", "OE", "ae", "AE"], strict=True):
        text = text.replace(letter, plain)
    bare = "".join(one for one in unicodedata.normalize("NFD", text) if not "\u0300" <= one <= "\u036f")
    return unicodedata.normalize("NFC", bare)


def _arithmetic(op: str, left: float, right: float) -> float | None:
    try:
        made = {
            "+": lambda: left + right,
            "-": lambda: left - right,
            "*": lambda: left * right,
            "/": lambda: left / right,
            "%": lambda: math.fmod(left, right),
            "div": lambda: math.trunc(left / right),
            "^": lambda: left**right,
        }[op]()
    except (ZeroDivisionError, OverflowError, ValueError):
        return None
    return None if isinstance(made, complex) or not math.isfinite(made) else made


def _moment(value: date | datetime, *, last: bool = False) -> datetime:
    if isinstance(value, datetime):
        return value
    return datetime.combine(value, time.min, UTC) + (timedelta(days=1, microseconds=-1) if last else timedelta())


def _temporal(name: str, left: Any, right: Any) -> bool:
    spans = [one if isinstance(one, Interval) else Interval(one, one) for one in (left, right)]
    exact = any(isinstance(end, datetime) for span in spans for end in (span.start, span.end))

    def number(value: Any, *, last: bool, open_: float) -> float:
        if value is None:
            return open_
        return _moment(value, last=last).timestamp() if exact else value.toordinal()

    (a, b), (c, d) = (
        (
            number(span.start, last=False, open_=-math.inf),
            number(span.end, last=isinstance(given, Interval), open_=math.inf),
        )
        for span, given in zip(spans, (left, right), strict=True)
    )
    return {
        "after": a > d,
        "before": b < c,
        "contains": a < c and b > d,
        "disjoint": a > d or b < c,
        "during": a > c and b < d,
        "equals": a == c and b == d,
        "finishedBy": a < c and b == d,
        "finishes": a > c and b == d,
        "intersects": not (a > d or b < c),
        "meets": b == c,
        "metBy": a == d,
        "overlappedBy": c < a < d < b,
        "overlaps": a < c < b < d,
        "startedBy": a == c and b > d,
        "starts": a == c and b < d,
    }[name]


MEMBERS: Mapping[str, Callable[[Any, Row], Any]] = {
    "op": lambda tree, row: _operation(tree["op"], tree["args"], row),
    "property": lambda tree, row: row[tree["property"]],
    "date": lambda tree, _: date.fromisoformat(tree["date"]),
    "timestamp": lambda tree, _: datetime.fromisoformat(tree["timestamp"]),
    "interval": lambda tree, row: Interval(*(_end(one, row) for one in tree["interval"])),
    "bbox": lambda tree, _: _box(tree["bbox"]),
    "type": lambda tree, _: shapely.force_2d(shape(tree)),
}
LOGIC: Mapping[str, Callable[[list[Any]], bool | None]] = {
    "and": _all,
    "or": _any,
    "not": lambda values: None if values[0] is None else not values[0],
    "isNull": lambda values: values[0] is None,
    "between": lambda values: _all([_compare(">=", *values[:2]), _compare("<=", values[0], values[2])]),
}
CALLED: Mapping[str, Callable[..., Any]] = {
    "like": _like,
    "casei": casei,
    "accenti": accenti,
}
