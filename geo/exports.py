"""Items as files: which rows and columns, in which order. Texts come straight from COPY, other formats from a child."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import IO, Any

import psycopg
from sqlalchemy.engine import Connection

from geo import conformity
from geo.collections import Collection
from geo.columns import Column, Type
from geo.crs import Crs
from geo.errors import BadQuery, Problem
from geo.exchange import Scheme
from geo.files.export import SUFFIXES as BINARY
from geo.files.export import Layer, Written, write
from geo.filters import DIALECT, Question, matching, spelled
from geo.kinds import SCHEMES, Kind
from geo.settings import Settings
from geo.sorting import ordering
from geo.writing import View, feature, located, said

SUFFIXES: Mapping[str, str] = MappingProxyType(
    {"csv": ".csv", "geojsonseq": ".geojsonl", **BINARY, **{scheme.id: scheme.suffix for scheme in SCHEMES.values()}}
)
"""Every format, and how its files are named."""

LINES = ("MultiLineString",)
DEGREES_ONLY = ("kml", "gpx", *SCHEMES)
"""Formats that know longitude and latitude alone."""

SHAPES = ("kml", "gpx", "shapefile", "flatgeobuf", *SCHEMES)
"""Formats that are nothing without geometries."""

# What a spreadsheet would take for a formula: a text that begins so is shown with an apostrophe before it.
FORMULA = "case when {text} ~ '^[-=+@\\t\\r\\n＝＋－＠]' then '''' || {text} else {text} end"
RAW = r"format csv, delimiter E'\x02', quote E'\x01'"
"""JSON holds neither character, so that COPY writes it as it is: a feature a line."""

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The SELECT of an export, with all values in it, and the names and types of its columns."""

    sql: str
    columns: tuple[tuple[str, str], ...]


def formats(kind: Kind) -> tuple[str, ...]:
    """The formats that suit the kind."""
    return tuple(name for name in SUFFIXES if _suits(kind, name))


def _suits(kind: Kind, format: str) -> bool:
    if format in SCHEMES:
        return SCHEMES[format] in kind.schemes
    return kind.geometry in LINES if format == "gpx" else kind.geometry is not None or format not in SHAPES


def check(kind: Kind, format: str, view: View) -> None:
    """BadQuery where the format cannot hold what is asked for."""
    problems = []
    if format not in formats(kind):
        problems.append(
            Problem(parameter="f", message=f"of this collection must be one of: {', '.join(formats(kind))}")
        )
    if format in DEGREES_ONLY and view.crs.srid != 4326:
        problems.append(Problem(parameter="crs", message=f"must be CRS84 for {format}, which knows no other"))
    if format in SHAPES and not view.located:
        problems.append(Problem(parameter="skipGeometry", message=f"leaves nothing for {format} to hold"))
    if format in SCHEMES and view.names is not None:
        problems.append(Problem(parameter="properties", message=f"is not for {format}, whose properties are its own"))
    if problems:
        raise BadQuery(*problems)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file that a child is yet to write: no transaction waits for it."""

    layer: Layer
    sql: str


def prepare(
    tx: Connection,
    collection: Collection,
    question: Question,
    view: View,
    *,
    format: str,
    ids: list[int] | None = None,
) -> Written | Prepared:
    """All items that the question asks for in one file, or only those of these ids, in their order.

    Texts are written within the snapshot `tx`; other formats are for `finish`, after it.
    """
    check(collection.kind, format, view)
    if format in BINARY:
        chosen = _select(tx, collection, question, ids, _typed(collection.kind, view, format))
        geometry = collection.kind.geometry if view.located else None
        layer = Layer(name=collection.id, format=format, columns=chosen.columns, geometry=geometry, srid=view.crs.srid)
        return Prepared(layer, chosen.sql)
    if format in SCHEMES:
        return _conforming(tx, collection, question, ids, SCHEMES[format])
    columns = (
        _texts(collection.kind, view) if format == "csv" else [("feature", "text", _feature(collection.kind, view))]
    )
    chosen = _select(tx, collection, question, ids, columns)
    return copied(tx, chosen.sql, "format csv, header" if format == "csv" else RAW)


def finish(settings: Settings, made: Written | Prepared) -> Written:
    """The file itself. A child reads the rows for itself: those of now, a moment later than the snapshot."""
    return write(settings, made.layer, made.sql) if isinstance(made, Prepared) else made


def _feature(kind: Kind, view: View) -> str:
    return rf"E'\x1e' || {feature(kind.id, view.lang, view=view)}"


def _conforming(
    tx: Connection, collection: Collection, question: Question, ids: list[int] | None, scheme: Scheme
) -> Written:
    chosen = _select(tx, collection, question, ids, [("row", "text", conformity.row_sql(scheme))])
    with driver(tx).cursor() as cursor, cursor.copy(f"copy ({chosen.sql}) to stdout ({RAW})".encode()) as copy:
        return conformity.write((bytes(part) for part in copy), scheme)


def copied(tx: Connection, sql: str, options: str) -> Written:
    """What COPY sends, in a file that is in no folder."""
    file: IO[bytes] = tempfile.TemporaryFile(prefix="gohelle-export-")  # noqa: SIM115 (whoever sends it closes it)
    try:
        with driver(tx).cursor() as cursor:
            with cursor.copy(f"copy ({sql}) to stdout ({options})".encode()) as copy:
                for part in copy:
                    file.write(part)
            size = file.tell()
            file.seek(0)
            return Written(file, size, cursor.rowcount)
    except BaseException:
        file.close()
        raise


def driver(tx: Connection) -> "psycopg.Connection[Any]":
    driver = tx.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 (for the type checker)
    return driver


def _select(
    tx: Connection,
    collection: Collection,
    question: Question,
    ids: list[int] | None,
    columns: list[tuple[str, str, str]],
) -> Selection:
    """The SELECT of these columns (name, type, SQL), with the values in its text: COPY takes no parameters."""
    where, values = spelled(matching(collection, question))
    order = (
        ", ".join(str(one.compile(dialect=DIALECT)) for one in ordering(collection, question.order))
        if question.order
        else "f.id"
    )
    if ids is not None:
        where, values = "f.id = any (%(ids)s::bigint[])", {"ids": ids}
        order = "array_position(%(ids)s::bigint[], f.id)"
    parts = ", ".join(f'{sql} as "{name}"' for name, _, sql in columns)
    sql = f"select {parts} from territory.{collection.kind.id} f where {where} order by {order}"
    written = psycopg.ClientCursor(driver(tx)).mogrify(sql.encode(), values)
    listed = tuple((name, type_) for name, type_, _ in columns if type_ != "geometry")
    return Selection(sql=written, columns=listed)


def _shown(kind: Kind, view: View) -> list[Column]:
    return [column for column in kind.public if view.names is None or column.name in view.names]


def _typed(kind: Kind, view: View, format: str) -> list[tuple[str, str, str]]:
    """Columns for files that know types; the geometry is the last."""
    # KML has an id of its own, which readers take for a column of that name.
    first = ("feature_id" if format == "kml" else "id", "id", "f.id")
    columns = [first, *((one.name, one.type, _sql(one, view)) for one in _shown(kind, view))]
    if kind.geometry and view.located:
        columns.append(("geometry", "geometry", f"encode(ST_AsBinary({_upright(view.crs)}), 'hex')"))
    return columns


def _sql(column: Column, view: View) -> str:
    if column.type == "timestamp":
        return f"""to_char(f."{column.name}", 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
    return said(column, view.lang)


NO_TEXT: tuple[Type, ...] = ("integer", "number", "boolean", "date", "timestamp")


def _texts(kind: Kind, view: View) -> list[tuple[str, str, str]]:
    """Columns for spreadsheets: no formula among them, positions as two numbers, shapes as well-known text."""
    columns = [("id", "id", "f.id")]
    for one in _shown(kind, view):
        sql = _sql(one, view)
        columns.append((one.name, "text", sql if one.type in NO_TEXT else FORMULA.format(text=f"({sql})::text")))
    if not kind.geometry or not view.located:
        return columns
    geometry, decimals = _upright(view.crs), view.crs.decimals
    if kind.geometry != "Point":
        return [*columns, ("geometry", "text", f"ST_AsText({geometry}, {decimals})")]
    names = ("longitude", "latitude") if view.crs.geographic else ("x", "y")
    sides = zip(names, ("ST_X", "ST_Y"), strict=True)
    return [*columns, *((name, "number", f"round({side}({geometry})::numeric, {decimals})") for name, side in sides)]


def _upright(crs: Crs) -> str:
    """The geometry with x before y: files of any format hold it so, whatever the axis order of the system is."""
    return located(replace(crs, northing_first=False))
