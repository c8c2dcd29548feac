"""Space as plain values: coordinate systems, boxes, GeoJSON geometries that came from outside. No SQL."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from geo.errors import BadInput, Problem

WGS84 = 4326
MERCATOR = 3857
CRS84_URI = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
HIGHEST_LATITUDE = 85.06
"""Where the world ends for web maps; the tables hold nothing beyond it."""

VERTICES = 100_000


@dataclass(frozen=True, slots=True)
class Bbox:
    """A box in WGS 84 degrees; `west` may exceed `east` where it crosses the antimeridian."""

    west: float
    south: float
    east: float
    north: float

    def parts(self) -> tuple[Self, ...]:
        """One box, or two where it crosses the antimeridian."""
        if self.west <= self.east:
            return (self,)
        return (
            type(self)(self.west, self.south, 180.0, self.north),
            type(self)(-180.0, self.south, self.east, self.north),
        )

    def share_of(self, other: Self) -> float:
        """Which share of the other box's area this one covers, from 0 to 1."""
        whole = (other.east - other.west) * (other.north - other.south)
        if whole <= 0:
            return 1.0
        return min(1.0, sum(_overlap(part, other) for part in self.parts()) / whole)


def _overlap(one: Bbox, other: Bbox) -> float:
    width = min(one.east, other.east) - max(one.west, other.west)
    height = min(one.north, other.north) - max(one.south, other.south)
    return max(0.0, width) * max(0.0, height)


DEPTHS = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}


def checked_geometry(value: Any, pointer: str) -> dict[str, Any]:
    """A GeoJSON geometry from outside, with only what GeoJSON names, or BadInput that says where it is wrong.

    Positions must be finite longitudes and latitudes; more than VERTICES of them are refused.
    """
    if not isinstance(value, dict) or value.get("type") not in tuple(DEPTHS):  # a list is not hashable
        raise BadInput(Problem(pointer=pointer, message=f"must be a GeoJSON geometry: {', '.join(DEPTHS)}"))
    count = 0
    for position in _positions(value.get("coordinates"), DEPTHS[value["type"]], pointer):
        count += 1
        if count > VERTICES:
            raise BadInput(Problem(pointer=pointer, message=f"has more than {VERTICES} positions"))
        if not on_earth(position):
            raise BadInput(
                Problem(
                    pointer=f"{pointer}/coordinates",
                    message="has a position that is not [longitude -180..180, latitude -85.06..85.06]",
                )
            )
    if count == 0:
        raise BadInput(Problem(pointer=f"{pointer}/coordinates", message="is empty"))
    return {"type": value["type"], "coordinates": value["coordinates"]}


def on_earth(position: Any) -> bool:
    """Whether this is `[longitude, latitude]` or `[longitude, latitude, height]` in the bounds of the tables."""
    return (
        isinstance(position, Sequence)
        and not isinstance(position, str)
        and 2 <= len(position) <= 3
        and all(isinstance(n, int | float) and not isinstance(n, bool) for n in position)
        # Comparisons are false for NaN, and exact for whole numbers that no float can hold.
        and all(abs(n) <= bound for n, bound in zip(position, (180, HIGHEST_LATITUDE, 1e6), strict=False))
    )


def _positions(coordinates: Any, depth: int, pointer: str) -> Iterator[Any]:
    if depth == 0:
        yield coordinates
        return
    if not isinstance(coordinates, list):
        raise BadInput(Problem(pointer=f"{pointer}/coordinates", message="must be an array"))
    for part in coordinates:
        yield from _positions(part, depth - 1, pointer)
