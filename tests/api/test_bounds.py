"""What a question may ask at most: over each bound an answer that names it, and nothing but that."""

import pytest

from geo.planning import grounds, questions

PLACE = {"type": "Point", "coordinates": [2.79, 50.45]}


def square(side):
    """An area of so many degrees each way."""
    corners = [[2, 50], [2 + side, 50], [2 + side, 50 + side], [2, 50 + side], [2, 50]]
    return {"type": "Polygon", "coordinates": [corners]}


def collected(*geometries):
    """A FeatureCollection."""
    return {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": one} for one in geometries]}  # fmt: skip


LONG = {"type": "LineString", "coordinates": [[2 + n / 1e6, 50] for n in range(60_000)]}
BOUNDS = {
    "area": ("coverage", {"near": "gardens", "distance": 300, "area": square(3)}, 413, "20000 km²"),
    "features": ("coverage", {"near": "gardens", "distance": 300, "points": collected(*[PLACE] * 10_001)}, 413, "10000 features"),
    "vertices": ("nearby", {"collections": ["gardens"], "distance": 300, "geometry": {**LONG, "coordinates": LONG["coordinates"] * 2}}, 400, "100000"),
    "distance": ("nearby", {"collections": ["gardens"], "distance": 50_001, "geometry": PLACE}, 400, "50000"),
}  # fmt: skip


@pytest.mark.parametrize("bound", BOUNDS)
def test_a_bound_is_named(looker, bound):
    """By area, features, vertices and distance."""
    id, inputs, status, named = BOUNDS[bound]
    answer = looker.post(f"/processes/{id}/execution", json={"inputs": inputs})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert named in answer.text


def test_what_a_collection_may_hold_is_named(looker, monkeypatch):
    """Points, and lines or areas and their vertices: each by its own number."""
    inputs = {"near": "green-belt", "distance": 300, "collection": "eco-buildings", "schematic": True}
    for name, most, named in (("POINTS", 3, "the 3 of"), ("SHAPES", 2, "the 2 of"), ("VERTICES", 5, "more than 5")):
        with monkeypatch.context() as patched:
            patched.setattr(grounds, f"MAXIMUM_{name}", most)
            answer = looker.post("/processes/coverage/execution", json={"inputs": inputs})
        assert answer.status_code == 413
        assert named in answer.json()["detail"]


@pytest.mark.parametrize("part", ["answer", "report"])
def test_time_is_named(looker, monkeypatch, part):
    """PostgreSQL itself ends what takes too long, in an answer as in its report."""
    verb = questions.question("scenario")

    def slow(asked, *_):
        asked.tx.exec_driver_sql("set local statement_timeout = '100ms'")
        asked.tx.exec_driver_sql("select pg_sleep(20)")

    monkeypatch.setitem(questions.QUESTIONS, "scenario", type(verb)(**{**{name: getattr(verb, name) for name in verb.__dataclass_fields__}, part: slow}))  # fmt: skip
    inputs = {"geometry": PLACE, "collections": ["gardens"]}
    answer = looker.post("/processes/scenario/execution?f=html", json={"inputs": inputs}, headers={"Accept": "application/json"})  # fmt: skip
    assert answer.status_code == 413
    assert "s that a question may" in answer.text
