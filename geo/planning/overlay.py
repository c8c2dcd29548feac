"""Overlay: what of a collection lies inside, or outside, another or drawn areas, with lengths and areas by attribute."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import MaxLen

from geo.columns import words
from geo.errors import BadInput, Problem, TooMuch
from geo.kinds import Kind
from geo.planning import grounds, inputs, written
from geo.planning.coverage import DIMENSIONS
from geo.planning.question import FEATURES, Answer, Asked, Named, Output, Titled, Verb

MAXIMUM_PIECES = 50_000
MEASURES = {"Point": ("count", "1"), "MultiLineString": ("length_m", "ST_Length(g::geography)"), "MultiPolygon": ("area_m2", "ST_Area(g::geography)")}  # fmt: skip
"""What is added up of each geometry, and the SQL that measures a piece."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A collection cut by another collection of areas, or by drawn ones."""

    __pydantic_config__: ClassVar[Any] = inputs.STRICT
    collection: Annotated[str, Named(), Titled(words("Collection", "Collection", "Sammlung"))]
    operation: Annotated[
        Literal["intersection", "difference"],
        Titled(words("Opération", "Operation", "Operation")),
    ] = "intersection"
    other: Annotated[
        Annotated[str, Named(("MultiPolygon",))] | None,
        Titled(
            words("Avec cette collection de surfaces", "With this collection of areas", "Mit dieser Flächensammlung")
        ),
    ] = None
    areas: Annotated[
        inputs.Areas | None,
        Titled(
            words(
                "ou avec ces surfaces, en GeoJSON",
                "or with these areas, as GeoJSON",
                "oder mit diesen Flächen, als GeoJSON",
            )
        ),
    ] = None
    attribute: Annotated[
        Annotated[str, MaxLen(63)] | None,
        Titled(words("Par attribut", "By attribute", "Nach Attribut")),
    ] = None
    schematic: inputs.Schematic = False


# Points are whole, and are found area by area, through their own index (`offset 0` keeps that order: the other way round
# each of a million points would look for its areas). Lines and areas look for what cuts them.
_POINTS = """
{first} inside as materialized (
  select distinct i.id from {others} o cross join lateral (
    select n.id from territory.{kind} n where ST_Intersects(o.geom, n.geom) offset 0) i),
cut as (
  select f.id, f.name, {attribute} as value, f.geom as g
  from territory.{kind} f where {where} and {kept}exists (select from inside where inside.id = f.id)),
"""
_SHAPES = """
{first} cut as (
  select f.id, f.name, {attribute} as value, ST_CollectionExtract({piece}, {dimension}) as g
  from territory.{kind} f
  cross join lateral (select ST_Union(o.geom) as g from {others} o where ST_Intersects(o.geom, f.geom)) u
  where {where} and {kept}
),
"""
_ANSWER = """
pieces as materialized (
  select id, name, value, {much} as much, g from (select * from cut offset 0) cut where not ST_IsEmpty(g) order by id limit {most} + 1),
sums as (select value, count(*) as pieces, sum(much) as much from pieces group by value),
numbered as (
  select row_number() over (order by id) as number, ST_AsGeoJSON(g, 7) as geometry, row_to_json((select one from (
           select id as item, name, value, {rounded} as {measure}) one)) as properties
  from pieces)
select (select count(*) from pieces) as found, (select {rounded} from (select coalesce(sum(much), 0) as much from sums) every)::text as total,
       (select json_agg(json_build_object('value', value, 'pieces', pieces, '{measure}', {rounded}) order by value collate "C" nulls last)
        from sums) as by,
       (select string_agg('{{"type":"Feature","id":' || number || ',"geometry":' || geometry || ',"properties":' || properties || '}}',
                          ',' order by number) from numbered) as features
"""
ROUNDED = "trim_scale(round(much::numeric, 2))"
_DRAWN = "select ST_SetSRID(ST_GeomFromGeoJSON(t), 4326) as geom from unnest(%(areas)s::text[]) t"
_STORED = "select f.geom from territory.{kind} f where {where}"
PIECE = {
    "intersection": "ST_Intersection(f.geom, u.g)",
    "difference": "case when u.g is null then f.geom else ST_Difference(f.geom, u.g) end",
}
KEPT = {"intersection": "u.g is not null", "difference": "true"}


def _answer(asked: Asked, question: Question) -> Answer:
    if (question.other is None) == (question.areas is None):
        raise BadInput(Problem(pointer="/inputs", message="must have either another collection or areas"))
    tx, collection = asked.tx, asked.territory.collection(question.collection)
    geometry = str(collection.kind.geometry)
    measure, sql = MEASURES[geometry]
    subject = grounds.source(collection, prefix="s_", schematic=question.schematic)
    values: dict[str, Any] = dict(subject.values)
    used = [grounds.ground(tx, subject)]
    if question.other is not None:
        other = grounds.source(asked.territory.collection(question.other), prefix="o_", schematic=question.schematic)
        used.append(grounds.ground(tx, other))
        values |= other.values
        # Not gathered beforehand, so that the table's own spatial index serves.
        first, others = "", f"({_STORED.format(kind=other.kind, where=other.counted)})"
    else:
        shapes = inputs.collected(tx, question.areas, "/inputs/areas", types=("Polygon", "MultiPolygon"))
        values["areas"] = [json.dumps(one.geometry) for one in shapes]
        first, others = f"drawn as materialized ({_DRAWN}),", "drawn"
    points = geometry == "Point"
    query = f"with {_POINTS if points else _SHAPES} {_ANSWER}".format(
        first=first,
        others=others,
        attribute=_attribute(collection.kind, question.attribute),
        piece=PIECE[question.operation],
        kept=("" if question.operation == "intersection" else "not ") if points else KEPT[question.operation],
        dimension=DIMENSIONS[geometry],
        kind=subject.kind,
        where=subject.counted,
        measure=measure,
        much=sql,
        rounded=ROUNDED,
        most=MAXIMUM_PIECES,
    )
    row = tx.exec_driver_sql(query, values).one()
    if row.found > MAXIMUM_PIECES:
        raise TooMuch(f"there are more than {MAXIMUM_PIECES} pieces: ask about smaller areas")
    about = {
        "operation": question.operation,
        "measure": measure,
        "total": json.loads(row.total),
        "by": row.by or [],
        **grounds.resting(used),
    }
    return written.features("overlay", row.features or "", about=about, returned=row.found)


def _attribute(kind: Kind, name: str | None) -> str:
    """SQL for the attribute, one of the kind's public columns that hold one value."""
    if name is None:
        return "null::text"
    if name not in kind.filterables:
        known = ", ".join(kind.filterables)
        raise BadInput(Problem(pointer="/inputs/attribute", message=f"must be one of: {known}"))
    return f'f."{name}"::text'


OVERLAY = Verb(
    id="overlay",
    title=words("Superposition", "Overlay", "Verschneidung"),
    description=words(
        "Ce qui, d’une collection, se trouve à l’intérieur ou à l’extérieur d’une autre ou de surfaces dessinées, "
        "avec les longueurs et les surfaces par attribut.",
        "What of a collection lies inside or outside another one or drawn areas, with lengths and areas by attribute.",
        "Was von einer Sammlung innerhalb oder außerhalb einer anderen oder gezeichneter Flächen liegt, "
        "mit Längen und Flächen nach Attribut.",
    ),
    inputs=Question,
    output=Output(name="features", title=words("Morceaux", "Pieces", "Stücke"), schema=FEATURES),
    answer=_answer,
)
