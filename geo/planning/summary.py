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
        inputs.Areas | None,
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


OWN = frozenset(("zone", "year", "count", "name"))
"""What a row of the answer says beside its sums."""

# One pass: what an answer rests on is counted in the same groups as the answer. Only where an item may lie in several zones
# are its parts kept, so that it is counted once. What meets a border only in a point has no length there, and no place.
_ROWS = """
with {first} {hits}
groups as materialized (
  select {keys}, year, position, unstated, coarse, count(*) as n, max(accuracy) as worst{sums} from {of} group by {keys}, year, position, unstated, coarse
),
totals as materialized (
  select {zone} as zone, year, sum(n) as count{totals} from groups where not coarse group by 1, 2 order by 1, 2 limit {most} + 1
),
tally as ({tally}),
numbered as (
  select row_number() over (order by totals.zone, totals.year) as number, names.geometry, row_to_json((select one from (
           select totals.zone, totals.year, totals.count{told}, names.name) one)) as properties
  from totals left join ({names}) names using (zone)
)
select (select count(*) from totals) as returned,
       (select string_agg('{{"type":"Feature","id":' || number || ',"geometry":' || coalesce(geometry, 'null') || ',"properties":' || properties || '}}',
                          ',' order by number) from numbered) as features,
       (select json_agg(json_build_array(position, coarse, n, worst, case when unstated then n else 0 end) order by position) from tally) as tally
"""
_HITS = """
select {keys}, {year} as year, f.position, f.position_accuracy_m as accuracy, f.position_accuracy_m is null as unstated, {coarse} as coarse{columns}
from {sources} where {where}"""
_ONCE = "select position, unstated, coarse, sum(n) as n, max(worst) as worst from groups group by 1, 2, 3"
# Compared byte by byte: by a language's rules, a million equal words take a second to sort.
_SEVERAL = """
select position collate "C" as position, unstated, coarse, count(distinct id) as n, max(accuracy) as worst from hits group by 1, 2, 3"""


def _answer(asked: Asked, question: Question) -> Answer:
    collection = asked.territory.collection(question.collection)
    values: dict[str, Any] = {}
    if question.area is not None:
        values["area"] = json.dumps(inputs.polygon(asked.tx, question.area))
    subject = grounds.source(collection, prefix="s_", schematic=question.schematic, area=question.area is not None)
    by = _zones(asked, question, collection)
    looked = None if by.partition else grounds.ground(asked.tx, subject, **values)
    _bounded(asked, question, subject, values)
    row = asked.tx.exec_driver_sql(_sql(question, subject, by), {**subject.values, **by.values, **values}).one()
    if row.returned > MAXIMUM_ROWS:
        raise TooMuch(f"the answer has more than {MAXIMUM_ROWS} rows: ask by larger zones")
    used = [_ground(subject, looked, row.tally or [])]
    used += [grounds.ground(asked.tx, one, **one.values) for one in by.used]
    about = {"collection": collection.id, "by": question.by, "by_year": question.by_year, **grounds.resting(used)}
    return written.features("summary", row.features or "", about=about, returned=row.returned)


def _sql(question: Question, subject: Source, by: Zones) -> str:
    collection = subject.collection
    measures = _measures(collection)
    hits = _HITS.format(
        keys=", ".join(f"{sql} as k{n}" for n, sql in enumerate(by.keys)),
        year=_year(collection) if question.by_year else "null::integer",
        coarse=by.coarse,
        columns=_columns(collection, by),
        sources=by.sources.format(kind=subject.kind),
        where=subject.counted,
    )
    if collection.kind.geometry != "Point":
        hits = f"select * from ({hits} offset 0) pieces where not ST_IsEmpty(piece)"
    return _ROWS.format(
        first=by.first,
        hits="" if by.partition else f"hits as materialized ({hits}),",
        of=f"({hits}) hits" if by.partition else "hits",
        keys=", ".join(f"k{n}" for n in range(len(by.keys))),
        sums="".join(f', {sql} as "{name}"' for name, sql in measures.items()),
        zone=by.zone,
        totals="".join(f', sum("{name}") as "{name}"' for name in measures),
        told="".join(f', {_rounded(name)} as "{name}"' for name in measures),
        tally=_ONCE if by.partition else _SEVERAL,
        names=by.names,
        most=MAXIMUM_ROWS,
    )


def _ground(subject: Source, looked: Ground | None, tally: Sequence[Any]) -> Ground:
    """What counts lies in some zone; what lies in none, or nobody knows in which, is left out, and told."""
    fine = [(position, *counts) for position, coarse, *counts in tally if not coarse]
    coarse = sum(n for _, is_coarse, n, *_ in tally if is_coarse)
    counted = grounds.tallied(replace(subject, schematic=True), fine)
    if looked is None:
        grounds.bounded(subject, counted.counted + coarse)
        return replace(counted, looked_at=counted.counted + coarse, left_out={"coarser_than_the_zones": coarse})
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
    return zones.cells(collection, zones.CELLS[question.by]) if question.by in zones.CELLS else zones.whole(collection)


def _bounded(asked: Asked, question: Question, subject: Source, values: Mapping[str, Any]) -> None:
    """Cutting a country into squares is refused before it is begun."""
    side = zones.CELLS.get(question.by)
    if side is None or subject.collection.kind.geometry == "Point":
        return
    sql = zones.GRID.format(side=side, kind=subject.kind, where=subject.counted)
    if (asked.tx.exec_driver_sql(sql, {**subject.values, **values}).scalar() or 0) > zones.MAXIMUM_CELLS:
        raise TooMuch(f"this meets more than {zones.MAXIMUM_CELLS} cells: ask about a smaller area, or by larger cells")


def _columns(collection: Collection, by: Zones) -> str:
    """What of a row is added up, and where it may be met again, by what it is known."""
    points = collection.kind.geometry == "Point"
    columns = "".join(f', f."{name}"' for name in _summed(collection)) if points else f", {by.piece} as piece"
    return columns if by.partition else f"{columns}, f.id"


def _measures(collection: Collection) -> dict[str, str]:
    """What is added up of each group, and how."""
    if (found := SIZES.get(str(collection.kind.geometry))) is not None:
        return {found[0]: f"sum({found[1]})"}
    return {
        column: sql
        for name in _summed(collection)
        for column, sql in ((_told(name), f'sum("{name}")'), (f"{name}_known", f'count("{name}")'))
    }


def _told(name: str) -> str:
    """A sum's name in the answer, where some names are already of something else: how many items there are is `count`."""
    return f"{name}_sum" if name in OWN else name


def _summed(collection: Collection) -> list[str]:
    """Only of points: the kW of a line that is cut are nobody's."""
    return [one.name for one in collection.kind.summables] if collection.kind.geometry == "Point" else []


def _year(collection: Collection) -> str:
    columns = {one.name for one in collection.kind.columns}
    return (
        "coalesce(f.year, extract(year from f.since)::integer)"
        if "year" in columns
        else "extract(year from f.since)::integer"
    )


def _rounded(name: str) -> str:
    """SQL: sums of decimals differ in their last digits by the order in which they are added."""
    return f'trim_scale(round(totals."{name}"::numeric, 3))'


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
