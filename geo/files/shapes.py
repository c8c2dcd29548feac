"""Geometries of one batch: finite, on earth, in WGS 84, of the kind's type; and why one is refused. Vectorised."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from pyproj.exceptions import CRSError

from geo.files.formats import bad
from geo.kinds import GeometryType
from geo.space import HIGHEST_LATITUDE, WGS84, Bbox

VERTICES = 500_000
"""What one feature may have; the whole coast of France has fewer."""

DIMENSION = {"Point": 0, "MultiLineString": 1, "MultiPolygon": 2}
"""Dimension of what each kind's geometry type holds."""
ONE = {"MultiLineString": 1, "MultiPolygon": 3}
"""The type id of the single geometry that becomes such a multi one."""
SAID = {0: "points", 1: "lines", 2: "polygons"}
COLLECTION = 7

Shapes = NDArray[np.object_]
Mask = NDArray[np.bool_]


def crs_of(text: str) -> pyproj.CRS:
    """The coordinate system of that name (`EPSG:2154`, or WKT)."""
    try:
        return pyproj.CRS.from_user_input(text)
    except CRSError as error:
        raise bad("the coordinate system is not known; name it as EPSG:2154, for example") from error


@dataclass
class Projection:
    """From the file's coordinate system to WGS 84, longitude first; nothing to do where it is that already."""

    crs: str
    _transformer: pyproj.Transformer | None = None

    def __post_init__(self) -> None:
        """Find out whether there is anything to do."""
        here, there = crs_of(self.crs), pyproj.CRS.from_epsg(WGS84)
        if here.to_2d() != there and here.to_2d() != pyproj.CRS.from_user_input("OGC:CRS84"):
            self._transformer = pyproj.Transformer.from_crs(here, there, always_xy=True)

    @property
    def moves(self) -> bool:
        """Whether coordinates change at all."""
        return self._transformer is not None

    def __call__(self, shapes: Shapes) -> Shapes:
        """Transform all at once; what cannot be transformed becomes infinite, and is refused as such."""
        transformer = self._transformer
        if transformer is None:
            return shapes

        def move(xy: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))

        return shapely.transform(shapes, move)


@dataclass
class Swapped:
    """Counts features that lie in the territory as they are, and with latitude and longitude exchanged."""

    bounds: Bbox | None
    inside: int = 0
    exchanged: int = 0

    def look(self, shapes: Shapes) -> None:
        """Look at the middle of each feature."""
        if self.bounds is None or not len(shapes):
            return
        box = shapely.bounds(shapes)
        x, y = (box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2
        self.inside += _count_within(self.bounds, x, y)
        self.exchanged += _count_within(self.bounds, y, x)

    def say(self) -> None:
        """BadInput where exchanging is what brings features into the territory."""
        if self.exchanged > 10 * self.inside:
            raise bad(
                f"latitude and longitude look exchanged: {self.inside} features lie in the territory as they are, "
                f"{self.exchanged} when the two are exchanged; correct the file, or the mapping's longitude and latitude"
            )


def _count_within(box: Bbox, x: NDArray[np.float64], y: NDArray[np.float64]) -> int:
    return int(((x >= box.west) & (x <= box.east) & (y >= box.south) & (y <= box.north)).sum())


@dataclass
class Checked:
    """A batch's geometries, and the reason beside each that is refused."""

    shapes: Shapes
    reasons: list[str | None] = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is refused yet."""
        self.reasons = [None] * len(self.shapes)

    def only(self, wanted: Sequence[int]) -> "Checked":
        """The same of some rows."""
        part = Checked(self.shapes[list(wanted)])
        part.reasons = [self.reasons[index] for index in wanted]
        return part

    def refuse(self, mask: Mask, reason: str) -> None:
        """The first reason stays; the geometry goes, so that later checks need not look at it."""
        for index in np.flatnonzero(mask):
            self.reasons[index] = self.reasons[index] or reason
        self.shapes[mask] = None


def missing(shapes: Shapes) -> Mask:
    """Where there is no geometry."""
    return np.asarray(shapely.is_missing(shapes))


def read_wkb(wkb: Sequence[bytes | None]) -> Checked:
    """Geometries from what GDAL handed over."""
    raw = np.array(wkb, dtype=object)
    checked = Checked(shapely.from_wkb(raw, on_invalid="ignore"))
    absent = np.array([one is None for one in wkb], dtype=bool)
    checked.refuse(absent, "there is no geometry")
    checked.refuse(~absent & missing(checked.shapes), "the geometry cannot be read")
    return checked


def check(checked: Checked, project: Projection, geometry: GeometryType, swapped: Swapped, *, point: bool) -> None:
    """All that can be said of a geometry without the database; what is refused has its reason afterwards."""
    checked.refuse(shapely.is_empty(checked.shapes), "the geometry is empty, or its coordinates are no numbers")
    checked.refuse(
        shapely.get_num_coordinates(checked.shapes) > VERTICES, f"the geometry has more than {VERTICES} vertices"
    )
    checked.refuse(_infinite(checked.shapes), "a coordinate is no finite number")
    checked.refuse(_short_rings(checked.shapes), "a ring of the polygon has fewer than four points")
    checked.shapes = project(shapely.force_2d(checked.shapes))
    checked.refuse(_infinite(checked.shapes), "a coordinate lies outside what its coordinate system can express")
    present = checked.shapes[~missing(checked.shapes)]
    swapped.look(present)
    checked.refuse(_outside(checked.shapes), "the geometry lies outside the world: are its coordinates degrees?")
    if point:
        checked.shapes = _inner_points(checked.shapes)
    _fit(checked, DIMENSION[geometry])


def as_ewkb(shapes: Shapes, geometry: GeometryType) -> list[bytes | None]:
    """What PostGIS takes as it stands: multi where the kind is, and in WGS 84."""
    if geometry != "Point":
        make = shapely.multilinestrings if geometry == "MultiLineString" else shapely.multipolygons
        single = np.flatnonzero(shapely.get_type_id(shapes) == ONE[geometry])
        if len(single):
            shapes[single] = make(shapes[single], indices=np.arange(len(single)))
    return list(shapely.to_wkb(shapely.set_srid(shapes, WGS84), include_srid=True))


def elsewhere(shapes: Shapes, box: Bbox) -> Mask:
    """Which geometries lie wholly outside the box."""
    found = np.zeros(len(shapes), dtype=bool)
    for part in box.parts():
        found |= shapely.intersects(shapes, shapely.box(part.west, part.south, part.east, part.north))
    return ~found & ~missing(shapes)


def _infinite(shapes: Shapes) -> Mask:
    coordinates, index = shapely.get_coordinates(shapes, return_index=True)
    mask = np.zeros(len(shapes), dtype=bool)
    mask[index[~np.isfinite(coordinates).all(axis=1)]] = True
    return mask


def _short_rings(shapes: Shapes) -> Mask:
    """PostGIS takes no such ring, not even to repair it."""
    rings, index = shapely.get_rings(shapes, return_index=True)
    mask = np.zeros(len(shapes), dtype=bool)
    mask[index[shapely.get_num_coordinates(rings) < 4]] = True
    return mask


def _outside(shapes: Shapes) -> Mask:
    box = shapely.bounds(shapes)
    with np.errstate(invalid="ignore"):
        beyond = np.abs(box) > (180, HIGHEST_LATITUDE, 180, HIGHEST_LATITUDE)
    return np.asarray(beyond.any(axis=1))


def _inner_points(shapes: Shapes) -> Shapes:
    lines = ~missing(shapes) & (shapely.get_dimensions(shapes) > 0)
    shapes[lines] = shapely.point_on_surface(shapes[lines])
    return shapes


def _fit(checked: Checked, dimension: int) -> None:
    """Single becomes multi in the database; here collections give what fits, and the wrong type is refused."""
    types = shapely.get_type_id(checked.shapes)
    collections = types == COLLECTION
    if dimension == 0:
        collections |= types == 4
    for index in np.flatnonzero(collections):
        checked.shapes[index] = _picked(checked.shapes[index], dimension)
    present = ~missing(checked.shapes)
    wrong = present & (shapely.get_dimensions(checked.shapes) != dimension)
    if dimension == 0:
        wrong |= present & (shapely.get_type_id(checked.shapes) != 0)
    for kind in (0, 1, 2):
        mask = wrong & (shapely.get_dimensions(checked.shapes) == kind)
        wanted = "one point" if dimension == 0 else SAID[dimension]
        checked.refuse(mask, f"the geometry is made of {SAID[kind]}, and the kind holds {wanted}")


def _picked(shape: shapely.Geometry, dimension: int) -> shapely.Geometry:
    """The only part that fits, several of them as one, or the whole where none does (it is refused then)."""
    parts = [part for part in shapely.get_parts(shape) if shapely.get_dimensions(part) == dimension]
    if len(parts) == 1:
        return parts[0]
    if not parts or dimension == 0:
        return shape
    flat = [single for part in parts for single in shapely.get_parts(part)]
    return shapely.multilinestrings(flat) if dimension == 1 else shapely.multipolygons(flat)
