"""The items of a collection, page by page, and each of them alone. PostGIS writes them; here links are put around."""

import json
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api import asking, query
from api.downloads import FILES, download
from api.house import JSON, PAGE, Ask, Asked, Form
from api.links import GEOJSON_TYPE, following_page, here, link
from api.subjects import with_subjects
from api.territory import licence_link, version_of
from geo import features
from geo.collections import Territory
from geo.db import Snapshot
from geo.errors import NotFound

router = APIRouter()

GEOJSON = Form("geojson", GEOJSON_TYPE, also=JSON.media_type)
PLAIN = Form("json", GEOJSON_TYPE)
"""Many clients say f=json and mean the collection's only JSON."""
FORMS = (GEOJSON, PLAIN, PAGE)
EVERY = (*FORMS, *FILES)
BOTH = (("geojson", GEOJSON_TYPE), ("html", PAGE.media_type))


@router.get("/collections/{collection_id}/items")
def items(collection_id: str, ask: Asked) -> Response:
    """A page of the collection's items, or a file of them."""
    if ask.wants(EVERY) in FILES:
        return download(ask, collection_id, EVERY)
    territory, page = ask.look(lambda tx, territory: _page(tx, territory, collection_id, ask))
    collection = territory.collection(collection_id)
    links = [
        *here(ask, *BOTH),
        link(ask, f"/collections/{collection.id}", "collection", "application/json"),
        licence_link(territory.body["licence"]),
    ]
    headers = {
        "OGC-NumberReturned": str(page.returned),
        "Content-Crs": f"<{page.view.crs.uri}>",
    }
    if page.matched is not None:
        headers["OGC-NumberMatched"] = str(page.matched)
    if page.next_after is not None:
        following = following_page(ask, asking.cursor_text(page.next_after, page.order, page.next_keys), GEOJSON.name)
        links.append({"href": following, "rel": "next", "type": GEOJSON_TYPE})
        headers["Link"] = f'<{following}>; rel="next"; type="{GEOJSON_TYPE}"'
    document = feature_collection(page, links)
    versions = version_of(territory, collection)
    if ask.form is PAGE and collection.kind.geometry is None:
        document, besides = with_subjects(ask, territory, document)
        versions = {**besides, **versions}
    return ask.answer(document, versions=versions, territory=territory, template="items.html", headers=headers)


def _page(tx: Snapshot, territory: Territory, collection_id: str, ask: Ask) -> features.Page:
    collection = territory.collection(collection_id)
    parameters = ask.settle(territory, EVERY)
    # Figures that clash stand side by side on one page, and milestones on one line.
    whole = ask.form is PAGE and collection.kind.geometry is None
    limit = 1_000 if whole else query.DEFAULT_LIMIT
    wanted = asking.items(parameters, collection.kind, lang=ask.translation, default_limit=limit)
    reach = ask.house.catalogue.reach(tx, collection, territory.versions.get(collection.id, 0))
    return features.page(tx, collection, wanted.question, reach=reach, view=_view(ask, wanted.view))


@router.get("/collections/{collection_id}/items/{item_id}")
def item(collection_id: str, item_id: str, ask: Asked) -> Response:
    """One item."""
    territory, found = ask.look(lambda tx, territory: _item(tx, territory, collection_id, item_id, ask))
    collection = territory.collection(collection_id)
    links = [
        *here(ask, *BOTH),
        link(ask, f"/collections/{collection.id}", "collection", "application/json"),
        licence_link(territory.body["licence"]),
    ]
    document = f'{found.feature[:-1]},"links":{json.dumps(links, ensure_ascii=False)}}}'
    headers = {"Content-Crs": f"<{found.view.crs.uri}>"}
    versions = version_of(territory, collection)
    if ask.form is PAGE and collection.kind.geometry is None:
        document, besides = with_subjects(ask, territory, document)
        versions = {**besides, **versions}
    return ask.answer(document, versions=versions, territory=territory, template="item.html", headers=headers)


def _item(tx: Snapshot, territory: Territory, collection_id: str, item_id: str, ask: Ask) -> features.Item:
    collection = territory.collection(collection_id)
    parameters = ask.settle(territory, FORMS)
    view = asking.view(parameters, collection.kind, lang=ask.translation)
    parameters.finish()
    return features.item(tx, collection, _id(item_id), view=_view(ask, view))


def _view(ask: Ask, asked: features.View) -> features.View:
    """A page for people needs names and sources, whatever of it a link asked for."""
    return features.View(lang=ask.translation) if ask.form is PAGE else asked


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise NotFound("the collection has no such item")
    return int(text)


def feature_collection(page: features.Page, links: list[dict[str, Any]]) -> str:
    """The page and its links as one document."""
    matched = f'"numberMatched":{page.matched},' if page.matched is not None else ""
    return (
        f'{{"type":"FeatureCollection",{matched}"numberReturned":{page.returned},'
        f'"links":{json.dumps(links, ensure_ascii=False)},"features":[{page.features}]}}'
    )
