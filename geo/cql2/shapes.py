"""Geometries that filters name: GeoJSON and boxes in a coordinate system of the client's, into the CRS of the tables."""

import json
from collections.abc import Iterator
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import ColumnElement, Text, func, literal

from geo.cql2.literals import is_number
from geo.cql2.terms import Term
from geo.cql2.text import DEPTHS
from geo.cql2.words import BadFilter
from geo.crs import Crs
from geo.space import WGS84

VERTICES = 10_000
FEWEST = {"LineString": 2, "MultiLineString": 2, "Polygon": 4, "MultiPolygon": 4}
"""Positions in a line, or in a ring."""
STRAIGHT_M = 1_000
STEPS = 64
SHAPE = Geometry()


def geometry(tree: dict[str, Any], crs: Crs) -> Term:
    """The geometry, transformed on its own side, so that the column's index serves."""
    counted = _Counted()
    if tree.get("type") == "GeometryCollection":
        members = tree.get("geometries")
        if not isinstance(members, list) or not members:
            raise BadFilter("has an empty geometry collection")
        made = {"type": "GeometryCollection", "geometries": [_shape(one, crs, counted) for one in members]}
    else:
        made = _shape(tree, crs, counted)
    return Term(type="geometry", made=_sql(made, crs))


def box(numbers: Any, crs: Crs) -> Term:
    """A box of four numbers, or six with heights; in degrees it may cross the antimeridian."""
    if not isinstance(numbers, list) or len(numbers) not in (4, 6) or not all(is_number(one) for one in numbers):
        raise BadFilter("has a BBOX that is not 4 or 6 numbers")
    low, high = numbers[: len(numbers) // 2], numbers[len(numbers) // 2 :]
    (west, south), (east, north) = (_position(corner, crs) for corner in (low, high))
    if south > north or (west > east and not crs.geographic):
        raise BadFilter("has a BBOX whose lower corner is above its upper one")
    parts = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    return Term(type="geometry", made=_sql(_rectangles([(w, south, e, north) for w, e in parts]), crs))


class _Counted:
    """How many positions a filter's geometry has so far."""

    def __init__(self) -> None:
        self.positions = 0

    def one(self) -> None:
        self.positions += 1
        if self.positions > VERTICES:
            raise BadFilter(f"has a geometry of more than {VERTICES} positions")


def _shape(tree: Any, crs: Crs, counted: _Counted) -> dict[str, Any]:
    type_ = tree.get("type") if isinstance(tree, dict) else None
    if not isinstance(type_, str) or type_ not in DEPTHS:
        raise BadFilter(f"has a geometry that is none of {', '.join(DEPTHS)} and GeometryCollection")
    coordinates = _read(tree.get("coordinates"), DEPTHS[type_], crs, counted)
    for line in _lines(coordinates, type_):
        if len(line) < FEWEST[type_]:
            raise BadFilter(f"has a {type_} with fewer than {FEWEST[type_]} positions in a line")
        if len(set(map(tuple, line))) < 2:
            raise BadFilter(f"has a {type_} with a line of one place only")
        if type_.endswith("Polygon") and line[0] != line[-1]:
            raise BadFilter(f"has a {type_} with a ring that does not close")
    return {"type": type_, "coordinates": coordinates}


def _read(value: Any, depth: int, crs: Crs, counted: _Counted) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise BadFilter("has a geometry that is empty, or whose coordinates are no arrays")
    if depth == 0:
        counted.one()
        return list(_position(value, crs))
    return [_read(part, depth - 1, crs, counted) for part in value]


def _lines(coordinates: list[Any], type_: str) -> Iterator[list[list[float]]]:
    if type_ == "LineString":
        yield coordinates
    elif type_ in ("MultiLineString", "Polygon"):
        yield from coordinates
    elif type_ == "MultiPolygon":
        for polygon in coordinates:
            yield from polygon


def _position(value: list[Any], crs: Crs) -> tuple[float, float]:
    """The position as x, y; a height is left out, for the territory is flat."""
    if not 2 <= len(value) <= 3 or not all(is_number(one) for one in value):
        raise BadFilter("has a position that is not 2 or 3 numbers")
    x, y = crs.xy(float(value[0]), float(value[1]))
    if not crs.holds(x, y):
        raise BadFilter(f"has a position outside the bounds of {crs.name}")
    return x, y


def _rectangles(boxes: list[tuple[float, float, float, float]]) -> dict[str, Any]:
    parts = [_rectangle(*one) for one in boxes]
    return parts[0] if len(parts) == 1 else {"type": "GeometryCollection", "geometries": parts}


def _rectangle(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    """A box without width or height is a point or a line: as a polygon, GEOS would meet nothing with it."""
    if (west, south) == (east, north):
        return {"type": "Point", "coordinates": [west, south]}
    if west == east or south == north:
        return {"type": "LineString", "coordinates": [[west, south], [east, north]]}
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def _sql(shape: dict[str, Any], crs: Crs) -> ColumnElement:
    made = func.ST_GeomFromGeoJSON(literal(json.dumps(shape), Text), type_=SHAPE)
    if crs.srid != WGS84:
        made = func.ST_SetSRID(made, crs.srid, type_=SHAPE)
        made = func.ST_Transform(func.ST_Segmentize(made, _step(shape), type_=SHAPE), WGS84, type_=SHAPE)
    if shape["type"] in FEWEST or shape["type"] == "GeometryCollection":
        # GEOS raises an error over a polygon that crosses itself: it is taken as the areas that it encloses.
        made = func.ST_MakeValid(made, type_=SHAPE)
    return made


def _step(shape: dict[str, Any]) -> float:
    """A straight line on a sheet is a curve on the globe: in metres, how long it may be to be straight on both."""
    positions = list(_positions(shape.get("coordinates", shape.get("geometries"))))
    sides = ([position[axis] for position in positions] for axis in (0, 1))
    return max(STRAIGHT_M, *((max(side) - min(side)) / STEPS for side in sides))


def _positions(part: Any) -> Iterator[list[float]]:
    if isinstance(part, dict):
        part = part["coordinates"]
    if isinstance(part[0], int | float):
        yield part
        return
    for one in part:
        yield from _positions(one)
