"""Questions' reports as a page that stands by itself, on a screen or on paper. What they tell is geo's; how it looks is here."""

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from markupsafe import Markup
from starlette.responses import Response

from api import assets, pages
from api.execution import UNKEPT, Execution
from api.house import PAGE, Ask, Form
from api.pages import quantity
from geo.collections import Territory
from geo.columns import say
from geo.files import printing
from geo.planning.question import Verb
from geo.planning.report import Amount, Cell, Item, Position, Report, Table

PDF = Form("pdf", "application/pdf")
FONTS = assets.BUILT / "noto-sans"
NICE = (1, 2, 5)
"""A scale bar's first digit."""


def forms(verb: Verb) -> tuple[Form, ...]:
    """How a question's report can be had; none where it has none."""
    return (PAGE, PDF) if verb.report else ()


def schema(verb: Verb) -> Mapping[str, Any]:
    """The schema of a question's output, with the forms of its report beside the answer itself."""
    if not verb.report:
        return verb.output.schema
    page = {"type": "string", "contentMediaType": PAGE.media_type}
    paper = {"type": "string", "contentEncoding": "binary", "contentMediaType": PDF.media_type}
    return {"oneOf": [verb.output.schema, page, paper]}


def sent(
    ask: Ask, territory: Territory, verb: Verb, report: Report, *, now: datetime, body: Execution | None = None
) -> Response:
    """The report in the form asked for; `body` is the execute request, where it came by one."""
    html = _page(ask, territory, verb, report, now=now, again=body is None)
    if ask.form is PAGE:
        data, more = html.encode(errors="replace"), {"Content-Security-Policy": _policy()}
    else:
        data = printing.printed(html)
        more = {"Content-Disposition": f'inline; filename="{verb.id}-{now:%Y-%m-%d}.pdf"'}
    if body and body.response == "document":
        return Response(json.dumps({verb.output.name: _value(data, ask.form)}), 200, UNKEPT, "application/json")
    headers = {**UNKEPT, **more, "Content-Language": ask.lang, "Vary": "Accept, Accept-Language"}
    return Response(data, 200, headers, "text/html; charset=utf-8" if ask.form is PAGE else PDF.media_type)


def _value(data: bytes, form: Form) -> dict[str, str]:
    """A qualified value of OGC API - Processes."""
    if form is PAGE:
        return {"value": data.decode(), "mediaType": form.media_type}
    return {"value": base64.b64encode(data).decode(), "encoding": "base64", "mediaType": form.media_type}


def _page(ask: Ask, territory: Territory, verb: Verb, report: Report, *, now: datetime, again: bool) -> str:
    titles = {one.id: say(one.title, ask.lang) for one in territory.collections.values()}
    document = {
        "question": say(verb.title, ask.lang),
        "description": say(verb.description, ask.lang),
        "process": verb.id,
        "name": report.name,
        "date": now.date().isoformat(),
        "drawing": report.drawing,
        "scale": _scale(report.drawing.width, report.drawing.metres),
        "tables": [_table(one, ask) for one in report.tables],
        "resting": report.resting,
        "origins": report.origins,
        "titles": titles,
        "style": Markup(_style()),  # noqa: S704 (our own file)
        "again": again,
        "paper": ask.form is PDF,
    }
    query = ask.request.query_params.multi_items()
    site = ask.house.site(territory, ask.lang)
    return pages.render("report.html", document, lang=ask.lang, site=site, path=ask.path, query=query)


def _scale(width: float, metres: float) -> dict[str, float]:
    """A bar of at most a quarter of the map: how many units it is long, and how many metres that is."""
    longest = width * metres / 4
    power = 10 ** (len(str(int(longest))) - 1)
    length = max(digit * power for digit in NICE if digit * power <= max(longest, 1))
    return {"units": length / metres, "metres": length}


def _table(table: Table, ask: Ask) -> dict[str, Any]:
    rows = [[_cell(cell, ask) for cell in row] for row in table.rows]
    numbers = [bool(rows) and all(row[n]["number"] for row in rows) for n in range(len(table.head))]
    return {
        "title": say(table.title, ask.lang),
        "head": [
            {"text": say(one, ask.lang), "number": number} for one, number in zip(table.head, numbers, strict=True)
        ],
        "rows": rows,
        "note": say(table.note, ask.lang) if table.note else None,
        "empty": say(table.empty, ask.lang) if table.empty else None,
    }


def _cell(cell: Cell, ask: Ask) -> dict[str, Any]:
    """What a cell shows: its text, where it leads, and whether it is a number."""
    made = {"text": "", "href": None, "number": isinstance(cell, Amount)}
    match cell:
        case str():
            made["text"] = cell
        case Amount():
            made["text"] = amount_words(cell, ask.lang)
        case Item():
            place = ask.house.url(f"/collections/{cell.collection}/items/{cell.id}?lang={ask.lang}")
            made |= {"text": cell.name, "href": place}
        case Position():
            known = {"position": cell.quality, "position_accuracy_m": cell.accuracy_m}
            made["text"] = pages.position_words(known, ask.lang)
        case Mapping():
            made["text"] = say(cell, ask.lang)
    return made


def amount_words(amount: Amount, lang: str) -> str:
    """An amount in words, as exact as such data can be: metres whole from 10 on, hectares and kilometres to the hundredth."""
    if amount.value is None:
        return "–"
    sign = "" if not amount.change or not amount.value else "+" if amount.value > 0 else "−"
    value = abs(amount.value)
    if amount.unit == "share":
        points = pages.words(lang, "report")["points"] if amount.change else "%"
        return sign + quantity(round(100 * value, 1), points, lang)
    if amount.unit == "count":
        return sign + quantity(int(value), None, lang)
    small, large, times, most = ("m", "km", 1_000, 10_000) if amount.unit == "m" else ("m²", "ha", 10_000, 10_000)
    if value >= most:
        return sign + quantity(round(value / times, 2), large, lang)
    return sign + quantity(round(value) if value >= 10 else round(value, 1), small, lang)


@cache
def _style() -> str:
    """All that the page needs, in itself: it is kept, mailed and printed without us."""
    faces = "".join(
        f'@font-face{{font-family:"Noto Sans";font-weight:{weight};src:url("data:font/woff2;base64,{_font(weight)}")}}'
        for weight in (400, 600)
    )
    return faces + (assets.STATIC / "report.css").read_text("utf-8")


def _font(weight: int) -> str:
    return base64.b64encode((FONTS / f"noto-sans-latin-{weight}-normal.woff2").read_bytes()).decode()


@cache
def _policy() -> str:
    """The browser runs nothing and asks nobody: style and fonts are the page's own."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; font-src data:; base-uri 'none'; frame-ancestors 'none'"
