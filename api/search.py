"""The items of a collection asked for by POST: a filter that is too long for an address fits into a body."""

import json
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api import asking
from api.features import GEOJSON, PLAIN, feature_collection
from api.house import Asked
from api.links import GEOJSON_TYPE, link
from api.query import Parameters
from geo import features
from geo.errors import BadInput, BadQuery, Problem

router = APIRouter()

KINDS: dict[str, tuple[type, ...]] = {
    "filter": (str, dict, bool),
    "limit": (int,),
    "skipGeometry": (bool,),
    **dict.fromkeys(("bbox", "sortby", "properties"), (str, list)),
}
"""What a member of the body may be; the other parameters are texts, and queryables any value."""


@router.post("/collections/{collection_id}/search")
def search(collection_id: str, body: dict[str, Any], ask: Asked) -> Response:
    """A page of the collection's items. The body's members are the parameters of `items`; the filter may be an object."""
    with ask.house.db.read() as tx:
        territory = ask.house.catalogue.territory(tx)
        collection = territory.collection(collection_id)
        ask.settle(territory, (GEOJSON, PLAIN)).finish()
        try:
            wanted = asking.items(_parameters(body), collection.kind, lang=ask.translation)
        except BadQuery as error:
            raise BadInput(
                *(Problem(pointer=f"/{one.parameter}", message=one.message) for one in error.problems)
            ) from None
        reach = ask.house.catalogue.reach(tx, collection, territory.versions.get(collection.id, 0))
        page = features.page(collection, wanted.question, reach=reach, view=wanted.view).asked(tx)
    links = [link(ask, f"/collections/{collection.id}", "collection", "application/json")]
    headers = {
        "Cache-Control": "no-store",
        "Content-Crs": f"<{page.view.crs.uri}>",
        "OGC-NumberReturned": str(page.returned),
    }
    if page.matched is not None:
        headers["OGC-NumberMatched"] = str(page.matched)
    if page.next_after is not None:
        cursor = asking.cursor_text(page.next_after, page.order, page.next_keys)
        following = link(ask, ask.path, "next", GEOJSON_TYPE)
        links.append({**following, "method": "POST", "body": {**body, "cursor": cursor}})
    return Response(feature_collection(page, links), headers=headers, media_type=GEOJSON_TYPE)


def _parameters(body: dict[str, Any]) -> Parameters:
    """The members of the body as the parameters that they stand for."""
    fitting = {name: value for name, value in body.items() if type(value) in _types(name)}
    parameters = Parameters((name, _text(value)) for name, value in fitting.items())
    for name in body.keys() - fitting.keys():
        parameters.wrong(name, "is of a type that it cannot be")
    return parameters


def _types(name: str) -> tuple[type, ...]:
    return KINDS.get(name, (str,) if name in asking.NAMES else (str, int, float, bool))


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ",".join(part if isinstance(part, str) else repr(part) for part in value)
    try:
        return json.dumps(value)
    except RecursionError:
        return "{"
