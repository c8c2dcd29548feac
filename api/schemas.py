"""What the items of a collection consist of, as JSON Schema: what is returned, what filters ask for, what sorts."""

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.house import JSON, PAGE, Ask, Asked, Form
from api.links import SCHEMA_TYPE
from api.territory import version_of
from geo.collections import Collection
from geo.columns import Column, say, words
from geo.sorting import sortables as sortables_of

router = APIRouter()

SCHEMA = Form("json", SCHEMA_TYPE, also=JSON.media_type)
DIALECT = "https://json-schema.org/draft/2020-12/schema"
GEOMETRY_FORMATS = {
    "Point": "geometry-point",
    "MultiLineString": "geometry-multilinestring",
    "MultiPolygon": "geometry-multipolygon",
}
GEOMETRY = words("géométrie", "geometry", "Geometrie")
JSON_TYPES = {"integer": "integer", "number": "number", "boolean": "boolean", "references": "array"}
JSON_FORMATS = {"date": "date", "timestamp": "date-time", "url": "uri"}


@router.get("/collections/{collection_id}/schema")
def schema(collection_id: str, ask: Asked) -> Response:
    """The properties of the collection's items (its returnables), with labels, units and roles."""
    return _answer(collection_id, ask, "returnables")


@router.get("/collections/{collection_id}/queryables")
def queryables(collection_id: str, ask: Asked) -> Response:
    """The properties that items can be filtered by, each also by a parameter of its name."""
    return _answer(collection_id, ask, "queryables")


@router.get("/collections/{collection_id}/sortables")
def sortables(collection_id: str, ask: Asked) -> Response:
    """The properties that items can be sorted by."""
    return _answer(collection_id, ask, "sortables")


@router.get("/collections/{collection_id}/feature-schema")
def feature_schema(collection_id: str, ask: Asked) -> Response:
    """The collection's items as they are written in GeoJSON, as JSON Schema: GDAL takes the columns' types from it."""
    territory = ask.territory(SCHEMA)
    one = territory.collection(collection_id)
    properties = {column.name: property_schema(column, ask.lang) for column in one.kind.public}
    document = {
        "$schema": DIALECT,
        "$id": ask.house.url(ask.path),
        "type": "object",
        "title": say(one.title, ask.lang),
        "required": ["type", "id", "geometry", "properties"],
        "properties": {
            "type": {"const": "Feature"},
            "id": {"type": "integer"},
            "geometry": {"type": "object" if one.kind.geometry else "null"},
            # Each may be null where it is not known; GDAL reads no schema that says so by a list of types.
            "properties": {"type": "object", "properties": properties},
        },
    }
    versions = version_of(territory, one)
    return ask.unchanged(versions) or ask.answer(document, versions=versions, territory=territory, template="")


def _answer(collection_id: str, ask: Ask, which: str) -> Response:
    territory = ask.territory(SCHEMA, PAGE)
    one = territory.collection(collection_id)
    document = {
        "$schema": DIALECT,
        "$id": ask.house.url(ask.path),
        "type": "object",
        "title": say(one.title, ask.lang),
        "properties": _properties(one, ask.lang, which),
        "additionalProperties": False,
    }
    versions = version_of(territory, one)
    return ask.unchanged(versions) or ask.answer(
        document, versions=versions, territory=territory, template="schema.html"
    )


def _properties(one: Collection, lang: str, which: str) -> dict[str, Any]:
    if which == "sortables":
        return _of(sortables_of(one.kind).values(), one, lang)
    if which == "returnables":
        return _of(one.kind.public, one, lang) | _geometry(one, lang, GEOMETRY_FORMATS)
    return _of(one.kind.filterables.values(), one, lang) | _geometry(one, lang, {})


def _of(columns: Iterable[Column], one: Collection, lang: str) -> dict[str, Any]:
    start, end = one.kind.interval
    roles = {"id": "id", start: "primary-interval-start", end: "primary-interval-end"}
    if start == end:
        roles[start] = "primary-instant"
    return {
        column.name: property_schema(column, lang)
        | ({"x-ogc-role": roles[column.name]} if column.name in roles else {})
        | {"x-ogc-propertySeq": place}
        for place, column in enumerate(columns, start=1)
    }


def _geometry(one: Collection, lang: str, formats: dict[str, str]) -> dict[str, Any]:
    if one.kind.geometry is None:
        return {}
    format_ = formats.get(one.kind.geometry, "geometry-any")
    return {"geometry": {"title": say(GEOMETRY, lang), "format": format_, "x-ogc-role": "primary-geometry"}}


def property_schema(column: Column, lang: str) -> dict[str, Any]:
    """One property as JSON Schema, its words in `lang`."""
    made: dict[str, Any] = {"title": say(column.label, lang), "type": JSON_TYPES.get(column.type, "string")}
    if column.type in JSON_FORMATS:
        made["format"] = JSON_FORMATS[column.type]
    if column.choices:
        made["oneOf"] = [{"const": value, "title": say(label, lang)} for value, label in column.choices.items()]
    for name in ("minimum", "maximum"):
        if (bound := getattr(column, name)) is not None:
            made[name] = bound
    if column.unit:
        made["x-ogc-unit"] = column.unit
    if column.type == "references":
        made["items"] = {
            "type": "object",
            "required": ["collection", "source_key"],
            "properties": {"collection": {"type": "string"}, "source_key": {"type": "string"}},
        }
    return made
