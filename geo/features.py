"""Pages of features and single ones: how their rows are found and counted, in one statement each; see `writing`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, true

from geo.collections import VERSIONS, Collection, Reach, Versions, concerning
from geo.curve import TOP_ZOOM, Stretch, stretches
from geo.db import Statement
from geo.errors import BadQuery, Gone, NotFound, Problem
from geo.filters import ANY, DIALECT, Question, chosen, classes, held, matching, spelled, summed
from geo.kinds import ROLLED_UP
from geo.sorting import Order, following, ordering
from geo.sorting import values as order_values
from geo.space import Bbox
from geo.writing import PLAIN, View, feature

COUNTED = 10_000
"""How far `numberMatched` is counted."""

FENCED_BELOW = 0.25
"""Share of the extent under which a box is answered from the spatial index; above it the walk by id is quicker."""

PAGE = """
with {rows}, written as (
  select {place}, {number} as n, {keys} as keys, {feature} as feature from rows f
)
select string_agg(feature, ','{order}) filter (where n <= %(limit)s) as features,
       count(*) as found,
       {key} as last_key,
       max(id) filter (where n = %(limit)s) as last_id,
       max(keys) filter (where n = %(limit)s) as last_keys,
       {matched} as matched,
       {versions} as versions
from written
"""

# Points go along the z-order curve, stretch by stretch until the page is full: a page costs what it shows, not what
# its box holds. Stretches that lie inside the box need no look at coordinates.
STRETCHES = "unnest(%(los)s::bigint[], %(his)s::bigint[], %(insides)s::boolean[]) as s (lo, hi, inside)"
ALONG = """rows as (
  select f.* from {stretches} cross join lateral (
    select f.* from territory.{kind} f
    where f.key22 >= s.lo and f.key22 < s.hi and case when s.inside then true else {within} end and {where}{after}
    order by f.key22, f.id limit %(limit)s + 1) f
  limit %(limit)s + 1
)"""
# What lies in the box for sure is counted from the index alone; what may lie in it, only where that leaves doubt.
COUNTED_ALONG = """(
  select case when sure.n > %(counted)s then sure.n else sure.n + (
    select count(*) from (select from {stretches} cross join lateral (
      select from territory.{kind} f where f.key22 >= s.lo and f.key22 < s.hi and {within} and {where}
      limit %(counted)s + 1) f where not s.inside limit (select %(counted)s + 1 - sure.n)) maybe) end
  from ({sure}) sure)"""
SURE = """select count(*) as n from (select from {stretches} cross join lateral (
    select from territory.{kind} f where f.key22 >= s.lo and f.key22 < s.hi and {where}
    limit %(counted)s + 1) f where s.inside limit %(counted)s + 1) every"""
# The sums of cells are read instead where they answer for the question, and the stretches are made of whole cells.
SURE_OF_SUMS = """select coalesce(sum(c.n), 0)::bigint as n from {stretches} cross join lateral (
    select c.n from territory.{kind}_cells{level} c where c.cell >= s.lo >> {up} and c.cell < s.hi >> {up}{only}
    limit %(counted)s + 1) c where s.inside"""
AFTER = " and (f.key22, f.id) > (%(after_key)s, %(after)s)"

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
# Whether a filter finds few rows or many nobody knows before: up to COUNTED are found once and sorted; where there are
# more, the walk by id soon has enough. Only one of the two branches runs.
SOUGHT = """hits as materialized (
  select f.id from territory.{kind} f where {where} limit %(counted)s + 1
), few as materialized (
  select count(*) <= %(counted)s as so from hits
), rows as (
  (select * from territory.{kind} f
   where (select so from few) and f.id in (select id from hits where id > %(after)s order by id limit %(limit)s + 1))
  union all
  (select * from territory.{kind} f
   where not (select so from few) and {where} and f.id > %(after)s order by f.id limit %(limit)s + 1)
)"""
# Only ids and keys are sorted, of which the page's are kept: a row_number over all would sort every row whole.
SORTED = """rows as (
  select f.*, row_number() over (order by {by}) as n from territory.{kind} f
  where f.id in (select f.id from territory.{kind} f where {where} and {after} order by {by} limit %(limit)s + 1)
)"""
COUNTED_FENCED = "(select count(*) from hits)"
COUNTED_WALK = "(select count(*) from (select from territory.{kind} f where {where} limit %(counted)s + 1) hits)"

ITEM = """
select (select {feature} from territory.{kind} f where f.id = %(id)s and {where}) as feature,
       exists (select from territory.tombstones where kind = %(kind)s and id = %(id)s) as buried,
       {versions} as versions
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of features: their JSON texts joined by commas, and what stands around them.

    `matched` is None above COUNTED; `next_after` is None on the last page, and `next_keys` are what a sorted page was
    sorted by; `versions` are those that it shows.
    """

    features: str
    returned: int
    matched: int | None
    next_after: tuple[int, ...] | None
    next_keys: list[Any] | None
    order: Order | None
    view: View
    versions: Versions

    @property
    def size(self) -> int:
        """About how many bytes it has."""
        return len(self.features)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One feature's JSON text, and the versions that it shows."""

    feature: str
    view: View
    versions: Versions

    @property
    def size(self) -> int:
        """About how many bytes it has."""
        return len(self.feature)


class Way(NamedTuple):
    """How a page finds its rows: the parts of the statement, in the order in which `_text` takes them."""

    rows: str
    matched: str
    within: str = ""
    after: str = ""
    by: str = ""
    keys: str = "null"
    sure: str = ""

    @property
    def along(self) -> bool:
        """Whether it goes along the z-order curve, and not by id."""
        return self.rows is ALONG


def page(collection: Collection, question: Question, *, reach: Reach, view: View = PLAIN) -> Statement[Page]:
    """The page in one statement; BadQuery for a cursor of another page."""
    sql, values = page_sql(collection, question, reach=reach, view=view)
    return Statement(sql, values, lambda row: _page(row, question, reach, view))


def _page(row: Any, question: Question, reach: Reach, view: View) -> Page:
    more = row.found > question.limit
    return Page(
        features=row.features or "",
        returned=min(row.found, question.limit),
        matched=_matched(row.matched, question, reach),
        next_after=_place(row.last_key, row.last_id) if more else None,
        next_keys=json.loads(row.last_keys) if more and question.order else None,
        order=question.order,
        view=view,
        versions=row.versions or {},
    )


def page_sql(
    collection: Collection, question: Question, *, reach: Reach, view: View = PLAIN
) -> tuple[str, dict[str, Any]]:
    """The statement of a page and its values."""
    if question.order:
        way, where, values = _sorted(collection, question, question.order)
    elif question.bbox and collection.kind.geometry == "Point" and not question.searching:
        way, where, values = _along(collection, question, question.bbox)
    else:
        way, where, values = _by_id(collection, question, reach)
    # A filter hardly comes twice, and may be long: its text is not worth keeping.
    text = _text.__wrapped__ if question.searching else _text
    sql = text(collection.kind.id, view, where, way)
    return sql, {**values, "limit": question.limit, "counted": COUNTED, **concerning(collection)}


def _along(collection: Collection, question: Question, box: Bbox) -> tuple[Way, str, dict[str, Any]]:
    where, values = chosen(collection, question)
    within, sides = held(box)
    paged = len(question.after) > 0
    if paged:
        _expected(question.after, 2)
        values["after_key"], values["after"] = question.after
    # The text of an array keeps its type, and with it the prepared statement, whatever numbers are in it.
    read = stretches(box)
    for name, column in zip(("los", "his", "insides"), zip(*read, strict=True), strict=True):
        values[name] = "{" + ",".join(map(str, column)) + "}"
    values |= classes(collection, "classes") | sides
    return (
        Way(ALONG, COUNTED_ALONG, within, AFTER if paged else "", sure=_sure(collection, question, read)),
        where,
        values,
    )


def _sure(collection: Collection, question: Question, read: Sequence[Stretch]) -> str:
    """SQL that counts what lies in the box for sure."""
    whole = (level for level in ROLLED_UP if all(one.made_of(level) for one in read if one.inside))
    level = next(whole, None) if summed(collection, question) else None
    if level is None:
        return SURE
    only = " and c.class = any(%(classes)s)" if collection.filter else ""
    up = 2 * (TOP_ZOOM - level)
    return SURE_OF_SUMS.replace("{level}", str(level)).replace("{up}", str(up)).replace("{only}", only)


def _by_id(collection: Collection, question: Question, reach: Reach) -> tuple[Way, str, dict[str, Any]]:
    small = bool(question.bbox and reach.bbox and question.bbox.share_of(reach.bbox) < FENCED_BELOW)
    fenced = small or question.searching
    where, values = spelled(matching(collection, question, indexed=fenced))
    if question.after:
        _expected(question.after, 1)
    values["after"] = question.after[0] if question.after else 0
    if question.searching:
        return Way(SOUGHT, COUNTED_FENCED), where, values
    if fenced:
        return Way(FENCED, COUNTED_FENCED), where, values
    return Way(WALK, COUNTED_WALK if question.narrowed else "null::bigint"), where, values


def _sorted(collection: Collection, question: Question, order: Order) -> tuple[Way, str, dict[str, Any]]:
    where, values = spelled(matching(collection, question))
    beyond: ColumnElement[bool] = true()
    if question.after:
        _expected(question.after, 1)
        beyond = following(collection, order, question.after[0])
    after, further = spelled(beyond, prefix="after_")
    by = ", ".join(str(one.compile(dialect=DIALECT)) for one in ordering(collection, order))
    keys, _ = spelled(order_values(collection, order))
    counted = COUNTED_WALK if question.narrowed else "null::bigint"
    return Way(SORTED, counted, after=after, by=by, keys=f"({keys})::text"), where, {**values, **further}


@lru_cache(maxsize=1_000)
def _text(kind: str, view: View, where: str, way: Way) -> str:
    parts = {
        "kind": kind,
        "where": where,
        "within": way.within,
        "after": way.after,
        "by": way.by,
        "stretches": STRETCHES,
    }
    parts["sure"] = way.sure.format(**parts)
    place = "key22, id" if way.along else "id"
    return PAGE.format(
        rows=way.rows.format(**parts),
        matched=way.matched.format(**parts),
        place=place,
        number="f.n" if way.by else f"row_number() over (order by {place})",
        keys=way.keys,
        order=" order by n" if way.by else "",
        key="max(key22) filter (where n = %(limit)s)" if way.along else "null",
        feature=feature(kind, view.lang, view=view),
        versions=VERSIONS,
    )


def _place(key: int | None, id: int) -> tuple[int, ...]:
    return (id,) if key is None else (key, id)


def _expected(after: tuple[int, ...], numbers: int) -> None:
    if len(after) != numbers:
        raise BadQuery(Problem(parameter="cursor", message="belongs to another question"))


def _matched(counted: int | None, question: Question, reach: Reach) -> int | None:
    if not question.narrowed:
        return reach.count
    return counted if counted is not None and counted <= COUNTED else None


def item(collection: Collection, id: int, *, view: View = PLAIN) -> Statement[Item]:
    """One feature.

    NotFound if the collection has no such item, Gone if it was withdrawn by whoever declared it.
    """
    sql, values = item_sql(collection, id, view=view)
    return Statement(sql, values, lambda row: _item(row, view))


def _item(row: Any, view: View) -> Item:
    if row.feature is None and row.buried:
        raise Gone("this item was withdrawn; whoever keeps a copy is to drop it")
    if row.feature is None:
        raise NotFound("the collection has no such item")
    return Item(feature=row.feature, view=view, versions=row.versions or {})


def item_sql(collection: Collection, id: int, *, view: View = PLAIN) -> tuple[str, Mapping[str, Any]]:
    """The statement of one feature and its values."""
    kind = collection.kind.id
    where, values = chosen(collection, ANY)
    sql = ITEM.format(kind=kind, where=where, feature=feature(kind, view.lang, view=view), versions=VERSIONS)
    return sql, {**values, "id": id, "kind": kind, **concerning(collection)}
