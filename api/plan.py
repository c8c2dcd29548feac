"""The planners' page: the frame of it. Its questions, forms and answers come to the browser through the public API."""

from fastapi import APIRouter
from starlette.responses import Response

from api import pages
from api.house import PAGE, Asked
from api.territory import catalogue_version

router = APIRouter()

SHARED = (
    "units", "positions", "yes", "no", "maplibre", "map_region", "error_network", "error_webgl", "life", "language_name"
)  # fmt: skip
"""Words that this page has in common with the map."""


@router.get("/plan")
def plan(ask: Asked) -> Response:
    """The page, in the language asked for."""
    territory = ask.territory(PAGE)
    common = pages.words(ask.lang)
    setup = {
        "lang": ask.lang,
        "bounds": territory.body["bounds"],
        "basemap": ask.house.settings.basemap,
        "words": {**{name: common[name] for name in SHARED}, **pages.words(ask.lang, "plan")},
    }
    return ask.answer(
        {"setup": setup}, versions=catalogue_version(territory), territory=territory, template="plan.html"
    )
