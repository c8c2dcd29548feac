"""Bad input: for every parameter a table of hostile values, and for each a 400 that names the parameter, not the value."""

import json

import pytest

from tests.declaring import body

ITEMS = "/collections/installations/items"
NEARBY = "/processes/nearby/execution"
ANYWHERE = {"collections": "solar", "lon": "2.79", "lat": "50.45", "distance": "300"}
SECRET = "x'; drop table territory.places; --<script>alert(1)</script>"

HOSTILE = {
    "limit": ["0", "-1", "1.5", "abc", "", " ", "1e3", "٣", "0x10", "1_000", "+5", "9" * 5000, "nan", "null", "1,2"],
    "bbox": [
        "", "1", "1,2,3", "1,2,3,4,5", "1,2,3,4,5,6,7", "a,b,c,d", "nan,0,1,1", "0,0,inf,1", "1e400,0,1,1", "0,0,1,-1",
        "-181,0,1,1", "0,0,181,1", "0,-91,1,1", "0,0,1,91", "0,0,5,1,1,4", "1 2 3 4", "1;2;3;4", "0,0,1,1_0", "١,0,1,1",
        "0,0,,1", "[0,0,1,1]",
    ],
    "datetime": [
        "", "yesterday", "2020", "2020-13-01", "2020-02-30", "2020-01-01T25:00:00Z", "2020-01-01T00:00:00", "../..", "/",
        "2020-01-02/2020-01-01", "2020-01-01/2020-01-02/2020-01-03", "٢٠٢٠-01-01", "0000-01-01", "2020-01-01 00:00:00Z",
        "99999-01-01", "2020-01-01/x",
    ],
    "cursor": ["", "x", "e30", "bnVsbA", "eyJhZnRlciI6LTF9", "eyJhZnRlciI6dHJ1ZX0", "eyJhZnRlciI6MWU5OTl9", "W1tbW1tb", "é"],
    "lang": ["", "xx", "fr,en", "FR", "../../etc/passwd"],
    "f": ["", "xml", "HTML", "../x"],
    "crs": ["", "EPSG:2154", "http://www.opengis.net/def/crs/EPSG/0/999999"],
    "bbox-crs": ["", "x"],
    "technology": ["", "nuclear", "photovoltaic,solar_thermal", "PHOTOVOLTAIC"],
    "power_kw": ["", "x", "nan", "1e400", "1_0", "--1", "0x1"],
    "year": ["", "x", "2013.0", "9" * 12, "1e3"],
    "visitors_welcome": ["", "1", "yes", "TRUE"],
    "nonsense": ["1"],
    "geom": ["POINT(0 0)"],
    "dataset": ["x"],
    "location": ["x"],
    "__proto__": ["1"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in HOSTILE.items() for value in values])
def test_a_bad_parameter_is_named(looker, name, value):
    """400, problem+json, the parameter's name; private columns are as unknown as nonsense."""
    answer = looker.get(ITEMS, params={name: value}, headers={"Accept": "application/geo+json"})
    problem = answer.json()
    assert answer.status_code == 400, problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert name in [error["parameter"] for error in problem["errors"]]


@pytest.mark.parametrize(
    "name", ["name", "cell", "commune", "source_key", "limit", "bbox", "datetime", "cursor", "lang"]
)
@pytest.mark.parametrize(
    "value", [SECRET, "a\x00b", "%s%(x)s%n", "z" * 5000, "{{7*7}}", "\ud83d\ude00"[:0] + "😀" * 100]
)
def test_no_value_is_echoed_run_or_fatal(looker, name, value):
    """Whatever text a parameter holds, the answer is an empty page or a 400 that does not repeat it."""
    answer = looker.get(ITEMS, params={name: value}, headers={"Accept": "application/geo+json"})
    assert answer.status_code in (200, 400)
    if answer.status_code == 200:
        assert answer.json()["features"] == []
    else:
        assert value not in answer.text
    assert looker.get("/collections/landmarks/items").json()["numberMatched"] > 0


@pytest.mark.parametrize(
    "query", ["limit=1&limit=2", "f=json&f=geojson", "bbox=0,0,1,1&bbox=0,0,2,2", "lang=fr&lang=en"]
)
def test_a_parameter_given_twice_is_refused(looker, query):
    """Which of the two would count is anybody's guess."""
    answer = looker.get(f"{ITEMS}?{query}", headers={"Accept": "application/geo+json"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"] == "is given more than once"


@pytest.mark.parametrize("query", ["%", "%zz=1", "%00=1", "a" * 3000, "&&&", "=", "%ff%fe=%ff", "?", "limit=%ff"])
def test_mangled_queries_are_refused_or_empty(looker, query):
    """Percent signs, NULs and broken UTF-8 in names and values."""
    assert looker.get(f"{ITEMS}?{query}").status_code in (200, 400)


def test_all_problems_at_once(looker):
    """One answer names all that is wrong."""
    answer = looker.get(ITEMS, params={"limit": "0", "bbox": "x", "technology": "nuclear", "zzz": "1"})
    assert {error["parameter"] for error in answer.json()["errors"]} == {"limit", "bbox", "technology", "zzz"}


NEARBY_HOSTILE = {
    "collections": ["", ",", "nothing", "solar,,", "figures", "solar,nothing", ",".join(["solar"] * 60)],
    "lon": ["", "x", "181", "nan", "1e400"],
    "lat": ["", "x", "-86", "91", "inf"],
    "distance": ["", "0", "-1", "x", "50001", "nan", "1e400"],
    "limit": ["0", "x"],
    "feature": ["", "solar", "solar/x", "/1", "solar/-1", "solar/1/2"],
    "zzz": ["1"],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in NEARBY_HOSTILE.items() for v in values])
def test_nearby_names_the_bad_parameter(looker, name, value):
    """The planners' simple form is as strict."""
    answer = looker.get(NEARBY, params={**ANYWHERE, name: value})
    assert answer.status_code == 400
    assert name in {error.get("parameter") for error in answer.json()["errors"]}


def test_nearby_names_what_is_missing(looker):
    """Nothing given: everything is asked for at once."""
    errors = looker.get(NEARBY).json()["errors"]
    assert {error["parameter"] for error in errors} == {"collections", "distance", "lon", "lat"}


GEOMETRIES = [
    None, 3, "POINT(0 0)", [], {}, {"type": "Point"}, {"type": "Circle", "coordinates": [0, 0]},
    {"type": "Point", "coordinates": [200, 0]}, {"type": "Point", "coordinates": [0]},
    {"type": "Point", "coordinates": ["a", "b"]}, {"type": "Point", "coordinates": [True, False]},
    {"type": "Point", "coordinates": {"x": 1}}, {"type": "LineString", "coordinates": []},
    {"type": "LineString", "coordinates": [[0, 0]]}, {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]},
    {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1]]]},
    {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]},
    {"type": "MultiPolygon", "coordinates": [[[0, 0]]]},
    {"type": "GeometryCollection", "geometries": []},
    {"type": "LineString", "coordinates": [[0, 0]] * 100_001},
    {"type": "Point", "coordinates": [10**400, 0]},
]  # fmt: skip


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=lambda value: str(value)[:50])
def test_bad_geometries_are_refused_with_their_place(looker, geometry):
    """Not GeoJSON, not on earth, empty, open, crossing itself, too many positions."""
    inputs = {"collections": ["solar"], "distance": 300, "geometry": geometry}
    answer = looker.post(NEARBY, json={"inputs": inputs})
    assert answer.status_code == 400, answer.text[:300]
    assert all(error["pointer"].startswith("/inputs") for error in answer.json()["errors"])


BODIES = [
    b"", b"{", b"null", b"[]", b"3", b'"x"', b"{}", b'{"technology":', b"\xff\xfe", b'{"a":' * 5000, b"[" * 100_000,
    b'{"technology":NaN}', b'{"power_kw":1e999}', b'{"\\ud800":1}', b'{"words":"\\ud800"}', b'{"year":' + b"9" * 5000 + b"}",
]  # fmt: skip


@pytest.mark.parametrize("path", ["/installations", NEARBY])
@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:20]))
def test_broken_bodies(looker, path, body):
    """Never a 500, never an echo; whatever it is that cannot be read, a list says where and what."""
    answer = looker.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"
    errors = answer.json()["errors"]
    assert errors
    assert all(error["message"] and ("pointer" in error) != ("parameter" in error) for error in errors)
    assert len(answer.content) < 10_000


@pytest.mark.parametrize("sent", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_bodies_are_json(looker, sent):
    """Anything else is told which type is meant."""
    answer = looker.post("/installations", content=b'{"technology": "wind"}', headers={"Content-Type": sent})
    assert answer.status_code == 415
    assert "application/json" in answer.json()["detail"]


def test_bodies_have_a_bound(looker):
    """By Content-Length before it is read, and while a chunked one is."""
    big = b'{"words":"' + b"x" * 12_000_000 + b'"}'
    answer = looker.post("/installations", content=big, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    chunks = (big[start : start + 65536] for start in range(0, len(big), 65536))
    answer = looker.post("/installations", content=chunks, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


DRAFT = body("photovoltaic")
FIELDS = {
    "technology": [None, 1, "", "nuclear", ["photovoltaic"]],
    "location": [None, {}, "2.79,50.45", {"type": "Point", "coordinates": [2.79]}, {"type": "Point", "coordinates": ["2", "50"]},
                 {"type": "Point", "coordinates": [True, True]}, {"type": "Point", "coordinates": [2.79, 50.45, 1]},
                 {"type": "LineString", "coordinates": [[2.79, 50.45]]}, {"type": "Point", "coordinates": [50.4583, 2.7942]},
                 {"type": "Point", "coordinates": [0, 0]}, {"type": "Point", "coordinates": [2.79, 50.45], "x": 1}],
    "power_kw": [0, -1, "3", True, 1e9, [3]],
    "year": [1, 3000, 2200, "2013", 2013.5, True],
    "precision": ["house", 1, True],
    "owner_kind": ["king", None, 1],
    "visitors_welcome": ["yes", 1, None],
    "words": [3, "x" * 1001, "a\x00b"],
    "address": [3, "x" * 301, "a\x00b"],
    "language": ["it", None],
    "exact_consent": ["yes", 1],
    "name": ["Jeanne Dupont"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in FIELDS.items() for v in values], ids=repr)
def test_a_bad_field_is_named(looker, shown, name, value):
    """Each field of a declaration: 400 with its pointer, and nothing is kept."""
    answer = looker.post(
        "/installations", content=json.dumps({**DRAFT, name: value}), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400, answer.text
    assert any(error["pointer"].startswith(f"/{name}") for error in answer.json()["errors"])
    assert "Dupont" not in answer.text
    assert shown.scalar("select count(*) from register.declarations") == 0
