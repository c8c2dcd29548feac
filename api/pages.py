"""HTML representations: `render` turns the document that the JSON representation shows into a page. No data is read here.

The words of the pages stand in web/words, the pages themselves in web/templates; what browsers load beside a page is named in assets.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any, NamedTuple, TypedDict
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from api import assets
from api.linked import linked
from geo import columns
from geo.columns import LANGUAGES, Column, say
from geo.kinds import KINDS, Kind

Query = Mapping[str, Any] | Iterable[tuple[str, Any]]
Properties = Mapping[str, Any]


class Site(TypedDict):
    """What every page knows of its territory, already in the page's language."""

    title: str
    description: str
    languages: list[str]
    attribution: str
    licence: str
    contact: dict[str, Any]
    pages: list[dict[str, str]]  # id, title
    public_url: str
    basemap: str | None
    collections: list[dict[str, str]]  # id, title, kind


def render(template: str, document: Mapping[str, Any], *, lang: str, site: Site, path: str, query: Query = ()) -> str:
    """The HTML page of a resource. `document` is what its JSON says; `path` and `query` are what was asked for."""
    pairs = list(query.items()) if isinstance(query, Mapping) else list(query)
    asked = {name: str(value) for name, value in pairs if value not in (None, "")}
    collection = _collection(site, path)
    kind = KINDS.get(collection["kind"]) if collection else None
    return (
        _environment()
        .get_template(_by_kind(template, kind))
        .render(
            doc=document,
            lang=lang,
            site=site,
            path=path,
            asked=asked,
            collection=collection,
            kind=kind,
            t=words(lang),
            languages=[code for code in site["languages"] if code in LANGUAGES] or ["en"],
        )
    )


def words(lang: str, room: str = "") -> dict[str, Any]:
    """The software's own words in `lang`; English where it does not speak that language. Some rooms have words of their own."""
    return _words(lang if lang in LANGUAGES else "en", room)


@cache
def _words(lang: str, room: str) -> dict[str, Any]:
    return json.loads((assets.WEB / "words" / room / f"{lang}.json").read_text("utf-8"))


def _collection(site: Site, path: str) -> dict[str, str] | None:
    match = re.match(r"/collections/([^/]+)", path)
    return next((one for one in site["collections"] if match and one["id"] == match[1]), None)


def _by_kind(template: str, kind: Kind | None) -> str:
    own = kind is not None and template == "items.html" and (assets.WEB / "templates" / f"{kind.id}.html").exists()
    return f"{kind.id}.html" if own and kind else template


# What the browser may load


GEOCODER = "https://data.geopf.fr"
"""The national geocoder, which the browser of whoever declares asks itself: we learn nothing of what is typed there."""


def policy(basemap: str | None = None, *, asking: str = "") -> str:
    """The Content-Security-Policy of a page with a map; the origin of a basemap's style may be asked for its data too.

    `asking` is another origin that the page's script asks.
    """
    parts = urlsplit(basemap or "")
    origin = f" {parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") and parts.netloc else ""
    return (
        f"default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; "
        f"img-src 'self' data: blob:{origin}; connect-src 'self'{origin}{' ' + asking if asking else ''}; font-src 'self'; "
        "form-action 'self'; base-uri 'none'; object-src 'none'"
    )


MAPS = ("landing.html", "embed.html", "plan.html")
"""The templates that are a map."""

MAP_CSP = policy()
"""The map page without a basemap. It names no frame-ancestors: other sites may embed the map."""


def form_policy(basemap: str | None) -> str:
    """The policy of a page with a map and a form: no other site may put it in a frame."""
    return policy(basemap, asking=GEOCODER) + "; frame-ancestors 'none'"


KEY_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""The pages that a mailed link opens: their script reads the key from the address, and asks nobody anything."""

PAGE_CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""All other pages: no script at all."""


# Words for values


class Field(NamedTuple):
    """One line of an entry: a label, its value in words, and an address if the value is one."""

    name: str
    label: str
    text: str
    href: str | None = None


_TOLD_ELSEWHERE = {
    *columns.names(columns.STORY + columns.LIFE + columns.PLACE + columns.ORIGIN),
    "about",
    "photo",
}


def fields(properties: Properties, kind: Kind | None, lang: str) -> list[Field]:
    """What an entry says in its kind's own columns: labels, units, choices and dates in words; nothing where unknown."""
    own = kind.own if kind else ()
    told = [(column, properties.get(column.name)) for column in own]
    return [
        Field(
            column.name, say(column.label, lang), value_words(column, value, properties, lang), _address(column, value)
        )
        for column, value in told
        if value is not None and column.name not in _TOLD_ELSEWHERE and not column.name.endswith("_precision")
    ]


def value_words(column: Column, value: Any, properties: Properties, lang: str) -> str:
    """One value in words, with its unit."""
    if column.choices:
        return say(column.choices[value], lang) if value in column.choices else str(value)
    if column.type == "boolean":
        return words(lang)["yes" if value else "no"]
    if column.type in ("date", "timestamp"):
        return date_words(str(value), properties.get(f"{column.name}_precision"), lang)
    if column.type in ("integer", "number"):
        plain = column.minimum is not None and column.minimum >= 1000  # a year is no quantity
        return str(value) if plain else quantity(value, column.unit, lang)
    return str(value)


def quantity(value: float, unit: str | None, lang: str) -> str:
    """A number as the language writes it, with its unit in that language."""
    group, point = {"fr": ("\u202f", ","), "de": (".", ",")}.get(lang, (",", "."))
    text = f"{value:,.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else f"{value:,}"
    text = text.translate(str.maketrans({",": group, ".": point}))
    gap = "" if unit == "°" else "\u00a0"
    return f"{text}{gap}{words(lang)['units'].get(unit, unit)}" if unit else text


def date_words(text: str, precision: str | None, lang: str) -> str:
    """A date as precisely as it is known: 1986, January 1986 or 31 January 1986."""
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return text
    month = words(lang)["months"][day.month - 1]
    if precision == "year":
        return str(day.year)
    if precision == "month":
        return f"{month} {day.year}"
    ordinal = {"fr": "1er" if day.day == 1 else str(day.day), "de": f"{day.day}."}.get(lang, str(day.day))
    return f"{ordinal} {month} {day.year}"


def life_words(properties: Properties, lang: str) -> str:
    """Since when, or from when until when, something has existed; empty if nobody knows."""
    start, end = (
        date_words(properties[name], properties.get(f"{name}_precision"), lang) if properties.get(name) else ""
        for name in ("since", "until")
    )
    if start and end:
        return words(lang)["life"].format(start=start, end=end)
    known = "since" if start else "until" if end else None
    if known is None:
        return ""
    form = known if properties.get(f"{known}_precision") in ("year", "month") else f"{known}_day"
    return words(lang)[form].format(start=start, end=end)


def position_words(properties: Properties, lang: str) -> str:
    """How well the position is known, in words, with its accuracy."""
    position, accuracy = properties.get("position"), properties.get("position_accuracy_m")
    said = words(lang)["positions"].get(position, position or "")
    return f"{said} (± {quantity(accuracy, 'm', lang)})" if said and accuracy else said


def _address(column: Column, value: Any) -> str | None:
    return web_address(value) if column.type == "url" else None


def web_address(value: Any) -> str | None:
    """An http(s) address, or nothing: no other scheme becomes a link."""
    return value if isinstance(value, str) and re.match(r"https?://[^\s]+$", value) else None


# Links


@pass_context
def url(context: Context, path: str, **params: Any) -> str:
    """An address of this service. A language that was asked for by name stays asked for."""
    lang = {"lang": context["asked"]["lang"]} if "lang" in context["asked"] and "lang" not in params else {}
    query = urlencode({name: value for name, value in {**params, **lang}.items() if value not in (None, "")})
    return f"{quote(path)}?{query}" if query else quote(path)


@pass_context
def here(context: Context, **params: Any) -> str:
    """The present page with some parameters changed."""
    asked = {name: value for name, value in context["asked"].items() if name != "f"}
    return url(context, context["path"], **{**asked, **params})


@pass_context
def following(context: Context, links: list[dict[str, Any]], rel: str = "next") -> str | None:
    """The page that the document's `next` link names, as a page of this service."""
    target = next((link["href"] for link in links if link.get("rel") == rel), None)
    if target is None:
        return None
    params = {name: value for name, value in parse_qsl(urlsplit(target).query) if name != "f"}
    return url(context, context["path"], **params)


# A few lines of Markdown for the pack's own pages: headings, paragraphs, lists, emphasis, links. HTML stays text.

_INLINE = (
    (re.compile(r"\*\*(.+?)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"(?<!\w)[*_](\S(?:.*?\S)?)[*_](?!\w)"), r"<em>\1</em>"),
)
_LINK = re.compile(r"\[([^\]]+)\]\(((?:https?://|mailto:|/)[^\s()]+)\)|&lt;(https?://[^\s&]+)&gt;")


def markdown(text: str, level: int = 2) -> Markup:
    """The text as HTML; no heading is above `level`, for the page has its own `<h1>`."""
    blocks = re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip())
    return Markup("\n").join(Markup(html) for block in blocks for html in _block(block.strip(), level))  # noqa: S704


def _block(block: str, level: int) -> Iterator[str]:
    heading = re.match(r"(#{1,5})\s+([^\n]+)\n?", block)
    if heading:
        rank = max(level, len(heading[1]))
        yield f"<h{rank}>{_inline(heading[2])}</h{rank}>"
        block = block[heading.end() :].strip()
    lines = block.split("\n") if block else []
    for tag, mark in (("ul", r"[-*]\s+"), ("ol", r"\d+[.)]\s+")):
        if lines and re.match(mark, lines[0].strip()):
            items = re.split(rf"(?m)^\s*{mark}", block)[1:]
            yield f"<{tag}>{''.join(f'<li>{_inline(item.strip())}</li>' for item in items)}</{tag}>"
            return
    if lines:
        yield f"<p>{_inline(block)}</p>"


def _inline(text: str) -> str:
    """Emphasis and links of one line; an address is set aside first, so that its underscores stay underscores."""
    kept: list[str] = []

    def link(match: re.Match[str]) -> str:
        kept.append(f'<a href="{match[2] or match[3]}">{match[1] or match[3]}</a>')
        return f"\0{len(kept) - 1}\0"

    html = _LINK.sub(link, str(escape(text)))
    for pattern, replacement in _INLINE:
        html = pattern.sub(replacement, html)
    return re.sub(r"\0(\d+)\0", lambda match: kept[int(match[1])], html)


# A drawing of one geometry, for the page of an item


class Drawing(NamedTuple):
    """An SVG path in a box of `width` by `height`, and a scale bar of `bar` units that stands for `metres`."""

    path: str
    closed: bool
    width: int
    height: int
    bar: float
    metres: int


def drawing(geometry: Mapping[str, Any] | None, width: int = 360) -> Drawing | None:
    """Lines and outlines to scale; nothing for points, which a drawing without surroundings does not explain."""
    if not geometry or geometry["type"] not in ("LineString", "MultiLineString", "Polygon", "MultiPolygon"):
        return None
    parts = list(_parts(geometry["coordinates"]))
    lons, lats = ([point[axis] for part in parts for point in part] for axis in (0, 1))
    west, south, east, north = min(lons), min(lats), max(lons), max(lats)
    across = 111_320 * math.cos(math.radians((south + north) / 2))
    ratio = (north - south) * 110_950 / max((east - west) * across, 1)
    tall = max(ratio, 0.2)
    wide = width - 20 if tall <= 1 else (width - 20) / tall
    scale = wide / max((east - west) * across, 1)
    metres = 10 ** math.floor(math.log10(max(wide / scale, 10)))
    metres = next((metres * step for step in (5, 2, 1) if metres * step * scale <= wide * 0.6), metres)

    def place(point: list[float]) -> str:
        return f"{10 + (point[0] - west) * across * scale:.1f} {10 + (north - point[1]) * 110_950 * scale:.1f}"

    closed = geometry["type"].endswith("Polygon")
    path = "".join(f"M{'L'.join(map(place, part))}{'Z' if closed else ''}" for part in parts)
    height = round((north - south) * 110_950 * scale) + 44
    return Drawing(path, closed, round(wide) + 20, height, metres * scale, metres)


def _parts(coordinates: Any) -> Iterator[list[list[float]]]:
    if isinstance(coordinates[0][0], (int, float)):
        yield coordinates
    else:
        for part in coordinates:
            yield from _parts(part)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(assets.WEB / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    environment.globals |= {
        "asset": assets.asset,
        "imports": assets.imports,
        "later": assets.later,
        "t_of": words,
        "url": url,
        "here": here,
        "following": following,
        "fields": fields,
        "value_words": value_words,
        "quantity": quantity,
        "date_words": date_words,
        "life_words": life_words,
        "position_words": position_words,
        "web_address": web_address,
        "markdown": markdown,
        "drawing": drawing,
        "linked": linked,
        "say": say,
        "KINDS": KINDS,
    }
    return environment
