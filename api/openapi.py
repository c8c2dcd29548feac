"""The service's description as OpenAPI 3.0.3, one path a collection: QGIS and GDAL read parameters and limits from it."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter
from pydantic import TypeAdapter
from starlette.responses import Response

from api.house import JSON, PAGE, Asked, Form, House
from api.links import GEOJSON_TYPE, OPENAPI_TYPE, SCHEMA_TYPE
from api.processes import Execution
from api.query import DEFAULT_LIMIT, MAXIMUM_LIMIT
from api.territory import catalogue_version
from api.tiles import MVT, SET, TILEJSON
from geo.collections import Collection, Territory
from geo.columns import LANGUAGES, Column, say
from geo.planning.nearby import DEFAULT_FEATURES, MAXIMUM_DISTANCE_M, MAXIMUM_FEATURES
from geo.register import Draft
from geo.space import CRS84_URI

router = APIRouter()

API = Form("json", OPENAPI_TYPE, also=JSON.media_type)
Schema = dict[str, Any]
JSON_TYPES = {"integer": "integer", "number": "number", "boolean": "boolean"}


@router.get("/api")
def api(ask: Asked) -> Response:
    """The service's description, for clients and as a page to read."""
    territory = ask.territory(API, PAGE)
    versions = catalogue_version(territory)
    if (same := ask.unchanged(versions)) is not None:
        return same
    described = document(ask.house, territory, ask.lang)
    return ask.answer(described, versions=versions, territory=territory, template="api.html")


def document(house: House, territory: Territory, lang: str) -> Schema:
    """The whole description in one language."""
    return {
        "openapi": "3.0.3",
        "info": {
            "title": say(territory.body["title"], lang),
            "description": say(territory.body["description"], lang),
            "version": version("gohelle"),
            "license": {"name": territory.body["licence"]},
        },
        "servers": [{"url": house.settings.public_url}],
        "tags": [{"name": one.id, "description": say(one.title, lang)} for one in territory.collections.values()],
        "paths": {
            **_fixed(territory),
            **_drawn(territory),
            **{path: item for one in territory.collections.values() for path, item in _of(one, lang).items()},
        },
        "components": {
            "schemas": {**COMPONENTS, **_components({"Draft": Draft, "Execution": Execution})},
            "parameters": PARAMETERS,
        },
    }


def _fixed(territory: Territory) -> Schema:
    pages = [page["id"] for page in territory.body.get("pages", ())]
    nearby = [one.id for one in territory.collections.values() if one.kind.geometry]
    page_id = _parameter("pageId", {"type": "string", **({"enum": pages} if pages else {})}, where="path")
    return {
        "/": {"get": _get("landing", "Landing page", _json())},
        "/conformance": {"get": _get("conformance", "Conformance classes", _json())},
        "/api": {"get": _get("api", "This document", {**_content(OPENAPI_TYPE), **_html()})},
        "/collections": {"get": _get("collections", "Every collection", _json())},
        "/pages/{pageId}": {"get": _get("page", "A page of the territory", _json(), [page_id], missing=True)},
        "/processes": {"get": _get("processes", "Planners' questions", _json())},
        "/processes/nearby": {"get": _get("nearby", "What nearby takes and answers", _json())},
        "/processes/nearby/execution": {
            "get": _get(
                "askNearby",
                "Features within a distance of a point or an item",
                {**_content(GEOJSON_TYPE, "FeatureCollection"), **_html()},
                _nearby(nearby),
                forms=("geojson", "json", "html"),
            ),
            "post": _post("executeNearby", "The same around any geometry", "Execution", _result(), lang=True),
        },
        "/installations": {
            "post": _post("declare", "Declare an installation", "Draft", _receipt(), KEY, accepted=True)
        },
        "/healthz": {"get": _watch("healthz", "The process runs")},
        "/readyz": {"get": _watch("readyz", "The service can answer")},
    }


def _drawn(territory: Territory) -> Schema:
    """Tiles and styles of the territory, and of any collection that has a geometry."""
    geometric = [one.id for one in territory.collections.values() if one.kind.geometry]
    only = ("json",)
    styled = _parameter("styleId", {"type": "string", "enum": ["territory", *geometric]}, where="path")
    listed = {"type": "array", "items": {"type": "string", "enum": geometric}, "minItems": 1, "maxItems": 50}
    several = {**_parameter("collections", listed), "style": "form", "explode": False}
    matrix_set = _parameter("setId", {"type": "string", "enum": [SET]}, where="path")
    tileset = {**_content("application/json"), **_content(TILEJSON.media_type)}
    paths: Schema = {
        "/tileMatrixSets": _get("tileMatrixSets", "Tile matrix sets", _plain(), forms=only),
        "/tileMatrixSets/{setId}": _get("tileMatrixSet", "A tile matrix set", _plain(), [matrix_set], forms=only),
        "/tiles": _get("tilesets", "Tilesets of the territory", _plain(), forms=only),
        "/tiles/{setId}": _get("tileset", "A tileset", tileset, [matrix_set], forms=("json", "tilejson")),
        f"/tiles/{SET}/{{matrix}}/{{row}}/{{column}}": _get("tile", "A tile", _tile(), [*TILE, several], forms=("mvt",), missing=True),
        "/styles": _get("styles", "MapLibre styles", _plain(), forms=only),
        "/styles/{styleId}": _get("style", "A MapLibre style", _plain(), [styled], forms=only),
    }  # fmt: skip
    for one in territory.collections.values():
        if one.kind.geometry:
            paths |= _drawn_alone(one, tileset)
    return {path: {"get": get} for path, get in paths.items()}


def _drawn_alone(one: Collection, tileset: Schema) -> Schema:
    path, operation = f"/collections/{one.id}", one.id.replace("-", "_")
    filters = [_filter(column, LANGUAGES[0]) for column in one.kind.queryables.values()]
    narrowed = [*TILE, {"$ref": "#/components/parameters/datetime"}, *filters]
    return {
        f"{path}/tiles": _get(f"{operation}_tilesets", one.id, _plain(), forms=("json",)),
        f"{path}/tiles/{SET}": _get(f"{operation}_tileset", one.id, tileset, forms=("json", "tilejson")),
        f"{path}/tiles/{SET}/{{matrix}}/{{row}}/{{column}}": _get(
            f"{operation}_tile", one.id, _tile(), narrowed, forms=("mvt",), missing=True
        ),
        f"{path}/style": _get(f"{operation}_style", one.id, _plain(), forms=("json",)),
    }


def _of(one: Collection, lang: str) -> Schema:
    """The paths of one collection, spelt out."""
    path, title = f"/collections/{one.id}", say(one.title, lang)
    filters = [_filter(column, lang) for column in one.kind.queryables.values()]
    paging = [{"$ref": f"#/components/parameters/{name}"} for name in PAGING]
    # Twelve digits are more than any table holds, and every client can count that far.
    item_id = _parameter("itemId", {"type": "string", "pattern": "^[0-9]{1,12}$"}, where="path")
    operation = one.id.replace("-", "_")
    geojson = {**_content(GEOJSON_TYPE, "FeatureCollection"), **_html()}
    forms = ("geojson", "json", "html")
    made = {
        path: _get(f"{operation}", title, _json()),
        f"{path}/items": _get(f"{operation}_items", title, geojson, [*paging, *filters], forms=forms),
        f"{path}/items/{{itemId}}": _get(
            f"{operation}_item",
            title,
            {**_content(GEOJSON_TYPE, "Feature"), **_html()},
            [item_id],
            forms=forms,
            missing=True,
        ),
        f"{path}/queryables": _get(f"{operation}_queryables", title, {**_content(SCHEMA_TYPE), **_html()}),
        f"{path}/feature-schema": _get(f"{operation}_feature_schema", title, _content(SCHEMA_TYPE), forms=("json",)),
        f"{path}/schema": _get(f"{operation}_schema", title, {**_content(SCHEMA_TYPE), **_html()}),
    }
    return {path: {"get": {**get, "tags": [one.id]}} for path, get in made.items()}


def _get(
    id: str,
    summary: str,
    content: Schema,
    parameters: list[Schema] | None = None,
    *,
    forms: tuple[str, ...] = ("json", "html"),
    missing: bool = False,
) -> Schema:
    form = _parameter("f", {"type": "string", "enum": list(forms)})
    statuses = ("400", "406", "503", *(("404",) if missing else ()))
    return {
        "operationId": id,
        "summary": summary,
        "parameters": [*(parameters or ()), form, {"$ref": "#/components/parameters/lang"}],
        "responses": {
            "200": {"description": summary, "content": content},
            "304": {"description": "unchanged"},
            **dict.fromkeys(statuses, PROBLEM),
            "default": PROBLEM,
        },
    }


def _post(
    id: str, summary: str, body: str, content: Schema, *headers: Schema, accepted: bool = False, lang: bool = False
) -> Schema:
    parameters = [*headers, *([{"$ref": "#/components/parameters/lang"}] if lang else ())]
    return {
        "operationId": id,
        "summary": summary,
        "parameters": parameters,
        "requestBody": {"required": True, "content": _content("application/json", body)},
        "responses": {
            "202" if accepted else "200": {"description": summary, "content": content},
            **dict.fromkeys(("400", "409", "413", "503"), PROBLEM),
            "default": PROBLEM,
        },
    }


def _watch(id: str, summary: str) -> Schema:
    return {
        "operationId": id,
        "summary": summary,
        "responses": {"200": {"description": summary, "content": _content("application/json")}, "503": PROBLEM},
    }


def _content(media_type: str, component: str | None = None) -> Schema:
    schema = {"$ref": f"#/components/schemas/{component}"} if component else {"type": "object"}
    return {media_type: {"schema": schema}}


def _json() -> Schema:
    return {**_content("application/json"), **_html()}


def _html() -> Schema:
    return {"text/html": {"schema": {"type": "string"}}}


def _plain() -> Schema:
    return _content("application/json")


def _tile() -> Schema:
    return {MVT.media_type: {"schema": {"type": "string", "format": "binary"}}}


def _result() -> Schema:
    return {**_content(GEOJSON_TYPE, "FeatureCollection"), **_content("application/json")}


def _receipt() -> Schema:
    return _content("application/json", "Receipt")


def _parameter(name: str, schema: Schema, *, where: str = "query", required: bool = False, text: str = "") -> Schema:
    made = {"name": name, "in": where, "required": required or where == "path", "schema": schema}
    return made | ({"description": text} if text else {})


def _filter(column: Column, lang: str) -> Schema:
    schema: Schema = {"type": JSON_TYPES.get(column.type, "string")}
    if column.choices:
        schema["enum"] = list(column.choices)
    elif schema["type"] == "string":
        schema["minLength"] = 1
    elif column.type == "integer":
        schema |= {"minimum": -999_999_999, "maximum": 999_999_999}
    return _parameter(column.name, schema, text=say(column.label, lang))


def _nearby(collections: list[str]) -> list[Schema]:
    listed = {"type": "array", "items": {"type": "string", "enum": collections}, "minItems": 1, "maxItems": 50}
    distance = {"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": MAXIMUM_DISTANCE_M}
    return [
        {**_parameter("collections", listed, required=True), "style": "form", "explode": False},
        _parameter("distance", distance, required=True, text="metres"),
        _parameter("lon", {"type": "number", "minimum": -180, "maximum": 180}),
        _parameter("lat", {"type": "number", "minimum": -85, "maximum": 85}),
        _parameter("feature", {"type": "string", "pattern": "^[a-z0-9-]+/[0-9]{1,12}$"}, text="collection/id"),
        _parameter(
            "limit",
            {"type": "integer", "minimum": 1, "maximum": MAXIMUM_FEATURES, "default": DEFAULT_FEATURES},
        ),
    ]


TILE = [
    _parameter(name, {"type": "string", "pattern": "^[0-9]{1,7}$"}, where="path")
    for name in ("matrix", "row", "column")
]
PROBLEM = {
    "description": "what is wrong, and where; as a page for browsers",
    "content": {**_content("application/problem+json", "Problem"), **_html()},
}
KEY = _parameter("Idempotency-Key", {"type": "string", "pattern": "^[!-~]{1,255}$"}, where="header")
PARAMETERS: Schema = {
    "lang": _parameter("lang", {"type": "string", "enum": list(LANGUAGES)}),
    "limit": _parameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MAXIMUM_LIMIT, "default": DEFAULT_LIMIT},
        text="more than the maximum is answered with the maximum",
    ),
    "bbox": {
        **_parameter(
            "bbox",
            {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6},
            text="west,south,east,north in degrees; with heights: west,south,lowest,east,north,highest",
        ),
        "style": "form",
        "explode": False,
    },
    "datetime": _parameter(
        "datetime", {"type": "string"}, text="a date, an instant, or an interval with an open end (..)"
    ),
    **{name: _parameter(name, {"type": "string", "enum": [CRS84_URI]}) for name in ("crs", "bbox-crs")},
    "cursor": _parameter("cursor", {"type": "string"}, text="from the link to the next page"),
}
GEOMETRY: Schema = {
    "type": "object",
    "nullable": True,
    "required": ["type", "coordinates"],
    "properties": {"type": {"type": "string"}, "coordinates": {"type": "array", "items": {}}},
}
PAGING = ("limit", "bbox", "bbox-crs", "crs", "datetime", "cursor")
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


def _components(bodies: Mapping[str, type]) -> Schema:
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
