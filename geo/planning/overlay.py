"""Overlay: what of a collection lies inside, or outside, another or drawn areas, with lengths and areas by attribute."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import MaxLen
from sqlalchemy.engine import Row

from geo.columns import words
from geo.errors import BadInput, Problem, TooMuch
from geo.kinds import Kind
from geo.planning import grounds, inputs, written
from geo.planning.coverage import DIMENSIONS
from geo.planning.question import FEATURES, Answer, Asked, Named, Output, Titled, Verb

MAXIMUM_PIECES = 20_000
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
        inputs.Collected | None,
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


_PIECES = """
with {first} cut as (
  select f.id, f.name, {attribute} as value, ST_CollectionExtract({piece}, {dimension}) as g
  from territory.{kind} f
  cross join lateral (select ST_Union(o.geom) as g from {others} o where ST_Intersects(o.geom, f.geom)) u
  where {where} and {kept}
),
pieces as (select id, name, value, g, {measure} as much from cut where not ST_IsEmpty(g))
select id, name, value, much, ST_AsGeoJSON(g, 7) as geometry from pieces order by id limit {most} + 1
"""
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
    query = _PIECES.format(
        first=first,
        others=others,
        attribute=_attribute(collection.kind, question.attribute),
        piece=PIECE[question.operation],
        kept=KEPT[question.operation],
        dimension=DIMENSIONS[geometry],
        kind=subject.kind,
        where=subject.counted,
        measure=sql,
        most=MAXIMUM_PIECES,
    )
    pieces = tx.exec_driver_sql(query, values).all()
    if len(pieces) > MAXIMUM_PIECES:
        raise TooMuch(f"there are more than {MAXIMUM_PIECES} pieces: ask about smaller areas")
    by = _by(pieces, measure)
    about = {
        "operation": question.operation,
        "measure": measure,
        "total": round(sum(one.much for one in pieces), 2),
        "by": by,
        **grounds.resting(used),
    }
    told = (
        (one.geometry, {"item": one.id, "name": one.name, "value": one.value, measure: round(one.much, 2)})
        for one in pieces
    )
    return written.features("overlay", written.rows(told), about=about)


def _by(pieces: Sequence[Row[Any]], measure: str) -> list[dict[str, Any]]:
    """The sums of each value of the attribute."""
    groups: dict[str | None, list[float]] = defaultdict(list)
    for one in pieces:
        groups[one.value].append(one.much)
    ordered = sorted(groups.items(), key=lambda item: (item[0] is None, str(item[0])))
    return [{"value": value, "pieces": len(all), measure: round(sum(all), 2)} for value, all in ordered]


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
