"""The answer to a question as a file: opened by GDAL it says what GeoJSON says, whatever the geometries are."""

import csv
import io
import math

import pytest
from pyogrio import raw

AREA = {"type": "Polygon", "coordinates": [[[2.77, 50.43], [2.81, 50.43], [2.81, 50.46], [2.77, 50.46], [2.77, 50.43]]]}
START, END = ({"type": "Point", "coordinates": place} for place in ([2.78, 50.44], [2.80, 50.45]))
GPKG = "application/geopackage+sqlite3"
QUESTIONS = {
    "coverage": {"near": "green-belt", "distance": 300, "area": AREA},
    "nearby": {"collections": ["gardens", "solar"], "distance": 2000, "geometry": AREA},
    "scenario": {"geometry": AREA, "collections": ["solar", "soft-mobility", "green-belt"], "schematic": True},
    "summary": {"collection": "solar"},
    "network": {"collection": "soft-mobility", "schematic": True, "gap": 5000.0, "start": START, "end": END},
}


def _known(value):
    """Arrays of numbers have no null of their own, but NaN."""
    return None if isinstance(value, float) and math.isnan(value) else value


@pytest.mark.parametrize("id", QUESTIONS)
def test_a_geopackage_says_what_the_answer_says(looker, tmp_path, id):
    """As many rows in the same order, the same values, its extent; by Accept and by `f`."""
    body = {"inputs": QUESTIONS[id]}
    told = looker.post(f"/processes/{id}/execution", json=body).json()["features"]
    assert told
    sent = looker.post(f"/processes/{id}/execution", json=body, headers={"Accept": GPKG})
    assert sent.status_code == 200, sent.text
    assert sent.headers["content-type"] == GPKG
    assert sent.headers["content-disposition"] == f'attachment; filename="{id}.gpkg"'
    (tmp_path / "answer.gpkg").write_bytes(sent.content)
    meta, _, shapes, columns = raw.read(tmp_path / "answer.gpkg")
    held = dict(zip(meta["fields"], columns, strict=True))
    assert len(held["id"]) == len(told)
    for name in ("name", "distance_m", "area_m2", "part", "what", "count", "collection"):
        if name in told[0]["properties"]:
            assert [one["properties"].get(name) for one in told] == [_known(value) for value in held[name]]
    drawn = [one["geometry"] for one in told if one["geometry"]]
    assert sum(one is not None for one in ([] if shapes is None else shapes)) == len(drawn)
    again = looker.post(f"/processes/{id}/execution?f=csv", json=body)
    assert again.headers["content-type"].startswith("text/csv")
    assert len(list(csv.DictReader(io.StringIO(again.text)))) == len(told)


def test_a_file_is_refused_where_it_would_not_be_one(looker):
    """No document around a file; none of an answer that is no features. By address a file is had, too."""
    body = {"inputs": QUESTIONS["summary"], "response": "document"}
    refused = looker.post("/processes/summary/execution?f=gpkg", json=body)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["pointer"] == "/response"
    assert looker.post("/processes/echo/execution?f=gpkg", json={"inputs": {"message": "x"}}).status_code == 400
    assert looker.get("/processes/summary/execution?collection=solar&f=gpkg").content.startswith(b"SQLite format 3")


def test_a_description_has_words_for_what_is_chosen_and_answered(looker):
    """Collections by their titles, choices in words, and terms with units: a form needs nothing else."""
    found = looker.get("/processes/overlay?lang=de").json()
    assert found["inputs"]["operation"]["schema"]["x-titles"].keys() == {"intersection", "difference"}
    titles = found["inputs"]["collection"]["schema"]["x-titles"]
    assert titles.keys() == set(found["inputs"]["collection"]["schema"]["enum"])
    terms = found["outputs"]["features"]["schema"]["x-terms"]
    assert terms["area_m2"] == {"title": "Fläche", "unit": "m²"}
    api = looker.get("/api?f=json").json()["paths"]["/processes/overlay/execution"]["post"]
    assert {GPKG, "text/csv", "application/geo+json"} <= api["responses"]["200"]["content"].keys()
