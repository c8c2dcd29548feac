"""OGC API - Features Part 1 and its neighbours, as requests: what every client may rely on."""

import pytest

from api.links import OPENAPI_TYPE
from tests.api.conftest import application, client_of, heard

GEOJSON = "application/geo+json"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


def collections(looker):
    """Every collection's own document."""
    return looker.get("/collections").json()["collections"]


def rels(document):
    """The links by relation."""
    return {link["rel"]: link for link in document["links"]}


def test_landing_page(looker):
    """QGIS refuses a server whose service-desc is typed otherwise, or that has no data link."""
    links = rels(looker.get("/").json())
    assert links["service-desc"]["type"] == OPENAPI_TYPE
    assert looker.get(links["service-desc"]["href"]).headers["content-type"] == OPENAPI_TYPE
    assert {"self", "alternate", "service-doc", "conformance", "data", "license"} <= links.keys()


def test_conformance(looker):
    """What is declared is what is tested here; the core and GeoJSON at least."""
    declared = looker.get("/conformance").json()["conformsTo"]
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in declared
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson" in declared
    assert len(declared) == len(set(declared))


def test_every_link_of_every_document_answers(looker):
    """Followed from the landing page, no link of ours is dead, and each is of the type that it says."""
    base, waiting, seen = str(looker.base_url), ["/", "/collections", "/processes"], set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = looker.get(path)
        assert answer.status_code == 200, path
        if "json" not in answer.headers["content-type"]:
            continue
        parts = [answer.json(), *answer.json().get("collections", ()), *answer.json().get("processes", ())]
        for link in (link for part in parts for link in part.get("links", ())):
            href = link["href"]
            if href.startswith(base) and link["rel"] not in (
                "self",
                "enclosure",
                "http://www.opengis.net/def/rel/ogc/1.0/execute",
            ):
                assert looker.get(href).headers["content-type"].split(";")[0] == link["type"].split(";")[0], link
                if len(seen) < 60:
                    waiting.append(href.removeprefix(base))
    assert len(seen) >= 60


def test_collections_describe_themselves(looker):
    """Id, links, CRS, extent, licence, attribution: the same alone as in the list."""
    for one in collections(looker):
        alone = looker.get(f"/collections/{one['id']}").json()
        assert {**alone, "links": None} == {**one, "links": None}
        assert one["crs"][0] == one["storageCrs"] == CRS84
        assert one["attribution"]
        assert {"self", "alternate", "items", "describedby", "license"} <= rels(alone).keys()
        assert one["itemCount"] > 0
        if one["geometryType"]:
            west, south, east, north = one["extent"]["spatial"]["bbox"][0]
            assert west <= east
            assert south <= north


def test_items_carry_their_twins(looker):
    """What the body says of paging the headers say too, so that other formats can be paged."""
    for one in collections(looker):
        answer = looker.get(f"/collections/{one['id']}/items", params={"limit": 2})
        page = answer.json()
        assert answer.headers["content-type"] == GEOJSON
        assert page["numberReturned"] == len(page["features"]) == min(2, one["itemCount"])
        assert page["numberMatched"] == one["itemCount"]
        assert answer.headers["ogc-numberreturned"] == str(page["numberReturned"])
        assert answer.headers["ogc-numbermatched"] == str(page["numberMatched"])
        assert ("next" in rels(page)) == (one["itemCount"] > 2) == ("link" in answer.headers)
        assert "timeStamp" not in page


def walk(client, path, **params):
    """All features of a collection, page by page."""
    found, following, query = [], path, params
    while following:
        page = client.get(following, params=query or None).json()
        found += page["features"]
        following, query = rels(page).get("next", {}).get("href"), None
    return found


def test_paging_visits_every_item_once(looker):
    """By an opaque key, in pages of any size."""
    for one in collections(looker):
        ids = [feature["id"] for feature in walk(looker, f"/collections/{one['id']}/items", limit=3)]
        assert len(ids) == len(set(ids)) == one["itemCount"]


def test_paging_survives_inserts_and_deletes(loos):
    """What stays is visited exactly once, whatever comes and goes between two pages."""
    with client_of(loos) as client:
        first = client.get("/collections/landmarks/items", params={"limit": 4}).json()
        shown = [feature["id"] for feature in first["features"]]
        everything = [feature["id"] for feature in walk(client, "/collections/landmarks/items")]
        gone = everything[5]
        with loos.superuser() as connection:
            connection.execute("delete from territory.places where id = any (%s)", [[shown[0], gone]])
            connection.execute(
                "insert into territory.places (source_key, name, category, source, licence, position, geom) "
                "values ('new', 'new', 'station', 's', 'l', 'surveyed', 'SRID=4326;POINT(2.79 50.45)')"
            )
        heard(client, loos)
        rest = [feature["id"] for feature in walk(client, rels(first)["next"]["href"])]
    assert set(everything) - {gone, *shown} <= set(rest)
    assert not set(rest) & set(shown)
    assert len(rest) == len(set(rest))


def test_an_item_alone_is_the_item_of_the_page(looker):
    """Same feature, with links of its own; self and collection among them."""
    for one in collections(looker):
        feature = looker.get(f"/collections/{one['id']}/items", params={"limit": 1}).json()["features"][0]
        alone = looker.get(f"/collections/{one['id']}/items/{feature['id']}").json()
        links = alone.pop("links")
        assert alone == feature
        assert {"self", "alternate", "collection"} <= {link["rel"] for link in links}


def test_an_item_of_another_collection_is_not_there(looker):
    """The collection's filter holds for single items too."""
    shaft = looker.get("/collections/memory/items", params={"limit": 1}).json()["features"][0]["id"]
    assert looker.get(f"/collections/gardens/items/{shaft}").status_code == 404


@pytest.mark.parametrize("item", ["0", "999999999999", "abc", "-1", "1.5", "١", "9" * 30, "1%00", "%F0%9F%98%80"])
def test_no_such_item(looker, item):
    """An id that is none is not found, whatever it looks like."""
    answer = looker.get(f"/collections/gardens/items/{item}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


PIT_11 = (2.788481, 50.443206)


@pytest.mark.parametrize(
    ("bbox", "found"),
    [
        ("2.788,50.443,2.789,50.4434", True),
        ("2.788,50.443,-5,2.789,50.4434,900", True),
        ("2.788481,50.443206,2.788481,50.443206", True),
        ("2.788481,50.40,2.788481,50.50", True),
        ("2.789,50.443,2.79,50.4434", False),
        ("170,-60,-170,60", False),
        ("2,-60,-170,60", True),
        ("170,-60,3,60", True),
        ("-180,-90,180,90", True),
        ("177,65,-177,70", False),
    ],
)
def test_bbox(looker, bbox, found):
    """Boxes of four and six numbers, without width or height, across the antimeridian."""
    page = looker.get("/collections/mine-shafts/items", params={"bbox": bbox, "limit": 1000}).json()
    assert any(feature["geometry"]["coordinates"] == list(PIT_11) for feature in page["features"]) is found
    assert page["numberMatched"] == len(page["features"])


def test_features_without_geometry_meet_every_box(looker):
    """As the standard asks."""
    whole = looker.get("/collections/figures/items").json()["numberMatched"]
    assert looker.get("/collections/figures/items", params={"bbox": "0,0,1,1"}).json()["numberMatched"] == whole


@pytest.mark.parametrize(
    ("datetime", "found"),
    [
        ("1986-01-31", True),
        ("1986-01-31T00:00:00Z", True),
        ("1980-01-01/1990-01-01", True),
        ("../1986-01-31", True),
        ("/1986-01-31", True),
        ("1986-01-31/..", True),
        ("1986-02-01/", False),
        ("../1986-01-30", False),
        ("1986-01-30", False),
    ],
)
def test_datetime(looker, datetime, found):
    """Days, instants and intervals with open ends, against the milestone of the last pit."""
    page = looker.get("/collections/milestones/items", params={"datetime": datetime, "limit": 1000}).json()
    assert any(feature["properties"]["date"] == "1986-01-31" for feature in page["features"]) is found


def test_features_without_dates_meet_every_period(loos):
    """As the standard asks; an open end means to this day."""
    with client_of(loos) as client, loos.superuser() as connection:
        connection.execute("update territory.places set since = null, until = null where category = 'cemetery'")
        connection.execute("update territory.places set since = '2000-01-01', until = null where category = 'memorial'")
        heard(client, loos)
        ancient, now = (
            {
                feature["properties"]["category"]
                for feature in client.get("/collections/memory/items", params={"datetime": when}).json()["features"]
            }
            for when in ("1000-01-01", "2026-01-01")
        )
    assert ancient == {"cemetery"}
    assert now == {"cemetery", "memorial"}


def test_equality_on_every_queryable(looker):
    """Each queryable filters by a value that an item has, and the item is found by it."""
    tried = 0
    for one in collections(looker):
        names = looker.get(f"/collections/{one['id']}/queryables").json()["properties"].keys() - {"geometry", "id"}
        feature = looker.get(f"/collections/{one['id']}/items", params={"limit": 1}).json()["features"][0]
        for name in names:
            value = feature["properties"][name]
            if value is None:
                continue
            text = str(value).lower() if isinstance(value, bool) else value
            page = looker.get(f"/collections/{one['id']}/items", params={name: text, "limit": 10000}).json()
            assert feature["id"] in [found["id"] for found in page["features"]], (one["id"], name)
            assert all(found["properties"][name] == value for found in page["features"])
            tried += 1
    assert tried > 50


def test_a_limit_above_the_maximum_is_clamped(looker):
    """Not an error, says the standard."""
    answer = looker.get("/collections/figures/items", params={"limit": 10**9})
    assert answer.status_code == 200
    assert len(answer.json()["features"]) == answer.json()["numberMatched"]


def test_languages(looker):
    """By `lang` or by Accept-Language; the answer says which."""
    path = "/collections/green-belt/items"
    names = {
        lang: looker.get(path, params={"lang": lang, "limit": 1}).json()["features"][0]["properties"]["name"]
        for lang in ("fr", "en", "de")
    }
    assert len(set(names.values())) == 3
    for lang, name in names.items():
        answer = looker.get(path, params={"limit": 1}, headers={"Accept-Language": f"it;q=0.9, {lang}-XX;q=0.8, xx"})
        assert answer.json()["features"][0]["properties"]["name"] == name
        assert answer.headers["content-language"] == lang
    titles = {looker.get("/collections/green-belt", params={"lang": lang}).json()["title"] for lang in names}
    assert len(titles) == 3


def test_schema_names_every_property_with_its_words(looker):
    """Labels and units in the language asked for; every property of an item is in the schema."""
    for one in collections(looker):
        schema = looker.get(f"/collections/{one['id']}/schema", params={"lang": "en"}).json()
        feature = looker.get(f"/collections/{one['id']}/items", params={"limit": 1}).json()["features"][0]
        assert schema["properties"].keys() - {"geometry"} == feature["properties"].keys()
        assert all(part["title"] for part in schema["properties"].values())
    power = looker.get("/collections/solar/schema", params={"lang": "de"}).json()["properties"]["power_kw"]
    assert (power["title"], power["x-ogc-unit"]) == ("Leistung", "kW")


@pytest.mark.parametrize(
    ("headers", "params", "expected"),
    [
        ({"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}, {}, "text/html"),
        ({"Accept": "application/geo+json"}, {}, GEOJSON),
        ({"Accept": "application/json, text/html;q=0.5"}, {}, GEOJSON),
        ({"Accept": "*/*"}, {}, GEOJSON),
        ({"Accept": "text/html"}, {"f": "geojson"}, GEOJSON),
        ({"Accept": "text/html"}, {"f": "json"}, GEOJSON),
        ({}, {"f": "html"}, "text/html"),
        ({"Accept": "application/xml"}, {}, "application/problem+json"),
    ],
)
def test_representations(looker, headers, params, expected):
    """By Accept with its weights, or by `f`, which wins."""
    answer = looker.get("/collections/gardens/items", headers=headers, params=params)
    assert answer.headers["content-type"].split(";")[0] == expected


def test_pages_ignore_what_they_do_not_know(looker):
    """Shared links carry tracking parameters, forms send empty fields."""
    answer = looker.get(
        "/collections/solar/items", params={"f": "html", "utm_source": "x", "technology": "", "bbox": ""}
    )
    assert answer.status_code == 200
    assert looker.get("/collections/solar/items", params={"utm_source": "x"}).status_code == 400


def test_head_options_and_cors_everywhere(looker):
    """HEAD is GET without its body; OPTIONS and errors carry CORS; 405 names what is allowed."""
    for path in ("/", "/collections", "/collections/solar/items", "/api", "/processes/nearby", "/healthz"):
        got, head = looker.get(path), looker.head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == got.headers["content-type"]
        assert looker.options(path).status_code == 204
        assert "HEAD" in looker.options(path).headers["allow"]
        assert "GET" in looker.put(path).headers["allow"]
    for answer in (looker.get("/nothing"), looker.put("/collections"), looker.get("/collections/solar/items?limit=0")):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["x-request-id"] == answer.json()["request_id"]
    preflight = looker.options(
        "/installations", headers={"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    )
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "Content-Type" in preflight.headers["access-control-allow-headers"]


def test_unknown_hosts_are_refused(looker):
    """Absolute links come from the public address alone, and no other name is answered."""
    answer = looker.get("/", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert "evil.example" not in looker.get("/", headers={"X-Forwarded-Host": "evil.example"}).text


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_compression(looker, coding):
    """The same text, smaller, under a tag of its own."""
    plain = looker.get("/collections/solar/items", headers={"Accept-Encoding": "identity"})
    small = looker.get("/collections/solar/items", headers={"Accept-Encoding": coding})
    assert small.headers["content-encoding"] == coding
    assert small.json() == plain.json()
    assert int(small.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert small.headers["etag"] != plain.headers["etag"]
    assert "Accept-Encoding" in small.headers["vary"]


def test_one_query_a_page(shown, monkeypatch):
    """The versions are told by the statement that writes the page: counted at the driver, and on the wire."""
    from sqlalchemy import event

    from geo.wire import Wire

    with client_of(shown) as client:
        client.get("/collections/places/items")
        client.get("/collections/landmarks/items")
        heard(client, shown)
        asked, wired = [], Wire.one
        monkeypatch.setattr(Wire, "one", lambda self, sql, values: asked.append(sql) or wired(self, sql, values))
        engine = application(client).state.house.db._reader
        event.listen(engine, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
        client.get("/collections/landmarks/items?limit=5&bbox=2,50,3,51")
    assert len(asked) == 1, asked
