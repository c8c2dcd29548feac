"""OGC API - Tiles for WebMercatorQuad: tile matrix set, tilesets, TileJSON and the tiles, one collection or several."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api import asking
from api.glance import all_day, glance
from api.house import JSON, Ask, Asked, Form
from api.links import here, link
from api.query import Misread
from api.territory import catalogue_version, licence_link
from geo import tiles
from geo.collections import CATALOGUE, Collection, Reaching, Territory, Versions
from geo.columns import say
from geo.curve import HIGHEST, TOP_ZOOM, Tile
from geo.db import Statement
from geo.errors import BadQuery, NotFound, Problem
from geo.filters import ANY

router = APIRouter()

SET = "WebMercatorQuad"
SET_URI = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
MERCATOR_URI = "http://www.opengis.net/def/crs/EPSG/0/3857"
MVT = Form("mvt", "application/vnd.mapbox-vector-tile", also="application/x-protobuf")
TILEJSON = Form("tilejson", "application/vnd.mapbox.tilejson+json")
ORIGIN = 20037508.342789244
PIXEL = 0.00028
"""Metres of a pixel of the standard's rendering."""


@router.get("/tileMatrixSets")
def matrix_sets(ask: Asked) -> Response:
    """The tile matrix sets, of which there is one."""
    territory = ask.territory(JSON)
    listed = [
        {
            "id": SET,
            "title": "Google Maps Compatible for the World",
            "uri": SET_URI,
            "links": [link(ask, f"/tileMatrixSets/{SET}", "self", "application/json")],
        }
    ]
    document = {"tileMatrixSets": listed, "links": here(ask, ("json", JSON.media_type))}
    return ask.answer(document, versions=catalogue_version(territory), territory=territory, template="")


@router.get("/tileMatrixSets/{set_id}")
def matrix_set(set_id: str, ask: Asked) -> Response:
    """The definition of WebMercatorQuad."""
    territory = ask.territory(JSON)
    _known(set_id)
    size = 2 * ORIGIN / 256
    document = {
        "id": SET,
        "title": "Google Maps Compatible for the World",
        "uri": SET_URI,
        "crs": MERCATOR_URI,
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": [
            {
                "id": str(z),
                "scaleDenominator": size / (1 << z) / PIXEL,
                "cellSize": size / (1 << z),
                "cornerOfOrigin": "topLeft",
                "pointOfOrigin": [-ORIGIN, ORIGIN],
                "tileWidth": 256,
                "tileHeight": 256,
                "matrixWidth": 1 << z,
                "matrixHeight": 1 << z,
            }
            for z in range(TOP_ZOOM + 1)
        ],
    }
    return ask.answer(document, versions=catalogue_version(territory), territory=territory, template="")


@router.get("/tiles")
def tilesets(ask: Asked) -> Response:
    """The tilesets of the whole territory."""
    return _tilesets(ask, None)


@router.get("/collections/{collection_id}/tiles")
def collection_tilesets(collection_id: str, ask: Asked) -> Response:
    """The tilesets of a collection."""
    return _tilesets(ask, collection_id)


@router.get("/tiles/{set_id}")
def tileset(set_id: str, ask: Asked) -> Response:
    """The tileset of the whole territory: its layers, limits and tiles; as TileJSON with f=tilejson."""
    return _tileset(ask, set_id, None)


@router.get("/collections/{collection_id}/tiles/{set_id}")
def collection_tileset(collection_id: str, set_id: str, ask: Asked) -> Response:
    """The tileset of a collection; as TileJSON with f=tilejson."""
    return _tileset(ask, set_id, collection_id)


async def tile(ask: Ask, set_id: str, matrix: str, row: str, column: str) -> Response:
    """A tile of several collections (`collections=a,b`; all of them where it is not given), each a layer."""

    def question(territory: Territory, reach: Reaching) -> Statement[tiles.Drawn]:
        parameters = ask.settle(territory, (MVT,))
        ids = parameters.take("collections", _ids, None)
        parameters.finish()
        where = _where(set_id, matrix, row, column)
        everything = [(one, ANY) for one in (_drawn(territory) if ids is None else _named(territory, ids))]
        asked = tiles.tile(everything, where, lang=ask.translation)
        return replace(asked, read=lambda row: _held(asked.read(row), where, territory, None, reach))

    # Which collections there are matters to a tile of all of them alone.
    named = "collections" in ask.request.query_params
    return await glance(ask, question, lambda _, found: _sent(ask, found, _apart(found) if named else found.versions))


async def collection_tile(ask: Ask, collection_id: str, set_id: str, matrix: str, row: str, column: str) -> Response:
    """A tile of one collection, with the filters of its items."""

    def question(territory: Territory, reach: Reaching) -> Statement[tiles.Drawn]:
        one = _with_geometry(territory, collection_id)
        parameters = ask.settle(territory, (MVT,))
        narrowed = asking.narrowed(parameters, one.kind, lang=ask.translation)
        parameters.finish()
        where = _where(set_id, matrix, row, column)
        asked = tiles.tile([(one, narrowed)], where, lang=ask.translation)
        return replace(asked, read=lambda row: _held(asked.read(row), where, territory, one, reach))

    return await glance(ask, question, lambda _, found: _sent(ask, found, _apart(found)))


ALL_DAY = (
    all_day("/collections/{collection_id}/tiles/{set_id}/{matrix}/{row}/{column}", collection_tile),
    all_day("/tiles/{set_id}/{matrix}/{row}/{column}", tile),
)


def _sent(ask: Ask, found: tiles.Drawn, versions: Versions) -> Response:
    return ask.reply(found.data, MVT.media_type, versions=versions)


def _apart(found: tiles.Drawn) -> Versions:
    """The versions of the collections themselves."""
    return {id: version for id, version in found.versions.items() if id != CATALOGUE}


FIELDS = {"integer": "Number", "number": "Number", "boolean": "Boolean"}
DIMENSIONS = {"Point": 0, "MultiLineString": 1, "MultiPolygon": 2}


def layers(chosen: Sequence[Collection], lang: str) -> list[dict[str, Any]]:
    """The vector layers of a tileset, as TileJSON names them."""
    return [layer for one in chosen for layer in _layers(one, say(one.title, lang))]


def _layers(one: Collection, title: str) -> Iterator[dict[str, Any]]:
    """A layer of the collection's name, and one of squares where items may be shown by grid cell."""
    fields = {column.name: FIELDS.get(column.type, "String") for column in tiles.drawn(one.kind)}
    if one.kind.geometry == "Point":
        fields |= dict.fromkeys(tiles.gathered_fields(one.kind), "Number")
    yield {"id": one.id, "description": title, "minzoom": 0, "maxzoom": TOP_ZOOM, "fields": fields}
    if tiles.has_squares(one.kind):
        sums = dict.fromkeys(("point_count", *(column.name for column in one.kind.summables)), "Number")
        yield {
            "id": f"{one.id}:squares",
            "description": title,
            "minzoom": tiles.SQUARES_FROM,
            "maxzoom": TOP_ZOOM,
            "fields": {"cell": "String", **sums},
        }


def tile_template(ask: Ask, one: Collection | None) -> str:
    """The address of a tile as MapLibre fills it in; the row comes before the column."""
    path = f"/collections/{one.id}/tiles/{SET}" if one else f"/tiles/{SET}"
    lang = f"?lang={ask.lang}" if ask.translation else ""
    return ask.house.url(path) + "/{z}/{y}/{x}" + lang


def _tilesets(ask: Ask, collection_id: str | None) -> Response:
    territory = ask.territory(JSON)
    one = _chosen(territory, collection_id)
    document = {"tilesets": [_summary(ask, territory, one)], "links": here(ask, ("json", JSON.media_type))}
    return ask.answer(document, versions=catalogue_version(territory), territory=territory, template="")


def _summary(ask: Ask, territory: Territory, one: Collection | None) -> dict[str, Any]:
    path = f"/collections/{one.id}/tiles/{SET}" if one else f"/tiles/{SET}"
    template = ask.house.url(f"{path}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}")
    return {
        "title": say(one.title if one else territory.body["title"], ask.lang),
        "dataType": "vector",
        "crs": MERCATOR_URI,
        "tileMatrixSetURI": SET_URI,
        "links": [
            link(ask, path, "self", "application/json"),
            link(ask, path, "alternate", TILEJSON.media_type, f="tilejson"),
            link(
                ask,
                f"/tileMatrixSets/{SET}",
                "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme",
                "application/json",
            ),
            {"href": template, "rel": "item", "type": MVT.media_type, "templated": True},
            licence_link(territory.body["licence"]),
        ],
    }


def _tileset(ask: Ask, set_id: str, collection_id: str | None) -> Response:
    with ask.house.db.read() as tx:
        territory = ask.house.catalogue.territory(tx)
        ask.settle(territory, (JSON, TILEJSON)).finish()
        _known(set_id)
        one = _chosen(territory, collection_id)
        versions: Versions = dict(territory.versions) if one is None else {one.id: territory.versions.get(one.id, 0)}
        if (same := ask.unchanged({**catalogue_version(territory), **versions})) is not None:
            return same
        bounds = _bounds(territory, one, ask.house.catalogue.reaching(tx, territory))
    chosen = _drawn(territory) if one is None else [one]
    vector = layers(chosen, ask.lang)
    document = _tilejson(ask, territory, one, vector, bounds)
    if ask.form is JSON:
        document = _metadata(ask, territory, one, vector, bounds)
    versions = {**catalogue_version(territory), **versions}
    return ask.answer(document, versions=versions, territory=territory, template="")


def _tilejson(ask: Ask, territory: Territory, one: Collection | None, vector: Any, bounds: Any) -> dict[str, Any]:
    west, south, east, north = bounds if one else territory.body["bounds"]
    return {
        "tilejson": "3.0.0",
        "name": say(one.title if one else territory.body["title"], ask.lang),
        "description": say(one.description if one else territory.body["description"], ask.lang),
        "attribution": territory.body["attribution"],
        "scheme": "xyz",
        "tiles": [tile_template(ask, one)],
        "minzoom": 0,
        "maxzoom": TOP_ZOOM,
        "bounds": bounds,
        "center": [(west + east) / 2, (south + north) / 2, 12],
        "vector_layers": vector,
    }


def _metadata(ask: Ask, territory: Territory, one: Collection | None, vector: Any, bounds: Any) -> dict[str, Any]:
    return {
        **_summary(ask, territory, one),
        "boundingBox": {
            "lowerLeft": bounds[:2],
            "upperRight": bounds[2:],
            "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
        },
        "tileMatrixSetLimits": [_limits(z, bounds) for z in range(TOP_ZOOM + 1)],
        "layers": [
            {
                "id": layer["id"],
                "title": layer["description"],
                "dataType": "vector",
                "minTileMatrix": str(layer["minzoom"]),
                "maxTileMatrix": str(layer["maxzoom"]),
                "propertiesSchema": {
                    "type": "object",
                    "properties": {name: {"type": value.lower()} for name, value in layer["fields"].items()},
                },
            }
            for layer in vector
        ],
    }


def _limits(z: int, bounds: Sequence[float]) -> dict[str, Any]:
    west, south, east, north = bounds
    first, last = _at(z, west, north), _at(z, east, south)
    return {
        "tileMatrix": str(z),
        "minTileRow": first.y,
        "maxTileRow": last.y,
        "minTileCol": first.x,
        "maxTileCol": last.x,
    }


def _at(z: int, lon: float, lat: float) -> Tile:
    n = 1 << z
    y = (1 - math.asinh(math.tan(math.radians(max(-HIGHEST, min(HIGHEST, lat))))) / math.pi) / 2
    return Tile(z=z, x=max(0, min(n - 1, int((lon + 180) / 360 * n))), y=max(0, min(n - 1, int(y * n))))


def _bounds(territory: Territory, one: Collection | None, reach: Reaching) -> list[float]:
    """Where there is something: [west, south, east, north]; of a collection without items, the territory's own bounds."""
    own = list(territory.body["bounds"])
    boxes = [
        [box.west, box.south, box.east, box.north]
        for each in (_drawn(territory) if one is None else [one])
        if (box := reach(each).bbox)
    ]
    west, south, east, north = zip(*(boxes if one and boxes else [*boxes, own]), strict=True)
    return [min(west), min(south), max(east), max(north)]


def _held(
    found: tiles.Drawn, where: Tile, territory: Territory, one: Collection | None, reach: Reaching
) -> tiles.Drawn:
    """NotFound for a tile beyond the limits of its tileset; an empty one within them is a tile."""
    if not found.data:
        limits = _limits(where.z, _bounds(territory, one, reach))
        rows = range(limits["minTileRow"], limits["maxTileRow"] + 1)
        if where.y not in rows or where.x not in range(limits["minTileCol"], limits["maxTileCol"] + 1):
            raise NotFound("the tile lies beyond the limits of its tileset")
    return found


def _drawn(territory: Territory) -> list[Collection]:
    return [one for one in territory.collections.values() if one.kind.geometry]


def _chosen(territory: Territory, collection_id: str | None) -> Collection | None:
    return None if collection_id is None else _with_geometry(territory, collection_id)


def _with_geometry(territory: Territory, collection_id: str) -> Collection:
    one = territory.collection(collection_id)
    if one.kind.geometry is None:
        raise NotFound("items of this collection have no geometry, so there are no tiles of it")
    return one


def _known(set_id: str) -> None:
    if set_id != SET:
        raise NotFound(f"there is no such tile matrix set; there is {SET}")


def _where(set_id: str, matrix: str, row: str, column: str) -> Tile:
    """The tile that a path names; beyond the matrix there is nothing."""
    _known(set_id)
    if not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in (matrix, row, column)):
        raise NotFound("a tile is named by three whole numbers: matrix, row and column")
    where = Tile(z=int(matrix), x=int(column), y=int(row))
    if not where.inside:
        raise NotFound("there is no such tile in the matrix")
    return where


def _ids(text: str) -> list[str]:
    names = text.split(",")
    if not all(names) or len(names) > 50:
        raise Misread("must be collection ids separated by commas, 50 at most")
    return names


def _named(territory: Territory, ids: Sequence[str]) -> list[Collection]:
    found = {id: territory.collections.get(id) for id in ids}
    if wrong := [id for id, one in found.items() if one is None or one.kind.geometry is None]:
        message = f"names {len(wrong)} that do not exist or have no geometry"
        raise BadQuery(Problem(parameter="collections", message=message))
    return [one for one in found.values() if one]
