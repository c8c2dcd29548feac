"""Literals of filters that have a form of their own: numbers, days, moments, and intervals of them."""

import re
import sys
from datetime import date, datetime
from typing import Any

from geo.cql2.terms import INSTANTS, Term
from geo.cql2.words import BadFilter

DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})", re.ASCII)
LARGEST = sys.float_info.max


def text(value: str) -> Term:
    """A text that PostgreSQL can hold: no NUL, no half of a surrogate pair."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadFilter("holds half of a character (a lone surrogate)") from None
    if "\x00" in value:
        raise BadFilter("holds a NUL character")
    return Term(type="text", value=value)


def number(value: float) -> Term:
    """A finite number."""
    # Comparisons are false for NaN, and exact for whole numbers that no double can hold.
    if not abs(value) <= LARGEST:
        raise BadFilter("has a number that is too large")
    return Term(type="number", value=float(value))


def day(value: Any) -> Term:
    """A day as 2013-03-08."""
    try:
        if isinstance(value, str) and DAY.fullmatch(value):
            read = date.fromisoformat(value)
            return Term(type="date", value=read)
    except ValueError:
        pass
    raise BadFilter("has a DATE that is not written as 2013-03-08")


def timestamp(value: Any) -> Term:
    """A moment as 2013-03-08T12:00:00Z."""
    try:
        if isinstance(value, str) and INSTANT.fullmatch(value):
            read = datetime.fromisoformat(value)
            return Term(type="timestamp", value=read)
    except ValueError:
        pass
    raise BadFilter("has a TIMESTAMP that is not written as 2013-03-08T12:00:00Z")


def end(value: str) -> Term | None:
    """One end of an interval: a day, a moment, or `..`, which is open."""
    if value == "..":
        return None
    return day(value) if DAY.fullmatch(value) else timestamp(value)


def interval(start: Term | None, end: Term | None) -> Term:
    """What lies between two instants."""
    for term in (start, end):
        if term and term.type not in INSTANTS:
            raise BadFilter(f"has an INTERVAL that starts or ends with {term.said}")
    if start and end and start.type == end.type and start.value and end.value and start.value > end.value:
        raise BadFilter("has an INTERVAL that begins after it ends")
    return Term(type="interval", start=start, end=end)


def is_number(value: Any) -> bool:
    """Whether this is a finite number that a coordinate can be."""
    return type(value) in (int, float) and abs(value) <= LARGEST
