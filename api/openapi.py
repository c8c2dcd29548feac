"""The service's description as OpenAPI 3.0.3, one path a collection: QGIS and GDAL read parameters and limits from it."""

from importlib.metadata import version

from fastapi import APIRouter
from starlette.responses import Response

from api import openapi_following, openapi_processes, openapi_townhall
from api.downloads import FILES
from api.execution import Execution
from api.house import JSON, PAGE, Asked, Form, House
from api.links import GEOJSON_TYPE, OPENAPI_TYPE, SCHEMA_TYPE
from api.openapi_doors import doors
from api.openapi_parts import (
    COMPONENTS,
    KEY,
    NARROWING,
    PAGING,
    PARAMETERS,
    PROBLEM,
    TILE,
    VIEWING,
    Schema,
    as_html,
    as_json,
    as_receipt,
    as_tile,
    bodies_of,
    filter_of,
    json_alone,
    media,
    parameter,
)
from api.territory import catalogue_version
from api.tiles import SET, TILEJSON
from geo.collections import Collection, Territory
from geo.columns import LANGUAGES, say
from geo.exports import formats
from geo.kinds import INSTALLATIONS
from geo.register.moderation import Decided
from geo.register.schema import schema as declared
from geo.sorting import MOST, sortables

router = APIRouter()

API = Form("json", OPENAPI_TYPE, also=JSON.media_type)


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
            **_fixed(territory, lang),
            **_drawn(territory),
            **openapi_townhall.paths(),
            **openapi_following.paths(territory, lang),
            **{path: item for one in territory.collections.values() for path, item in _of(one, lang).items()},
        },
        "components": {
            "schemas": {
                **COMPONENTS,
                **bodies_of({"Execution": Execution, "Decided": Decided}),
                "Draft": declared(lang),
            },
            "parameters": PARAMETERS,
            "securitySchemes": openapi_townhall.SECURITY,
        },
    }


def _fixed(territory: Territory, lang: str) -> Schema:
    pages = [page["id"] for page in territory.body.get("pages", ())]
    page_id = parameter("pageId", {"type": "string", **({"enum": pages} if pages else {})}, where="path")
    return {
        "/": {"get": _get("landing", "Landing page", as_json())},
        "/conformance": {"get": _get("conformance", "Conformance classes", as_json())},
        "/api": {"get": _get("api", "This document", {**media(OPENAPI_TYPE), **as_html()})},
        "/collections": {"get": _get("collections", "Every collection", as_json())},
        "/pages/{pageId}": {"get": _get("page", "A page of the territory", as_json(), [page_id], missing=True)},
        **openapi_processes.paths(territory, lang),
        "/installations": {
            "post": _post("declare", "Declare an installation", "Draft", as_receipt(), KEY, accepted=True)
        },
        **doors(),
        "/declared-sums": {"get": _get("declaredSums", "Sums of what is counted without being shown", as_json())},
        "/statistics": {"get": _get("statistics", "What the installations add up to", as_json(), _narrowing())},
        "/healthz": {"get": _watch("healthz", "The process runs")},
        "/readyz": {"get": _watch("readyz", "The service can answer")},
    }


def _narrowing() -> list[Schema]:
    """What the statistics may be narrowed by."""
    by = [filter_of(INSTALLATIONS.column(name), LANGUAGES[0]) for name in ("technology", "owner_kind")]
    return [*by, parameter("commune", {"type": "string", "pattern": "^[0-9A-Za-z]{1,12}$"})]


def _drawn(territory: Territory) -> Schema:
    """Tiles and styles of the territory, and of any collection that has a geometry."""
    geometric = [one.id for one in territory.collections.values() if one.kind.geometry]
    only = ("json",)
    styled = parameter("styleId", {"type": "string", "enum": ["territory", *geometric]}, where="path")
    listed = {"type": "array", "items": {"type": "string", "enum": geometric}, "minItems": 1, "maxItems": 50}
    several = {**parameter("collections", listed), "style": "form", "explode": False}
    matrix_set = parameter("setId", {"type": "string", "enum": [SET]}, where="path")
    tileset = {**media("application/json"), **media(TILEJSON.media_type)}
    paths: Schema = {
        "/tileMatrixSets": _get("tileMatrixSets", "Tile matrix sets", json_alone(), forms=only),
        "/tileMatrixSets/{setId}": _get("tileMatrixSet", "A tile matrix set", json_alone(), [matrix_set], forms=only),
        "/tiles": _get("tilesets", "Tilesets of the territory", json_alone(), forms=only),
        "/tiles/{setId}": _get("tileset", "A tileset", tileset, [matrix_set], forms=("json", "tilejson")),
        f"/tiles/{SET}/{{matrix}}/{{row}}/{{column}}": _get("tile", "A tile", as_tile(), [*TILE, several], forms=("mvt",), missing=True),
        "/styles": _get("styles", "MapLibre styles", json_alone(), forms=only),
        "/styles/{styleId}": _get("style", "A MapLibre style", json_alone(), [styled], forms=only),
    }  # fmt: skip
    for one in territory.collections.values():
        if one.kind.geometry:
            paths |= _drawn_alone(one, tileset)
    return {path: {"get": get} for path, get in paths.items()}


def _drawn_alone(one: Collection, tileset: Schema) -> Schema:
    path, operation = f"/collections/{one.id}", one.id.replace("-", "_")
    filters = [filter_of(column, LANGUAGES[0]) for column in one.kind.filterables.values()]
    narrowed = [*TILE, *(_shared(name) for name in NARROWING), *filters]
    return {
        f"{path}/tiles": _get(f"{operation}_tilesets", one.id, json_alone(), forms=("json",)),
        f"{path}/tiles/{SET}": _get(f"{operation}_tileset", one.id, tileset, forms=("json", "tilejson")),
        f"{path}/tiles/{SET}/{{matrix}}/{{row}}/{{column}}": _get(
            f"{operation}_tile", one.id, as_tile(), narrowed, forms=("mvt",), missing=True
        ),
        f"{path}/style": _get(f"{operation}_style", one.id, json_alone(), forms=("json",)),
    }


def _of(one: Collection, lang: str) -> Schema:
    """The paths of one collection, spelt out."""
    path, title = f"/collections/{one.id}", say(one.title, lang)
    filters = [filter_of(column, lang) for column in one.kind.filterables.values()]
    paging = [*(_shared(name) for name in (*PAGING, *NARROWING, *VIEWING)), *_of_kind(one)]
    # Twelve digits are more than any table holds, and every client can count that far.
    item_id = parameter("itemId", {"type": "string", "pattern": "^[0-9]{1,12}$"}, where="path")
    operation = one.id.replace("-", "_")
    geojson = {**media(GEOJSON_TYPE, "FeatureCollection"), **as_html()}
    forms = ("geojson", "json", "html")
    made = {
        path: _get(f"{operation}", title, as_json()),
        f"{path}/items": _get(
            f"{operation}_items",
            title,
            geojson | _as_files(one),
            [*paging, *filters],
            forms=(*forms, *formats(one.kind)),
        ),
        f"{path}/items/{{itemId}}": _get(
            f"{operation}_item",
            title,
            {**media(GEOJSON_TYPE, "Feature"), **as_html()},
            [item_id, *(_shared(name) for name in VIEWING), _properties(one)],
            forms=forms,
            missing=True,
        ),
        f"{path}/sortables": _get(f"{operation}_sortables", title, {**media(SCHEMA_TYPE), **as_html()}),
        f"{path}/queryables": _get(f"{operation}_queryables", title, {**media(SCHEMA_TYPE), **as_html()}),
        f"{path}/feature-schema": _get(f"{operation}_feature_schema", title, media(SCHEMA_TYPE), forms=("json",)),
        f"{path}/schema": _get(f"{operation}_schema", title, {**media(SCHEMA_TYPE), **as_html()}),
    }
    search = _post(f"{operation}_search", title, "Search", media(GEOJSON_TYPE, "FeatureCollection"), lang=True)
    paths = {path: {"get": {**get, "tags": [one.id]}} for path, get in made.items()}
    return {**paths, f"{path}/search": {"post": {**search, "tags": [one.id]}}}


def _as_files(one: Collection) -> Schema:
    suiting = formats(one.kind)
    return {
        form.media_type: {"schema": {"type": "string", "format": "binary"}} for form in FILES if form.name in suiting
    }


def _shared(name: str) -> Schema:
    return {"$ref": f"#/components/parameters/{name}"}


def _of_kind(one: Collection) -> list[Schema]:
    """The parameters of items that take names of the kind's own columns."""
    names = sortables(one.kind)
    keys = {"type": "string", "enum": [sign + name for name in names for sign in ("", "-")]}
    sortby = parameter("sortby", {"type": "array", "items": keys, "minItems": 1, "maxItems": MOST})
    return [{**sortby, "style": "form", "explode": False}, _properties(one)]


def _properties(one: Collection) -> Schema:
    named = {"type": "string", "enum": [column.name for column in one.kind.public]}
    made = parameter("properties", {"type": "array", "items": named}, text="the properties that are written")
    return {**made, "style": "form", "explode": False}


def _get(
    id: str,
    summary: str,
    content: Schema,
    parameters: list[Schema] | None = None,
    *,
    forms: tuple[str, ...] = ("json", "html"),
    missing: bool = False,
) -> Schema:
    form = parameter("f", {"type": "string", "enum": list(forms)})
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
        "requestBody": {"required": True, "content": media("application/json", body)},
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
        "responses": {"200": {"description": summary, "content": media("application/json")}, "503": PROBLEM},
    }
