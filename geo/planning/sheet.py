"""Maps for reports: PostGIS projects, cuts and writes what is drawn as SVG paths, in a sheet around one geometry.

In metropolitan France the projection is Lambert-93, the country's own; elsewhere the question's equal-area plane.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.engine import Connection

from geo.collections import Collection, Territory
from geo.columns import Words, words
from geo.filters import spelled
from geo.planning.grounds import Source
from geo.planning.plane import AROUND, Plane, plane
from geo.planning.report import Drawing, Layer, Look
from geo.space import Bbox

WIDTH, HEIGHT = 1000.0, 640.0
"""Units of a drawing."""
DRAWN = 5_000
"""Features of one layer that are drawn; of more, the legend says so."""
LEAST_MARGIN_M = 150.0

LAMBERT_93 = (
    "+proj=lcc +lat_0=46.5 +lon_0=3 +lat_1=49 +lat_2=44 +x_0=700000 +y_0=6600000 +ellps=GRS80 +units=m +no_defs"
)
METROPOLITAN = Bbox(-5.6, 41.2, 9.8, 51.3)
SYSTEMS: Mapping[bool, Words] = {
    True: words("Lambert-93 (EPSG:2154)", "Lambert-93 (EPSG:2154)", "Lambert-93 (EPSG:2154)"),
    False: words(
        "azimutale équivalente de Lambert, centrée sur le projet",
        "Lambert azimuthal equal-area, centred on the proposal",
        "flächentreue Azimutalprojektion nach Lambert um das Vorhaben",
    ),
}

_SHAPE = "ST_SetSRID(ST_GeomFromGeoJSON(%(shape)s), 4326)"
_EXTENT = """
select ST_XMin(g) as west, ST_YMin(g) as south, ST_XMax(g) as east, ST_YMax(g) as north,
       degrees(ST_Azimuth({here}, {above})) as north_is
from (select {there} as g) one
"""
_BACK = """
select ST_XMin(g) as west, ST_YMin(g) as south, ST_XMax(g) as east, ST_YMax(g) as north
from (select {back} as g) one
"""
# Cut a little outside the sheet, so that no cut is seen; a fifth of a unit is less than a line is wide.
_DRAW = """
with found as materialized ({rows} limit {most}),
flat as ({flat}),
cut as (select ST_Scale(ST_Translate(ST_ClipByBox2D(g, ST_MakeEnvelope(%(x0)s, %(y0)s, %(x1)s, %(y1)s)), -%(left)s, -%(top)s), %(k)s, %(k)s) as g
        from flat where g is not null)
select (select count(*) from found) as found,
       string_agg(ST_AsSVG(ST_Simplify(g, 0.2, true), 0, 1), ' ') filter (where ST_Dimension(g) > 0 and not ST_IsEmpty(g)) as path,
       json_agg(json_build_array(round(ST_X(g)::numeric, 1), round(-ST_Y(g)::numeric, 1)))
         filter (where ST_Dimension(g) = 0 and not ST_IsEmpty(g)) as points
from cut
"""
FOUND = "(select ST_Collect(geom) from found)"
"""SQL for all that a layer's rows found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A frame on the ground: its projection, its upper left corner and width in metres there, and the box around it."""

    plane: Plane
    left: float
    top: float
    metres: float
    north: float
    system: Words

    def layer(
        self,
        tx: Connection,
        look: Look,
        title: Words,
        rows: str,
        values: Mapping[str, Any],
        *,
        colour: str | None = None,
        closed: bool = False,
        flat: str | None = None,
    ) -> Layer:
        """Draw the geometries `geom` of the SQL `rows`; `flat` (SQL for `g` in the plane, over `found`) draws something else of them."""
        drawn = flat or f"select (ST_Dump({self.plane.there(FOUND)})).geom as g"
        row = tx.exec_driver_sql(_DRAW.format(rows=rows, most=DRAWN + 1, flat=drawn), {**values, **self._cut()}).one()
        more, points = row.found > DRAWN, [(x, y) for x, y in row.points or ()]
        return Layer(
            look=look, title=title, colour=colour, closed=closed, path=row.path or "", points=points, more=more
        )

    def stored(self, tx: Connection, one: Collection, look: Look = "context") -> Layer:
        """All items of a collection that lie in the frame, whatever the quality of their position."""
        where, values = spelled(one.condition())
        rows = f"select f.geom from territory.{one.kind.id} f where {where} and {AROUND}"
        closed = one.kind.geometry == "MultiPolygon"
        return self.layer(tx, look, one.title, rows, {**values, **self.box()}, colour=one.colour, closed=closed)

    def given(self, tx: Connection, look: Look, title: Words, shapes: Sequence[Mapping[str, Any]]) -> Layer:
        """GeoJSON geometries."""
        rows = "select ST_SetSRID(ST_GeomFromGeoJSON(t), 4326) as geom from unnest(%(shapes)s::text[]) t"
        closed = any(one["type"].endswith("Polygon") for one in shapes)
        return self.layer(tx, look, title, rows, {"shapes": [json.dumps(one) for one in shapes]}, closed=closed)

    def reach(self, tx: Connection, title: Words, near: Source, distance: float, shape: str | None = None) -> Layer:
        """What lies within a distance of a collection; with a GeoJSON `shape`, what that adds to it.

        Empty where there is too much to draw: half a reach would be a wrong one.
        """
        rows = f"select f.geom from territory.{near.kind} f where {near.counted} and {AROUND}"
        values = {**near.values, **self.plane.around(distance), "distance": distance, "shape": shape}
        area = self._buffered(FOUND)
        flat = f"select {area} as g"
        if shape is not None:
            flat = f"select coalesce(ST_Difference({self._buffered(_SHAPE)}, {area}), {self._buffered(_SHAPE)}) as g"
        drawn = self.layer(tx, "reach" if shape is None else "gained", title, rows, values, closed=True, flat=flat)
        return replace(drawn, path="") if drawn.more else drawn

    def nearest(self, tx: Connection, shape: str, one: Collection, id: int) -> tuple[float, float] | None:
        """Where an item comes nearest to a shape, in the drawing; None where that is outside."""
        rows = f"select ST_ClosestPoint(f.geom, {_SHAPE}) as geom from territory.{one.kind.id} f where f.id = %(id)s"
        drawn = self.layer(tx, "context", one.title, rows, {"id": id, "shape": shape})
        return next(((x, y) for x, y in drawn.points if 0 <= x <= WIDTH and 0 <= y <= HEIGHT), None)

    def drawing(self, layers: Sequence[Layer], marks: Sequence[tuple[int, float, float]] = ()) -> Drawing:
        """The finished map; a layer that shows nothing here has no place in its legend."""
        return Drawing(
            width=WIDTH,
            height=HEIGHT,
            metres=self.metres / WIDTH,
            north=self.north,
            system=self.system,
            layers=[one for one in layers if one.path or one.points],
            marks=marks,
        )

    def box(self) -> dict[str, float]:
        """The box around the frame, as values for AROUND."""
        return self.plane.around(0)

    def _buffered(self, sql: str) -> str:
        return f"ST_Buffer({self.plane.there(sql)}, %(distance)s, 'quad_segs=16')"

    def _cut(self) -> dict[str, float]:
        deep, rim = self.metres * HEIGHT / WIDTH, self.metres / 50
        sides = {"x0": self.left - rim, "x1": self.left + self.metres + rim}
        ends = {"y0": self.top - deep - rim, "y1": self.top + rim}
        return {**sides, **ends, "left": self.left, "top": self.top, "k": WIDTH / self.metres}


def sheet(tx: Connection, shape: str, *, around: float = 0.0) -> Sheet:
    """A sheet that shows a GeoJSON geometry and at least so many metres around it."""
    middle = plane(tx, f"select {_SHAPE}", {"shape": shape})
    assert middle is not None  # noqa: S101 (a checked geometry is not empty)
    national = _inside(middle.box, METROPOLITAN)
    drawn = replace(middle, proj=LAMBERT_93) if national else middle
    at = f"ST_Centroid(ST_Envelope({_SHAPE}))"
    extent = _EXTENT.format(
        there=drawn.there(_SHAPE), here=drawn.there(at), above=drawn.there(f"ST_Translate({at}, 0, 0.001)")
    )
    row = tx.exec_driver_sql(extent, {"shape": shape}).one()
    wide, deep = row.east - row.west, row.north - row.south
    margin = max(1.1 * around, 0.25 * max(wide, deep), LEAST_MARGIN_M)
    metres = max(wide + 2 * margin, (deep + 2 * margin) * WIDTH / HEIGHT)
    left, top = (row.west + row.east - metres) / 2, (row.south + row.north + metres * HEIGHT / WIDTH) / 2
    frame = (
        f"ST_Segmentize(ST_MakeEnvelope({left}, {top - metres * HEIGHT / WIDTH}, {left + metres}, {top}), {metres / 8})"
    )
    box = tx.exec_driver_sql(_BACK.format(back=drawn.back(frame))).one()
    return Sheet(
        plane=replace(drawn, box=Bbox(box.west, box.south, box.east, box.north)),
        left=left,
        top=top,
        metres=metres,
        north=row.north_is or 0.0,
        system=SYSTEMS[national],
    )


def _inside(inner: Bbox, outer: Bbox) -> bool:
    return (
        outer.west <= inner.west
        and inner.east <= outer.east
        and outer.south <= inner.south
        and inner.north <= outer.north
    )


def outlines(territory: Territory) -> list[Collection]:
    """The collection of whole communes, where the territory shows one: the frame that everybody knows."""
    return [one for one in territory.collections.values() if one.kind.id == "communes" and not one.filter][:1]
