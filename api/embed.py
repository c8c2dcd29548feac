"""The map in other people's pages: the frame, the element that makes it, the page that writes the lines, and oEmbed."""

import re
from collections.abc import Sequence
from html import escape
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from fastapi import APIRouter
from starlette.responses import Response

from api import assets, pages
from api.house import JSON, PAGE, Ask, Asked, Form
from api.query import Misread, one_of
from api.territory import catalogue_version
from geo.collections import Territory
from geo.columns import say
from geo.errors import BadQuery, NotFound, Problem

router = APIRouter()

SCRIPT = Form("js", "text/javascript")
WIDTH, HEIGHT = 800, 600
LEAST = 200
"""Pixels below which a map says nothing."""

PATH = re.compile(r"/(?:collections/(?P<collection>[a-z0-9-]+)(?:/items(?:/(?P<item>[0-9]{1,18}))?)?)?", re.ASCII)
"""The pages that have a place on the map: the map itself, a collection, its items, an item."""


@router.get("/embed")
def embed(ask: Asked) -> Response:
    """The map as a frame: with these collections, or with all. Ids that are no longer there are left out."""
    with ask.house.db.read() as tx:
        territory = ask.house.catalogue.territory(tx)
    parameters = ask.settle(territory, (PAGE,))
    named = parameters.take("collections", lambda text: text.split(","), [])
    parameters.finish()
    body = territory.body
    document = {
        "title": say(body["title"], ask.lang),
        "description": say(body["description"], ask.lang),
        "bounds": body["bounds"],
        "only": [id for id in _drawn(territory) if id in named] or _drawn(territory),
    }
    return ask.answer(document, versions=catalogue_version(territory), territory=territory, template="embed.html")


@router.get("/embed.js")
def element(ask: Asked) -> Response:
    """The module that defines `<gohelle-map>`; one address for ever, asked for again when it changed."""
    territory = ask.territory(SCRIPT)
    source = (assets.STATIC / "embed.js").read_text("utf-8")
    return ask.reply(source, f"{SCRIPT.media_type}; charset=utf-8", versions=catalogue_version(territory))


@router.get("/embed/build")
def build(ask: Asked) -> Response:
    """The lines that put the map into a page, for the collections and the language that are chosen."""
    with ask.house.db.read() as tx:
        territory = ask.house.catalogue.territory(tx)
    ask.settle(territory, (PAGE,))  # whatever else a link carries is let be
    chosen = ask.request.query_params.getlist("c")
    drawn = _drawn(territory)
    kept = [id for id in drawn if id in chosen] or [id for id in drawn if territory.collections[id].visible] or drawn
    address = _address(ask, kept, lang=ask.lang)
    title = say(territory.body["title"], ask.lang)
    origin = ask.house.settings.public_url
    document = {
        "choices": [
            {"id": id, "title": say(territory.collections[id].title, ask.lang), "chosen": id in kept} for id in drawn
        ],
        "address": urlsplit(address)._replace(scheme="", netloc="").geturl(),
        "element": f'<script type="module" src="{origin}/embed.js"></script>\n'
        f'<gohelle-map collections="{",".join(kept)}" lang="{ask.lang}"></gohelle-map>',
        "frame": _frame(address, title, (WIDTH, HEIGHT)),
        "policy": f"script-src 'self' {origin}; frame-src {origin}",
    }
    policy = f"{pages.PAGE_CSP}; frame-src 'self'"
    answer = ask.answer(
        document, versions=catalogue_version(territory), territory=territory, template="embed_build.html"
    )
    answer.headers["Content-Security-Policy"] = policy
    return answer


@router.get("/oembed")
def oembed(ask: Asked) -> Response:
    """What the page at an address looks like elsewhere (oEmbed 1.0): the map as a frame, or a link where it has no place."""
    with ask.house.db.read() as tx:
        territory = ask.house.catalogue.territory(tx)
    parameters = ask.settle(territory, (JSON,))
    parameters.take("format", one_of(["json"]), "json")
    address = parameters.take("url", str, "")
    width = parameters.take("maxwidth", _pixels, WIDTH)
    height = parameters.take("maxheight", _pixels, HEIGHT)
    parameters.finish()
    if not address:
        raise BadQuery(Problem(parameter="url", message="must be the address of a page of this service"))
    document = _embedding(ask, territory, address, (min(width, WIDTH), min(height, HEIGHT)))
    return ask.answer(document, versions=catalogue_version(territory), territory=territory, template="")


def _embedding(ask: Ask, territory: Territory, address: str, size: tuple[int, int]) -> dict[str, Any]:
    origin, path, query = _parts(address)
    found = PATH.fullmatch(path)
    if origin != ask.house.settings.public_url or found is None:
        raise NotFound("that address is no page of this service that can be embedded")
    town = say(territory.body["title"], ask.lang)
    collection = territory.collection(found["collection"]) if found["collection"] else None
    title = f"{say(collection.title, ask.lang)} – {town}" if collection else town
    said = {"version": "1.0", "title": title, "provider_name": town, "provider_url": ask.house.url("/")}
    if collection and not collection.kind.geometry:
        return {**said, "type": "link"}
    lang = parse_qs(query).get("lang", [""])[0]
    at = f"&at={collection.id}/{found['item']}" if collection and found["item"] else ""
    only = [collection.id] if collection else []
    frame = _frame(_address(ask, only, lang=lang if lang in territory.languages else "", at=at), title, size)
    return {**said, "type": "rich", "width": size[0], "height": size[1], "html": frame}


def _parts(address: str) -> tuple[str, str, str]:
    """Origin, path and query of an address; of none, nothing."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "", "", ""
    return f"{parts.scheme}://{parts.netloc}", parts.path or "/", parts.query


def _address(ask: Ask, collections: Sequence[str], *, lang: str = "", at: str = "") -> str:
    asked = {name: value for name, value in (("collections", ",".join(collections)), ("lang", lang)) if value}
    query = f"?{urlencode(asked, safe=',')}" if asked else ""
    return f"{ask.house.url('/embed')}{query}{'#' + quote(at, safe='&=/') if at else ''}"


def _frame(address: str, title: str, size: tuple[int, int]) -> str:
    return (
        f'<iframe src="{escape(address)}" title="{escape(title)}" width="{size[0]}" height="{size[1]}" '
        'loading="lazy" allow="clipboard-write"></iframe>'
    )


def _drawn(territory: Territory) -> list[str]:
    """The collections that have a place on the map."""
    return [one.id for one in territory.collections.values() if one.kind.geometry]


def _pixels(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and int(text) >= LEAST):
        raise Misread(f"must be a whole number of pixels, {LEAST} at least")
    return int(text)
