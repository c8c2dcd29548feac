"""What a single value of a pack must be, by its column. Neither files nor other values are looked at."""

import math
import re
from collections.abc import Callable
from datetime import date
from typing import Any

from geo.columns import Column

INSEE = re.compile(r"([013-9]\d|2[AB1-9])\d{3}", re.ASCII)
LICENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
WEB = re.compile(r"https?://[^\s/]+\S*")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
LARGEST_INTEGER = 2**31 - 1
LONGEST_ENUMERATION = 30


def typed(column: Column, text: str) -> Any:
    """A CSV cell as JSON would have it; what does not fit stays a text, and `fault_of` tells."""
    if column.type == "integer" and WHOLE.fullmatch(text):
        return int(text)
    if column.type == "number" and NUMBER.fullmatch(text):
        return float(text)
    if column.type == "boolean":
        return {"true": True, "false": False}.get(text, text)
    return text


def fault_of(column: Column, value: Any) -> str | None:
    """What is wrong with a value of this column, or None."""
    if column.choices is not None:
        return None if isinstance(value, str) and value in column.choices else f"must be one of: {_listed(column)}"
    return _CHECKS[column.type](column, value)


def _listed(column: Column) -> str:
    names = list(column.choices or ())
    return ", ".join(names[:LONGEST_ENUMERATION]) + (", …" if len(names) > LONGEST_ENUMERATION else "")


def _whole(column: Column, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LARGEST_INTEGER:
        return "must be a whole number, without spaces or a unit"
    return _bounded(column, value)


def _number(column: Column, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
        return "must be a number written with a point, as in 3.5, without spaces or a unit"
    return _bounded(column, value)


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no float can hold
        return False


def _bounded(column: Column, value: float) -> str | None:
    low, high = column.minimum, column.maximum
    if low is not None and value < low and high is None:
        return f"must not be less than {low:g}"
    if (low is not None and value < low) or (high is not None and value > high):
        return f"must lie between {low if low is not None else '-∞'} and {high if high is not None else '∞'}"
    return None


def _boolean(_column: Column, value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _references(_column: Column, value: Any) -> str | None:
    fits = isinstance(value, list) and all(
        isinstance(one, dict)
        and one.keys() == {"collection", "source_key"}
        and all(isinstance(part, str) for part in one.values())
        for one in value
    )
    return None if fits else "must list what it is about, each with its collection and source_key"


def _text(column: Column, value: Any) -> str | None:
    if not isinstance(value, str) or not value.strip():
        return "must be a text that is not empty"
    if not storable(value):
        return "holds a character that cannot be kept"
    if column.name == "source_key" and re.search(r"\s", value):
        return "must have no spaces: it is part of an address"
    if column.name == "licence" and not LICENCE.fullmatch(value):
        return "must be an SPDX identifier without spaces, such as etalab-2.0 or CC-BY-4.0"
    return None


def _url(column: Column, value: Any) -> str | None:
    if not isinstance(value, str) or not WEB.fullmatch(value):
        return "must be an address that begins with https://"
    return _text(column, value)


def _date(_column: Column, value: Any) -> str | None:
    return None if is_day(value) else "must be a date that exists, written as in 2013-03-08"


def _never(_column: Column, _value: Any) -> str | None:
    return "is set by the service; leave it out"


_CHECKS: dict[str, Callable[[Column, Any], str | None]] = {
    "text": _text,
    "url": _url,
    "integer": _whole,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _never,
    "references": _references,
}


def is_day(value: Any) -> bool:
    """Whether this is a day of the calendar, as 2013-03-08."""
    try:
        return isinstance(value, str) and bool(DAY.fullmatch(value)) and bool(date.fromisoformat(value))
    except ValueError:
        return False


def storable(text: str) -> bool:
    """PostgreSQL keeps neither NUL nor half a surrogate pair."""
    return not any(char == "\x00" or "\ud800" <= char <= "\udfff" for char in text)
