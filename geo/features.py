"""Features as PostGIS writes them: one query a page, GeoJSON text that nobody parses again."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy.engine import Connection

from geo.collections import Collection, Reach
from geo.columns import Column
from geo.errors import Gone, NotFound
from geo.filters import Question, matching, spelled
from geo.kinds import KINDS

DECIMALS = 6
"""Of a degree: 0.1 m, finer than any position that the territory holds."""

COUNTED = 10_000
"""How far `numberMatched` is counted."""

FENCED_BELOW = 0.25
"""Share of the extent under which a box is answered from the spatial index; above it the walk by id is quicker."""

VERSION = "(select version from territory.version where collection = %(collection)s)"

# Concatenating row_to_json takes half the time of json_build_object.
PAGE = """
with {rows}, written as (
  select id, row_number() over (order by id) as n, {feature} as feature from rows f
)
select string_agg(feature, ',') filter (where n <= %(limit)s) as features,
       count(*) as found,
       max(id) filter (where n <= %(limit)s) as last,
       {matched} as matched,
       {version} as version
from written
"""
WALK = """rows as (
  select * from territory.{kind} f where {where} and f.id > %(after)s order by f.id limit %(limit)s + 1
)"""
# Materialised, so that the planner does not walk the primary key in search of the few rows of a small box, and so that
# one look into the spatial index both counts and finds.
FENCED = """hits as materialized (
  select f.id from territory.{kind} f where {where}
), rows as (
  select * from territory.{kind} f where f.id in (select id from hits where id > %(after)s order by id limit %(limit)s + 1)
)"""
MATCHED = "(select count(*) from (select from territory.{kind} f where {where} limit %(counted)s + 1) hits)"
ITEM = "select {feature} as feature, {version} as version from territory.{kind} f where f.id = %(id)s and {where}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of features: their JSON texts joined by commas, and what stands around them.

    `matched` is None above COUNTED; `next_after` is None on the last page.
    """

    features: str
    returned: int
    matched: int | None
    next_after: int | None
    version: int


def page(tx: Connection, collection: Collection, question: Question, *, reach: Reach, lang: str | None) -> Page:
    """The page in one statement, with the version that it shows. `lang` None means the language of the texts."""
    sql, values = page_sql(collection, question, reach=reach, lang=lang)
    row = tx.exec_driver_sql(sql, values).one()
    return Page(
        features=row.features or "",
        returned=min(row.found, question.limit),
        matched=_matched(row.matched, question, reach),
        next_after=row.last if row.found > question.limit else None,
        version=row.version or 0,
    )


def page_sql(
    collection: Collection, question: Question, *, reach: Reach, lang: str | None
) -> tuple[str, dict[str, Any]]:
    """The statement of a page and its values."""
    kind = collection.kind.id
    fenced = _fenced(question, reach)
    where, values = spelled(matching(collection, question, indexed=fenced))
    sql = PAGE.format(
        rows=(FENCED if fenced else WALK).format(kind=kind, where=where),
        feature=feature(kind, lang),
        matched=_counting(kind, where, question, fenced=fenced),
        version=VERSION,
    )
    values |= {"collection": collection.id, "after": question.after or 0, "limit": question.limit, "counted": COUNTED}
    return sql, values


BURIED = "select exists (select from territory.tombstones where kind = %(kind)s and id = %(id)s)"


def item(tx: Connection, collection: Collection, id: int, *, lang: str | None) -> tuple[str, int]:
    """One feature's JSON text and the version that it shows.

    NotFound if the collection has no such item, Gone if it was withdrawn by whoever declared it.
    """
    sql, values = item_sql(collection, id, lang=lang)
    row = tx.exec_driver_sql(sql, values).one_or_none()
    if row is None:
        if tx.exec_driver_sql(BURIED, {"kind": collection.kind.id, "id": id}).scalar():
            raise Gone("this item was withdrawn; whoever keeps a copy is to drop it")
        raise NotFound("the collection has no such item")
    return row.feature, row.version or 0


def item_sql(collection: Collection, id: int, *, lang: str | None) -> tuple[str, dict[str, Any]]:
    """The statement of one feature and its values."""
    kind = collection.kind.id
    where, values = spelled(collection.condition())
    sql = ITEM.format(kind=kind, where=where, feature=feature(kind, lang), version=VERSION)
    return sql, values | {"id": id, "collection": collection.id}


@cache
def feature(kind_id: str, lang: str | None, extra: str = "") -> str:
    """SQL for the text of one Feature of the row `f`; `extra` is SQL for more properties, each with its comma."""
    kind = KINDS[kind_id]
    properties = ", ".join(_property(column, lang) for column in kind.public)
    geometry = f"ST_AsGeoJSON(f.geom, {DECIMALS})" if kind.geometry else "'null'"
    return (
        f"""'{{"type":"Feature","id":' || f.id || ',"geometry":' || {geometry} || ',"properties":' || """
        f"""(select row_to_json(p) from (select {properties}{extra}) p)::text || '}}'"""
    )


def _property(column: Column, lang: str | None) -> str:
    if lang is None or not column.translated:
        return f'f."{column.name}"'
    return f"""coalesce(f.translations #>> '{{{lang},{column.name}}}', f."{column.name}") as "{column.name}\""""


def _counting(kind: str, where: str, question: Question, *, fenced: bool) -> str:
    if fenced:
        return "(select count(*) from hits)"
    return MATCHED.format(kind=kind, where=where) if question.narrowed else "null::bigint"


def _fenced(question: Question, reach: Reach) -> bool:
    return bool(question.bbox and reach.bbox and question.bbox.share_of(reach.bbox) < FENCED_BELOW)


def _matched(counted: int | None, question: Question, reach: Reach) -> int | None:
    if not question.narrowed:
        return reach.count
    return counted if counted is not None and counted <= COUNTED else None
