"""Atom feeds: what is new in a collection, and what changed in it. Both are its items in an order; here they become XML."""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from xml.etree import ElementTree as ET

from fastapi import APIRouter
from starlette.responses import Response

from api import pages
from api.house import Ask, Asked, Form
from api.links import ATOM_TYPE
from api.territory import LICENCE_URLS, version_of
from geo import addresses, features
from geo.collections import Collection, Territory
from geo.columns import say
from geo.filters import Question
from geo.sorting import Key, Order
from geo.writing import View

router = APIRouter()

ATOM = Form("atom", ATOM_TYPE)
NAMESPACE = "http://www.w3.org/2005/Atom"
ENTRIES = 50
NEW, CHANGES = "id", "updated_at"
"""What each feed is sorted by. An item gets its number when it is first published, and keeps it when it comes back."""

UNWRITABLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot say."""


@router.get("/collections/{collection_id}/new")
def new(collection_id: str, ask: Asked) -> Response:
    """The items that were published last, newest first."""
    return _feed(ask, collection_id, NEW)


@router.get("/collections/{collection_id}/changes")
def changes(collection_id: str, ask: Asked) -> Response:
    """The items that were published or changed last, latest first."""
    return _feed(ask, collection_id, CHANGES)


def _feed(ask: Ask, collection_id: str, by: str) -> Response:
    with ask.house.db.read() as tx:
        territory = ask.house.catalogue.territory(tx)
        ask.settle(territory, (ATOM,)).finish()
        collection = territory.collection(collection_id)
        seen = version_of(territory, collection)
        if (same := ask.unchanged(seen)) is not None:
            return same
        reach = ask.house.catalogue.reach(tx, collection, territory.versions.get(collection.id, 0))
        order = Order((Key(collection.kind.filterables[by], descending=True),))
        question = Question(limit=ENTRIES, order=order)
        page = features.page(collection, question, reach=reach, view=View(lang=ask.translation, located=False)).asked(
            tx
        )
        changed = addresses.changed_on(tx, collection)
    entries = json.loads(f"[{page.features}]")
    # A collection that never held anything has not changed since the town's own description was written.
    day = f"{changed or date(1970, 1, 1)}T00:00:00+00:00"
    updated = max((day, *(one["properties"]["updated_at"] for one in entries)), key=datetime.fromisoformat)
    body = feed(ask, territory, collection, entries, title=_title(ask, collection, by), updated=updated)
    return ask.reply(body, f"{ATOM.media_type}; charset=utf-8", versions=seen)


def feed(
    ask: Ask,
    territory: Territory,
    collection: Collection,
    entries: list[dict[str, Any]],
    *,
    title: str,
    updated: str,
) -> bytes:
    """The Atom document (RFC 4287) of these GeoJSON features."""
    town, url = say(territory.body["title"], ask.lang), ask.house.url
    spoken = f"?lang={ask.lang}"
    root = ET.Element("feed", {"xmlns": NAMESPACE, "xml:lang": ask.lang})
    _say(root, "id", url(ask.path) + spoken)
    _say(root, "title", f"{title} – {town}")
    _say(root, "updated", updated)
    _say(ET.SubElement(root, "author"), "name", territory.body.get("contact", {}).get("name") or town)
    _say(root, "rights", f"{territory.body['attribution']}, {territory.body['licence']}")
    _say(root, "generator", "Gohelle")
    _link(root, "self", url(ask.path) + spoken, ATOM.media_type)
    _link(root, "alternate", url(f"/collections/{collection.id}/items") + spoken, "text/html")
    if licence := LICENCE_URLS.get(territory.body["licence"]):
        _link(root, "license", licence, "text/html")
    for one in entries:
        _entry(root, collection, one, address=url(f"/collections/{collection.id}/items/{one['id']}"), lang=ask.lang)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _entry(root: ET.Element, collection: Collection, one: Mapping[str, Any], *, address: str, lang: str) -> None:
    entry, properties = ET.SubElement(root, "entry"), one["properties"]
    _say(entry, "id", address)
    _say(entry, "title", properties["name"])
    _say(entry, "updated", properties["updated_at"])
    _say(entry, "summary", _summary(collection, properties, lang))
    _link(entry, "alternate", f"{address}?lang={lang}", "text/html")
    _link(entry, "alternate", f"{address}?f=geojson&lang={lang}", "application/geo+json")


def _summary(collection: Collection, properties: Mapping[str, Any], lang: str) -> str:
    """What the item says of itself, then its values in words, as plain text."""
    told = [f"{field.label}: {field.text}" for field in pages.fields(properties, collection.kind, lang)]
    return "\n".join(part for part in (properties.get("description"), " · ".join(told)) if part)


def _title(ask: Ask, collection: Collection, by: str) -> str:
    words = pages.words(ask.lang)["feeds"]
    return words["new" if by == NEW else "changes"].format(title=say(collection.title, ask.lang))


def _say(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = UNWRITABLE.sub("\ufffd", text)


def _link(parent: ET.Element, rel: str, href: str, media_type: str) -> None:
    ET.SubElement(parent, "link", {"rel": rel, "href": href, "type": media_type})
