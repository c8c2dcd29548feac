"""What an answer rests on: how many features were looked at, which were left out and why, and how exact the rest are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import Connection

from geo.collections import Collection
from geo.errors import TooMuch
from geo.filters import spelled
from geo.planning.report import Origin

SCHEMATIC = "schematic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One collection as an answer used it. Accuracies are metres, as the sources state them.

    `accuracy_m` is the worst that any feature counted states; `unstated` is how many state none.
    """

    collection: str
    looked_at: int
    counted: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    by_position: Mapping[str, int] = field(default_factory=dict)
    accuracy_m: float | None = None
    unstated: int = 0

    def as_json(self) -> dict[str, Any]:
        """As answers carry it."""
        return {
            "collection": self.collection,
            "looked_at": self.looked_at,
            "counted": self.counted,
            "left_out": [{"reason": reason, "count": count} for reason, count in self.left_out.items() if count],
            "by_position": dict(self.by_position),
            "accuracy_m": self.accuracy_m,
            "accuracy_unstated": self.unstated,
        }


def resting(grounds: Iterable[Ground]) -> dict[str, Any]:
    """The member of an answer that says what it rests on: each ground once, and how far a number of it may be off.

    A distance between two collections is off by both, at worst by those two that are the least exact.
    """
    used: list[Ground] = []
    for one in grounds:
        if one not in used:
            used.append(one)
    stated = sorted((one.accuracy_m for one in used if one.accuracy_m is not None), reverse=True)
    return {
        "grounds": [one.as_json() for one in used],
        "accuracy_m": round(sum(stated[:2]), 1) if stated else None,
        "accuracy_unstated": sum(one.unstated for one in used),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A collection narrowed to what a question counts, as SQL over its table `f`."""

    collection: Collection
    where: str
    values: Mapping[str, Any]
    schematic: bool

    @property
    def kind(self) -> str:
        """The table's name."""
        return self.collection.kind.id

    @property
    def counted(self) -> str:
        """SQL that is true of the rows that count."""
        return self.where if self.schematic else f"({self.where} and f.position <> '{SCHEMATIC}')"


_AREA = "ST_Intersects(f.geom, ST_SetSRID(ST_GeomFromGeoJSON(%(area)s), 4326))"


def source(collection: Collection, *, prefix: str, schematic: bool, area: bool = False) -> Source:
    """The collection's rows, of which schematic lines and areas count only if asked for; a point's place is its own.

    `area` narrows to what meets the parameter `area`, a GeoJSON text.
    """
    where, values = spelled(collection.condition(), prefix)
    narrowed = f"({where} and {_AREA})" if area else f"({where})"
    drawn = collection.kind.geometry != "Point"
    return Source(collection=collection, where=narrowed, values=values, schematic=schematic or not drawn)


MAXIMUM_POINTS, MAXIMUM_SHAPES, MAXIMUM_VERTICES = 2_000_000, 50_000, 3_000_000
"""Points of a collection, its lines or areas, and their vertices, that one question looks at."""

_GROUND = """
select f.position, count(*) as n, max(f.position_accuracy_m) as worst,
       count(*) filter (where f.position_accuracy_m is null) as unstated, {vertices} as vertices
from territory.{kind} f where {where} group by f.position order by f.position
"""


def ground(tx: Connection, used: Source, **values: Any) -> Ground:
    """Count what a question looks at; values are those that its area takes. TooMuch names the bound that is passed."""
    points = used.collection.kind.geometry == "Point"
    sql = _GROUND.format(kind=used.kind, where=used.where, vertices="0" if points else "sum(ST_NPoints(f.geom))")
    rows = tx.exec_driver_sql(sql, {**used.values, **values}).all()
    bounded(used, sum(row.n for row in rows))
    if (vertices := sum(row.vertices for row in rows)) > MAXIMUM_VERTICES:
        raise TooMuch(f"{used.collection.id} has {vertices} vertices there, more than {MAXIMUM_VERTICES}")
    return tallied(used, [(row.position, row.n, row.worst, row.unstated) for row in rows])


def bounded(used: Source, found: int) -> None:
    """TooMuch where so many features are more than one question looks at."""
    most = MAXIMUM_POINTS if used.collection.kind.geometry == "Point" else MAXIMUM_SHAPES
    if found > most:
        raise TooMuch(f"{used.collection.id} has {found} features there, more than the {most} of one question")


def tallied(used: Source, rows: Sequence[tuple[str, int, float | None, int]]) -> Ground:
    """The ground from counts that a question made itself: position, how many, worst accuracy, how many state none."""
    kept = [row for row in rows if used.schematic or row[0] != SCHEMATIC]
    looked_at, counted = sum(row[1] for row in rows), sum(row[1] for row in kept)
    return Ground(
        collection=used.collection.id,
        looked_at=looked_at,
        counted=counted,
        left_out={SCHEMATIC: looked_at - counted},
        by_position={row[0]: row[1] for row in kept},
        accuracy_m=max((row[2] for row in kept if row[2] is not None), default=None),
        unstated=sum(row[3] for row in kept),
    )


_ORIGINS = """
select f.source, f.source_url as url, f.licence, max(f.source_date)::text as latest, count(*) as items
from territory.{kind} f where {where} group by 1, 2, 3 order by items desc, f.source limit {most}
"""
MAXIMUM_ORIGINS = 20
"""Sources of one collection that are named, those of most items first."""


def origins(tx: Connection, one: Collection) -> list[Origin]:
    """The sources that the items of a collection name, with licence and latest date."""
    where, values = spelled(one.condition())
    rows = tx.exec_driver_sql(_ORIGINS.format(kind=one.kind.id, where=where, most=MAXIMUM_ORIGINS), values)
    return [Origin(collection=one.id, **row) for row in rows.mappings()]
