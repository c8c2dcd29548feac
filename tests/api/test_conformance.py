"""What /conformance declares, class by class: each class has its abstract tests here as requests, and no class is without."""

from collections.abc import Callable

import jsonschema
import pytest
from starlette.testclient import TestClient

from api.links import GEOJSON_TYPE, OPENAPI_TYPE, SCHEMA_TYPE
from api.territory import CONFORMANCE
from tests.api.test_asking import CRS84, EPSG
from tests.api.test_contract import collections, rels
from tests.geo.cql2.test_examples import EXAMPLES

OGC = "http://www.opengis.net/spec/"
ITEMS = "/collections/installations/items"
JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"
Check = Callable[[TestClient], None]
CHECKS: dict[str, Check] = {}


def of(*classes: str) -> Callable[[Check], Check]:
    """The abstract tests of these conformance classes."""

    def register(check: Check) -> Check:
        CHECKS.update({OGC + name: check for name in classes})
        return check

    return register


def got(looker: TestClient, path: str, type_: str = "application/json", **params: str) -> dict:
    """The document, of the type that is expected."""
    answer = looker.get(path, params=params, headers={"Accept": type_})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith(type_.split(";", maxsplit=1)[0])
    return answer.json()


def found(looker: TestClient, filter: str, **params: str) -> set[int]:
    """The ids that a filter finds."""
    page = got(looker, ITEMS, GEOJSON_TYPE, filter=filter, limit="1000", **params)
    return {one["id"] for one in page["features"]}


@of("ogcapi-common-1/1.0/conf/core", "ogcapi-common-1/1.0/conf/landing-page", "ogcapi-common-1/1.0/conf/json")
def landing(looker):
    """/conf/core/http, /root-op, /root-success, /conformance-success; JSON throughout."""
    page = got(looker, "/")
    assert {"service-desc", "conformance", "data"} <= rels(page).keys()
    assert page["title"]
    assert got(looker, "/conformance")["conformsTo"]
    for method, expected in (("get", 200), ("head", 200), ("delete", 405)):
        assert looker.request(method, "/").status_code == expected
    assert looker.get("/nothing").status_code == 404
    assert looker.get("/", headers={"Accept": "image/png"}).status_code == 406


@of("ogcapi-common-1/1.0/conf/html", "ogcapi-features-1/1.0/conf/html")
def html(looker):
    """/conf/html/definition and /content: every resource is a page as well, which links its other encodings."""
    for path in ("/", "/conformance", "/collections", "/collections/installations", ITEMS):
        answer = looker.get(path, headers={"Accept": "text/html"})
        assert answer.headers["content-type"].startswith("text/html")
        assert "<html" in answer.text
    first = got(looker, ITEMS, GEOJSON_TYPE, limit="1")["features"][0]
    page = looker.get(f"{ITEMS}/{first['id']}", headers={"Accept": "text/html"}).text
    assert first["properties"]["name"] in page


@of("ogcapi-common-1/1.0/conf/oas30", "ogcapi-features-1/1.0/conf/oas30", "ogcapi-tiles-1/1.0/conf/oas30")
def described(looker):
    """/conf/oas30/completeness: an OpenAPI 3.0 document with every path (its validity: test_openapi.py)."""
    document = got(looker, "/api", OPENAPI_TYPE)
    assert document["openapi"].startswith("3.0")
    for path in ("/", "/conformance", "/collections", ITEMS):
        assert "get" in document["paths"][path]
    assert any("/tiles/" in path for path in document["paths"])


@of("ogcapi-features-1/1.0/conf/core")
def core(looker):
    """/conf/core/fc-op, fc-response, fc-bbox-*, fc-limit-*, fc-time-*, query-param-unknown, query-param-invalid, f-success."""
    for one in collections(looker):
        assert {"items", "self"} <= rels(one).keys()
        assert got(looker, f"/collections/{one['id']}")["id"] == one["id"]
    page = got(looker, ITEMS, GEOJSON_TYPE, limit="2")
    assert page["numberReturned"] == len(page["features"]) == 2
    assert "next" in rels(page)
    assert got(looker, f"{ITEMS}/{page['features'][0]['id']}", GEOJSON_TYPE)["id"] == page["features"][0]["id"]
    assert got(looker, ITEMS, GEOJSON_TYPE, limit="1000000")["numberReturned"] > 2
    whole, inside = found(looker, "TRUE"), got(looker, ITEMS, GEOJSON_TYPE, bbox="2,50,3,51", limit="1000")
    assert {one["id"] for one in inside["features"]} == whole
    assert not got(looker, ITEMS, GEOJSON_TYPE, bbox="10,10,11,11")["features"]
    assert got(looker, ITEMS, GEOJSON_TYPE, datetime="../2030-01-01")["features"]
    for wrong in ({"bbox": "1,2,3"}, {"bbox": "a,b,c,d"}, {"limit": "0"}, {"datetime": "never"}, {"nonsense": "1"}):
        assert looker.get(ITEMS, params=wrong).status_code == 400, wrong


@of("ogcapi-features-1/1.0/conf/geojson")
def geojson(looker):
    """/conf/geojson/definition and /content."""
    page = got(looker, ITEMS, GEOJSON_TYPE)
    assert page["type"] == "FeatureCollection"
    for one in page["features"]:
        assert {"type", "id", "geometry", "properties"} <= one.keys()
        assert one["geometry"]["type"] == "Point"


@of("ogcapi-features-2/1.0/conf/crs")
def systems(looker):
    """/conf/crs/crs-uri, storageCrs, default-crs, crs-parameter, bbox-crs-*, content-crs."""
    for one in collections(looker):
        assert one["crs"][0] == CRS84
        assert one["storageCrs"] in one["crs"]
        for crs in one["crs"]:
            answer = looker.get(f"/collections/{one['id']}/items", params={"crs": crs, "limit": 1})
            assert answer.headers["content-crs"] == f"<{crs}>"
    assert looker.get(ITEMS).headers["content-crs"] == f"<{CRS84}>"
    around = {"bbox": "680000,7030000,690000,7045000", "bbox-crs": EPSG + "2154"}
    assert got(looker, ITEMS, GEOJSON_TYPE, **around)["features"]
    for name in ("crs", "bbox-crs"):
        assert looker.get(ITEMS, params={name: "EPSG:2154", "bbox": "2,50,3,51"}).status_code == 400


@of("ogcapi-features-3/1.0/conf/queryables", "ogcapi-features-5/1.0/conf/queryables")
def queryables(looker):
    """/conf/queryables/get-conformance, response: a JSON Schema of what may be asked for, linked from its collection."""
    for one in collections(looker):
        link = rels(one)["http://www.opengis.net/def/rel/ogc/1.0/queryables"]
        document = got(looker, link["href"], SCHEMA_TYPE)
        assert document["$schema"] == JSON_SCHEMA
        assert document["type"] == "object"
        jsonschema.Draft202012Validator.check_schema(document)


@of("ogcapi-features-3/1.0/conf/queryables-query-parameters")
def equality(looker):
    """/conf/queryables-query-parameters/parameters: each is what the same comparison is."""
    page = got(looker, ITEMS, GEOJSON_TYPE, technology="photovoltaic", limit="1000")
    assert {one["id"] for one in page["features"]} == found(looker, "technology = 'photovoltaic'") != set()
    assert looker.get(ITEMS, params={"technology": "magic"}).status_code == 400


@of("ogcapi-features-3/1.0/conf/filter", "ogcapi-features-3/1.0/conf/features-filter")
def filters(looker):
    """/conf/filter/filter-param, filter-lang-param, filter-crs-param, response; /conf/features-filter/filter-on-items."""
    some = found(looker, "year > 2010")
    assert some == found(looker, "year > 2010", **{"filter-lang": "cql2-text"})
    assert some == found(looker, '{"op":">","args":[{"property":"year"},2010]}', **{"filter-lang": "cql2-json"})
    place = "S_INTERSECTS(geometry,BBOX(680000,7030000,690000,7045000))"
    assert found(looker, place, **{"filter-crs": EPSG + "2154"})
    assert not found(looker, "S_INTERSECTS(geometry,BBOX(1,2,3,4))")
    both = got(looker, ITEMS, GEOJSON_TYPE, filter="year > 2010", bbox="10,10,11,11")
    assert both["features"] == []
    for wrong in ({"filter": "nothing = 1"}, {"filter": "year >"}, {"filter": "year > 1", "filter-lang": "sql"}):
        assert looker.get(ITEMS, params=wrong).status_code == 400, wrong


@of("ogcapi-features-5/1.0/conf/schemas", "ogcapi-features-5/1.0/conf/core-roles-features")
@of("ogcapi-features-5/1.0/conf/returnables-and-receivables")
def schemas(looker):
    """/conf/schemas/schema, /conf/core-roles-features/*: valid, linked, one id and one geometry; items are valid against it."""
    for one in collections(looker):
        path = f"/collections/{one['id']}"
        document = got(looker, f"{path}/schema", SCHEMA_TYPE)
        jsonschema.Draft202012Validator.check_schema(document)
        assert any(link["href"].endswith("/schema") for link in one["links"])
        roles = [property.get("x-ogc-role") for property in document["properties"].values()]
        assert roles.count("id") <= 1
        assert roles.count("primary-geometry") == (one["geometryType"] is not None)
        # What an item has that is known is valid; the schema says what a value is, and not that it must be known.
        named = {name for name, of_ in document["properties"].items() if not of_.get("x-ogc-role")}
        for feature in got(looker, f"{path}/items", GEOJSON_TYPE, limit="20")["features"]:
            known = {name: value for name, value in feature["properties"].items() if value is not None}
            assert known.keys() & named
            for name, value in known.items():
                jsonschema.validate(value, document["properties"][name])


@of("ogcapi-features-5/1.0/conf/sortables")
def sortables(looker):
    """/conf/sortables/op, response: what is listed sorts."""
    document = got(looker, "/collections/installations/sortables", SCHEMA_TYPE)
    jsonschema.Draft202012Validator.check_schema(document)
    for name in document["properties"]:
        assert got(looker, ITEMS, GEOJSON_TYPE, sortby=f"-{name}", limit="3")["numberReturned"] == 3


def cql2(*texts: str) -> Check:
    """Filters of a class are answered, in text and, where the tree is given, alike."""

    def check(looker: TestClient) -> None:
        for text in texts:
            assert looker.get(ITEMS, params={"filter": text}).status_code == 200, text

    return check


BOX = "BBOX(2.7,50.4,2.9,50.5)"
FUNCTIONS = {
    "basic-cql2": ("technology = 'wind' OR NOT (power_kw >= 3 AND year <> 2010)", "label IS NOT NULL", "visitors_welcome = TRUE"),
    "advanced-comparison-operators": ("name LIKE 'M%'", "year BETWEEN 2000 AND 2020", "technology IN ('wind','photovoltaic')"),
    "case-insensitive-comparison": ("CASEI(name) = CASEI('X')", "CASEI(name) LIKE CASEI('%toit%')"),
    "accent-insensitive-comparison": ("ACCENTI(name) = ACCENTI('é')", "ACCENTI(CASEI(name)) LIKE ACCENTI(CASEI('%É%'))"),
    "basic-spatial-functions": (f"S_INTERSECTS(geometry,{BOX})", "S_INTERSECTS(geometry,POINT(2.79 50.44))"),
    "basic-spatial-functions-plus": ("S_INTERSECTS(geometry,POLYGON((2 50,3 50,3 51,2 50)))", "S_INTERSECTS(geometry,MULTIPOINT((2 50),(3 51)))"),
    "spatial-functions": (*(f"S_{name}(geometry,{BOX})" for name in ("DISJOINT", "WITHIN", "CONTAINS", "TOUCHES", "OVERLAPS", "EQUALS")), "S_CROSSES(geometry,LINESTRING(2 50,3 51))"),
    "temporal-functions": ("T_AFTER(since,DATE('2010-01-01'))", "T_INTERSECTS(INTERVAL(since,until),INTERVAL('2010-01-01','..'))", "T_DURING(since,INTERVAL('2000-01-01','2030-01-01'))"),
    "arithmetic": ("power_kw * 2 + 1 > 10", "year % 2 = 0", "power_kw ^ 2 > 4", "year div 10 = 201"),
    "property-property": ("power_kw > area_m2", "since = source_date"),
}  # fmt: skip
CHECKS |= {f"{OGC}cql2/1.0/conf/{name}": cql2(*texts) for name, texts in FUNCTIONS.items()}
CHECKS[f"{OGC}cql2/1.0/conf/basic-spatial-operators"] = cql2(*FUNCTIONS["basic-spatial-functions"])


@of("cql2/1.0/conf/cql2-text", "cql2/1.0/conf/cql2-json")
def encodings(looker):
    """The standard's examples are answered or refused by name, never failed (their results: tests/geo/cql2)."""
    assert EXAMPLES
    assert found(looker, "year > 2010") == found(
        looker, '{"op":">","args":[{"property":"year"},2010]}', **{"filter-lang": "cql2-json"}
    )


@of("ogcapi-tiles-1/1.0/conf/core", "ogcapi-tiles-1/1.0/conf/mvt", "ogcapi-tiles-1/1.0/conf/tileset")
@of("ogcapi-tiles-1/1.0/conf/tilesets-list", "ogcapi-tiles-1/1.0/conf/geodata-tilesets")
@of("ogcapi-tiles-1/1.0/conf/dataset-tilesets")
def tiles(looker):
    """/conf/tilesets-list, /conf/tileset/desc-links, /conf/core/tc-op, tc-error: from a list to a tile, of data and of all."""
    for path in ("/tiles", "/collections/installations/tiles"):
        listed = got(looker, path)["tilesets"]
        assert listed
        tileset = got(looker, rels(listed[0])["self"]["href"])
        assert tileset["dataType"] == "vector"
        template = rels(tileset)["item"]["href"]
        limits = tileset["tileMatrixSetLimits"][-1]
        for word, value in (
            ("tileMatrix", limits["tileMatrix"]),
            ("tileRow", limits["minTileRow"]),
            ("tileCol", limits["minTileCol"]),
        ):
            template = template.replace(f"{{{word}}}", str(value))
        answer = looker.get(template)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
        assert looker.get(f"{path}/WebMercatorQuad/99/0/0").status_code in (400, 404)


@of(*(f"ogcapi-processes-1/1.0/conf/{name}" for name in ("core", "ogc-process-description", "json", "oas30")))
@of(*(f"ogcapi-processes-1/1.0/conf/{name}" for name in ("job-list", "dismiss")))
def processes(looker):
    """The list, a description, an execution; jobs are their asker's own (test_jobs.py, test_processes.py)."""
    listed = got(looker, "/processes")["processes"]
    for one in listed:
        described = got(looker, f"/processes/{one['id']}")
        assert described["id"] == one["id"]
        assert described["jobControlOptions"]
        assert looker.get(f"/processes/{one['id']}", headers={"Accept": "text/html"}).text.startswith("<!")
    assert looker.get("/processes/nothing").status_code == 404
    assert looker.get("/jobs").status_code == 401
    assert looker.delete("/jobs/nothing").status_code in (401, 404)


ONCE = {check: name.removeprefix(OGC) for name, check in reversed(CHECKS.items())}
"""Classes that one check is for are asked once, under the name of the first."""


@pytest.mark.parametrize("check", ONCE, ids=ONCE.values())
def test_a_class_that_is_declared_is_kept(looker, check):
    """Its abstract tests as requests."""
    check(looker)


def test_what_is_declared_is_what_is_tested(looker):
    """The list of the service, that of its code, and what stands here are one: a class without a check fails here."""
    assert set(looker.get("/conformance").json()["conformsTo"]) == set(CONFORMANCE) == CHECKS.keys()
