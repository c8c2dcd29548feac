"""Scenario: what a proposed geometry touches, how far the rest is, and what it changes: before and after."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import StringConstraints

from geo.collections import Collection
from geo.columns import words
from geo.errors import BadInput, Problem
from geo.planning import coverage, grounds, inputs, network, scenario_report, written
from geo.planning.grounds import Ground
from geo.planning.nearby import nearby
from geo.planning.plane import plane
from geo.planning.question import FEATURES, Answer, Asked, Named, Output, Titled, Verb

TOUCHED = 1_000
FAR_M = float(inputs.MAXIMUM_DISTANCE_M)
"""How far the nearest item is sought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A proposal, what it may touch, and what it may change."""

    __pydantic_config__: ClassVar[Any] = inputs.STRICT
    geometry: Annotated[
        inputs.Geometry, Titled(words("Projet, en GeoJSON", "Proposal, as GeoJSON", "Vorhaben, als GeoJSON"))
    ]
    collections: Annotated[
        inputs.CollectionIds,
        Titled(words("Collections à regarder", "Collections to look at", "Zu prüfende Sammlungen")),
    ]
    covers: Annotated[
        Annotated[str, Named()] | None,
        Titled(words("Il s’ajoute à cette collection", "It adds to this collection", "Es ergänzt diese Sammlung")),
    ] = None
    covered: Annotated[
        Annotated[str, Named()] | None,
        Titled(words("dont la proximité compte pour", "whose nearness counts for", "deren Nähe zählt für")),
    ] = None
    distance: Annotated[
        inputs.Distance, Titled(words("Distance en mètres", "Distance in metres", "Entfernung in Metern"))
    ] = 300.0
    paths: Annotated[
        Annotated[str, Named(("MultiLineString",))] | None,
        Titled(words("Il relie ces chemins", "It joins these paths", "Es verbindet diese Wege")),
    ] = None
    schematic: inputs.Schematic = False
    title: Annotated[
        Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$")] | None,
        Titled(words("Nom du projet", "Name of the proposal", "Name des Vorhabens")),
    ] = None


_TOUCHES = """
with proposal as materialized (select ST_SetSRID(ST_GeomFromGeoJSON(%(added)s), 4326) as g)
select id, name, position, ST_Length(piece::geography) as length_m, ST_Area(piece::geography) as area_m2, ST_AsGeoJSON(piece, 7) as geometry
from (select f.id, f.name, f.position, ST_Intersection(f.geom, proposal.g) as piece
      from territory.{kind} f, proposal where {where} and ST_Intersects(f.geom, proposal.g) order by f.id limit {most}) one
"""
_ADDED_LINES = " union all select 1000000000000 + row_number() over (order by d.path), d.geom from ST_Dump(ST_SetSRID(ST_GeomFromGeoJSON(%(added)s), 4326)) d"
_SIZE = (
    "select ST_Length(g::geography) as length_m, ST_Area(g::geography) as area_m2 from ST_GeomFromGeoJSON(%(added)s) g"
)


def _answer(asked: Asked, question: Question) -> Answer:
    if (question.covers is None) != (question.covered is None):
        raise BadInput(Problem(pointer="/inputs", message="must have both covers and covered, or neither"))
    shape = inputs.geometry(asked.tx, question.geometry, "/inputs/geometry")
    if question.paths is not None and not shape["type"].endswith("LineString"):
        raise BadInput(Problem(pointer="/inputs/paths", message="can be joined by a line alone"))
    values = {"added": json.dumps(shape)}
    size = asked.tx.exec_driver_sql(_SIZE, values).one()
    collections = [asked.territory.collection(id) for id in dict.fromkeys(question.collections)]
    used: list[Ground] = []
    told: list[tuple[str | None, Mapping[str, Any]]] = []
    about: dict[str, Any] = {
        **({"title": question.title} if question.title else {}),
        "length_m": round(size.length_m, 2),
        "area_m2": round(size.area_m2, 2),
        "touches": [_touched(asked, one, values, question, used, told) for one in collections],
        "nearest": [_nearest(asked, one, shape) for one in collections],
    }
    if question.covers is not None and question.covered is not None:
        about["coverage"] = _coverage(asked, question, question.covers, question.covered, values, used)
    if question.paths is not None:
        about["connection"] = _connection(asked, question, question.paths, values, used)
    return written.features("scenario", written.rows(told), about={**about, **grounds.resting(used)})


def _touched(
    asked: Asked, one: Collection, values: Mapping[str, Any], question: Question, used: list[Ground], told: list[Any]
) -> dict[str, Any]:
    """The items of a collection that the proposal meets, and how much of each."""
    source = grounds.source(one, prefix="s_", schematic=question.schematic)
    used.append(grounds.ground(asked.tx, source))
    sql = _TOUCHES.format(kind=source.kind, where=source.counted, most=TOUCHED)
    rows = asked.tx.exec_driver_sql(sql, {**values, **source.values}).all()
    for row in rows:
        sizes = {"length_m": round(row.length_m, 2), "area_m2": round(row.area_m2, 2)}
        told.append(
            (row.geometry, {"collection": one.id, "item": row.id, "name": row.name, "position": row.position, **sizes})
        )
    area = round(sum(row.area_m2 for row in rows), 2)
    length = round(sum(row.length_m for row in rows), 2)
    return {
        "collection": one.id,
        "items": len(rows),
        "length_m": length,
        "area_m2": area,
        "more": len(rows) == TOUCHED,
    }


def _nearest(asked: Asked, one: Collection, shape: dict[str, Any]) -> dict[str, Any]:
    """The nearest item; one that nobody surveyed, too, told as what it is."""
    found = nearby(asked.tx, shape, [one], distance_m=FAR_M, limit=1, lang=asked.lang)
    if not found.returned:
        return {"collection": one.id, "item": None, "distance_m": None}
    feature = json.loads(found.features)
    told = feature["properties"]
    return {
        "collection": one.id,
        "item": feature["id"],
        "name": told["name"],
        "distance_m": told["distance_m"],
        "position": told["position"],
        "accuracy_m": told["position_accuracy_m"],
    }


def _coverage(
    asked: Asked, question: Question, covers: str, covered: str, values: Mapping[str, Any], used: list[Ground]
) -> dict[str, Any]:
    """Which share of one collection lies near another, without the proposal and with it."""
    near = grounds.source(asked.territory.collection(covers), prefix="n_", schematic=question.schematic)
    subject = grounds.source(asked.territory.collection(covered), prefix="s_", schematic=question.schematic)
    used += [grounds.ground(asked.tx, one) for one in (near, subject)]
    both = {**near.values, **subject.values, "distance": question.distance}
    before, after = coverage.change_of(asked.tx, subject, near, both, values)
    return {
        "covers": covers,
        "covered": covered,
        "distance_m": question.distance,
        "before": before.as_json(),
        "after": after.as_json(),
    }


def _connection(
    asked: Asked, question: Question, paths: str, values: Mapping[str, Any], used: list[Ground]
) -> dict[str, Any]:
    """The connected parts of a network, without the proposal and with it."""
    source = grounds.source(asked.territory.collection(paths), prefix="p_", schematic=question.schematic)
    ground = grounds.ground(asked.tx, source)
    used.append(ground)
    lines = network.LINES.format(kind=source.kind, where=source.counted)
    tolerance = network.finest(ground)
    given = {**source.values, **values, "tolerance": tolerance, "gap": tolerance}
    return {
        "tolerance_m": tolerance,
        "before": _joined(asked, lines, given),
        "after": _joined(asked, f"select * from ({lines}) stored{_ADDED_LINES}", given),
    }


def _joined(asked: Asked, lines: str, values: Mapping[str, Any]) -> dict[str, Any]:
    middle = plane(asked.tx, f"select ST_Extent(geom) from ({lines}) l", values)
    lengths: Sequence[float] = (
        [] if middle is None else list(network.connected(asked.tx, lines, middle, values)[0].values())
    )
    return {"parts": len(lengths), "length_m": round(sum(lengths), 2), "longest_m": round(max(lengths, default=0), 2)}


SCENARIO = Verb(
    id="scenario",
    title=words("Scénario", "Scenario", "Szenario"),
    description=words(
        "Ce qu’un projet dessiné touche, à quelle distance se trouve le reste, et ce qu’il change : couverture et liaisons, avant et après.",
        "What a drawn proposal touches, how far the rest is, and what it changes: coverage and connection, before and after.",
        "Was ein gezeichnetes Vorhaben berührt, wie weit der Rest entfernt ist und was es ändert: Abdeckung und Verbindung, vorher und nachher.",
    ),
    inputs=Question,
    output=Output(
        name="features", title=words("Ce qu’il touche", "What it touches", "Was es berührt"), schema=FEATURES
    ),
    answer=_answer,
    report=scenario_report.report,
)
