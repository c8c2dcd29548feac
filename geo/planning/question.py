"""What a question is: its inputs and output, declared once, from which description, check and form are made."""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from functools import cached_property
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints
from urllib.parse import unquote_to_bytes

from pydantic import TypeAdapter
from sqlalchemy.engine import Connection

from geo.collections import Collection, Territory
from geo.columns import Words, say
from geo.errors import BadInput, Problem
from geo.kinds import GeometryType
from geo.planning.report import Report
from geo.planning.terms import CHOICES

GEOJSON = "application/geo+json"
JSON = "application/json"
QUALIFIED = frozenset(("value", "mediaType", "encoding", "schema", "format"))
EVERY: tuple[GeometryType, ...] = ("Point", "MultiLineString", "MultiPolygon")


@dataclass(frozen=True, slots=True)
class Titled:
    """An input's title, and what else people need to know of it."""

    title: Words
    description: Words | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """The input names collections, whose geometry is one of these."""

    geometry: tuple[GeometryType, ...] = EVERY


@dataclass(frozen=True, slots=True)
class Drawn:
    """The input is GeoJSON of this format (`geojson-geometry`, `geojson-feature-collection`), of these types and their multiples."""

    format: str
    types: tuple[str, ...] = ("Point", "LineString", "Polygon")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whom a question is put to: a snapshot, the territory as it stands in it, and the language to translate into."""

    tx: Connection
    territory: Territory
    lang: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The finished text of the answer."""

    text: str
    media_type: str = GEOJSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What a question answers: its name, title and JSON Schema."""

    name: str
    title: Words
    schema: Mapping[str, Any]


FEATURES: Mapping[str, Any] = {
    "type": "object",
    "format": "geojson-feature-collection",
    "contentMediaType": GEOJSON,
}


@dataclass(frozen=True, slots=True)
class Input:
    """One input, as its dataclass declares it."""

    name: str
    titled: Titled
    named: Named | None
    drawn: Drawn | None
    adapter: TypeAdapter[Any]
    many: bool
    required: bool
    default: Any

    def schema(self, territory: Territory) -> dict[str, Any]:
        """The JSON Schema of one value."""
        if self.drawn:
            kinds = {"x-geometries": list(self.drawn.types)}
            return {"type": "object", "format": self.drawn.format, "contentMediaType": GEOJSON, **kinds}
        made = self.adapter.json_schema()
        made = dict(made["items"] if self.many else made)
        if self.named:
            made["enum"] = [one.id for one in self._namable(territory)]
        if not self.required and self.default is not None:
            made["default"] = self.default
        return made

    def _namable(self, territory: Territory) -> list[Collection]:
        geometry = self.named.geometry if self.named else ()
        return [one for one in territory.collections.values() if one.kind.geometry in geometry]

    def titles(self, territory: Territory, lang: str) -> dict[str, str]:
        """The words for each value that may be chosen, where there are words."""
        if self.named:
            return {one.id: say(one.title, lang) for one in self._namable(territory)}
        given = self.schema(territory).get("enum", ())
        return {one: say(CHOICES[one], lang) for one in given if one in CHOICES}

    def described(self, territory: Territory, lang: str) -> dict[str, Any]:
        """The input as OGC API - Processes describes it."""
        bounds = self.adapter.json_schema() if self.many else {}
        occurs: dict[str, Any] = {"minOccurs": int(self.required)}
        if self.many:
            occurs["maxOccurs"] = bounds.get("maxItems", "unbounded")
        about = {"description": say(self.titled.description, lang)} if self.titled.description else {}
        schema = self.schema(territory)
        if titles := self.titles(territory, lang):
            schema["x-titles"] = titles
        return {"title": say(self.titled.title, lang), **about, **occurs, "schema": schema}


@dataclass(frozen=True)
class Verb:
    """One question. `inputs` is a frozen dataclass; `answer` is given one of it and answers with a finished text.

    `report` makes of inputs and answer (parsed) what people put before a council; without it a question has no report.
    """

    id: str
    title: Words
    description: Words
    inputs: type
    output: Output
    answer: Callable[[Asked, Any], Answer]
    report: Callable[[Asked, Any, Mapping[str, Any]], Report] | None = None

    @cached_property
    def takes(self) -> Mapping[str, Input]:
        """Every input by its name."""
        hints = get_type_hints(self.inputs, include_extras=True)
        return {one.name: _input(one, hints[one.name]) for one in fields(self.inputs)}

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """What checks all inputs at once."""
        return TypeAdapter(self.inputs)

    def read(self, values: Mapping[str, Any]) -> Any:
        """The inputs of an execute request, checked by themselves; pydantic's ValidationError tells what is wrong."""
        given = {name: self._plain(name, value) for name, value in values.items()}
        return self.adapter.validate_python(given)

    def check(self, inputs: Any, territory: Territory) -> None:
        """Whether the collections named can be asked; BadInput for each that cannot."""
        problems = [problem for one in self.takes.values() for problem in _misnamed(one, inputs, territory)]
        if problems:
            raise BadInput(*problems)

    def _plain(self, name: str, value: Any) -> Any:
        """A value without what the standard lets stand around it."""
        if isinstance(value, dict) and "href" in value:
            value = _referred(value["href"], f"/inputs/{name}")
        if isinstance(value, dict) and "value" in value and QUALIFIED.issuperset(value):
            value = value["value"]
        known = self.takes.get(name)
        return [value] if known and known.many and isinstance(value, str) else value


_DATA = re.compile(r"data:[^,]{0,200}?(;base64)?,", re.IGNORECASE)


def _referred(href: Any, pointer: str) -> Any:
    """The JSON that a `data:` address holds. No other is followed: we fetch nothing on a stranger's behalf."""
    begun = _DATA.match(href) if isinstance(href, str) else None
    if begun is None:
        raise BadInput(Problem(pointer=pointer, message="must be a value or a data: address: others are not followed"))
    try:
        held = unquote_to_bytes(href[begun.end() :])
        return json.loads(b64decode(held, validate=True) if begun[1] else held)
    except (ValueError, RecursionError):
        raise BadInput(Problem(pointer=pointer, message="must be a data: address that holds JSON")) from None


def _misnamed(one: Input, inputs: Any, territory: Territory) -> Iterator[Problem]:
    given = getattr(inputs, one.name)
    if one.named is None or given is None:
        return
    pointer = f"/inputs/{one.name}"
    for id in given if one.many else [given]:
        found = territory.collections.get(id)
        if found is None:
            yield Problem(pointer=pointer, message="names a collection that does not exist")
        elif found.kind.geometry is None:
            yield Problem(pointer=pointer, message=f"names {found.id}, which has no geometry")
        elif found.kind.geometry not in one.named.geometry:
            wanted = " or ".join(one.named.geometry)
            yield Problem(pointer=pointer, message=f"names {found.id}, whose items are no {wanted}")


def _input(one: Field[Any], hint: Any) -> Input:
    inner, *told = get_args(hint)
    assert get_origin(hint) is Annotated, one.name  # noqa: S101 (each input says its title)
    if get_origin(inner) in (Union, UnionType):
        [inner] = [part for part in get_args(inner) if part is not NoneType]
    marks = [*told, *getattr(inner, "__metadata__", ())]
    checks = tuple(mark for mark in told if not isinstance(mark, Titled | Named | Drawn))
    checked: Any = Annotated[inner, *checks] if checks else inner
    bare = getattr(inner, "__origin__", inner)
    return Input(
        name=one.name,
        titled=next(mark for mark in marks if isinstance(mark, Titled)),
        named=next((mark for mark in marks if isinstance(mark, Named)), None),
        drawn=next((mark for mark in marks if isinstance(mark, Drawn)), None),
        adapter=TypeAdapter(checked),
        many=(get_origin(bare) or get_origin(inner) or bare) is list or str(bare).startswith("list["),
        required=one.default is MISSING,
        default=None if one.default is MISSING else one.default,
    )
