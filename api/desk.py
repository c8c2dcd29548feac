"""What the town hall's rooms share: its pages and answers, which one reader gets and nobody keeps, and its cursors."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from api import discreet, pages
from api.query import Misread
from geo.collections import Territory
from geo.columns import LANGUAGES
from geo.errors import NotFound

ALONE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


def page(
    request: Request,
    territory: Territory,
    template: str,
    document: Mapping[str, Any],
    *,
    status: int = 200,
    policy: str = pages.PAGE_CSP,
    query: Mapping[str, str] | None = None,
) -> Response:
    """A page whose forms act in somebody's name: its browser may tell our own host where they come from."""
    headers = {"Referrer-Policy": "same-origin"}
    return discreet.page(
        request, template, document, territory=territory, status=status, policy=policy, headers=headers, query=query
    )


def key_page(
    request: Request, territory: Territory, template: str, document: Mapping[str, Any], *, status: int = 200
) -> Response:
    """A page that a mailed link leads to: its script takes the key out of the address, and it refers to nobody."""
    return discreet.page(request, template, document, territory=territory, status=status, policy=pages.KEY_CSP)


def map_policy(basemap: str) -> str:
    """The policy of a page of ours that has a map: no other site may frame it."""
    return f"{pages.policy(basemap)}; frame-ancestors 'none'"


def answer(document: Any, status: int = 200) -> Response:
    """JSON for whoever asked."""
    return JSONResponse(document, status, ALONE)


def elsewhere(request: Request, path: str) -> Response:
    """On to another page of ours, by GET, in the language that was asked for by name."""
    lang = request.query_params.get("lang")
    named = f"{'&' if '?' in path else '?'}lang={lang}" if lang in LANGUAGES else ""
    return RedirectResponse(path + named, 303, ALONE)


def mail_folder(request: Request) -> str | None:
    """Where letters are files, for want of a mail server; None where there is one."""
    folder = request.app.state.house.settings.mail_folder
    return str(folder) if folder else None


def network(request: Request) -> str | None:
    """The network address that the request comes from; whether a proxy's word counts, the server has judged."""
    return request.client.host if request.client else None


def number(text: str) -> UUID:
    """The declaration's number in an address; NotFound where that is none."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("there is no such declaration") from None


def cursor_text(after: tuple[datetime, UUID]) -> str:
    """Where the next page of the queue begins, as an address carries it."""
    plain = f"{after[0].isoformat()} {after[1]}"
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def cursor(text: str) -> tuple[datetime, UUID]:
    """What `cursor_text` wrote."""
    try:
        padded = text + "=" * (-len(text) % 4)
        moment, _, id = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").partition(" ")
        when, which = datetime.fromisoformat(moment), UUID(id)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise Misread("must be the cursor of a `next` link") from None
    if when.tzinfo is None:
        raise Misread("must be the cursor of a `next` link")
    return when, which
