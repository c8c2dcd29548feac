"""Nearby: which features of some collections lie within a distance of a place, nearest first."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le
from pydantic import Strict
from sqlalchemy.engine import Connection

from geo.collections import Collection
from geo.columns import words
from geo.filters import spelled
from geo.planning import grounds, inputs, written
from geo.planning.grounds import Ground, Source
from geo.planning.question import FEATURES, Answer, Asked, Output, Titled, Verb
from geo.writing import feature

MAXIMUM_FEATURES = 1_000
DEFAULT_FEATURES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to look for, and around what: a GeoJSON geometry or an item."""

    __pydantic_config__: ClassVar[Any] = inputs.STRICT
    collections: Annotated[inputs.CollectionIds, Titled(words("Collections", "Collections", "Sammlungen"))]
    distance: Annotated[
        inputs.Distance, Titled(words("Distance en mètres", "Distance in metres", "Entfernung in Metern"))
    ]
    geometry: Annotated[
        inputs.Geometry | None, Titled(words("Lieu, en GeoJSON", "Place, as GeoJSON", "Ort, als GeoJSON"))
    ] = None
    feature: Annotated[inputs.ItemReference | None, Titled(words("ou un objet", "or an item", "oder ein Objekt"))] = (
        None
    )
    limit: Annotated[
        int, Strict(), Ge(1), Le(MAXIMUM_FEATURES), Titled(words("Nombre maximal", "At most", "Höchstens"))
    ] = DEFAULT_FEATURES


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearby:
    """The answer: Feature texts joined by commas, how many they are, whether more lie within, and what it rests on."""

    features: str
    returned: int
    more: bool
    grounds: Sequence[Ground]


# Each collection is asked through its own geography index; the distances are then sorted together. The place stands in the
# statement itself, and not beside it, so that helpers may share the work.
_PLACE = "ST_GeomFromGeoJSON(%(place)s)::geography"
_ONE = """
select {n} as source, %(id{n})s as collection, f.id, f.position, f.position_accuracy_m as accuracy,
       ST_Distance(f.geom::geography, {place}) as metres, {feature} as feature
from territory.{kind} f
where {where} and ST_DWithin(f.geom::geography, {place}, %(distance)s)
order by metres, f.id limit %(limit)s + 1
"""
_ALL = """
with found as ({parts}),
nearest as (
  select *, row_number() over (order by metres, collection, id) as n from found order by metres, collection, id limit %(limit)s + 1
),
kept as (select source, position, count(*) as n, max(accuracy) as worst, count(*) - count(accuracy) as unstated
         from nearest where n <= %(limit)s group by source, position)
select string_agg(
         left(feature, -2) || ',"collection":' || to_json(collection) || ',"distance_m":' || round(metres::numeric, 2) || '}}}}',
         ',' order by n) filter (where n <= %(limit)s) as features,
       count(*) as found,
       (select json_agg(json_build_array(source, position, n, worst, unstated) order by source, position) from kept) as kept
from nearest
"""


def nearby(
    tx: Connection,
    place: dict[str, Any],
    collections: Sequence[Collection],
    *,
    distance_m: float,
    limit: int,
    lang: str | None,
) -> Nearby:
    """Features within `distance_m` metres (on the ellipsoid) of a GeoJSON geometry, with `distance_m` among their properties.

    Features at a cell count at its middle, the only position of theirs that is public.
    """
    parts, values = [], {"place": json.dumps(place), "distance": distance_m, "limit": limit}
    for n, one in enumerate(collections):
        where, own = spelled(one.condition(), prefix=f"c{n}_")
        values |= own | {f"id{n}": one.id}
        text = feature(one.kind.id, lang)
        parts.append("(" + _ONE.format(n=n, kind=one.kind.id, place=_PLACE, feature=text, where=where) + ")")
    row = tx.exec_driver_sql(_ALL.format(parts=" union all ".join(parts)), values).one()
    rows: dict[int, list[Any]] = {n: [] for n in range(len(collections))}
    for n, *counts in row.kept or ():
        rows[n].append(counts)
    return Nearby(
        features=row.features or "",
        returned=min(row.found, limit),
        more=row.found > limit,
        grounds=[_ground(one, rows[n]) for n, one in enumerate(collections)],
    )


def _ground(one: Collection, rows: Sequence[Any]) -> Ground:
    """All that lie within count, schematic ones too: they are shown as what they are, and nothing is added up."""
    return grounds.tallied(Source(collection=one, where="", values={}, schematic=True), rows)


def _answer(asked: Asked, question: Question) -> Answer:
    place = inputs.place(asked, question.geometry, question.feature)
    ids = list(dict.fromkeys(question.collections))
    found = nearby(
        asked.tx,
        place,
        [asked.territory.collection(id) for id in ids],
        distance_m=question.distance,
        limit=question.limit,
        lang=asked.lang,
    )
    about = {
        "distance_m": question.distance,
        "place": place,
        "collections": ids,
        "more": found.more,
        "schematic": sum(one.by_position.get(grounds.SCHEMATIC, 0) for one in found.grounds),
        **grounds.resting(found.grounds),
    }
    return written.features("nearby", found.features, about=about, returned=found.returned)


NEARBY = Verb(
    id="nearby",
    title=words("À proximité", "Nearby", "In der Nähe"),
    description=words(
        "Les objets de collections choisies à moins d’une distance donnée d’un lieu, du plus proche au plus lointain. "
        "Les distances sont mesurées en mètres sur l’ellipsoïde.",
        "The features of chosen collections within a distance of a place, nearest first. Distances are metres on the ellipsoid.",
        "Die Objekte ausgewählter Sammlungen im Umkreis eines Ortes, das nächste zuerst. Entfernungen in Metern auf dem Ellipsoid.",
    ),
    inputs=Question,
    output=Output(name="features", title=words("À proximité", "Nearby", "In der Nähe"), schema=FEATURES),
    answer=_answer,
)
