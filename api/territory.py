"""The territory and its collections: landing page, conformance, collections, the pack's pages."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.downloads import FILES
from api.house import JSON, PAGE, Ask, Asked
from api.links import ATOM_TYPE, GEOJSON_TYPE, OPENAPI_TYPE, SCHEMA_TYPE, here, link
from geo import exports
from geo.collections import CATALOGUE, Collection, Reach, Territory, Versions
from geo.columns import say
from geo.crs import uris
from geo.errors import NotFound
from geo.space import CRS84_URI

router = APIRouter()

CQL2 = (
    "cql2-text",
    "cql2-json",
    "basic-cql2",
    "advanced-comparison-operators",
    "case-insensitive-comparison",
    "accent-insensitive-comparison",
    "basic-spatial-functions",
    "basic-spatial-functions-plus",
    "spatial-functions",
    "temporal-functions",
    "arithmetic",
    "property-property",
)
PROCESSES = ("core", "ogc-process-description", "json", "oas30", "job-list", "dismiss")
CONFORMANCE = (
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/landing-page",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/json",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables-query-parameters",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/schemas",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/core-roles-features",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/returnables-and-receivables",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/sortables",
    *(f"http://www.opengis.net/spec/cql2/1.0/conf/{name}" for name in CQL2),
    # as QGIS still asks for them
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-operators",
    *(f"http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/{name}" for name in PROCESSES),
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tileset",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tilesets-list",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/dataset-tilesets",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/geodata-tilesets",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/mvt",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/oas30",
)
BOTH = (("json", JSON.media_type), ("html", PAGE.media_type))
LICENCE_URLS = {
    "etalab-2.0": "https://www.etalab.gouv.fr/licence-ouverte-open-licence/",
    "ODbL-1.0": "https://opendatacommons.org/licenses/odbl/1-0/",
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "MIT": "https://spdx.org/licenses/MIT.html",
}


@router.get("/")
def landing(ask: Asked) -> Response:
    """The map for browsers, and for machines the way to everything else."""
    territory = ask.territory()
    versions = catalogue_version(territory)
    body = territory.body
    document = {
        "title": say(body["title"], ask.lang),
        "description": say(body["description"], ask.lang),
        "attribution": body["attribution"],
        "license": body["licence"],
        "languages": list(territory.languages),
        "bounds": body["bounds"],
        "contact": body.get("contact", {}),
        "links": [
            *here(ask, *BOTH),
            link(ask, "/api", "service-desc", OPENAPI_TYPE, "OpenAPI 3.0"),
            link(ask, "/api", "service-doc", "text/html", "OpenAPI 3.0", f="html"),
            link(ask, "/conformance", "conformance", "application/json"),
            link(ask, "/conformance", "http://www.opengis.net/def/rel/ogc/1.0/conformance", "application/json"),
            link(ask, "/collections", "data", "application/json"),
            link(ask, "/collections", "http://www.opengis.net/def/rel/ogc/1.0/data", "application/json"),
            link(ask, "/processes", "http://www.opengis.net/def/rel/ogc/1.0/processes", "application/json"),
            link(ask, "/tiles", "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector", "application/json"),
            link(ask, "/tileMatrixSets", "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes", "application/json"),
            link(ask, "/styles", "http://www.opengis.net/def/rel/ogc/1.0/styles", "application/json"),
            licence_link(body["licence"]),
        ],
    }
    return ask.unchanged(versions) or ask.answer(
        document, versions=versions, territory=territory, template="landing.html"
    )


@router.get("/conformance")
def conformance(ask: Asked) -> Response:
    """The conformance classes that the service keeps."""
    territory = ask.territory()
    versions = catalogue_version(territory)
    document = {"conformsTo": list(CONFORMANCE), "links": here(ask, *BOTH)}
    return ask.unchanged(versions) or ask.answer(
        document, versions=versions, territory=territory, template="conformance.html"
    )


@router.get("/collections")
def collections(ask: Asked) -> Response:
    """Every collection, in the order of the legend."""
    with ask.house.db.read() as tx:
        territory = ask.house.catalogue.territory(tx)
        ask.settle(territory).finish()
        versions = dict(territory.versions)
        if (same := ask.unchanged(versions)) is not None:
            return same
        reaches = {one.id: _reach(ask, tx, territory, one) for one in territory.collections.values()}
    document = {
        "links": here(ask, *BOTH),
        "collections": [
            _collection(ask, territory, one, reaches[one.id], alone=False) for one in territory.collections.values()
        ],
    }
    return ask.answer(document, versions=versions, territory=territory, template="collections.html")


@router.get("/collections/{collection_id}")
def collection(collection_id: str, ask: Asked) -> Response:
    """One collection: what it holds, where, under which licence, and how to get it."""
    with ask.house.db.read() as tx:
        territory = ask.house.catalogue.territory(tx)
        ask.settle(territory).finish()
        one = territory.collection(collection_id)
        versions = version_of(territory, one)
        if (same := ask.unchanged(versions)) is not None:
            return same
        reach = _reach(ask, tx, territory, one)
    document = _collection(ask, territory, one, reach, alone=True)
    return ask.answer(document, versions=versions, territory=territory, template="collection.html")


@router.get("/pages/{page_id}")
def page(page_id: str, ask: Asked) -> Response:
    """A page of the pack: legal notice, data protection, accessibility."""
    territory = ask.territory()
    found = next((one for one in territory.body.get("pages", ()) if one["id"] == page_id), None)
    if found is None:
        raise NotFound("there is no such page")
    versions = catalogue_version(territory)
    document = {
        "id": page_id,
        "title": say(found["title"], ask.lang),
        "text": say(found["text"], ask.lang),
        "links": here(ask, *BOTH),
    }
    return ask.unchanged(versions) or ask.answer(document, versions=versions, territory=territory, template="page.html")


def catalogue_version(territory: Territory) -> Versions:
    """The versions that an answer about the territory itself rests on."""
    return {CATALOGUE: territory.versions.get(CATALOGUE, 0)}


def version_of(territory: Territory, one: Collection) -> Versions:
    """The versions that an answer about one collection rests on."""
    return {one.id: territory.versions.get(one.id, 0)}


def licence_link(licence: str) -> dict[str, Any]:
    """Where the licence can be read."""
    href = LICENCE_URLS.get(licence, f"https://spdx.org/licenses/{licence}.html")
    return {"href": href, "rel": "license", "type": "text/html", "title": licence}


def _reach(ask: Ask, tx: Any, territory: Territory, one: Collection) -> Reach:
    return ask.house.catalogue.reach(tx, one, territory.versions.get(one.id, 0))


def _collection(ask: Ask, territory: Territory, one: Collection, reach: Reach, *, alone: bool) -> dict[str, Any]:
    path = f"/collections/{one.id}"
    licence = territory.body["licence"]
    spatial = [reach.bbox.west, reach.bbox.south, reach.bbox.east, reach.bbox.north] if reach.bbox else None
    extent: dict[str, Any] = {"spatial": {"bbox": [spatial], "crs": CRS84_URI}} if spatial else {}
    if reach.since or reach.until:
        extent["temporal"] = {"interval": [[_instant(reach.since), _instant(reach.until)]]}
    return {
        "id": one.id,
        "title": say(one.title, ask.lang),
        "description": say(one.description, ask.lang),
        "itemType": "feature",
        "kind": one.kind.id,
        "geometryType": one.kind.geometry,
        "colour": one.colour,
        "visible": one.visible,
        "itemCount": reach.count,
        **({"extent": extent} if extent else {}),
        "crs": uris() if one.kind.geometry else [CRS84_URI],
        "storageCrs": CRS84_URI,
        "attribution": territory.body["attribution"],
        "license": licence,
        "links": [
            *(here(ask, *BOTH) if alone else [link(ask, path, "self", "application/json")]),
            link(ask, f"{path}/items", "items", GEOJSON_TYPE, say(one.title, ask.lang)),
            link(ask, f"{path}/items", "items", "text/html", say(one.title, ask.lang), f="html"),
            link(ask, f"{path}/feature-schema", "describedby", SCHEMA_TYPE),
            link(ask, f"{path}/schema", "http://www.opengis.net/def/rel/ogc/1.0/schema", SCHEMA_TYPE),
            link(ask, f"{path}/queryables", "http://www.opengis.net/def/rel/ogc/1.0/queryables", SCHEMA_TYPE),
            link(ask, f"{path}/sortables", "http://www.opengis.net/def/rel/ogc/1.0/sortables", SCHEMA_TYPE),
            *_drawings(ask, path, one),
            *(link(ask, f"{path}/{feed}", "alternate", ATOM_TYPE) for feed in ("new", "changes")),
            *(_files(ask, path, one) if alone else ()),
            licence_link(licence),
        ],
    }


def _drawings(ask: Ask, path: str, one: Collection) -> list[dict[str, Any]]:
    if one.kind.geometry is None:
        return []
    return [
        link(ask, f"{path}/tiles", "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector", "application/json"),
        link(ask, f"{path}/style", "stylesheet", "application/json"),
    ]


def _files(ask: Ask, path: str, one: Collection) -> list[dict[str, Any]]:
    """The whole collection as a file, in each format that suits it."""
    suiting, title = exports.formats(one.kind), say(one.title, ask.lang)
    return [
        link(ask, f"{path}/items", "enclosure", form.media_type, title, f=form.name)
        for form in FILES
        if form.name in suiting
    ]


def _instant(day: str | None) -> str | None:
    return f"{day}T00:00:00Z" if day else None
