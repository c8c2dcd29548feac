"""Summary: how many, how long, how large, how many kW; by commune, by cell, by area, by year."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

from pydantic import Strict

from geo.collections import Collection
from geo.columns import words
from geo.errors import BadInput, Problem, TooMuch
from geo.planning import grounds, inputs, written, zones
from geo.planning.grounds import Ground, Source
from geo.planning.question import FEATURES, Answer, Asked, Named, Output, Titled, Verb
from geo.planning.zones import By, Zones

MAXIMUM_ROWS = 50_000
"""Zones times years of one answer."""

SIZES = {"MultiLineString": ("length_m", "ST_Length(piece::geography)"), "MultiPolygon": ("area_m2", "ST_Area(piece::geography)")}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to add up, and by what."""

    __pydantic_config__: ClassVar[Any] = inputs.STRICT
    collection: Annotated[str, Named(), Titled(words("Collection", "Collection", "Sammlung"))]
    by: Annotated[By, Titled(words("Par", "By", "Nach"))] = "territory"
    zones: Annotated[
        Annotated[str, Named(("MultiPolygon",))] | None,
        Titled(
            words(
                "Par les surfaces de cette collection",
                "By the areas of this collection",
                "Nach den Flächen dieser Sammlung",
            )
        ),
    ] = None
    areas: Annotated[
        inputs.Collected | None,
        Titled(
            words(
                "ou par ces surfaces, en GeoJSON",
                "or by these areas, as GeoJSON",
                "oder nach diesen Flächen, als GeoJSON",
            )
        ),
    ] = None
    by_year: Annotated[bool, Strict(), Titled(words("Par année", "By year", "Nach Jahr"))] = False
    area: inputs.Area = None
    schematic: inputs.Schematic = False


# What meets a border only in a point has no length there, and is not counted there.
_ROWS = """
with {first} hits as materialized (
  select f.id, {zone} as zone, {year} as year, f.position, f.position_accuracy_m as accuracy, {coarse} as coarse,
         {piece} as piece{columns}
  from {sources} where {where}
),
fine as (select * from hits where not coarse{solid}),
totals as (
  select zone, year, count(*) as count{size}{sums} from fine group by zone, year order by zone, year limit {most} + 1
),
names as ({names}),
tally as (
  select position, count(distinct id) as n, max(accuracy) as worst, count(distinct id) filter (where accuracy is null) as unstated
  from fine group by position order by position
)
select (select json_agg(row_to_json(one)) from (
          select totals.*, names.name, names.geometry from totals left join names using (zone) order by zone, year) one) as rows,
       (select json_agg(json_build_array(position, n, worst, unstated)) from tally) as tally,
       (select count(distinct id) from hits where coarse) as coarse
"""


def _answer(asked: Asked, question: Question) -> Answer:
    collection = asked.territory.collection(question.collection)
    values: dict[str, Any] = {}
    if question.area is not None:
        values["area"] = json.dumps(inputs.polygon(asked.tx, question.area))
    subject = grounds.source(collection, prefix="s_", schematic=question.schematic, area=question.area is not None)
    looked = grounds.ground(asked.tx, subject, **values)
    by = _zones(asked, question, collection)
    _bounded(asked, question, subject, values)
    sql = _ROWS.format(
        first=by.first,
        zone=by.zone,
        year=_year(collection) if question.by_year else "null::integer",
        coarse=by.coarse,
        piece=by.piece if collection.kind.geometry != "Point" else "null::geometry",
        columns="".join(f', f."{name}"' for name in _summed(collection)),
        sources=by.sources.format(kind=subject.kind),
        where=subject.counted,
        solid=" and not ST_IsEmpty(piece)" if collection.kind.geometry != "Point" else "",
        size=_size(collection),
        sums="".join(f', sum("{name}") as "{name}", count("{name}") as "{name}_known"' for name in _summed(collection)),
        most=MAXIMUM_ROWS,
        names=by.names,
    )
    row = asked.tx.exec_driver_sql(sql, {**subject.values, **by.values, **values}).one()
    rows = row.rows or []
    if len(rows) > MAXIMUM_ROWS:
        raise TooMuch(f"the answer has more than {MAXIMUM_ROWS} rows: ask by larger zones")
    used = [_ground(subject, looked, row.tally or [], row.coarse)]
    used += [grounds.ground(asked.tx, one, **one.values) for one in by.used]
    about = {"collection": collection.id, "by": question.by, "by_year": question.by_year, **grounds.resting(used)}
    return written.features("summary", written.rows((one.pop("geometry"), _rounded(one)) for one in rows), about=about)


def _ground(subject: Source, looked: Ground, tally: Sequence[Any], coarse: int) -> Ground:
    """What counts lies in some zone; what lies in none, or nobody knows in which, is left out, and told."""
    counted = grounds.tallied(replace(subject, schematic=True), tally)
    out = {**looked.left_out, "coarser_than_the_zones": coarse, "in_no_zone": looked.counted - counted.counted - coarse}
    return replace(counted, looked_at=looked.looked_at, left_out=out)


def _zones(asked: Asked, question: Question, collection: Collection) -> Zones:
    given = (question.zones is not None) + (question.areas is not None)
    if given != (question.by == "areas"):
        message = "must have either zones or areas where it is by areas, and neither otherwise"
        raise BadInput(Problem(pointer="/inputs", message=message))
    if question.areas is not None:
        return zones.drawn(asked, collection, question.areas)
    if question.zones is not None:
        return zones.stored(asked, collection, question.zones, schematic=question.schematic)
    if question.by == "commune":
        return zones.communes(asked, collection, schematic=question.schematic)
    return zones.cells(collection, zones.CELLS[question.by]) if question.by in zones.CELLS else zones.whole()


def _bounded(asked: Asked, question: Question, subject: Source, values: Mapping[str, Any]) -> None:
    """Cutting a country into squares is refused before it is begun."""
    side = zones.CELLS.get(question.by)
    if side is None or subject.collection.kind.geometry == "Point":
        return
    sql = zones.GRID.format(side=side, kind=subject.kind, where=subject.counted)
    if (asked.tx.exec_driver_sql(sql, {**subject.values, **values}).scalar() or 0) > zones.MAXIMUM_CELLS:
        raise TooMuch(f"this meets more than {zones.MAXIMUM_CELLS} cells: ask about a smaller area, or by larger cells")


def _summed(collection: Collection) -> list[str]:
    """Only of points: the kW of a line that is cut are nobody's."""
    return [one.name for one in collection.kind.summables] if collection.kind.geometry == "Point" else []


def _size(collection: Collection) -> str:
    found = SIZES.get(str(collection.kind.geometry))
    return f", sum({found[1]}) as {found[0]}" if found else ""


def _year(collection: Collection) -> str:
    columns = {one.name for one in collection.kind.columns}
    return (
        "coalesce(f.year, extract(year from f.since)::integer)"
        if "year" in columns
        else "extract(year from f.since)::integer"
    )


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Sums of decimals differ in their last digits by the order in which they are added."""
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in row.items()}


SUMMARY = Verb(
    id="summary",
    title=words("Bilan", "Summary", "Übersicht"),
    description=words(
        "Nombres, longueurs, surfaces et puissances d’une collection, par commune, par maille INSPIRE, par surface et par année.",
        "Counts, lengths, areas and powers of a collection, by commune, by INSPIRE cell, by area and by year.",
        "Anzahlen, Längen, Flächen und Leistungen einer Sammlung, nach Gemeinde, INSPIRE-Zelle, Fläche und Jahr.",
    ),
    inputs=Question,
    output=Output(name="features", title=words("Lignes", "Rows", "Zeilen"), schema=FEATURES),
    answer=_answer,
)
