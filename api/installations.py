"""Where other sites and programs declare an installation, as JSON. What becomes public of it, and when, is the register's affair."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.declare import admitted, spend
from api.house import InHouse, Now
from geo import register
from geo.errors import BadInput, Problem

router = APIRouter()


@router.post("/installations")
def declare(
    request: Request,
    body: Annotated[dict[str, Any], Body()],
    house: InHouse,
    now: Now,
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Response:
    """Hand in a declaration. It is kept when this answers; its owner confirms it by mail, then the town decides."""
    admitted(request, house)
    if idempotency_key is not None and not re.fullmatch(r"[\x21-\x7e]{1,255}", idempotency_key):
        raise BadInput(Problem(parameter="Idempotency-Key", message="must be 1 to 255 visible ASCII characters"))
    with house.db.write() as tx:
        draft = register.check(tx, body, territory=house.catalogue.territory(tx), now=now)
        receipt = register.submit(tx, draft, now=now, key=idempotency_key)
        if not receipt.repeated:
            spend(request, draft, house, tx, now)
    answer = {
        "id": str(receipt.id),
        "state": receipt.state,
        "precision": receipt.precision,
        "next": "confirm by the link in the e-mail; then the town hall decides, and nothing is public until then",
    }
    return JSONResponse(answer, 202, {"Cache-Control": "no-store"})
