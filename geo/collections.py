"""What the world sees: the territory's description, its collections and their versions, as the pack named them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import Any, Protocol, TypeVar

from sqlalchemy import ColumnElement, and_, any_, cast, func, literal, select, true
from sqlalchemy.dialects.postgresql import ARRAY, DATE
from sqlalchemy.engine import Connection, RowMapping

from geo.columns import Words
from geo.db import Database, Statement
from geo.errors import BadInput, NotFound, TooSlow, Unavailable
from geo.kinds import KINDS, Kind
from geo.space import Bbox
from geo.tables import ABOUT, COLLECTIONS, VERSION, rows

CATALOGUE = "catalogue"
"""The version row of the list of collections and of the territory's own description."""

Versions = Mapping[str, int]
"""The version of each collection that an answer was made from."""

VERSIONS = "(select jsonb_object_agg(collection, version) from territory.version where collection = any(%(concerned)s::text[]))"
"""SQL for the versions that a statement sees, so that they are those of what it answers; with `concerning`."""


def concerning(*collections: "Collection") -> dict[str, str]:
    """The value that VERSIONS takes: these collections and the catalogue."""
    return {"concerned": "{" + ",".join((CATALOGUE, *(one.id for one in collections))) + "}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A titled equality filter over one kind."""

    id: str
    kind: Kind
    filter: Mapping[str, Any]
    title: Words
    description: Words
    colour: str
    visible: bool

    def condition(self) -> ColumnElement[bool]:
        """The rows of the kind's table that belong to the collection."""
        return belonging(self.kind, self.filter)


def belonging(kind: Kind, filter: Mapping[str, Any]) -> ColumnElement[bool]:
    """The rows of the kind's table that meet an equality filter; a list names several values."""
    columns = rows(kind).c
    clauses = (
        columns[name] == any_(literal(value, ARRAY(columns[name].type)))
        if isinstance(value, list)
        else columns[name] == value
        for name, value in sorted(filter.items())
    )
    return and_(true(), *clauses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Territory:
    """Who the territory is, in the words of its pack, and its collections in the order of the legend."""

    pack: str
    body: Mapping[str, Any]
    collections: Mapping[str, Collection]
    versions: Versions

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that the territory speaks; the first is that of its texts."""
        return tuple(self.body["languages"])

    def collection(self, id: str) -> Collection:
        """The collection of that id; NotFound if there is none."""
        found = self.collections.get(id)
        if found is None:
            raise NotFound("there is no such collection")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How many items a collection has, and the box and the years that they lie in."""

    count: int
    bbox: Bbox | None
    since: str | None
    until: str | None


class Answer(Protocol):
    """Anything that was read from the database, with the versions that it shows."""

    @property
    def versions(self) -> Versions:
        """The version of each collection concerned, and of the catalogue."""
        ...

    @property
    def size(self) -> int:
        """About how many bytes it has."""
        ...


Seen = TypeVar("Seen", bound=Answer)

Reaching = Callable[[Collection], Reach]
"""Tells how far a collection reaches."""

Question = Callable[[Territory, Reaching], Statement[Seen]]
"""What is asked of a territory, once it is known which one."""


class _NotKept(Exception):
    """Nobody has counted yet."""


class Catalogue:
    """What a process keeps of the territory and of its collections' reach, each for as long as its version lasts."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._territory: Territory | None = None
        self._reaches: dict[str, tuple[int, Reach]] = {}
        self._counting = Lock()

    def territory(self, tx: Connection) -> Territory:
        """The territory with the versions of this snapshot: one query where the catalogue has not changed."""
        now = versions(tx)
        kept = self._territory
        if kept is None or kept.versions.get(CATALOGUE) != now.get(CATALOGUE):
            kept = territory(tx)
        self._territory = replace(kept, versions=now)
        return self._territory

    async def glance(
        self, db: Database, heard: Versions | None, question: "Question[Seen]"
    ) -> tuple[Territory, Seen] | None:
        """What one statement says of the territory as it was last heard of; None where that does not settle it.

        The answer says which versions it saw. Where it saw others than were heard, or what was asked for seemed not to
        be there or not to be right, or took long, `look` knows better.
        """
        known = self._as_heard(heard)
        if known is None:
            return None
        try:
            seen = await db.glance(question(known, partial(self._kept, known)))
        except (NotFound, BadInput, Unavailable, TooSlow, _NotKept):
            return None
        same = all(known.versions.get(id, 0) == version for id, version in seen.versions.items())
        return (known, seen) if same else None

    def look(self, db: Database, question: "Question[Seen]") -> tuple[Territory, Seen]:
        """What it says in one snapshot of the catalogue and the data."""
        with db.read() as tx:
            known = self.territory(tx)
            return known, question(known, self.reaching(tx, known)).asked(tx)

    def reaching(self, tx: Connection, territory: Territory) -> "Reaching":
        """How far collections reach in this snapshot."""
        return lambda one: self.reach(tx, one, territory.versions.get(one.id, 0))

    def _as_heard(self, heard: Versions | None) -> Territory | None:
        kept = self._territory
        if kept is None or heard is None or heard.get(CATALOGUE) != kept.versions.get(CATALOGUE):
            return None
        return replace(kept, versions=heard)

    def _kept(self, territory: Territory, collection: Collection) -> Reach:
        kept = self._reaches.get(collection.id)
        if kept is None or kept[0] != territory.versions.get(collection.id, 0):
            raise _NotKept
        return kept[1]

    def reach(self, tx: Connection, collection: Collection, version: int) -> Reach:
        """The collection's reach at this version."""
        kept = self._reaches.get(collection.id)
        if kept is None or kept[0] != version:
            # One counts and the others wait: as many counts as requests at once would each take as many times as long.
            with self._counting:
                kept = self._reaches.get(collection.id)
                if kept is None or kept[0] != version:
                    kept = (version, reach(tx, collection))
                    self._reaches[collection.id] = kept
        return kept[1]

    def last_known(self) -> Territory | None:
        """The territory as it was last read, for pages that must be shown while the database is away."""
        return self._territory


def territory(tx: Connection) -> Territory:
    """The territory as it stands in this snapshot; NotFound while no pack was loaded."""
    about = tx.execute(select(ABOUT.c.pack, ABOUT.c.body)).one_or_none()
    if about is None:
        raise NotFound("no territory has been loaded yet: run `gohelle seed`")
    listed = tx.execute(select(COLLECTIONS).order_by(COLLECTIONS.c.rank, COLLECTIONS.c.id)).mappings()
    found = {row["id"]: _collection(row) for row in listed if row["kind"] in KINDS}
    return Territory(pack=about.pack, body=about.body, collections=found, versions=versions(tx))


def versions(tx: Connection, ids: Sequence[str] = ()) -> Versions:
    """The current version of each collection named, or of all."""
    query = select(VERSION.c.collection, VERSION.c.version)
    if ids:
        query = query.where(VERSION.c.collection.in_(ids))
    found = {row.collection: row.version for row in tx.execute(query)}
    return {id: found.get(id, 0) for id in ids or found}


def reach(tx: Connection, collection: Collection) -> Reach:
    """Count and extent of a collection: one pass over its rows, to be kept as long as its version lasts."""
    columns = rows(collection.kind).c
    start, end = (columns[name] for name in collection.kind.interval)
    box = func.ST_Extent(columns.geom) if collection.kind.geometry else None
    count, since, until, *sides = tx.execute(
        select(
            func.count(),
            func.min(cast(start, DATE)),
            func.max(cast(end, DATE)),
            *(getattr(func, side)(box) for side in ("ST_XMin", "ST_YMin", "ST_XMax", "ST_YMax") if box is not None),
        ).where(collection.condition())
    ).one()
    return Reach(
        count=count,
        bbox=Bbox(*sides) if sides and sides[0] is not None else None,
        since=since and since.isoformat(),
        until=until and until.isoformat(),
    )


def _collection(row: RowMapping) -> Collection:
    return Collection(
        id=row["id"],
        kind=KINDS[row["kind"]],
        filter=row["filter"],
        title=row["title"],
        description=row["description"],
        colour=row["colour"],
        visible=row["visible"],
    )
