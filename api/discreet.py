"""Pages that are for one person: kept by nobody, referring to nobody, in the language that was asked for."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api import negotiation, pages
from api.house import HTML, House
from geo.collections import Territory
from geo.columns import LANGUAGES

HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


def language(request: Request, territory: Territory) -> str:
    """The language that the address names, else the one that the browser likes best of the territory's."""
    named = request.query_params.get("lang")
    if named in LANGUAGES:
        return named
    return negotiation.language(request.headers.get("accept-language", ""), territory.languages)


def page(
    request: Request,
    template: str,
    document: Mapping[str, Any],
    *,
    territory: Territory,
    status: int = 200,
    policy: str = pages.PAGE_CSP,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    path: str | None = None,
) -> Response:
    """The document as a page; of the address the language alone is kept in its links, and what `query` names.

    `path` is where a GET opens the page in another language, if that is not where this was asked for.
    """
    house: House = request.app.state.house
    lang = language(request, territory)
    asked = {"lang": lang} if request.query_params.get("lang") == lang else {}
    site = house.site(territory, lang)
    at = path or request.url.path
    body = pages.render(template, document, lang=lang, site=site, path=at, query={**asked, **(query or {})})
    sent = {**HEADERS, "Content-Security-Policy": policy, "Content-Language": lang, **(headers or {})}
    return Response(body, status, sent, f"{HTML}; charset=utf-8")
