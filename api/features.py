"""The items of a collection, page by page, and each of them alone. PostGIS writes them; here links are put around."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api import asking, query
from api.downloads import FILES, download
from api.glance import all_day, glance
from api.house import JSON, PAGE, Ask, Form
from api.links import GEOJSON_TYPE, following_page, here, link
from api.subjects import with_subjects
from api.territory import licence_link, version_of
from geo import features
from geo.collections import Reaching, Territory
from geo.db import Statement
from geo.errors import NotFound
from geo.writing import View

GEOJSON = Form("geojson", GEOJSON_TYPE, also=JSON.media_type)
PLAIN = Form("json", GEOJSON_TYPE)
"""Many clients say f=json and mean the collection's only JSON."""
FORMS = (GEOJSON, PLAIN, PAGE)
EVERY = (*FORMS, *FILES)
BOTH = (("geojson", GEOJSON_TYPE), ("html", PAGE.media_type))


async def items(ask: Ask, collection_id: str) -> Response:
    """A page of the collection's items, or a file of them."""
    if ask.wants(EVERY) in FILES:
        return await run_in_threadpool(download, ask, collection_id, EVERY)
    return await glance(ask, partial(_page, ask, collection_id), partial(_items, ask, collection_id))


def _page(ask: Ask, collection_id: str, territory: Territory, reach: Reaching) -> Statement[features.Page]:
    collection = territory.collection(collection_id)
    parameters = ask.settle(territory, EVERY)
    # Figures that clash stand side by side on one page, and milestones on one line.
    whole = ask.form is PAGE and collection.kind.geometry is None
    limit = 1_000 if whole else query.DEFAULT_LIMIT
    wanted = asking.items(parameters, collection.kind, lang=ask.translation, default_limit=limit)
    return features.page(collection, wanted.question, reach=reach(collection), view=_view(ask, wanted.view))


def _items(ask: Ask, collection_id: str, territory: Territory, page: features.Page) -> Response:
    links = _links(ask, territory, collection_id)
    headers = {"OGC-NumberReturned": str(page.returned), "Content-Crs": f"<{page.view.crs.uri}>"}
    if page.matched is not None:
        headers["OGC-NumberMatched"] = str(page.matched)
    if page.next_after is not None:
        following = following_page(ask, asking.cursor_text(page.next_after, page.order, page.next_keys), GEOJSON.name)
        links.append({"href": following, "rel": "next", "type": GEOJSON_TYPE})
        headers["Link"] = f'<{following}>; rel="next"; type="{GEOJSON_TYPE}"'
    return _answer(ask, territory, collection_id, feature_collection(page, links), "items.html", headers)


async def item(ask: Ask, collection_id: str, item_id: str) -> Response:
    """One item."""
    return await glance(ask, partial(_one, ask, collection_id, item_id), partial(_item, ask, collection_id))


ALL_DAY = (
    all_day("/collections/{collection_id}/items", items),
    all_day("/collections/{collection_id}/items/{item_id}", item),
)


def _one(ask: Ask, collection_id: str, item_id: str, territory: Territory, _: Reaching) -> Statement[features.Item]:
    collection = territory.collection(collection_id)
    parameters = ask.settle(territory, FORMS)
    view = asking.view(parameters, collection.kind, lang=ask.translation)
    parameters.finish()
    return features.item(collection, _id(item_id), view=_view(ask, view))


def _item(ask: Ask, collection_id: str, territory: Territory, found: features.Item) -> Response:
    links = json.dumps(_links(ask, territory, collection_id), ensure_ascii=False)
    document = f'{found.feature[:-1]},"links":{links}}}'
    headers = {"Content-Crs": f"<{found.view.crs.uri}>"}
    return _answer(ask, territory, collection_id, document, "item.html", headers)


def _links(ask: Ask, territory: Territory, collection_id: str) -> list[dict[str, Any]]:
    return [
        *here(ask, *BOTH),
        link(ask, f"/collections/{collection_id}", "collection", "application/json"),
        licence_link(territory.body["licence"]),
    ]


def _answer(
    ask: Ask, territory: Territory, collection_id: str, document: str, template: str, headers: Mapping[str, str]
) -> Response:
    collection = territory.collection(collection_id)
    versions = version_of(territory, collection)
    shown: Any = document
    if ask.form is PAGE and collection.kind.geometry is None:
        shown, besides = with_subjects(ask, territory, document)
        versions = {**besides, **versions}
    return ask.answer(shown, versions=versions, territory=territory, template=template, headers=headers)


def _view(ask: Ask, asked: View) -> View:
    """A page for people needs names and sources, whatever of it a link asked for."""
    return View(lang=ask.translation) if ask.form is PAGE else asked


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
