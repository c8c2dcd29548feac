"""National exchange schemas: which fields a file must have to be valid, which columns fill them, and what does not fit.

A kind that has the columns declares the schema; no collection is named here, and no file is written here.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

FieldType = Literal["string", "strings", "number", "integer", "boolean", "date", "year"]
"""As the schema has it: `strings` is an array of strings, `date` is written YYYY-MM-DD, `year` is the number of one."""

MEASURED = frozenset(("surveyed", "digitised"))
"""Positions that a file may state without saying how good they are."""

Properties = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One property of the schema, and the columns of ours that fill it: the first that has a value.

    `prefix` is what the column's value has before the schema's. Patterns are those of JSON Schema: not anchored.
    """

    name: str
    type: FieldType
    columns: tuple[str, ...]
    choices: tuple[str, ...] = ()
    pattern: str | None = None
    required: bool = False
    prefix: str = ""

    def value(self, row: Mapping[str, Any]) -> Any:
        """The value of a row (texts, numbers and booleans, as JSON has them) in the schema's type; None if unknown.

        Misfit says why what is known cannot be written.
        """
        known = next((row[name] for name in self.columns if row[name] not in (None, "")), None)
        if known is None:
            return None
        made = CASTS[self.type](known)
        if self.prefix and isinstance(made, str):
            made = made.removeprefix(self.prefix)
        if self.choices and made not in self.choices:
            raise Misfit("is none of the values that the schema lists")
        if self.pattern and not re.search(self.pattern, made):
            raise Misfit("has not the form that the schema asks for")
        return made

    @property
    def schema(self) -> dict[str, Any]:
        """The property's own JSON Schema."""
        made: dict[str, Any] = dict(TYPES[self.type])
        if self.choices:
            made["enum"] = list(self.choices)
        return made | ({"pattern": self.pattern} if self.pattern else {})


class Misfit(Exception):
    """Why a value cannot be written; the message never repeats it."""


@dataclass(frozen=True, slots=True)
class Left:
    """What was left out: a field of a feature, or the whole feature for the sake of that field."""

    field: str
    reason: str
    whole: bool


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """A national schema in the version that is written, where its text stands, and its fields in their order."""

    id: str
    title: str
    version: str
    source: str
    fields: tuple[Field, ...]

    @property
    def media_type(self) -> str:
        """GeoJSON with a profile (RFC 6906): whoever does not know the profile reads it all the same."""
        return f'application/geo+json;profile="{self.source}"'

    @property
    def suffix(self) -> str:
        """How its files are named."""
        return f".{self.id}.geojson"

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns that it is made from."""
        return tuple(dict.fromkeys(name for field in self.fields for name in field.columns))

    def fit(self, row: Mapping[str, Any]) -> tuple[Properties | None, list[Left]]:
        """The properties of a row as the schema has them, None where it cannot be valid, and all that was left out."""
        made: Properties = {}
        left = list(self._misplaced(row["position"]))
        for field in self.fields:
            try:
                value = field.value(row)
            except Misfit as misfit:
                left.append(Left(field.name, str(misfit), field.required))
                continue
            if value is not None:
                made[field.name] = value
            elif field.required:
                left.append(Left(field.name, "is not known, and the schema requires it", whole=True))
        return (None if any(one.whole for one in left) else made), left

    def _misplaced(self, position: str) -> Iterator[Left]:
        if position not in MEASURED:
            # A reader of the file would take the line for one that somebody surveyed.
            yield Left("geometry", f"is {position}, which the schema cannot say", whole=True)

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of a whole file."""
        properties = {
            "type": "object",
            "properties": {field.name: field.schema for field in self.fields},
            "required": [field.name for field in self.fields if field.required],
        }
        feature = {
            "type": "object",
            "required": ["type", "geometry", "properties"],
            "properties": {"type": {"const": "Feature"}, "properties": properties},
        }
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": f"{self.title}, {self.version}",
            "type": "object",
            "required": ["type", "features"],
            "properties": {
                "type": {"const": "FeatureCollection"},
                "features": {"type": "array", "items": feature},
            },
        }


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Misfit("is no number")
    return value


def _integer(value: Any) -> int:
    if _number(value) != int(value):
        raise Misfit("is no whole number")
    return int(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Misfit("is neither true nor false")
    return value


def _date(value: Any) -> str:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(value)):
        raise Misfit("is no calendar day")
    return value


def _strings(value: Any) -> list[str]:
    """An import keeps an array as its JSON text; any other text is the only one."""
    try:
        several = json.loads(value)
    except ValueError:
        return [value]
    return [str(one) for one in several] if isinstance(several, list) else [value]


CASTS: Mapping[FieldType, Callable[[Any], Any]] = {
    "string": str,
    "strings": _strings,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "date": _date,
    "year": lambda value: int(_date(value)[:4]),
}
TYPES: Mapping[FieldType, dict[str, Any]] = {
    "string": {"type": "string"},
    "strings": {"type": "array", "items": {"type": "string"}},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "year": {"type": "number"},
}
