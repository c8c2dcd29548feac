"""A question asked by query parameters: one for each input that fits there, and `lon` and `lat` for a place."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError

from api.query import Misread, Parameters, number, one_of
from geo.errors import BadInput, BadQuery, Problem
from geo.planning.question import Input, Verb

PLACE = "geojson-geometry"
MOST = 50


def read(verb: Verb, parameters: Parameters) -> Any:
    """The inputs; BadQuery names every parameter that is wrong or missing."""
    given: dict[str, Any] = {}
    for name, one in verb.takes.items():
        if one.drawn is None and (value := parameters.take(name, _reader(one), None)) is not None:
            given[name] = value
    if place := placed(verb):
        given |= _place(parameters, place, given)
    parameters.finish()
    missing = [
        Problem(parameter=name, message="is missing")
        for name, one in verb.takes.items()
        if one.required and name not in given and name != placed(verb)
    ]
    if place and place not in given:
        missing += [
            Problem(parameter=name, message="is missing, and there is no feature either")
            for name in ("lon", "lat")
            if name not in given and not _otherwise(verb, given)
        ]
    if missing:
        raise BadQuery(*missing)
    try:
        return verb.read({name: value for name, value in given.items() if name in verb.takes})
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        problems = (
            Problem(parameter=str(one["loc"][0]) if one["loc"] else "", message=_said(one["msg"])) for one in found
        )
        raise BadQuery(*problems) from None


def placed(verb: Verb) -> str | None:
    """The input that a longitude and a latitude stand for: what must be said, and can be a point."""
    return next((name for name in verb.takes if name == "geometry" and verb.takes[name].drawn), None)


@contextmanager
def by_parameter() -> Iterator[None]:
    """What is wrong with an input is told by the name of its parameter."""
    try:
        yield
    except BadInput as error:
        told = (
            Problem(parameter=(one.pointer or "").split("/")[-1] or "f", message=one.message) for one in error.problems
        )
        raise BadQuery(*told) from error


def _otherwise(verb: Verb, given: dict[str, Any]) -> bool:
    return "feature" in verb.takes and "feature" in given


def _place(parameters: Parameters, name: str, given: dict[str, Any]) -> dict[str, Any]:
    lon = parameters.take("lon", _degrees(180), None)
    lat = parameters.take("lat", _degrees(85), None)
    if "feature" in given:
        return {}
    if lon is None or lat is None:
        return {key: value for key, value in (("lon", lon), ("lat", lat)) if value is not None}
    return {name: {"type": "Point", "coordinates": [lon, lat]}}


def _said(message: str) -> str:
    said = message.removeprefix("Value error, ").replace("Input should", "must")
    return said[0].lower() + said[1:]


def _reader(one: Input) -> Callable[[str], Any]:
    schema = one.adapter.json_schema()
    if one.many:
        return _list
    if schema.get("type") == "object":
        return _reference
    if "enum" in schema:
        return one_of(schema["enum"])
    return {"integer": _whole(schema), "number": number, "boolean": _boolean}.get(schema.get("type", ""), str)


def _list(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names) or len(names) > MOST:
        raise Misread(f"must be collection ids separated by commas, {MOST} at most")
    return names


def _whole(schema: dict[str, Any]) -> Callable[[str], int]:
    """More than the maximum is answered with the maximum, as everywhere."""
    least, most = schema.get("minimum", 0), schema.get("maximum", 10**9)

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) < least:
            raise Misread(f"must be a whole number from {least} to {most}")
        return min(int(text), most)

    return read


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise Misread("must be true or false")
    return text == "true"


def _degrees(highest: int) -> Callable[[str], float]:
    def read(text: str) -> float:
        degrees = number(text)
        if abs(degrees) > highest:
            raise Misread(f"must be degrees from -{highest} to {highest}")
        return degrees

    return read


def _reference(text: str) -> dict[str, Any]:
    collection, _, id = text.partition("/")
    if not collection or not id.isascii() or not id.isdigit() or len(id) > 18:
        raise Misread("must be a collection and an item id, as in places/12")
    return {"collection": collection, "id": int(id)}
