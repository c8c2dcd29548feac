"""For whoever watches the service: alive, and ready to answer. Neither is cached or counted among the public data."""

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from api.house import InHouse
from geo import schema
from geo.collections import versions
from geo.errors import Unavailable

router = APIRouter()
HEADERS = {"Cache-Control": "no-store"}


@router.get("/healthz")
async def healthz() -> Response:
    """The process runs. Touches neither thread nor pool."""
    return JSONResponse({"status": "ok"}, headers=HEADERS)


@router.get("/readyz")
def readyz(house: InHouse) -> Response:
    """The database answers both logins, has this version's tables, and holds a territory."""
    with house.db.write() as tx:
        found = schema.found(tx)
    if found != schema.expected():
        raise Unavailable("the database lacks this version's migrations: run `gohelle migrate`")
    with house.db.read() as tx:
        if not versions(tx):
            raise Unavailable("no territory has been loaded yet: run `gohelle seed`")
    return JSONResponse({"status": "ready", "schema": found}, headers=HEADERS)
