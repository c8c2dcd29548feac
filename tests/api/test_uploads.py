"""Uploading a drawing, and asking about it."""

import json

FILE = json.dumps(
    {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"name": "ici"},
                "geometry": {"type": "Point", "coordinates": [2.79, 50.44]},
            }
        ],
    }
).encode()


def test_a_drawing_goes_into_a_question(looker):
    """What comes back is what a question takes; nothing has to be kept between the two."""
    drawing = looker.post("/uploads", content=FILE)
    assert (drawing.status_code, drawing.headers["cache-control"]) == (200, "no-store")
    inputs = {"near": "gardens", "distance": 5000, "points": drawing.json()}
    answer = looker.post("/processes/coverage/execution", json={"inputs": inputs}).json()
    assert answer["coverage"]["total"] == 1


def test_what_is_wrong_is_named(looker):
    """The file, or the parameter; never the file's own words."""
    answer = looker.post("/uploads", content=b"<html>secret</html>")
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, "file")
    assert "secret" not in answer.text
    assert looker.post("/uploads?repair=maybe", content=FILE).json()["errors"][0]["parameter"] == "repair"
    assert looker.post("/uploads", content=b"x" * 12_000_000).status_code == 413
