"""Asking a question as a process does, over data that a test puts there."""
# Points are starred, and pyproj transforms arrays as well as numbers:
# pyright: reportArgumentType=false, reportCallIssue=false

import json
from typing import Any

from geo.collections import Collection, Territory
from geo.kinds import KINDS
from geo.planning.question import Asked
from geo.planning.questions import question

COMMON = "source_key, name, source, licence, position, position_accuracy_m"
OTHERS = {"installations": {"technology": "photovoltaic"}}
CATEGORY = {"areas": "park", "paths": "greenway", "places": "other", "heritage": "estate", "buildings": "new"}


def collection(kind: str, **filter: Any) -> Collection:
    """A collection of all rows of a kind, named after it."""
    return Collection(
        id=kind, kind=KINDS[kind], filter=filter, title={}, description={}, colour="#000000", visible=True
    )


WORLD = Territory(
    pack="", body={"languages": ["fr"]}, collections={kind: collection(kind) for kind in KINDS}, versions={}
)


def put(database, kind: str, shapes, *, position: str = "surveyed", accuracy: float | None = 5, **columns: Any) -> None:
    """Rows of these shapely geometries, and nothing else in the kind."""
    category = {"category": CATEGORY[kind]} if kind in CATEGORY else OTHERS.get(kind, {})
    own = {**category, **columns}
    multi = "" if KINDS[kind].geometry == "Point" else "ST_Multi"
    with database.superuser() as connection:
        connection.execute("set search_path = territory, public")
        connection.execute(f"truncate territory.{kind} cascade")
        names = ", ".join(own)
        connection.cursor().executemany(
            f"insert into territory.{kind} ({COMMON}, {names}, geom) values "
            f"(%s, %s, 's', 'l', %s, %s, {', '.join(['%s'] * len(own))}, {multi}(ST_GeomFromText(%s, 4326)))",
            [
                [
                    f"k{n}",
                    f"n{n}",
                    position,
                    accuracy,
                    *(value[n] if isinstance(value, list) else value for value in own.values()),
                    shape.wkt,
                ]
                for n, shape in enumerate(shapes)
            ],
        )


def ask(database, id: str, territory: Territory = WORLD, **inputs: Any) -> dict[str, Any]:
    """The answer of question `id`, checked as a process checks it."""
    verb = question(id)
    read = verb.read(json.loads(json.dumps(inputs)))
    verb.check(read, territory)
    with database.db.read_long() as tx:
        return json.loads(verb.answer(Asked(tx=tx, territory=territory, lang=None), read).text)
