"""MapLibre styles: how a collection, or the whole territory, looks on anybody's map. One address and no other host."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.house import JSON, Ask, Asked
from api.links import here, link
from api.territory import catalogue_version
from api.tiles import SET
from geo.collections import Collection, Territory
from geo.columns import say
from geo.errors import NotFound

router = APIRouter()

STYLE_TYPE = "application/vnd.mapbox.style+json"
FONT = "Noto Sans Regular"
PAPER = "#f1ebe1"
ALPHABETS = {"latin": "U+0-FF", "latin-ext": "U+100-24F"}
"""The parts of the font that we serve; MapLibre draws straight from them, without a glyph server."""

Layer = dict[str, Any]


@router.get("/styles")
def styles(ask: Asked) -> Response:
    """Every style."""
    territory = ask.territory(JSON)
    drawn = [one for one in territory.collections.values() if one.kind.geometry]
    listed = [
        ("territory", say(territory.body["title"], ask.lang)),
        *((one.id, say(one.title, ask.lang)) for one in drawn),
    ]
    document = {
        "styles": [
            {"id": id, "title": title, "links": [link(ask, f"/styles/{id}", "stylesheet", STYLE_TYPE)]}
            for id, title in listed
        ],
        "links": here(ask, ("json", JSON.media_type)),
    }
    return ask.answer(document, versions=catalogue_version(territory), territory=territory, template="")


@router.get("/styles/{style_id}")
def style(style_id: str, ask: Asked) -> Response:
    """The style of a collection, or `territory` for all that is shown at first."""
    territory = ask.territory(JSON)
    return _style(ask, territory, style_id)


@router.get("/collections/{collection_id}/style")
def collection_style(collection_id: str, ask: Asked) -> Response:
    """The style of a collection."""
    territory = ask.territory(JSON)
    territory.collection(collection_id)
    return _style(ask, territory, collection_id)


def _style(ask: Ask, territory: Territory, style_id: str) -> Response:
    if style_id == "territory":
        chosen = [one for one in territory.collections.values() if one.kind.geometry]
    else:
        chosen = [territory.collection(style_id)]
        if chosen[0].kind.geometry is None:
            raise NotFound("items of this collection have no geometry, so there is no style of it")
    alone = style_id != "territory"
    west, south, east, north = territory.body["bounds"]
    tileset = f"/collections/{style_id}/tiles/{SET}" if alone else f"/tiles/{SET}"
    document = {
        "version": 8,
        "name": say(chosen[0].title if alone else territory.body["title"], ask.lang),
        "center": [(west + east) / 2, (south + north) / 2],
        "zoom": 12,
        "font-faces": {
            FONT: [
                {"url": ask.house.url(f"/vendor/noto-sans/noto-sans-{part}-400-normal.woff2"), "unicode-range": [codes]}
                for part, codes in ALPHABETS.items()
            ]
        },
        "sources": {"gohelle": {"type": "vector", "url": ask.house.url(f"{tileset}?f=tilejson&lang={ask.lang}")}},
        "layers": [
            {"id": "paper", "type": "background", "paint": {"background-color": PAPER}},
            *(layer for one in _bottom_up(chosen) for layer in _layers(one, shown=alone or one.visible)),
        ],
    }
    return ask.answer(document, versions=catalogue_version(territory), territory=territory, template="")


def _bottom_up(chosen: list[Collection]) -> list[Collection]:
    """Areas under lines under points, else in the legend's order."""
    order = {"MultiPolygon": 0, "MultiLineString": 1, "Point": 2}
    return sorted(chosen, key=lambda one: order[one.kind.geometry or "Point"])


def _layers(one: Collection, *, shown: bool) -> list[Layer]:
    made = {"MultiPolygon": _areas, "MultiLineString": _lines, "Point": _points}[one.kind.geometry or "Point"](one)
    visibility = {} if shown else {"visibility": "none"}
    return [{**layer, "source": "gohelle", "layout": {**layer.get("layout", {}), **visibility}} for layer in made]


SCHEMATIC = ["==", ["get", "position"], "schematic"]
GATHERED = ["has", "point_count"]


def _areas(one: Collection) -> list[Layer]:
    base = {"source-layer": one.id}
    return [
        {**base, "id": f"{one.id}-fill", "type": "fill", "paint": {"fill-color": one.colour, "fill-opacity": 0.12}},
        *_outlines(one, 1.5),
    ]


def _lines(one: Collection) -> list[Layer]:
    return _outlines(one, 2.5)


def _outlines(one: Collection, width: float) -> list[Layer]:
    """What nobody surveyed is dashed."""
    base = {"source-layer": one.id, "type": "line"}
    paint = {"line-color": one.colour, "line-width": width}
    return [
        {**base, "id": f"{one.id}-line", "filter": ["!", SCHEMATIC], "paint": paint},
        {**base, "id": f"{one.id}-sketch", "filter": SCHEMATIC, "paint": {**paint, "line-dasharray": [3, 2]}},
    ]


def _points(one: Collection) -> list[Layer]:
    base = {"source-layer": one.id}
    squares = {"source-layer": f"{one.id}:squares"}
    size = ["interpolate", ["linear"], ["log10", ["get", "point_count"]], 0, 5, 1, 9, 4, 22]
    count = ["to-string", ["get", "point_count"]]
    text = {"text-field": count, "text-font": [FONT], "text-size": 12}
    hollow = ["case", ["==", ["get", "position"], "approximate"], "#ffffff", one.colour]
    ring = {"circle-stroke-color": one.colour, "circle-stroke-width": 1.5}
    layers: list[Layer] = []
    if any(column.name == "cell" for column in one.kind.columns):
        layers = [
            {**squares, "id": f"{one.id}-square", "type": "fill", "paint": {"fill-color": one.colour, "fill-opacity": 0.25, "fill-outline-color": one.colour}},
            {**squares, "id": f"{one.id}-square-count", "type": "symbol", "layout": text, "paint": {"text-color": one.colour}},
        ]  # fmt: skip
    return [
        *layers,
        {
            **base,
            "id": f"{one.id}-cell",
            "type": "circle",
            "filter": GATHERED,
            "paint": {"circle-color": one.colour, "circle-opacity": 0.75, "circle-radius": size},
        },
        {
            **base,
            "id": f"{one.id}-cell-count",
            "type": "symbol",
            "filter": ["all", GATHERED, [">", ["get", "point_count"], 9]],
            "layout": text,
            "paint": {"text-color": "#ffffff"},
        },
        {
            **base,
            "id": f"{one.id}-point",
            "type": "circle",
            "filter": ["!", GATHERED],
            "paint": {"circle-color": hollow, "circle-radius": 5, **ring},
        },
    ]
