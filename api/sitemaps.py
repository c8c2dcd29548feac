"""What search engines ask for: robots.txt, and the addresses of all pages in sitemaps of bounded size."""

from collections.abc import Iterable
from datetime import date
from xml.etree import ElementTree as ET

from fastapi import APIRouter
from starlette.responses import Response

from api.house import Ask, Asked, Form
from api.territory import catalogue_version, version_of
from geo import addresses
from geo.collections import Territory, Versions
from geo.errors import NotFound

router = APIRouter()

XML = Form("xml", "application/xml", also="text/xml")
TEXT = Form("txt", "text/plain")
NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
XHTML = "http://www.w3.org/1999/xhtml"
CLOSED = ("/townhall", "/mine", "/flag", "/declare/", "/register/", "/processes/*/execution", "/tiles/", "/*/tiles/")
"""What is somebody's own, or costs much and says nothing to whoever searches."""

ROOMS = ("/", "/collections", "/statistics", "/embed/build", "/declare", "/processes", "/api", "/conformance")


@router.get("/robots.txt")
def robots(ask: Asked) -> Response:
    """Where visiting programs need not go, and where the list of all pages is."""
    territory = ask.territory(TEXT)
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in CLOSED),
        "",
        f"Sitemap: {ask.house.url('/sitemap.xml')}",
    ]
    return ask.reply("\n".join(lines) + "\n", "text/plain; charset=utf-8", versions=catalogue_version(territory))


@router.get("/sitemap.xml")
def index(ask: Asked) -> Response:
    """The sitemaps: one of the pages, and one of each slice of each collection."""
    with ask.house.db.read() as tx:
        territory = ask.house.catalogue.territory(tx)
        ask.settle(territory, (XML,)).finish()
        seen = dict(territory.versions)
        if (same := ask.unchanged(seen)) is not None:
            return same
        held = {one.id: addresses.slices(tx, one) for one in territory.collections.values()}
    root = ET.Element("sitemapindex", {"xmlns": NAMESPACE})
    _place(root, "sitemap", ask.house.url("/sitemaps/pages"))
    for id, slices in held.items():
        for one in slices:
            _place(root, "sitemap", ask.house.url(f"/sitemaps/{id}/{one.number}"), changed=one.changed)
    return _xml(ask, root, seen)


@router.get("/sitemaps/pages")
def pages(ask: Asked) -> Response:
    """The pages that are no items, each in all the languages of the territory."""
    territory = ask.territory(XML)
    seen = catalogue_version(territory)
    root = ET.Element("urlset", {"xmlns": NAMESPACE, "xmlns:xhtml": XHTML})
    for path in _paths(territory):
        address = ask.house.url(path)
        place = _place(root, "url", address)
        for lang in territory.languages:
            said = {"rel": "alternate", "hreflang": lang, "href": f"{address}?lang={lang}"}
            ET.SubElement(place, "xhtml:link", said)
    return _xml(ask, root, seen)


@router.get("/sitemaps/{collection_id}/{number}")
def items(collection_id: str, number: str, ask: Asked) -> Response:
    """The pages of the items of one slice of a collection."""
    with ask.house.db.read() as tx:
        territory = ask.house.catalogue.territory(tx)
        ask.settle(territory, (XML,)).finish()
        collection = territory.collection(collection_id)
        seen = version_of(territory, collection)
        found = addresses.listed(tx, collection, _slice(number))
    if not found:
        raise NotFound("the collection has no such slice")
    root = ET.Element("urlset", {"xmlns": NAMESPACE})
    for id, changed in found:
        _place(root, "url", ask.house.url(f"/collections/{collection.id}/items/{id}"), changed=changed)
    return _xml(ask, root, seen)


def _paths(territory: Territory) -> Iterable[str]:
    yield from ROOMS
    for id in territory.collections:
        yield f"/collections/{id}"
        yield f"/collections/{id}/items"
    for page in territory.body.get("pages", ()):
        yield f"/pages/{page['id']}"


def _slice(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise NotFound("the collection has no such slice")
    return int(text)


def _place(root: ET.Element, name: str, address: str, *, changed: date | None = None) -> ET.Element:
    place = ET.SubElement(root, name)
    ET.SubElement(place, "loc").text = address
    if changed:
        ET.SubElement(place, "lastmod").text = changed.isoformat()
    return place


def _xml(ask: Ask, root: ET.Element, versions: Versions) -> Response:
    body = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return ask.reply(body, f"{XML.media_type}; charset=utf-8", versions=versions)
