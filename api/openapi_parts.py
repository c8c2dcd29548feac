"""What the OpenAPI document is put together from: parameters, contents, components, and schemas brought down to 3.0."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from api.links import GEOJSON_TYPE
from api.query import DEFAULT_LIMIT, MAXIMUM_LIMIT
from api.tiles import MVT
from geo.columns import LANGUAGES, Column, say
from geo.cql2 import LANGUAGES as LANGUAGES_OF_FILTERS
from geo.cql2 import LONGEST, TEXT
from geo.crs import CRS84, uris

Schema = dict[str, Any]
FORMATS = {"date": "date", "timestamp": "date-time"}
JSON_TYPES = {"integer": "integer", "number": "number", "boolean": "boolean"}


def media(media_type: str, component: str | None = None) -> Schema:
    """One media type, with the component that it holds."""
    schema = {"$ref": f"#/components/schemas/{component}"} if component else {"type": "object"}
    return {media_type: {"schema": schema}}


def as_json() -> Schema:
    """JSON, or a page."""
    return {**media("application/json"), **as_html()}


def as_html() -> Schema:
    """A page."""
    return {"text/html": {"schema": {"type": "string"}}}


def json_alone() -> Schema:
    """JSON alone."""
    return media("application/json")


def as_tile() -> Schema:
    """A vector tile."""
    return {MVT.media_type: {"schema": {"type": "string", "format": "binary"}}}


def as_result() -> Schema:
    """Features, raw or in a document."""
    return {**media(GEOJSON_TYPE, "FeatureCollection"), **media("application/json")}


def as_receipt() -> Schema:
    """What a resident gets."""
    return media("application/json", "Receipt")


def parameter(name: str, schema: Schema, *, where: str = "query", required: bool = False, text: str = "") -> Schema:
    """One parameter."""
    made = {"name": name, "in": where, "required": required or where == "path", "schema": schema}
    return made | ({"description": text} if text else {})


def filter_of(column: Column, lang: str) -> Schema:
    """The parameter that filters by a column."""
    schema: Schema = {"type": JSON_TYPES.get(column.type, "string")}
    if column.choices:
        schema["enum"] = list(column.choices)
    elif column.type in FORMATS:
        schema["format"] = FORMATS[column.type]
    elif schema["type"] == "string":
        schema["minLength"] = 1
    elif column.type == "integer":
        schema |= {"minimum": -999_999_999, "maximum": 999_999_999}
    return parameter(column.name, schema, text=say(column.label, lang))


TILE = [
    parameter(name, {"type": "string", "pattern": "^[0-9]{1,7}$"}, where="path") for name in ("matrix", "row", "column")
]
PROBLEM = {
    "description": "what is wrong, and where; as a page for browsers",
    "content": {**media("application/problem+json", "Problem"), **as_html()},
}
KEY = parameter("Idempotency-Key", {"type": "string", "pattern": "^[!-~]{1,255}$"}, where="header")
PARAMETERS: Schema = {
    "lang": parameter("lang", {"type": "string", "enum": list(LANGUAGES)}),
    "limit": parameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MAXIMUM_LIMIT, "default": DEFAULT_LIMIT},
        text="more than the maximum is answered with the maximum",
    ),
    "bbox": {
        **parameter(
            "bbox",
            {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6},
            text="west,south,east,north in the axis order of bbox-crs; with heights: west,south,lowest,east,north,highest",
        ),
        "style": "form",
        "explode": False,
    },
    "datetime": parameter(
        "datetime", {"type": "string"}, text="a date, an instant, or an interval with an open end (..)"
    ),
    **{
        name: parameter(name, {"type": "string", "enum": uris(), "default": CRS84.uri})
        for name in ("crs", "bbox-crs", "filter-crs")
    },
    "filter": parameter("filter", {"type": "string", "maxLength": LONGEST}, text="CQL2 over the queryables"),
    "filter-lang": parameter("filter-lang", {"type": "string", "enum": list(LANGUAGES_OF_FILTERS), "default": TEXT}),
    "q": parameter(
        "q", {"type": "string", "minLength": 1}, text="words in names and descriptions, or their beginnings"
    ),
    "skipGeometry": parameter("skipGeometry", {"type": "boolean", "default": False}),
    "cursor": parameter("cursor", {"type": "string"}, text="from the link to the next page"),
}
GEOMETRY: Schema = {
    "type": "object",
    "nullable": True,
    "required": ["type", "coordinates"],
    "properties": {"type": {"type": "string"}, "coordinates": {"type": "array", "items": {}}},
}
PAGING = ("limit", "bbox", "bbox-crs", "cursor")
NARROWING = ("datetime", "q", "filter", "filter-lang", "filter-crs")
VIEWING = ("crs", "skipGeometry")
COMPONENTS: Schema = {
    "Link": {
        "type": "object",
        "required": ["href", "rel"],
        "properties": {name: {"type": "string"} for name in ("href", "rel", "type", "title", "hreflang")},
    },
    "Feature": {
        "type": "object",
        "required": ["type", "id", "geometry", "properties"],
        "properties": {
            "type": {"type": "string", "enum": ["Feature"]},
            "id": {"type": "integer"},
            "geometry": GEOMETRY,
            "properties": {"type": "object"},
            "links": {"type": "array", "items": {"$ref": "#/components/schemas/Link"}},
        },
    },
    "FeatureCollection": {
        "type": "object",
        "required": ["type", "features"],
        "properties": {
            "type": {"type": "string", "enum": ["FeatureCollection"]},
            "features": {"type": "array", "items": {"$ref": "#/components/schemas/Feature"}},
            "links": {"type": "array", "items": {"$ref": "#/components/schemas/Link"}},
            "numberMatched": {"type": "integer", "minimum": 0},
            "numberReturned": {"type": "integer", "minimum": 0},
        },
    },
    "Search": {
        "type": "object",
        "description": "the parameters of items, and any queryable, as members",
        "properties": {
            "filter": {"oneOf": [{"type": "string"}, {"type": "object"}]},
            **{
                name: {"type": "string"}
                for name in ("filter-lang", "filter-crs", "q", "bbox-crs", "datetime", "cursor", "crs")
            },
            "bbox": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6},
            "limit": {"type": "integer", "minimum": 1, "maximum": MAXIMUM_LIMIT, "default": DEFAULT_LIMIT},
            **{name: {"type": "array", "items": {"type": "string"}} for name in ("sortby", "properties")},
            "skipGeometry": {"type": "boolean"},
        },
    },
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "request_id": {"type": "string"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["message"],
                    "properties": {name: {"type": "string"} for name in ("parameter", "pointer", "message")},
                },
            },
        },
    },
    "Receipt": {
        "type": "object",
        "required": ["id", "state", "precision", "next"],
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            **{name: {"type": "string"} for name in ("state", "precision", "next")},
        },
    },
}


def bodies_of(bodies: Mapping[str, type]) -> Schema:
    """The bodies' schemas as Pydantic writes them, brought down to OpenAPI 3.0."""
    made: Schema = {}
    for name, body in bodies.items():
        schema = TypeAdapter(body).json_schema(ref_template="#/components/schemas/{model}")
        made |= {inner: lowered(one) for inner, one in schema.pop("$defs", {}).items()}
        made[name] = lowered(schema)
    return made


def lowered(node: Any) -> Any:
    """JSON Schema 2020-12 as OpenAPI 3.0 can say it: null, const, exclusive bounds, tuples, siblings of $ref."""
    if isinstance(node, list):
        return [lowered(one) for one in node]
    if not isinstance(node, dict):
        return node
    low = {name: lowered(value) for name, value in node.items()}
    if "const" in low:
        low["enum"] = [low.pop("const")]
    for bound in ("Minimum", "Maximum"):
        if isinstance(low.get(f"exclusive{bound}"), int | float) and not isinstance(low[f"exclusive{bound}"], bool):
            low[bound.lower()] = low[f"exclusive{bound}"]
            low[f"exclusive{bound}"] = True
    if "prefixItems" in low:
        parts = low.pop("prefixItems")
        low["items"] = parts[0] if all(one == parts[0] for one in parts) else {"anyOf": parts}
    if "anyOf" in low:
        low = _without_null(low)
    if "$ref" in low and len(low) > 1:
        low = {"allOf": [{"$ref": low.pop("$ref")}], **low}
    return low


def _without_null(low: Schema) -> Schema:
    kept = [one for one in low["anyOf"] if one != {"type": "null"}]
    if len(kept) == len(low["anyOf"]):
        return low
    rest = {name: value for name, value in low.items() if name != "anyOf"}
    if rest.get("default", 0) is None:
        del rest["default"]
    one = dict(kept[0]) if len(kept) == 1 else {"anyOf": kept}
    if "enum" in one:
        one["enum"] = [*one["enum"], None]
    return {**one, **rest, "nullable": True}
