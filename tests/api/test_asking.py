"""Parts 2, 3 and 5 of OGC API - Features, as requests: coordinate systems, filters, schemas, order, and what is left out."""

import json
import time

import pytest

from api.territory import CONFORMANCE, CQL2
from tests.api.conftest import client_of, heard
from tests.api.test_contract import GEOJSON, collections, rels, walk
from tests.geo.cql2.test_examples import EXAMPLES
from tests.geo.tiling import tile_of

EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
SHAFTS = "/collections/mine-shafts/items"
SOLAR = "/collections/installations/items"
PIT_11, PIT_19 = (2.788481, 50.443206), (2.789428, 50.443517)


def ids(answer):
    """The ids of a page, in its order."""
    assert answer.status_code == 200, answer.text
    return [feature["id"] for feature in answer.json()["features"]]


def pit(looker, name="11/19", place=PIT_11):
    """The id of the shaft at that place."""
    page = looker.get(SHAFTS, params={"limit": 1000}).json()
    return next(one["id"] for one in page["features"] if one["geometry"]["coordinates"] == list(place))


# --- Part 2 ---


@pytest.mark.parametrize(
    ("crs", "eleven", "nineteen", "off"),
    [
        (CRS84, PIT_11, PIT_19, 1e-6),
        (EPSG + "4326", PIT_11[::-1], PIT_19[::-1], 1e-6),
        (EPSG + "2154", (684953.1, 7038433.0), (685020.5, 7038467.4), 0.1),
        (EPSG + "3950", (1684975.7, 9249316.8), (1685043.1, 9249351.2), 0.1),
        (EPSG + "3035", (3061997.5, 3809654.0), None, 0.1),
        (EPSG + "3857", (310412.3, 6523388.1), None, 0.1),
    ],
)
def test_the_two_pits_in_every_system(looker, crs, eleven, nineteen, off):
    """Within 0.1 m of what surveyors say, in the axis order of the authority, named in Content-Crs."""
    for place, wanted in ((PIT_11, eleven), (PIT_19, nineteen)):
        if wanted is None:
            continue
        answer = looker.get(f"{SHAFTS}/{pit(looker, place=place)}", params={"crs": crs})
        assert answer.headers["content-crs"] == f"<{crs}>"
        for found, expected in zip(answer.json()["geometry"]["coordinates"], wanted, strict=True):
            assert abs(found - expected) <= off


def test_every_collection_names_its_systems(looker):
    """CRS84 first; a collection without geometry has no other; every one that is named is answered."""
    for one in collections(looker):
        assert one["crs"][0] == one["storageCrs"] == CRS84
        assert (len(one["crs"]) == 6) == bool(one["geometryType"])
        for crs in one["crs"]:
            page = looker.get(f"/collections/{one['id']}/items", params={"crs": crs, "limit": 1})
            assert page.headers["content-crs"] == f"<{crs}>"
            assert "crs" not in json.dumps(page.json()["features"])


@pytest.mark.parametrize(
    ("crs", "box"),
    [
        (EPSG + "4326", "50.443,2.788,50.4434,2.789"),
        (EPSG + "4326", "50.443,2.788,-5,50.4434,2.789,900"),
        (EPSG + "2154", "684943,7038423,684963,7038443"),
        (EPSG + "3950", "1684965,9249306,1684985,9249326"),
        (EPSG + "3035", "3061990,3809640,3062010,3809660"),
        (EPSG + "3857", "310400,6523380,310420,6523395"),
    ],
)
def test_boxes_in_every_system(looker, crs, box):
    """A box of some metres around pit 11 finds it, and not pit 19; also as a filter."""
    wanted = pit(looker)
    page = looker.get(SHAFTS, params={"bbox": box, "bbox-crs": crs})
    assert wanted in ids(page)
    assert page.json()["numberMatched"] == len(ids(page))
    assert pit(looker, place=PIT_19) not in ids(page)
    filtered = looker.get(SHAFTS, params={"filter": f"S_INTERSECTS(geometry, BBOX({box}))", "filter-crs": crs})
    assert ids(filtered) == ids(page)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("crs", {"crs": EPSG + "27572"}),
        ("bbox-crs", {"bbox-crs": "EPSG:2154", "bbox": "0,0,1,1"}),
        ("bbox", {"bbox-crs": EPSG + "2154", "bbox": "2,50,3,51"}),
        ("bbox", {"bbox-crs": EPSG + "4326", "bbox": "2,100,3,101,5,6"}),
        ("filter-crs", {"filter-crs": "x", "filter": "id=1"}),
    ],
)
def test_a_system_that_is_not_offered_is_refused(looker, name, params):
    """Named, and so is a box that lies nowhere in its system."""
    answer = looker.get(SHAFTS, params=params)
    assert answer.status_code == 400
    assert name in [one["parameter"] for one in answer.json()["errors"]]


# --- Part 3 ---


def test_what_is_declared_is_what_is_tested():
    """The classes of CQL2 that have examples, and the two encodings in which each is asked."""
    assert {*CQL2} - {"cql2-text", "cql2-json"} == EXAMPLES.keys()
    for part in ("1.0/conf/filter", "1.0/conf/features-filter"):
        assert f"http://www.opengis.net/spec/ogcapi-features-3/{part}" in CONFORMANCE


def test_a_filter_in_text_in_json_and_by_post(looker):
    """The same items, whichever way; with the other conditions, and over pages."""
    text = "power_kw > 5 AND CASEI(name) LIKE CASEI('%s%')"
    tree = {
        "op": "and",
        "args": [
            {"op": ">", "args": [{"property": "power_kw"}, 5]},
            {"op": "like", "args": [{"op": "casei", "args": [{"property": "name"}]}, {"op": "casei", "args": ["%s%"]}]},
        ],
    }
    every = looker.get(SOLAR, params={"limit": 1000}).json()["features"]
    wanted = [
        one["id"]
        for one in every
        if (one["properties"]["power_kw"] or 0) > 5 and "s" in one["properties"]["name"].casefold()
    ]
    assert wanted
    assert ids(looker.get(SOLAR, params={"filter": text, "limit": 1000})) == wanted
    assert (
        ids(looker.get(SOLAR, params={"filter": json.dumps(tree), "filter-lang": "cql2-json", "limit": 1000})) == wanted
    )
    assert ids(looker.post("/collections/installations/search", json={"filter": tree, "limit": 1000})) == wanted
    assert ids(looker.post("/collections/installations/search", json={"filter": text, "limit": 1000})) == wanted
    assert [one["id"] for one in walk(looker, SOLAR, filter=text, limit=2)] == wanted


def test_alternatives_stay_within_the_collection_and_the_page(looker):
    """An OR widens neither the collection, nor the box, nor the page."""
    text = "year > 2000 OR year <= 2000 OR year IS NULL"
    every = [one["id"] for one in walk(looker, "/collections/solar/items", limit=1000)]
    assert [one["id"] for one in walk(looker, "/collections/solar/items", filter=text, limit=2)] == every
    assert [one["id"] for one in walk(looker, "/collections/solar/items", filter=text, sortby="id", limit=2)] == every
    nowhere = {"filter": text, "bbox": "0,0,1,1"}
    assert ids(looker.get("/collections/solar/items", params=nowhere)) == []
    assert looker.get(f"/collections/gardens/items/{every[0]}").status_code == 404


def test_a_search_is_paged_by_its_own_links(looker):
    """The link says method and body."""
    path, body, found = (
        "/collections/installations/search",
        {"filter": "year > 2000", "limit": 3, "sortby": ["-year"]},
        [],
    )
    while body:
        page = looker.post(path, json=body).json()
        found += [one["id"] for one in page["features"]]
        following = next((one for one in page["links"] if one["rel"] == "next"), None)
        body = following and following["body"]
        assert not following or (following["method"], following["type"]) == ("POST", GEOJSON)
    assert found == ids(looker.get(SOLAR, params={"filter": "year > 2000", "sortby": "-year", "limit": 1000}))


def test_a_filter_holds_for_tiles(looker):
    """The same conditions, drawn."""
    where = tile_of(2.79, 50.45, 12)
    path = f"/collections/installations/tiles/WebMercatorQuad/12/{where.y}/{where.x}"
    plain, none = looker.get(path), looker.get(path, params={"filter": "power_kw < 0"})
    same = looker.get(path, params={"filter": "power_kw >= 0 OR power_kw IS NULL"})
    assert len(none.content) < len(plain.content)
    assert plain.status_code == same.status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        "(" * 12_000,
        "pg_sleep(10) = 1",
        "password = 'x'",
        "name = 'a",
        "name = 1",
        "S_INTERSECTS(geometry, POINT(900 900))",
        "",
        "name = '\x00'",
    ],
)
def test_a_filter_that_is_none_is_refused(looker, text):
    """At once, by the parameter's name, without an echo; the service lives."""
    began = time.thread_time()
    answer = looker.get(SOLAR, params={"filter": text}, headers={"Accept": GEOJSON})
    assert time.thread_time() - began < 1
    assert answer.status_code == 400
    assert [one["parameter"] for one in answer.json()["errors"]] == ["filter"]
    assert "((((" not in answer.text
    posted = looker.post("/collections/installations/search", json={"filter": text})
    assert posted.status_code == 400
    assert [one["pointer"] for one in posted.json()["errors"]] == ["/filter"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"limit": "x"}, "/limit"),
        ({"limit": None}, "/limit"),
        ({"bbox": [1, 2, 3]}, "/bbox"),
        ({"bbox": [[1], 2, 3, 4]}, "/bbox"),
        ({"properties": {}}, "/properties"),
        ({"nonsense": 1}, "/nonsense"),
        ({"year": [2013]}, "/year"),
        ({"filter": []}, "/filter"),
        ({"filter": {"op": "=", "args": [{"property": "name"}, {"op": "x", "args": []}]}}, "/filter"),
        ({"sortby": ["nonsense"]}, "/sortby"),
        ({"skipGeometry": "perhaps"}, "/skipGeometry"),
    ],
)
def test_a_search_names_what_is_wrong(looker, body, pointer):
    """By JSON pointers."""
    answer = looker.post("/collections/installations/search", json=body)
    assert answer.status_code == 400
    assert pointer in [one["pointer"] for one in answer.json()["errors"]]


def test_queryables_are_what_filters_take(looker):
    """Each of them in a filter; nothing else."""
    for one in collections(looker):
        names = looker.get(f"/collections/{one['id']}/queryables").json()["properties"]
        for name in names:
            answer = looker.get(
                f"/collections/{one['id']}/items", params={"filter": f'"{name}" IS NOT NULL', "limit": 1}
            )
            assert answer.status_code == 200, (one["id"], name)
        assert looker.get(f"/collections/{one['id']}/items", params={"filter": "dataset = 'x'"}).status_code == 400


def test_words_in_names_and_descriptions(looker):
    """Without case and accents, in every language that the texts have, as beginnings of words; all of them."""
    path = "/collections/green-belt/items"
    whole = looker.get(path, params={"limit": 1000}).json()["features"]
    for lang in ("fr", "en", "de"):
        shown = looker.get(path, params={"limit": 1000, "lang": lang}).json()["features"]
        word = max(shown[0]["properties"]["name"].replace("'", " ").replace("’", " ").split(), key=len)
        assert shown[0]["id"] in ids(looker.get(path, params={"q": word.upper(), "limit": 1000}))
        assert shown[0]["id"] in ids(looker.get(path, params={"q": word[:4], "limit": 1000}))
    assert ids(looker.get(path, params={"q": "qqqqqq"})) == []
    assert ids(looker.get(path, params={"q": "!!! --"})) == []
    assert len(whole) > len(ids(looker.get(path, params={"q": "terril", "limit": 1000}))) > 0
    assert ids(looker.get(path, params={"q": "térrïl"})) == ids(looker.get(path, params={"q": "TERRIL"}))


# --- Part 5, order and selection ---


@pytest.mark.parametrize(
    "sortby",
    ["name", "-name", "power_kw", "-power_kw,name", "technology,-year", "-since", "updated_at", "owner_kind,-id"],
)
def test_pages_in_an_order_visit_every_item_once(looker, sortby):
    """In the order of the whole, what is not known last, in pages of any size."""
    whole = ids(looker.get(SOLAR, params={"sortby": sortby, "limit": 10000}))
    assert [one["id"] for one in walk(looker, SOLAR, sortby=sortby, limit=4)] == whole
    assert sorted(whole) == ids(looker.get(SOLAR, params={"limit": 10000}))
    first = sortby.split(",")[0].removeprefix("-")
    values = [
        one["id"] if first == "id" else one["properties"][first]
        for one in looker.get(SOLAR, params={"sortby": sortby, "limit": 10000}).json()["features"]
    ]
    known = [value for value in values if value is not None]
    assert values[: len(known)] == known
    if not isinstance(known[0], str):
        assert known == sorted(known, reverse=sortby.startswith("-"))


def test_accents_sort_as_people_do(loos):
    """É stands by E, not after Z."""
    with client_of(loos) as client, loos.superuser() as connection:
        connection.execute(
            "update territory.places set name = 'Éa' where id = (select min(id) from territory.places where category = 'monument' or category = 'station')"
        )
        heard(client, loos)
        names = [
            one["properties"]["name"] for one in walk(client, "/collections/landmarks/items", sortby="name", limit=50)
        ]
        near = names.index("Éa")
        assert names[near + 1][0] in "ÉEFGHI"


def test_a_cursor_belongs_to_its_order(looker):
    """Another order, or none, refuses it; so are cursors refused that were made by hand."""
    following = rels(looker.get(SOLAR, params={"sortby": "name", "limit": 2}).json())["next"]["href"]
    cursor = following.split("cursor=")[1]
    for params in ({"sortby": "-name"}, {"sortby": "name,year"}, {}):
        assert looker.get(SOLAR, params={**params, "cursor": cursor}).status_code == 400
    import base64

    for held in (
        {"after": [1], "by": "name", "keys": [1]}, {"after": [1], "by": "name", "keys": []}, {"after": [1], "by": "name", "keys": ["a\x00"]},
        {"after": [-1], "by": "name", "keys": ["a"]}, {"after": 1, "by": "name", "keys": ["a"]}, [1], {"after": [1, 2], "by": "name", "keys": ["a"]},
        {"after": [1], "by": "name", "keys": ["\ud800"]}, {"after": [1], "by": "name", "keys": ["x" * 500]},
    ):  # fmt: skip
        forged = base64.urlsafe_b64encode(json.dumps(held).encode()).decode()
        assert looker.get(SOLAR, params={"sortby": "name", "cursor": forged}).status_code == 400, held
    for value in ("2010-13-01", 5, "x", [1]):
        forged = base64.urlsafe_b64encode(json.dumps({"after": [1], "by": "since", "keys": [value]}).encode()).decode()
        assert looker.get(SOLAR, params={"sortby": "since", "cursor": forged}).status_code == 400, value


@pytest.mark.parametrize(
    "sortby",
    [
        "",
        "nonsense",
        "name,name",
        "name,-name",
        "geometry",
        "description",
        "--name",
        "name;year",
        "id,name,year,since,until,power_kw",
    ],
)
def test_an_order_that_is_none_is_refused(looker, sortby):
    """Named by its parameter."""
    answer = looker.get(SOLAR, params={"sortby": sortby})
    assert answer.status_code == 400
    assert [one["parameter"] for one in answer.json()["errors"]] == ["sortby"]


def test_sortables_sort(looker):
    """Each, in both directions."""
    for one in collections(looker):
        path = f"/collections/{one['id']}"
        for name in looker.get(f"{path}/sortables").json()["properties"]:
            assert looker.get(f"{path}/items", params={"sortby": f"-{name}", "limit": 1}).status_code == 200


def test_only_the_properties_asked_for(looker):
    """And no geometry where it is not wanted; pages for people stay whole."""
    page = looker.get(SOLAR, params={"properties": "year,name", "skipGeometry": "true", "limit": 3}).json()
    for one in page["features"]:
        assert one["geometry"] is None
        assert list(one["properties"]) == ["name", "year"]
    bare = looker.get(SOLAR, params={"properties": "", "limit": 1}).json()["features"][0]
    assert bare["properties"] == {}
    assert bare["geometry"]
    item = looker.get(f"{SOLAR}/{bare['id']}", params={"properties": "name"}).json()
    assert list(item["properties"]) == ["name"]
    for params in ({"properties": "dataset"}, {"properties": "name,nonsense"}, {"skipGeometry": "1"}):
        assert looker.get(SOLAR, params=params).status_code == 400
    html = looker.get(f"{SOLAR}/{bare['id']}", params={"properties": "year", "skipGeometry": "true", "f": "html"})
    assert html.status_code == 200


def test_schemas_say_what_each_property_is_for(looker):
    """Id, geometry and dates by role; in an order."""
    schema = looker.get("/collections/installations/schema").json()["properties"]
    assert schema["geometry"]["x-ogc-role"] == "primary-geometry"
    assert (schema["since"]["x-ogc-role"], schema["until"]["x-ogc-role"]) == (
        "primary-interval-start",
        "primary-interval-end",
    )
    assert looker.get("/collections/installations/queryables").json()["properties"]["id"]["x-ogc-role"] == "id"
    assert looker.get("/collections/milestones/schema").json()["properties"]["date"]["x-ogc-role"] == "primary-instant"
    sequence = [one["x-ogc-propertySeq"] for name, one in schema.items() if name != "geometry"]
    assert sequence == sorted(set(sequence))
    assert "geometry" not in looker.get("/collections/installations/sortables").json()["properties"]
