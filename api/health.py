"""For whoever watches the service: alive, and ready to answer. Neither is cached or counted among the public data."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from api.house import InHouse, Now
from geo import schema
from geo.collections import versions
from geo.errors import Unavailable
from geo.register import jobs, outbox
from geo.register.outbox import Tally

router = APIRouter()
HEADERS = {"Cache-Control": "no-store"}


@router.get("/healthz")
async def healthz() -> Response:
    """The process runs. Touches neither thread nor pool."""
    return JSONResponse({"status": "ok"}, headers=HEADERS)


@router.get("/readyz")
def readyz(house: InHouse, now: Now) -> Response:
    """The database answers both logins, has this version's tables, and holds a territory. Letters are only told of."""
    with house.db.write() as tx:
        found = schema.found(tx)
        mail = _told(outbox.tally(tx), worked=jobs.alive(tx), now=now) if found == schema.expected() else None
    if found != schema.expected():
        raise Unavailable("the database lacks this version's migrations: run `gohelle migrate`")
    with house.db.read() as tx:
        if not versions(tx):
            raise Unavailable("no territory has been loaded yet: run `gohelle seed`")
    return JSONResponse({"status": "ready", "schema": found, "mail": mail}, headers=HEADERS)


def _told(tally: Tally, *, worked: bool, now: datetime) -> dict[str, Any]:
    """How the post stands, in numbers; nobody's letter can be told from them."""
    waited = int((now - tally.oldest).total_seconds()) if tally.oldest else 0
    worker = "running" if worked else "none"
    return {"worker": worker, "waiting": tally.waiting, "waited_seconds": waited, "failed": tally.failed}
