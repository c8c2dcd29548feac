"""What an items request asks for: which items, in which order, and how they are written. Part 2, 3, 5 and 6 of OGC API."""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from api.query import DEFAULT_LIMIT, Misread, Parameters, box_numbers, conditions, degrees, limit, one_of, words
from geo import cql2, crs, sorting
from geo.crs import CRS84, Crs
from geo.filters import Question
from geo.kinds import Kind
from geo.sorting import Key, Order
from geo.writing import View

T = TypeVar("T")
NAMES = ("filter", "filter-lang", "filter-crs", "q", "bbox", "bbox-crs", "datetime", "limit", "cursor", "crs", "sortby",
         "properties", "skipGeometry")  # fmt: skip
"""The parameters of items, beside the queryables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A question and the view in which its answer is written."""

    question: Question
    view: View


def items(parameters: Parameters, kind: Kind, *, lang: str | None, default_limit: int = DEFAULT_LIMIT) -> Wanted:
    """What an items request asks; all that is wrong with it at once."""
    question = narrowed(parameters, kind, lang=lang)
    order, after = _order(parameters, kind)
    question = replace(
        _boxed(parameters, kind, question),
        limit=parameters.take("limit", limit, default_limit),
        order=order,
        after=after,
    )
    wanted = Wanted(question=question, view=view(parameters, kind, lang=lang))
    parameters.finish()
    return wanted


def narrowed(parameters: Parameters, kind: Kind, *, lang: str | None) -> Question:
    """What items and tiles may both be narrowed by: period, equality, words and a filter."""
    language = parameters.take("filter-lang", one_of(cql2.LANGUAGES), None)
    system = parameters.take("filter-crs", system_named, CRS84)

    def read(text: str) -> cql2.Filter:
        # A filter that is JSON says so by its first character.
        said = language or (cql2.JSON if text.lstrip().startswith("{") else cql2.TEXT)
        return _fitting(lambda: cql2.read(text, kind, language=said, crs=system, lang=lang))

    found = parameters.take("filter", read, None)
    return replace(
        conditions(parameters, kind), words=parameters.take("q", words, None), filters=(found,) if found else ()
    )


def view(parameters: Parameters, kind: Kind, *, lang: str | None) -> View:
    """How the items are written."""
    return View(
        lang=lang,
        crs=parameters.take("crs", system_named, CRS84),
        names=parameters.take("properties", lambda text: _names(text, kind), None),
        located=not parameters.take("skipGeometry", _flag, False),
    )


def system_named(text: str) -> Crs:
    """A coordinate system by its address."""
    found = crs.named(text)
    if found is None:
        raise Misread(f"must be one of: {', '.join(crs.uris())}")
    return found


def cursor_text(after: tuple[int, ...], order: Order | None, keys: list[Any] | None) -> str:
    """The cursor of the page that starts after this place, and after these values where it is sorted."""
    held = {"after": after, "by": _sortby(order.keys), "keys": keys} if order else after
    return base64.urlsafe_b64encode(json.dumps(held).encode()).decode().rstrip("=")


def _fitting(read: Callable[[], T]) -> T:
    try:
        return read()
    except cql2.BadFilter as error:
        raise Misread(str(error)) from None


def _boxed(parameters: Parameters, kind: Kind, question: Question) -> Question:
    system = parameters.take("bbox-crs", system_named, CRS84)
    numbers = parameters.take("bbox", lambda text: _checked(box_numbers(text), system, kind), None)
    if numbers is None:
        return question
    if system.geographic:
        return replace(question, bbox=degrees(numbers, northing_first=system.northing_first))
    return replace(question, filters=(*question.filters, cql2.touching(numbers, kind, system)))


def _checked(numbers: list[float], system: Crs, kind: Kind) -> list[float]:
    """The numbers, if they make a box in that system."""
    if system.geographic:
        degrees(numbers, northing_first=system.northing_first)
    else:
        _fitting(lambda: cql2.touching(numbers, kind, system))
    return numbers


def _order(parameters: Parameters, kind: Kind) -> tuple[Order | None, tuple[int, ...]]:
    keys = parameters.take("sortby", lambda text: _keys(text, kind), ())
    if not keys:
        return None, parameters.take("cursor", _cursor, ())
    after, values = parameters.take("cursor", lambda text: _sorted_cursor(text, keys), ((), None))
    return Order(keys, values), after


def _keys(text: str, kind: Kind) -> tuple[Key, ...]:
    known, parts = sorting.sortables(kind), text.split(",")
    names = [part.strip().removeprefix("+").removeprefix("-") for part in parts]
    if not set(names) <= known.keys() or len(set(names)) < len(names) or len(names) > sorting.MOST:
        raise Misread(
            f"must name up to {sorting.MOST} of the sortables, each once, with - before it to descend: {', '.join(known)}"
        )
    # A plus sign in an address means a blank.
    return tuple(Key(known[name], part.strip().startswith("-")) for name, part in zip(names, parts, strict=True))


def _sortby(keys: tuple[Key, ...]) -> str:
    return ",".join(key.name for key in keys)


def _cursor(text: str) -> tuple[int, ...]:
    """The place after which the next page starts, as `cursor_text` wrote it: one or two whole numbers."""
    after = _held(text)
    if not _is_place(after) or len(after) > 2:
        raise Misread("is not a cursor that this service gave")
    return tuple(after)


def _sorted_cursor(text: str, keys: tuple[Key, ...]) -> tuple[tuple[int, ...], tuple[sorting.Value, ...]]:
    """The id, and the values by which was sorted."""
    held = _held(text)
    try:
        after, by, last = held["after"], held["by"], held["keys"]
        values = tuple(sorting.read(key.column, value) for key, value in zip(keys, last, strict=True))
    except (ValueError, KeyError, TypeError):
        after, by, values = [], None, ()
    if not _is_place(after) or len(after) > 1 or by != _sortby(keys):
        raise Misread("is not a cursor that this service gave for this order")
    return tuple(after), values


def _held(text: str) -> Any:
    try:
        return json.loads(base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None


def _is_place(after: Any) -> bool:
    return type(after) is list and len(after) > 0 and all(type(n) is int and 0 <= n < 2**63 for n in after)


def _names(text: str, kind: Kind) -> tuple[str, ...]:
    known, names = [column.name for column in kind.public], text.split(",") if text else []
    if not set(names) <= set(known):
        raise Misread(f"must name properties of the collection: {', '.join(known)}")
    return tuple(name for name in known if name in names)


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise Misread("must be true or false")
    return text == "true"
