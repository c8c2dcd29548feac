"""From what a file says to what a column holds: text, numbers, dates, choices; and why a value is refused."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb

from geo.columns import Column
from geo.errors import BadInput, GohelleError, Problem
from geo.files.mapping import Cell, Dataset, Filter, Template, outer, target

Row = Sequence[Any]
TRUE = {"true", "t", "1", "oui", "o", "vrai", "yes", "y", "ja"}
FALSE = {"false", "f", "0", "non", "n", "faux", "no", "nein"}
LONGEST = 20_000
LONGEST_KEY = 500
DECLARED = "declaration:"
"""How the keys of what residents declared begin; no file may write over those."""
INTEGERS = 2**31 - 1
"""The largest number that a column of integers holds."""

ISO = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:[T ].*)?")
FRENCH = re.compile(r"(\d{2})/(\d{2})/(\d{4})")


class Refused(GohelleError):
    """A row that cannot be kept; the message is the reason, `sort` the same without the value, for counting."""

    def __init__(self, sort: str, value: str = "") -> None:
        """Shorten the value: it may be a whole polygon."""
        self.sort = sort
        super().__init__(f"{sort}: “{value[:60]}”" if value else sort)


def plain(value: Any) -> str:
    """The text of a field as a person would write it; empty for what is missing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _of_float(value)
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value).strip()


def _of_float(value: float) -> str:
    """A column of whole numbers with gaps is read as floats: 254.0 was 254."""
    if math.isnan(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def number(column: Column, text: str) -> float:
    """A finite number within the column's bounds; a decimal comma is one, too."""
    try:
        value = float(text.replace(",", ".") if "." not in text else text)
    except ValueError:
        raise Refused(f"{column.name} is no number", text) from None
    if not math.isfinite(value):
        raise Refused(f"{column.name} is no finite number", text)
    return value


def _bounded(column: Column, value: float) -> float:
    if column.minimum is not None and value < column.minimum:
        raise Refused(f"{column.name} is less than {column.minimum:g}", f"{value:g}")
    if column.maximum is not None and value > column.maximum:
        raise Refused(f"{column.name} is more than {column.maximum:g}", f"{value:g}")
    return value


def _whole(column: Column, value: float) -> int:
    if not value.is_integer():
        raise Refused(f"{column.name} is no whole number", f"{value:g}")
    if abs(value) > INTEGERS:
        raise Refused(f"{column.name} is too large", f"{value:g}")
    return int(value)


def _boolean(column: Column, text: str) -> bool:
    if text.lower() in TRUE | FALSE:
        return text.lower() in TRUE
    raise Refused(f"{column.name} is neither yes nor no", text)


def day(name: str, text: str) -> tuple[date, str]:
    """A date and how much of it is known: `1857` is its first day, to the year."""
    if match := FRENCH.fullmatch(text):
        parts = [match[3], match[2], match[1]]
    elif match := ISO.fullmatch(text):
        parts = [part for part in match.groups() if part]
    else:
        raise Refused(f"{name} is no date", text)
    try:
        known = [*map(int, parts), 1, 1][:3]
        return date(*known), ("year", "month", "day")[len(parts) - 1]
    except ValueError:
        raise Refused(f"{name} is no date", text) from None


def _text(column: Column, text: str) -> str:
    if "\0" in text:
        raise Refused(f"{column.name} holds a zero byte")
    if len(text) > LONGEST:
        raise Refused(f"{column.name} has more than {LONGEST} characters")
    return text


def _choice(column: Column, text: str) -> str:
    if text not in (column.choices or {}):
        raise Refused(f"{column.name} is none of {', '.join(column.choices or {})}", text)
    return text


def _url(column: Column, text: str) -> str:
    if not re.match(r"https?://\S+$", text, re.IGNORECASE):
        raise Refused(f"{column.name} is no http(s) address", text)
    return _text(column, text)


def convert(column: Column, text: str, scale: float | None = None) -> Any:
    """The value that the column keeps, or Refused with the reason."""
    if column.type in ("number", "integer"):
        value = _bounded(column, number(column, text) * (scale or 1))
        return _whole(column, value) if column.type == "integer" else value
    if column.type == "date":
        return day(column.name, text)[0]
    return {"boolean": _boolean, "choice": _choice, "url": _url}.get(column.type, _text)(column, text)


Getter = Callable[[Row], str]


def getter(cell: Cell, fields: Mapping[str, int]) -> Getter:
    """What reads a cell's text from a row: the first template that is not empty, through the cell's choices."""
    if not cell.templates:
        constant = plain(cell.constant)
        return lambda _row: constant
    readers = [_filled(template, fields) for template in cell.templates]

    def read(row: Row) -> str:
        text = next((text for reader in readers if (text := reader(row))), "")
        if text in cell.empty:
            return ""
        return text if cell.choices is None else plain(cell.choices.get(text, cell.choices.get("*", text)))

    return read


def finder(name: str, fields: Mapping[str, int]) -> Getter:
    """What reads one field's text from a row, also from inside a field of JSON; empty where the file has no such field."""
    place = fields.get(outer(name, fields))
    if place is None:
        return lambda _row: ""
    if name in fields:
        return lambda row: plain(row[place])
    inner = name.partition(".")[2]
    return lambda row: plain(_inside(row[place], inner))


def _inside(value: Any, name: str) -> Any:
    try:
        held = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return held.get(name) if isinstance(held, dict) else None


def _filled(template: Template, fields: Mapping[str, int]) -> Getter:
    parts = [(literal, None if name is None else finder(name, fields)) for literal, name in template.parts]

    def fill(row: Row) -> str:
        text = ""
        for literal, find in parts:
            text += literal
            if find is not None:
                value = find(row)
                if not value:
                    return ""
                text += value
        return text

    return fill


class Reading:
    """The mapping made ready for one file's fields: `values` turns a row into what the staging table takes."""

    def __init__(self, dataset: Dataset, fields: Sequence[str]) -> None:
        """Find each field's place; the fields were checked to be there."""
        places = {name: index for index, name in enumerate(fields)}
        self._key = getter(dataset.key, places)
        self._cells = list(_readers(dataset, places))
        self._precisions = _precisions(dataset)
        columns = [column.name for column, language, *_ in self._cells if language is None]
        self._translates = any(language for _, language, *_ in self._cells)
        self.columns: tuple[str, ...] = (*columns, *self._precisions.values(), *self._last("translations"))
        _check_constants(self._cells, dataset)
        self._alternatives = [_conditions(rule, places) for rule in dataset.where]
        self._exceptions = _conditions(dataset.unless, places)
        self.types = [_type_of(dataset, name) for name in self.columns]

    def wanted(self, row: Row) -> bool:
        """Whether one of the mapping's `where` takes the row, and nothing of `unless` leaves it out."""
        return any(all(read(row) in accepted for read, accepted in rule) for rule in self._alternatives) and not any(
            read(row) in accepted for read, accepted in self._exceptions
        )

    def key_if_any(self, row: Row) -> str | None:
        """The key where it can be had, for a row that is refused anyhow."""
        try:
            return self.key(row)
        except Refused:
            return None

    def key(self, row: Row) -> str:
        """The row's key at the source, or Refused: without one, no later import would find the row again."""
        key = self._key(row)
        if not key:
            raise Refused("a field of the key is empty")
        if "\0" in key or len(key) > LONGEST_KEY:
            raise Refused(f"the key holds a zero byte, or more than {LONGEST_KEY} characters")
        if key.startswith(DECLARED):
            raise Refused(f"keys that begin with “{DECLARED}” belong to residents")
        return key

    def values(self, row: Row) -> list[Any]:
        """One value for each of `columns`, or Refused with the first reason."""
        plain_values: list[Any] = []
        precisions: dict[str, str | None] = dict.fromkeys(self._precisions.values())
        translations: dict[str, dict[str, str]] = {}
        for column, language, read, scale in self._cells:
            text = read(row)
            if language:
                if text:
                    translations.setdefault(language, {})[column.name] = _text(column, text)
                continue
            if column.name in self._precisions and text:
                value, precisions[self._precisions[column.name]] = day(column.name, text)
            else:
                value = _value(column, text, scale)
            plain_values.append(value)
        return [*plain_values, *precisions.values(), *self._last(Jsonb(translations))]

    def _last(self, value: Any) -> tuple[Any, ...]:
        """Translations come last, and not at all where the mapping has none: those of the row then stay."""
        return (value,) if self._translates else ()


def _conditions(rule: Filter, places: Mapping[str, int]) -> list[tuple[Getter, frozenset[str]]]:
    return [(finder(name, places), accepted) for name, accepted in rule.items()]


def _value(column: Column, text: str, scale: float | None) -> Any:
    if text:
        return convert(column, text, scale)
    if column.required:
        raise Refused(f"{column.name} is empty, and required")
    return None


def _check_constants(cells: Sequence[tuple[Column, str | None, Getter, float | None]], dataset: Dataset) -> None:
    """A constant that its column does not take is the mapping's fault, not that of every row."""
    problems = []
    for column, language, read, scale in cells:
        name = f"{column.name}_{language}" if language else column.name
        if dataset.cells[name].templates:
            continue
        try:
            _value(column, read(()), scale)
        except Refused as refused:
            problems.append(Problem(parameter="mapping", message=f"{dataset.name}.toml: {refused}"))
    if problems:
        raise BadInput(*problems)


def _readers(dataset: Dataset, places: Mapping[str, int]) -> Iterator[tuple[Column, str | None, Getter, float | None]]:
    for name, cell in dataset.cells.items():
        found = target(dataset.kind, name)
        absent = cell.optional and not any(
            outer(field, places) in places for template in cell.templates for field in template.fields
        )
        if found and not cell.measure and not absent:  # a file without the field leaves the column as it is
            yield *found, getter(cell, places), cell.scale


def _precisions(dataset: Dataset) -> dict[str, str]:
    """Dates whose precision has a column of its own that the mapping leaves to us."""
    known = {column.name for column in dataset.kind.columns}
    return {
        name: f"{name}_precision"
        for name, cell in dataset.cells.items()
        if f"{name}_precision" in known and f"{name}_precision" not in dataset.cells and not cell.measure
    }


TYPES = {"number": "float8", "integer": "int4", "boolean": "bool", "date": "date"}


def _type_of(dataset: Dataset, name: str) -> str:
    return "jsonb" if name == "translations" else TYPES.get(dataset.kind.column(name).type, "text")
