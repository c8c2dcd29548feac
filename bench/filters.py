"""Contests of filters: one of each class of operators, put as the same CQL2 text to the service and to the peer."""

from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import quote

from bench.contests import Contest, Stage, peer_run
from bench.measure import driven
from bench.questions import LISTED, boxes
from geo.space import Bbox

LIMIT = 100


def filters(stage: Stage) -> Iterator[Contest]:
    """Those that an index serves, and those that none does."""
    for id, title, texts in _asked(stage):
        yield _contest(stage, id, title, texts)


def _asked(stage: Stage) -> Iterator[tuple[str, str, list[str]]]:
    communes = [f"62{number:03}" for number in (528, 510, 119, 427, 498, 413)]
    around = boxes(stage.scene, 0.001)
    yield "comparison", "commune = ...", [f"commune = '{code}'" for code in communes]
    yield "in", "commune IN (...)", [f"commune IN ('{a}','{b}')" for a, b in pairwise(communes)]
    yield "spatial", "S_INTERSECTS(geom, POLYGON) of 0.1 %", [f"S_INTERSECTS(geom,{_polygon(box)})" for box in around]
    yield "rare", "power_kw > 30", ["power_kw > 30"]
    yield "between", "year BETWEEN 2015 AND 2016", ["year BETWEEN 2015 AND 2016"]
    yield "like", "name LIKE 'Toiture solaire 77%'", ["name LIKE 'Toiture solaire 77%'"]
    if not stage.quick:
        yield "casei", "CASEI(name) LIKE CASEI('%LOOS-EN%')", ["CASEI(name) LIKE CASEI('%LOOS-EN%')"]
        yield "arithmetic", "power_kw * 2 > 60", ["power_kw * 2 > 60"]


def _polygon(box: Bbox) -> str:
    west, south, east, north = box.west, box.south, box.east, box.north
    return f"POLYGON(({west} {south},{east} {south},{east} {north},{west} {north},{west} {south}))"


def _contest(stage: Stage, id: str, title: str, texts: list[str]) -> Contest:
    kind, texts = stage.collection.kind, texts[:LISTED]
    names = ",".join(column.name for column in kind.public)
    own = [text.replace("(geom,", "(geometry,") for text in texts]
    base = "/collections/territory.installations/items"
    return Contest(
        f"filter-{id}",
        f"filter {title}, {LIMIT} features",
        {
            "cold": driven(
                stage.base,
                stage.servers["cold"],
                [f"/collections/installations/items?f=geojson&limit={LIMIT}&filter={quote(text)}" for text in own],
                2,
            ),
            "peer": peer_run(
                stage,
                [
                    f"{base}?f=geojson&limit={LIMIT}&properties={names}&filter-lang=cql2-text&filter={quote(text)}"
                    for text in texts
                ],
            ),
        },
    )
