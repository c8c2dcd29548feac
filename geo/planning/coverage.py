"""Coverage: which share of something lies within a distance of a collection, and the part that does not."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from sqlalchemy.engine import Connection

from geo.columns import words
from geo.errors import BadInput, Problem
from geo.planning import grounds, inputs, written
from geo.planning.grounds import Ground, Source
from geo.planning.plane import AROUND, plane
from geo.planning.question import FEATURES, Answer, Asked, Named, Output, Titled, Verb

SHOWN = 10_000
"""Uncovered points that are written; all are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The share of a collection, of uploaded points or of a drawn area within `distance` metres of the collection `near`."""

    __pydantic_config__: ClassVar[Any] = inputs.STRICT
    near: Annotated[str, Named(), Titled(words("Proche de", "Near", "In der Nähe von"))]
    distance: Annotated[
        inputs.Distance, Titled(words("Distance en mètres", "Distance in metres", "Entfernung in Metern"))
    ]
    collection: Annotated[
        Annotated[str, Named()] | None,
        Titled(words("Part de cette collection", "Share of this collection", "Anteil dieser Sammlung")),
    ] = None
    points: Annotated[
        inputs.Points | None,
        Titled(
            words("ou de ces points, en GeoJSON", "or of these points, as GeoJSON", "oder dieser Punkte, als GeoJSON")
        ),
    ] = None
    area: inputs.Area = None
    schematic: inputs.Schematic = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """How much there is and how much of it is covered: counts, metres or square metres; the rest as GeoJSON text."""

    measure: str
    total: float
    covered: float
    uncovered: str | None
    part: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As the answer says it; nothing has no share."""
        return {
            "measure": self.measure,
            "total": self.total,
            "covered": self.covered,
            "share": round(self.covered / self.total, 6) if self.total else None,
        }


_NEAR = "exists (select from territory.{kind} f where {where} and ST_DWithin(f.geom::geography, s.geom::geography, %(distance)s))"
_ADDED = "ST_DWithin(ST_GeomFromGeoJSON(%(added)s)::geography, s.geom::geography, %(distance)s)"
_ADDED_ROW = " union all select 0, ST_SetSRID(ST_GeomFromGeoJSON(%(added)s), 4326)"
_POINTS = """
with s as materialized (select s.n, s.geom, {near} as near, {added} as added from ({subject}) s),
rest as (select geom from s where not (near or added) order by n limit {shown})
select count(*) as total, count(*) filter (where near) as near, count(*) filter (where near or added) as covered,
       (select ST_AsGeoJSON(ST_Collect(geom), 7) from rest) as rest
from s
"""
STORED = "select f.id as n, f.geom from territory.{kind} f where {where}"
_SENT = """
select n, ST_SetSRID((ST_Dump(ST_GeomFromGeoJSON(t))).geom, 4326) as geom
from unnest(%(points)s::text[]) with ordinality u (t, n)
"""

# The circles that buffers are made of have 128 corners: their areas are short by 0.04 %.
_SHAPES = """
with subject as materialized ({subject}),
near as materialized (select f.id, f.geom from territory.{near_kind} f where {near} and {around}{added}),
flat as materialized (select ST_Union(g) as g from ({flat}) one),
reach as materialized (select ST_Union(ST_Buffer(g, %(distance)s, 'quad_segs=32')) as g from ({reach}) one),
parts as materialized (
  select ST_CollectionExtract(coalesce(ST_Intersection(flat.g, reach.g), ST_GeomFromText('POLYGON EMPTY')), {dimension}) as inside,
         ST_CollectionExtract(coalesce(ST_Difference(flat.g, reach.g), flat.g), {dimension}) as outside from flat, reach),
back as materialized (select {inside} as inside, {outside} as outside from parts)
select {measured}(inside::geography) as covered, {measured}(outside::geography) as uncovered,
       case when not ST_IsEmpty(inside) then ST_AsGeoJSON(inside, 7) end as part,
       case when not ST_IsEmpty(outside) then ST_AsGeoJSON(outside, 7) end as rest
from back
"""
_AREA = "select 0::bigint as id, ST_SetSRID(ST_GeomFromGeoJSON(%(area)s), 4326) as geom"
# An intersection with the area, so that what is measured lies within it.
_WITHIN = """select f.id, {clipped} as geom from territory.{kind} f where {where}"""
_CLIPPED = "ST_CollectionExtract(ST_Intersection(f.geom, ST_SetSRID(ST_GeomFromGeoJSON(%(area)s), 4326)), {dimension})"
DIMENSIONS = {"Point": 1, "MultiLineString": 2, "MultiPolygon": 3}


def reached(near: Source, *, added: bool) -> str:
    """SQL that is true of a row `s` within the parameter `distance` of a collection or, too, of the GeoJSON `added`."""
    stored = _NEAR.format(kind=near.kind, where=near.counted)
    return f"({stored} or {_ADDED})" if added else stored


def of_points(tx: Connection, subject: str, near: Source, values: Mapping[str, Any]) -> tuple[Covered, Covered]:
    """Count the points of the SQL `subject` (n, geom) that lie within the distance: as it is, and of `added`, too."""
    added = _ADDED if "added" in values else "false"
    sql = _POINTS.format(near=reached(near, added=False), added=added, subject=subject, shown=SHOWN)
    row = tx.exec_driver_sql(sql, values).one()
    before = Covered(measure="count", total=row.total, covered=row.near, uncovered=None)
    return before, Covered(measure="count", total=row.total, covered=row.covered, uncovered=row.rest)


def of_shapes(tx: Connection, subject: str, near: Source, values: Mapping[str, Any], *, geometry: str) -> Covered:
    """Measure how much of the lines or areas of the SQL `subject` (id, geom) lies within the distance; overlaps once."""
    extent = f"select ST_Extent(geom)::geometry from ({subject}) s"
    middle = plane(tx, extent, values)
    lines = geometry == "MultiLineString"
    measure = "length_m" if lines else "area_m2"
    if middle is None:
        return Covered(measure=measure, total=0, covered=0, uncovered=None)
    sql = _SHAPES.format(
        subject=subject,
        near_kind=near.kind,
        near=near.counted,
        around=AROUND,
        added=_ADDED_ROW if "added" in values else "",
        flat=middle.each("subject"),
        reach=middle.each("near"),
        dimension=DIMENSIONS[geometry],
        inside=middle.back("inside"),
        outside=middle.back("outside"),
        measured="ST_Length" if lines else "ST_Area",
    )
    row = tx.exec_driver_sql(sql, {**values, **middle.around(values["distance"])}).one()
    return Covered(
        measure=measure,
        total=round(row.covered + row.uncovered, 2),
        covered=round(row.covered, 2),
        uncovered=row.rest,
        part=row.part,
    )


def subject_of(used: Source, *, area: bool) -> str:
    """SQL for the lines or areas that count, within the area where there is one."""
    geometry = str(used.collection.kind.geometry)
    clipped = _CLIPPED.format(dimension=DIMENSIONS[geometry]) if area else "f.geom"
    return _WITHIN.format(kind=used.kind, where=used.counted, clipped=clipped)


def _answer(asked: Asked, question: Question) -> Answer:
    tx = asked.tx
    if question.collection and question.points:
        raise BadInput(Problem(pointer="/inputs", message="must have either a collection or points"))
    if not (question.collection or question.points or question.area):
        raise BadInput(
            Problem(pointer="/inputs", message="must have a collection, points or an area, of which a share is asked")
        )
    values: dict[str, Any] = {"distance": question.distance}
    if question.area is not None:
        values["area"] = json.dumps(inputs.polygon(tx, question.area))
    near = grounds.source(asked.territory.collection(question.near), prefix="n_", schematic=question.schematic)
    used = [grounds.ground(tx, near, **near.values)]
    covered = _covered(asked, question, near, {**values, **near.values}, used)
    about = {
        "distance_m": question.distance,
        "near": question.near,
        "of": question.collection or ("points" if question.points else "area"),
        **covered.as_json(),
        **grounds.resting(used),
    }
    told = [("covered", covered.part), ("uncovered", covered.uncovered)]
    parts = [(geometry, {"part": name, covered.measure: _much(covered, name)}) for name, geometry in told if geometry]
    return written.features("coverage", written.rows(parts), about=about)


def _much(covered: Covered, part: str) -> float:
    return covered.covered if part == "covered" else round(covered.total - covered.covered, 2)


def share_of(
    tx: Connection, subject: Source, near: Source, values: Mapping[str, Any], *, area: bool = False
) -> Covered:
    """The share of a collection; `values` are those of both sources, and the distance."""
    geometry = str(subject.collection.kind.geometry)
    if geometry == "Point":
        return of_points(tx, STORED.format(kind=subject.kind, where=subject.counted), near, values)[1]
    return of_shapes(tx, subject_of(subject, area=area), near, values, geometry=geometry)


def change_of(
    tx: Connection, subject: Source, near: Source, values: Mapping[str, Any], added: Mapping[str, Any]
) -> tuple[Covered, Covered]:
    """The share of a collection before and after something is added; what is near to points is sought once for both."""
    if subject.collection.kind.geometry == "Point":
        stored = STORED.format(kind=subject.kind, where=subject.counted)
        return of_points(tx, stored, near, {**values, **added})
    return share_of(tx, subject, near, values), share_of(tx, subject, near, {**values, **added})


def _covered(asked: Asked, question: Question, near: Source, values: dict[str, Any], used: list[Ground]) -> Covered:
    """The share of whatever is asked about; its ground goes beside that of what it is near to."""
    if question.points is not None:
        sent = inputs.collected(asked.tx, question.points, "/inputs/points", types=("Point", "MultiPoint"))
        values["points"] = [json.dumps(one.geometry) for one in sent]
        return of_points(asked.tx, _SENT, near, values)[1]
    area = question.area is not None
    if question.collection is None:
        return of_shapes(asked.tx, _AREA, near, values, geometry="MultiPolygon")
    collection = asked.territory.collection(question.collection)
    subject = grounds.source(collection, prefix="s_", schematic=question.schematic, area=area)
    values |= subject.values
    used.append(grounds.ground(asked.tx, subject, **values))
    return share_of(asked.tx, subject, near, values, area=area)


COVERAGE = Verb(
    id="coverage",
    title=words("Couverture", "Coverage", "Abdeckung"),
    description=words(
        "La part d’une collection, de points envoyés ou d’une emprise à moins d’une distance d’une autre collection, "
        "comme la règle des 300 m pour les espaces verts, et la partie qui n’est pas couverte.",
        "The share of a collection, of uploaded points or of an area within a distance of another collection, "
        "as in the 300 m rule for green space, and the part that is not covered.",
        "Der Anteil einer Sammlung, hochgeladener Punkte oder eines Gebiets im Umkreis einer anderen Sammlung, "
        "wie bei der 300-m-Regel für Grünflächen, und der nicht abgedeckte Teil.",
    ),
    inputs=Question,
    output=Output(name="features", title=words("Parties", "Parts", "Teile"), schema=FEATURES),
    answer=_answer,
)
