"""Whatever stands in a pack's files is a finding or is loaded: never a traceback, never a refusal by the database."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from seed import pack
from tests.conftest import Territory
from tests.seed.conftest import Files, Write, files

ODD: list[Any] = [
    None, True, 0, -1, 1e308, float("nan"), "", "x" * 300, [], {}, [[]], [None], {"a": 1}, "\x00", "\ud800", "1e5", [1, 2],
    10**30, {"en": None}, {"en": {"name": 5}}, {"en": 5},
]  # fmt: skip
SIGNS = [*'{}[]",;=\n\x00\t0-#é', "[[", "= [1]\n", "\r", "a.b = 1\n", "nan", "1979-05-27"]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to everything in a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, part in items for deeper in places(part, (*path, key)))]


def spoilt(value: Any, chance: random.Random) -> Any:
    """JSON with one of its values replaced, or a text with a few characters replaced, lost or added."""
    if isinstance(value, str):
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(value) + 1)
            value = value[:at] + chance.choice([*SIGNS, ""]) + value[at + chance.choice([0, 0, 1, 20]) :]
        return value
    path = chance.choice(places(value))
    if not path:
        return chance.choice(ODD)
    inner = value
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = chance.choice(ODD)
    return value


def put(folder: Path, content: Files) -> None:
    """Write the files, half characters and all."""
    for name, value in content.items():
        text = value if isinstance(value, str) else json.dumps(value, indent=1)
        (folder / name).write_bytes(text.encode("utf-8", "surrogatepass"))


def test_spoilt_files_never_raise(tmp_path: Path):
    """A hundred and fifty packs, each with one to three places spoilt; what is found can be printed."""
    chance = random.Random(2026)
    found = 0
    for _ in range(150):
        content = files()
        for _ in range(chance.randint(1, 3)):
            name = chance.choice(list(content))
            content[name] = spoilt(content[name], chance)
        put(tmp_path, content)
        found += bool([str(one).encode() for one in pack.read(tmp_path).findings])
    assert found > 100


RING = [[2.75, 50.43], [2.76, 50.43], [2.76, 50.44], [2.75, 50.43]]


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[]]},
        {"type": "Polygon", "coordinates": [RING, []]},
        {"type": "Polygon", "coordinates": [[RING[0]] * 4]},
        {"type": "MultiPolygon", "coordinates": [[]]},
        {"type": "MultiPolygon", "coordinates": [[RING], []]},
        {"type": "MultiPolygon", "coordinates": [[RING], [RING]]},
        {"type": ["Polygon"], "coordinates": [RING]},
        {"type": "Polygon", "coordinates": [[*RING[:3], [2.75, None]]]},
        {"coordinates": [RING]},
        [RING],
        5,
    ],
    ids=str,
)
def test_a_geometry_that_the_tables_refuse_is_one_finding(write: Write, geometry: Any):
    """Empty parts, rings of one point, parts that overlap, values of the wrong type."""
    content = files()
    content["areas.geojson"]["features"][0]["geometry"] = geometry
    (finding,) = pack.read(write(content)).findings
    assert str(finding).startswith("areas.geojson, feature 1 (ring), line 4: ")


def test_heights_are_taken_and_not_kept(write: Write, database: Territory):
    """GPS receivers and QGIS write them; the tables are flat."""
    content = files()
    content["areas.geojson"]["features"][0]["geometry"] = {
        "type": "MultiPolygon",
        "coordinates": [[[[*position, 31.5] for position in RING]]],
    }
    content["places.geojson"]["features"][0]["geometry"]["coordinates"] = [2.79, 50.46, 74]
    pack.load(database.db, write(content))
    assert database.scalar("select count(*) from territory.places where ST_NDims(geom) = 2") == 2
    assert database.scalar("select ST_AsText(geom) from territory.areas").startswith("MULTIPOLYGON(((2.75 50.43,")
