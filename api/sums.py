"""The sums of installations that are counted without being shown."""

from fastapi import APIRouter
from starlette.responses import Response

from api.house import JSON, PAGE, Asked
from api.links import here
from geo.collections import versions
from geo.columns import say
from geo.energy import TECHNOLOGIES
from geo.register import sums

router = APIRouter()

VERSION = "declared-sums"


@router.get("/declared-sums")
def declared_sums(ask: Asked) -> Response:
    """How many installations of each technology are declared for statistics only, from five on."""
    with ask.house.db.read() as tx:
        territory = ask.house.catalogue.territory(tx)
        parameters = ask.settle(territory, (JSON, PAGE))
        parameters.finish()
        seen = versions(tx, (VERSION, "catalogue"))
        if (same := ask.unchanged(seen)) is not None:
            return same
        told = sums.told(tx)
    document = {
        "sums": [
            {
                "technology": one.technology,
                "label": say(TECHNOLOGIES[one.technology], ask.lang),
                "commune": one.commune,
                "count": one.count,
                "power_kw": one.power_kw,
            }
            for one in told
        ],
        "links": here(ask, ("json", JSON.media_type), ("html", PAGE.media_type)),
    }
    return ask.answer(document, versions=seen, territory=territory, template="declared_sums.html")
