"""The inputs that several questions share, and how GeoJSON that was drawn or uploaded is checked before it is asked about."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from pydantic import Strict
from sqlalchemy import text
from sqlalchemy.engine import Connection

from geo.columns import words
from geo.errors import BadInput, NotFound, Problem, TooMuch
from geo.filters import spelled
from geo.planning.question import EVERY, Asked, Drawn, Named, Titled
from geo.space import VERTICES, checked_geometry

STRICT: dict[str, Any] = {"extra": "forbid", "allow_inf_nan": False}
"""How each question's inputs are read."""

MAXIMUM_DISTANCE_M = 50_000
MAXIMUM_AREA_KM2 = 20_000
"""What all drawn areas may cover together: three départements."""
MAXIMUM_DRAWN = 10_000
"""Features that may be drawn or uploaded for one question."""
NAME = 200

CollectionIds = Annotated[list[str], MinLen(1), MaxLen(50), Named(EVERY)]
Distance = Annotated[float, Strict(), Gt(0), Le(MAXIMUM_DISTANCE_M)]
Geometry = Annotated[dict[str, Any], Drawn("geojson-geometry")]
Place = Annotated[dict[str, Any], Drawn("geojson-geometry", ("Point",))]
Polygon = Annotated[dict[str, Any], Drawn("geojson-geometry", ("Polygon",))]
Points = Annotated[dict[str, Any], Drawn("geojson-feature-collection", ("Point",))]
Areas = Annotated[dict[str, Any], Drawn("geojson-feature-collection", ("Polygon",))]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemReference:
    """An item of a collection, by its id."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}
    collection: str
    id: Annotated[int, Strict(), Ge(1), Le(2**62)]


Area = Annotated[
    Polygon | None,
    Titled(
        words("Seulement dans cette emprise", "Only within this area", "Nur in diesem Gebiet"),
        words(
            "Un polygone GeoJSON. Sans lui, tout le territoire.",
            "A GeoJSON polygon. Without it, the whole territory.",
            "Ein GeoJSON-Polygon. Ohne es das ganze Gebiet.",
        ),
    ),
]
Schematic = Annotated[
    bool,
    Strict(),
    Titled(
        words("Compter aussi les tracés schématiques", "Count schematic geometry too", "Auch Schematisches zählen"),
        words(
            "Les lignes et surfaces que personne n’a levées n’entrent sinon dans aucune longueur ni surface.",
            "Lines and areas that nobody surveyed otherwise enter no length and no area.",
            "Linien und Flächen, die niemand vermessen hat, gehen sonst in keine Länge und keine Fläche ein.",
        ),
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One drawn or uploaded feature: its name and its GeoJSON geometry, checked."""

    name: str
    geometry: dict[str, Any]


def geometry(tx: Connection, value: Any, pointer: str, *, types: Sequence[str] = ()) -> dict[str, Any]:
    """A GeoJSON geometry that can be asked about; BadInput or TooMuch tells what is wrong and where."""
    checked = checked_geometry(value, pointer)
    if types and checked["type"] not in types:
        raise BadInput(Problem(pointer=pointer, message=f"must be one of: {', '.join(types)}"))
    _valid(tx, [checked], [pointer])
    return checked


def polygon(tx: Connection, value: Any, pointer: str = "/inputs/area") -> dict[str, Any]:
    """A GeoJSON area that can be asked about."""
    return geometry(tx, value, pointer, types=("Polygon", "MultiPolygon"))


def collected(tx: Connection, value: Any, pointer: str, *, types: Sequence[str]) -> list[Shape]:
    """The features of a GeoJSON FeatureCollection (or a Feature, or a geometry) of these types, each with a name."""
    shapes: list[Shape] = []
    places: list[str] = []
    for n, (name, one, place) in enumerate(_features(value, pointer)):
        if n == MAXIMUM_DRAWN:
            raise TooMuch(f"{pointer} has more than {MAXIMUM_DRAWN} features")
        checked = checked_geometry(one, place)
        if checked["type"] not in types:
            raise BadInput(Problem(pointer=place, message=f"must be one of: {', '.join(types)}"))
        shapes.append(Shape(name=name or str(n + 1), geometry=checked))
        places.append(place)
    if not shapes:
        raise BadInput(Problem(pointer=pointer, message="has no feature"))
    _valid(tx, [one.geometry for one in shapes], places)
    return shapes


def _features(value: Any, pointer: str) -> Iterator[tuple[str, Any, str]]:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "FeatureCollection":
        features = value.get("features")
        if not isinstance(features, list):
            raise BadInput(Problem(pointer=f"{pointer}/features", message="must be an array"))
        for n, one in enumerate(features):
            if not isinstance(one, dict) or one.get("type") != "Feature":
                raise BadInput(Problem(pointer=f"{pointer}/features/{n}", message="must be a GeoJSON Feature"))
            yield _name(one), one.get("geometry"), f"{pointer}/features/{n}/geometry"
    elif kind == "Feature":
        yield _name(value), value.get("geometry"), f"{pointer}/geometry"
    else:
        yield "", value, pointer


def _name(feature: dict[str, Any]) -> str:
    properties = feature.get("properties")
    name = properties.get("name") if isinstance(properties, dict) else None
    return name.replace("\0", "").encode("utf-8", "replace").decode()[:NAME] if isinstance(name, str) else ""


_CHECK = text("""
select n, ST_IsValidReason(g) as reason, ST_IsValid(g) as valid,
       ST_NPoints(g) as points, case when ST_Dimension(g) = 2 and ST_IsValid(g) then ST_Area(g::geography) else 0 end as area
from (select n, ST_GeomFromGeoJSON(t) as g from unnest(cast(:all as text[])) with ordinality u (t, n)) one
""")


def _valid(tx: Connection, geometries: Sequence[dict[str, Any]], pointers: Sequence[str]) -> None:
    """PostGIS answers anything about an invalid geometry, sometimes wrongly: it is refused, with the place of the fault."""
    for one, pointer in zip(geometries, pointers, strict=True):
        _closed(one, pointer)
    rows = tx.execute(_CHECK, {"all": [json.dumps(one) for one in geometries]}).all()
    wrong = [
        Problem(pointer=pointers[int(row.n) - 1], message=f"is not a valid geometry: {_fault(row.reason)}")
        for row in rows
        if not row.valid
    ]
    if wrong:
        raise BadInput(*wrong[:50])
    if sum(row.points for row in rows) > VERTICES:
        raise TooMuch(f"the drawing has more than {VERTICES} positions")
    if sum(row.area for row in rows) > MAXIMUM_AREA_KM2 * 1e6:
        raise TooMuch(f"the areas drawn cover more than {MAXIMUM_AREA_KM2} km² together")


def _fault(reason: str) -> str:
    """GEOS's words and place, as in `Self-intersection[0.5 0.5]`, as a sentence; its numbers are its own computation."""
    said, _, place = reason.rstrip("]").partition("[")
    return f"{said.lower()} at {place.replace(' ', ', ')}" if place else said.lower()


def _closed(shape: dict[str, Any], pointer: str) -> None:
    """PostGIS raises, where it should judge, about rings and lines that are too short or open."""
    depth = {"Polygon": 1, "MultiPolygon": 2, "LineString": 0, "MultiLineString": 1}.get(shape["type"])
    if depth is None:
        return
    ring = shape["type"].endswith("Polygon")
    for line in _lines(shape["coordinates"], depth):
        if len(line) < (4 if ring else 2):
            message = "has a ring of fewer than four positions" if ring else "has a line of fewer than two positions"
            raise BadInput(Problem(pointer=f"{pointer}/coordinates", message=message))
        if ring and line[0] != line[-1]:
            raise BadInput(Problem(pointer=f"{pointer}/coordinates", message="has a ring that is not closed"))


def _lines(coordinates: Any, depth: int) -> Iterator[list[Any]]:
    if depth == 0:
        yield coordinates
        return
    for part in coordinates:
        yield from _lines(part, depth - 1)


def place(asked: Asked, drawn: Any, item: ItemReference | None) -> dict[str, Any]:
    """The geometry to ask around: drawn, or an item's."""
    if (drawn is None) == (item is None):
        raise BadInput(Problem(pointer="/inputs", message="must have either a geometry or a feature"))
    if item is None:
        return geometry(asked.tx, drawn, "/inputs/geometry")
    try:
        return _of_item(asked, item)
    except NotFound as error:
        raise BadInput(Problem(pointer="/inputs/feature", message=str(error))) from error


def _of_item(asked: Asked, item: ItemReference) -> dict[str, Any]:
    collection = asked.territory.collection(item.collection)
    if collection.kind.geometry is None:
        raise NotFound("items of this collection have no geometry")
    where, values = spelled(collection.condition())
    found = asked.tx.exec_driver_sql(
        f"select ST_AsGeoJSON(f.geom, 9) from territory.{collection.kind.id} f where f.id = %(id)s and {where}",
        values | {"id": item.id},
    ).scalar_one_or_none()
    if found is None:
        raise NotFound("the collection has no such item")
    return json.loads(found)
