"""Query parameters, read strictly: all that is wrong is said at once, by name, and the input is never echoed."""

import math
import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import partial
from typing import Any, TypeVar

from geo.columns import Column
from geo.cql2 import LONGEST as LONGEST_FILTER
from geo.errors import BadQuery, Problem
from geo.filters import Period, Question
from geo.kinds import Kind
from geo.space import Bbox

DEFAULT_LIMIT = 100
MAXIMUM_LIMIT = 10_000
LONGEST = 4_000
"""Characters of one parameter."""

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2}))?", re.ASCII | re.IGNORECASE)


T = TypeVar("T")


class Misread(ValueError):
    """A value that its parameter does not take; the message says what it takes."""


class Parameters:
    """The parameters of one request. Take what you know, then `finish`: what is left over is unknown."""

    def __init__(self, pairs: Iterable[tuple[str, str]], *, lenient: bool = False) -> None:
        """`lenient` is for pages: shared links carry tracking parameters, forms send empty fields."""
        self._lenient = lenient
        self._given: dict[str, str] = {}
        self._problems: list[Problem] = []
        for name, value in pairs:
            self._keep(name, value)

    def _keep(self, name: str, value: str) -> None:
        if self._lenient and not value:
            return
        if name in self._given:
            self.wrong(name, "is given more than once")
        elif len(value) > (longest := LONGEST_FILTER if name == "filter" else LONGEST):
            self.wrong(name, f"is longer than {longest} characters")
        elif "\x00" in value:
            self.wrong(name, "holds a NUL character")
        else:
            self._given[name] = value

    def take(self, name: str, read: Callable[[str], T], default: T) -> T:
        """The parameter as `read` understands it; the default where it is not given, or wrong."""
        if name not in self._given:
            return default
        try:
            return read(self._given.pop(name))
        except Misread as error:
            self.wrong(name, str(error))
            return default

    def given(self, known: Container[str]) -> list[str]:
        """Which of these names are given and not yet taken."""
        return [name for name in self._given if name in known]

    def wrong(self, name: str, message: str) -> None:
        """Note a problem; `finish` raises them all."""
        self._problems.append(Problem(parameter=_shown(name), message=message))

    def finish(self) -> None:
        """Raise BadQuery if anything was wrong, or is left over."""
        if not self._lenient:
            for name in self._given:
                self.wrong(name, "is not a parameter of this address")
        if self._problems:
            raise BadQuery(*self._problems)


def _shown(name: str) -> str:
    """A parameter's name as far as it is safe to repeat."""
    return re.sub(r"[^\w.:-]", "?", name[:64], flags=re.ASCII)


def conditions(parameters: Parameters, kind: Kind) -> Question:
    """What items and tiles may both be narrowed by: period and equality."""
    equals = {
        name: value
        for name in parameters.given(kind.filterables)
        if (value := parameters.take(name, partial(_value, column=kind.filterables[name]), None)) is not None
    }
    return Question(limit=1, period=parameters.take("datetime", period, None), equals=equals)


def limit(text: str) -> int:
    """A positive whole number; one above the maximum is clamped, not refused."""
    if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) < 1:
        raise Misread(f"must be a whole number from 1 to {MAXIMUM_LIMIT}")
    return min(int(text), MAXIMUM_LIMIT)


def number(text: str) -> float:
    """A finite decimal number."""
    if not NUMBER.fullmatch(text) or not math.isfinite(value := float(text)):
        raise Misread("must be a number")
    return value


def box_numbers(text: str) -> list[float]:
    """Four numbers, or six with heights."""
    parts = text.split(",")
    if len(parts) not in (4, 6):
        raise Misread("must be 4 numbers (west,south,east,north), or 6 with heights")
    try:
        values = [number(part) for part in parts]
    except Misread:
        raise Misread("must be 4 or 6 finite numbers separated by commas") from None
    if len(values) == 6 and values[2] > values[5]:
        raise Misread("has its lower height above its upper one")
    return values


def degrees(values: Sequence[float], *, northing_first: bool = False) -> Bbox:
    """A box in degrees; heights are ignored; west may exceed east across the antimeridian."""
    west, south, east, north = values if len(values) == 4 else (*values[:2], *values[3:5])
    if northing_first:
        west, south, east, north = south, west, north, east
    if not -180 <= west <= 180 or not -180 <= east <= 180:
        raise Misread("has a longitude outside -180 to 180")
    if not -90 <= south <= 90 or not -90 <= north <= 90:
        raise Misread("has a latitude outside -90 to 90")
    if south > north:
        raise Misread("has its south above its north")
    return Bbox(west, south, east, north)


def period(text: str) -> Period:
    """An RFC 3339 day or instant, or an interval of two, either end open (`..` or nothing)."""
    ends = text.split("/")
    if len(ends) > 2:
        raise Misread("must be a date, or an interval of two dates")
    first, last = (_day(end) for end in (ends if len(ends) == 2 else ends * 2))
    if len(ends) == 1 and first is None:
        raise Misread("must be a date, or an interval of two dates")
    if first and last and first > last:
        raise Misread("begins after it ends")
    if first is None and last is None:
        raise Misread("is open on both sides")
    return first, last


def _day(text: str) -> date | None:
    if text in ("", ".."):
        return None
    try:
        if DAY.fullmatch(text):
            return datetime.fromisoformat(text.upper()).date()
    except ValueError:
        pass
    raise Misread("must hold dates as 2013-03-08 or instants as 2013-03-08T00:00:00Z")


def moments(text: str) -> tuple[datetime | None, datetime | None]:
    """The instants from which and to which an interval, as for `period`, reaches; a day is all of it, in UTC."""
    period(text)
    ends = text.split("/")
    return _moment(ends[0], time.min), _moment(ends[-1], time.max)


def _moment(text: str, of_day: time) -> datetime | None:
    if text in ("", ".."):
        return None
    if len(text) == 10:
        return datetime.combine(date.fromisoformat(text), of_day, UTC)
    return datetime.fromisoformat(text.upper())


def several(choices: Sequence[str]) -> Callable[[str], list[str]]:
    """A reader for some of a closed list, between commas."""
    one = one_of(choices)
    return lambda text: [one(part) for part in text.split(",")]


def one_of(choices: Sequence[str]) -> Callable[[str], str]:
    """A reader for one of a closed list."""

    def read(text: str) -> str:
        if text not in choices:
            raise Misread(f"must be one of: {', '.join(choices)}")
        return text

    return read


def words(text: str) -> str:
    """A text that is not empty."""
    if not text.strip():
        raise Misread("is empty")
    return text


def _value(text: str, column: Column) -> Any:
    return VALUES.get(column.type, _text)(text, column)


def _text(text: str, column: Column) -> str:
    if column.choices and text not in column.choices:
        raise Misread(f"must be one of: {', '.join(column.choices)}")
    return text


def _integer(text: str, _column: Column) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", text):
        raise Misread("must be a whole number")
    return int(text)


def _number(text: str, _column: Column) -> float:
    return number(text)


def _boolean(text: str, _column: Column) -> bool:
    if text not in ("true", "false"):
        raise Misread("must be true or false")
    return text == "true"


def _date(text: str, _column: Column) -> date:
    if (day := _day(text)) is None or len(text) != 10:
        raise Misread("must be a date as 2013-03-08")
    return day


def _timestamp(text: str, _column: Column) -> datetime:
    if _day(text) is None or len(text) == 10:
        raise Misread("must be an instant as 2013-03-08T00:00:00Z")
    return datetime.fromisoformat(text.upper())


VALUES: Mapping[str, Callable[[str, Column], Any]] = {
    "date": _date,
    "timestamp": _timestamp,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
}
