"""Network: what a collection of ways joins: length by kind, connected parts, dead ends, gaps, the shortest way.

Ways that come closer to each other than their data are exact count as joined, and where they cross they meet: whether
one passes above the other no source tells.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Gt, Le
from pydantic import Strict
from sqlalchemy.engine import Connection, Row

from geo.columns import words
from geo.errors import BadInput, Problem, TooMuch
from geo.planning import graph, grounds, inputs, written
from geo.planning.graph import Edge, Gap, Node
from geo.planning.grounds import Ground
from geo.planning.plane import Plane, plane
from geo.planning.question import FEATURES, Answer, Asked, Named, Output, Titled, Verb

MAXIMUM_EDGES = 200_000
MAXIMUM_PARTS = 2_000
SHOWN = 1_000
FINEST_M = 1.0
"""How near ways must come to be joined, where their sources state no accuracy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which ways, how near they must come to be joined, which gaps count, and between which two places to go."""

    __pydantic_config__: ClassVar[Any] = inputs.STRICT
    collection: Annotated[str, Named(("MultiLineString",)), Titled(words("Chemins", "Paths", "Wege"))]
    tolerance: Annotated[
        Annotated[float, Strict(), Gt(0), Le(5_000)] | None,
        Titled(
            words("Joints à moins de (m)", "Joined within (m)", "Verbunden bis (m)"),
            words(
                "Au moins l’exactitude des données ; sans valeur, exactement celle-ci.",
                "At least as much as the data are exact; without a value, just that.",
                "Mindestens so viel, wie die Daten genau sind; ohne Wert genau das.",
            ),
        ),
    ] = None
    gap: Annotated[
        float, Strict(), Gt(0), Le(10_000), Titled(words("Lacunes jusqu’à (m)", "Gaps up to (m)", "Lücken bis (m)"))
    ] = 200.0
    limit: Annotated[
        int, Strict(), Ge(1), Le(100), Titled(words("Nombre de lacunes", "How many gaps", "Wie viele Lücken"))
    ] = 10
    start: Annotated[inputs.Place | None, Titled(words("Départ", "From", "Von"))] = None
    end: Annotated[inputs.Place | None, Titled(words("Arrivée", "To", "Nach"))] = None
    area: inputs.Area = None
    schematic: inputs.Schematic = False


LINES = (
    "select row_number() over (order by f.id, d.path) as id, d.geom from territory.{kind} f "
    "cross join lateral ST_Dump(f.geom) d where {where}"
)
_LENGTHS = """
select f.category as kind, count(*) as n, sum(ST_Length(f.geom::geography)) as metres
from territory.{kind} f where {where} group by 1 order by 1
"""
_PARTS = """
with lines as materialized ({lines}),
flat as materialized (select id, ST_GeometryN(g, 1) as g from ({flat}) one),
clustered as materialized (
  select id, g, ST_ClusterDBSCAN(g, %(tolerance)s::float8, 1) over (order by id) as part from flat),
parts as materialized (
  select part, ST_Collect(g) as g, sum(ST_Length(lines.geom::geography)) as metres from clustered join lines using (id) group by part),
near as materialized (
  select a.part as one, b.part as other, ST_ShortestLine(a.g, b.g) as g
  from parts a join parts b on a.part < b.part and a.g && ST_Expand(b.g, %(gap)s::float8) and ST_DWithin(a.g, b.g, %(gap)s::float8)
  where (select count(*) from parts) <= {most}),
gaps as (
  select near.one, near.other, back.g from (select one, other, row_number() over (order by one, other) as n from near) near
  join (select (d).path[1] as n, (d).geom as g from ST_Dump({gaps_back}) d) back using (n))
select (select json_agg(json_build_array(part, metres) order by part) from parts) as parts,
       (select json_agg(json_build_array(one, other, ST_Length(g::geography), ST_AsGeoJSON(g, 7)) order by one, other) from gaps) as gaps
"""

# Snapped to the millimetre: where one line ends upon another, its end is seldom a number that lies upon it.
_EDGES = """
with lines as materialized ({lines}),
flat as materialized (select id, ST_GeometryN(g, 1) as g from ({flat}) one),
ends as (
  select id, geom, p.g from lines join flat using (id) cross join lateral (values (ST_StartPoint(flat.g)), (ST_EndPoint(flat.g))) p (g)
),
places as materialized (
  select n, ST_GeometryN({places}, n) as g from generate_series(1, %(places)s::integer) n),
joints as (
  select ST_ShortestLine(e.g, o.g) as g from ends e join flat o on o.id <> e.id and o.g && ST_Expand(e.g, %(tolerance)s::float8)
  where ST_Distance(e.g, o.g) between 1e-9 and %(tolerance)s::float8
  union all
  select ST_ShortestLine(a.g, b.g) from flat a join flat b on a.id < b.id and a.g && ST_Expand(b.g, %(tolerance)s::float8)
  where ST_Distance(a.g, b.g) between 1e-9 and %(tolerance)s::float8
),
accesses as materialized (
  select p.n, p.g as place, ST_ShortestLine(p.g, l.g) as g
  from places p cross join lateral (select flat.g from flat order by flat.g <-> p.g, flat.id limit 1) l),
noded as materialized (
  select (d).geom as g, row_number() over (order by (d).path) as n from (
    select ST_Dump(ST_UnaryUnion(ST_Collect(g), 0.001)) as d from (
      select g from flat union all select g from joints union all select g from accesses where ST_Length(g) > 1e-9) every) dumped),
back as materialized (select (d).path[1] as n, (d).geom as g from ST_Dump({back}) d)
select {x}(ST_StartPoint(noded.g)) as x1, {y}(ST_StartPoint(noded.g)) as y1, {x}(ST_EndPoint(noded.g)) as x2, {y}(ST_EndPoint(noded.g)) as y2,
       ST_Length(back.g::geography) as metres, ST_AsGeoJSON(back.g, 7) as geometry, null::float8 as access
from noded join back using (n)
union all
select x, y, n, 0, 0, null, access from (
  select n, round(ST_X(place) * 1000)::bigint as x, round(ST_Y(place) * 1000)::bigint as y, ST_Length(g) as access from accesses) place
limit {most} + 3
"""


def _answer(asked: Asked, question: Question) -> Answer:
    if (question.start is None) != (question.end is None):
        raise BadInput(Problem(pointer="/inputs", message="must have both a start and an end, or neither"))
    tx, collection = asked.tx, asked.territory.collection(question.collection)
    values: dict[str, Any] = {}
    if question.area is not None:
        values["area"] = json.dumps(inputs.polygon(tx, question.area))
    used = grounds.source(collection, prefix="s_", schematic=question.schematic, area=question.area is not None)
    values |= used.values
    ground = grounds.ground(tx, used, **values)
    tolerance = _tolerance(question, ground)
    kinds = tx.exec_driver_sql(_LENGTHS.format(kind=used.kind, where=used.counted), values).all()
    about = {
        "tolerance_m": tolerance,
        "length_m": round(sum(one.metres for one in kinds), 2),
        "by_kind": [{"kind": one.kind, "count": one.n, "length_m": round(one.metres, 2)} for one in kinds],
    }
    lines = LINES.format(kind=used.kind, where=used.counted)
    middle = plane(tx, f"select ST_Extent(geom) from ({lines}) l", values)
    values |= {"tolerance": tolerance, "gap": question.gap}
    told: list[tuple[str | None, Mapping[str, Any]]] = []
    if middle is not None:
        about |= _parts(tx, lines, middle, values, question.limit, told)
        about |= _ways(tx, lines, middle, values, question, told)
    about |= grounds.resting([ground])
    return written.features("network", written.rows(told), about=about)


def finest(ground: Ground) -> float:
    """How near ways must come at least to be joined, in metres."""
    return max(FINEST_M, ground.accuracy_m or 0)


def _tolerance(question: Question, ground: Ground) -> float:
    """How near ways must come to be joined: never less than their data are exact."""
    exact = finest(ground)
    if question.tolerance is None:
        return exact
    if ground.accuracy_m is not None and question.tolerance < ground.accuracy_m:
        message = f"must be at least {ground.accuracy_m:g}: the paths are known to no more than so many metres"
        raise BadInput(Problem(pointer="/inputs/tolerance", message=message))
    return question.tolerance


def connected(
    tx: Connection, lines: str, middle: Plane, values: Mapping[str, Any]
) -> tuple[dict[int, float], list[Gap]]:
    """The length of each connected part of the SQL `lines` (id, geom), and where two parts come within the gap.

    TooMuch if there are more than MAXIMUM_PARTS.
    """
    back = middle.back("(select ST_Collect(g order by one, other) from near)")
    sql = _PARTS.format(lines=lines, flat=middle.each("lines"), most=MAXIMUM_PARTS, gaps_back=back)
    row = tx.exec_driver_sql(sql, values).one()
    lengths = dict(row.parts or [])
    if len(lengths) > MAXIMUM_PARTS:
        raise TooMuch(f"the network falls into more than {MAXIMUM_PARTS} parts: ask about a smaller area")
    return lengths, [
        Gap(one=one, other=other, metres=metres, geometry=text) for one, other, metres, text in row.gaps or []
    ]


def _parts(
    tx: Connection, lines: str, middle: Plane, values: Mapping[str, Any], most: int, told: list[Any]
) -> dict[str, Any]:
    """The connected parts, the longest first, and the gaps between them."""
    lengths, gaps = connected(tx, lines, middle, values)
    for n, gap in enumerate(graph.closing(lengths, gaps, most=most), 1):
        told.append(
            (gap.geometry, {"what": "gap", "rank": n, "metres": round(gap.metres, 2), "joins_m": round(gap.joins_m, 2)})
        )
    ordered = sorted(lengths.values(), reverse=True)
    return {"parts": len(ordered), "part_lengths_m": [round(one, 2) for one in ordered[:100]], "gaps_found": len(gaps)}


def _ways(
    tx: Connection, lines: str, middle: Plane, values: Mapping[str, Any], question: Question, told: list[Any]
) -> dict[str, Any]:
    """Where ways end, and the shortest way between two places."""
    asked = [
        inputs.geometry(tx, place, f"/inputs/{name}", types=("Point",))
        for name, place in (("start", question.start), ("end", question.end))
        if place is not None
    ]
    edges, places = _edges(tx, lines, middle, values, asked)
    ends = list(graph.dead_ends(edges, shortest_m=values["tolerance"])) if not asked else []
    where = {node: point for edge in edges for node, point in _terminals(edge)}
    points = (json.dumps({"type": "Point", "coordinates": where[node]}) for node in ends[:SHOWN])
    told.extend((point, {"what": "dead end"}) for point in points)
    if not asked:
        return {"dead_ends": len(ends), "dead_ends_shown": min(len(ends), SHOWN)}
    (start, from_m), (end, to_m) = places
    way = graph.shortest(edges, start, end)
    if way is None:
        return {"way": None}
    coordinates = [json.loads(edge.geometry)["coordinates"] for edge in way]
    metres = round(sum(edge.metres for edge in way), 2)
    told.append(
        (json.dumps({"type": "MultiLineString", "coordinates": coordinates}), {"what": "way", "metres": metres})
    )
    return {
        "way": {
            "metres": metres,
            "of_which_to_the_path_m": round(from_m, 2),
            "of_which_from_the_path_m": round(to_m, 2),
        }
    }


def _terminals(edge: Edge) -> Iterator[tuple[Node, list[float]]]:
    coordinates = json.loads(edge.geometry)["coordinates"]
    yield edge.start, coordinates[0]
    yield edge.end, coordinates[-1]


def _edges(
    tx: Connection, lines: str, middle: Plane, values: Mapping[str, Any], asked: list[dict[str, Any]]
) -> tuple[list[Edge], list[tuple[Node, float]]]:
    """The ways between forks and ends, and the places asked for with how far they lie from the next way."""
    points = json.dumps({"type": "MultiPoint", "coordinates": [one["coordinates"][:2] for one in asked] or [[0, 0]]})
    sql = _EDGES.format(
        lines=lines,
        flat=middle.each("lines"),
        places=middle.there("ST_SetSRID(ST_GeomFromGeoJSON(%(asked)s), 4326)"),
        back=middle.back("(select ST_Collect(g order by n) from noded)"),
        x="1000 * ST_X",
        y="1000 * ST_Y",
        most=MAXIMUM_EDGES,
    )
    rows = tx.exec_driver_sql(sql, {**values, "asked": points, "places": len(asked)}).all()
    if len(rows) > MAXIMUM_EDGES + len(asked):
        raise TooMuch(f"the network has more than {MAXIMUM_EDGES} ways between forks: ask about a smaller area")
    edges = [_edge(row) for row in rows if row.geometry is not None]
    places = sorted((row.x2, ((int(row.x1), int(row.y1)), row.access)) for row in rows if row.geometry is None)
    return edges, [place for _, place in places]


def _edge(row: Row[Any]) -> Edge:
    return Edge(
        start=(round(row.x1), round(row.y1)),
        end=(round(row.x2), round(row.y2)),
        metres=row.metres,
        geometry=row.geometry,
    )


NETWORK = Verb(
    id="network",
    title=words("Réseau", "Network", "Netz"),
    description=words(
        "Un réseau de chemins : longueurs par type, parties reliées, impasses, plus court chemin, et les lacunes dont la "
        "fermeture relierait le plus.",
        "A network of paths: lengths by kind, connected parts, dead ends, the shortest way, and the gaps whose closing joins most.",
        "Ein Wegenetz: Längen nach Art, verbundene Teile, Sackgassen, der kürzeste Weg und die Lücken, deren Schluss am "
        "meisten verbindet.",
    ),
    inputs=Question,
    output=Output(name="features", title=words("Réseau", "Network", "Netz"), schema=FEATURES),
    answer=_answer,
)
