"""Where residents declare what they have installed. What becomes public of it, and when, is the register's affair."""

import re
from typing import Annotated

from fastapi import APIRouter, Header
from starlette.responses import JSONResponse, Response

from api.house import InHouse, Now
from geo import register
from geo.errors import BadInput, Problem
from geo.register import Draft

router = APIRouter()


@router.post("/installations")
def declare(
    draft: Draft, house: InHouse, now: Now, idempotency_key: Annotated[str | None, Header()] = None
) -> Response:
    """Hand in a declaration. It is kept when this answers, and public only once the town hall approves it."""
    if idempotency_key is not None and not re.fullmatch(r"[\x21-\x7e]{1,255}", idempotency_key):
        raise BadInput(Problem(parameter="Idempotency-Key", message="must be 1 to 255 visible ASCII characters"))
    with house.db.write() as tx:
        territory = house.catalogue.territory(tx)
        receipt = register.submit(tx, draft, territory=territory, now=now, key=idempotency_key)
    body = {
        "id": str(receipt.id),
        "state": receipt.state,
        "precision": receipt.precision,
        "next": "the town hall decides; nothing is public until then",
    }
    return JSONResponse(body, 202, {"Cache-Control": "no-store"})
