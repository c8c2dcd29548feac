"""The items of a collection as files: texts, binary formats, national schemas."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import IO

from starlette.responses import Response, StreamingResponse

from api import asking
from api.house import Ask, Form
from api.links import following_page
from geo import exports, features
from geo.files.export import Written
from geo.kinds import SCHEMES
from geo.writing import View

FILES = (
    Form("csv", "text/csv"),
    Form("geojsonseq", "application/geo+json-seq"),
    Form("flatgeobuf", "application/flatgeobuf"),
    Form("gpkg", "application/geopackage+sqlite3"),
    Form("geoparquet", "application/vnd.apache.parquet"),
    Form("kml", "application/vnd.google-earth.kml+xml"),
    Form("gpx", "application/gpx+xml"),
    Form("shapefile", "application/zip"),
    *(Form(scheme.id, scheme.media_type) for scheme in SCHEMES.values()),
)
"""The formats by Accept and by `f`."""

CHARSETS = {"csv": "text/csv; charset=utf-8; header=present"}
CHUNK = 1 << 20


def download(ask: Ask, collection_id: str, forms: tuple[Form, ...]) -> Response:
    """The file: all that the question asks for, or the page of it that `limit` or `cursor` name."""
    with ask.house.db.read_long() as tx:
        territory = ask.house.catalogue.territory(tx)
        collection = territory.collection(collection_id)
        parameters = ask.settle(territory, forms)
        paged = not {"limit", "cursor"}.isdisjoint(ask.request.query_params)
        wanted = asking.items(parameters, collection.kind, lang=ask.translation)
        exports.check(collection.kind, ask.form.name, wanted.view)
        page, ids = None, None
        if paged:
            reach = ask.house.catalogue.reach(tx, collection, territory.versions.get(collection.id, 0))
            page = features.page(collection, wanted.question, reach=reach, view=View(bare=True)).asked(tx)
            ids = [int(id) for id in page.features.split(",") if id]
        question = replace(wanted.question, after=())
        prepared = exports.prepare(tx, collection, question, wanted.view, format=ask.form.name, ids=ids)
    made = exports.finish(ask.house.settings, prepared)
    headers = {"Content-Crs": f"<{wanted.view.crs.uri}>"}
    matched = page.matched if page else made.of or made.rows
    if matched is not None:
        headers["OGC-NumberMatched"] = str(matched)
    if page and page.next_after is not None:
        cursor = asking.cursor_text(page.next_after, page.order, page.next_keys)
        headers["Link"] = f'<{following_page(ask, cursor, ask.form.name)}>; rel="next"; type="{ask.form.media_type}"'
    return attached(ask, collection.id, made, headers)


def attached(ask: Ask, name: str, made: Written, more: Mapping[str, str] | None = None) -> Response:
    """A finished file in the form asked for, under a name of its own."""
    headers = {
        "Content-Length": str(made.size),
        "Content-Disposition": f'attachment; filename="{name}{exports.SUFFIXES[ask.form.name]}"',
        "Content-Language": ask.lang,
        "OGC-NumberReturned": str(made.rows),
        "Cache-Control": "no-store",
        "Vary": "Accept, Accept-Language",
        **(more or {}),
    }
    media_type = CHARSETS.get(ask.form.name, ask.form.media_type)
    return StreamingResponse(_sent(made.file), headers=headers, media_type=media_type)


def _sent(file: IO[bytes]) -> Iterator[bytes]:
    with closing(file):
        while part := file.read(CHUNK):
            yield part
