"""The town hall’s worklist: what waits, by age, a page at a time. For people of the town hall alone; one entry: dossier.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection, RowMapping

from geo.register.findings import findings

View = Literal["confirmed", "amended", "flagged", "published", "hidden", "returned", "rejected", "withdrawn"]
VIEWS: tuple[View, ...] = get_args(View)
"""What may be looked through: a state of the life cycle, the corrections that wait, the reports that wait."""

WORK: tuple[View, ...] = ("confirmed", "amended", "flagged")
"""The views in which somebody waits for the town."""

COUNTED_TO = 1000
"""A view is counted up to this: how many more there are changes no decision, and costs time."""

NEAR_METRES = 50
"""Two entries of one technology that lie closer than this may be the same."""

ALIVE = ("confirmed", "returned", "published", "hidden")
"""The states of entries that another can be a duplicate of."""

TEXTS = ("words", "gain", "advice")
"""What residents write for their neighbours to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One line of the queue. `since` is when it began to wait; powers in kW; `sharp` counts what texts give away."""

    id: UUID
    since: datetime
    state: str
    technology: str
    power_kw: float | None
    year: int | None
    owner_kind: str
    precision: str
    photo: bool
    twin: bool
    reports: int
    sharp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of a view; `after` is where the next one begins, or None."""

    lines: Sequence[Waiting]
    after: tuple[datetime, UUID] | None


def page(tx: Connection, view: View, *, limit: int, after: tuple[datetime, UUID] | None = None) -> Page:
    """The lines of a view, oldest first, from behind `after` on."""
    source, since = _SOURCES.get(view, _IN_STATE)
    behind = f"and ({since}, d.id) > (:moment, :id)" if after else ""
    among = f"select d.id, {since} as since from {source} {behind} order by {since}, d.id limit :limit"
    moment, id = after or (None, None)
    values = {"view": view, "moment": moment, "id": id, "limit": limit + 1, "near": NEAR_METRES, "alive": list(ALIVE)}
    rows = tx.execute(text(_LINES.replace("<page>", among)), values).mappings().all()
    lines = [_line(row) for row in rows[:limit]]
    return Page(lines=lines, after=(lines[-1].since, lines[-1].id) if len(rows) > limit else None)


def counts(tx: Connection) -> Mapping[View, int]:
    """How many lines each view has, up to COUNTED_TO and one more."""
    sources = ((view, _SOURCES.get(view, _IN_STATE)[0].replace(":view", f"'{view}'")) for view in VIEWS)
    parts = (f"(select count(*) from (select from {source} limit :most) q) as {view}" for view, source in sources)
    row = tx.execute(text(f"select {', '.join(parts)}"), {"most": COUNTED_TO + 1}).one()
    return dict(zip(VIEWS, row, strict=True))


def tally(tx: Connection) -> Mapping[str, Any]:
    """For whoever watches: how many declarations in each state, exactly, and since when the oldest has been waiting."""
    states = {row.state: row.number for row in tx.execute(text(_STATES))}
    oldest = tx.execute(text(_OLDEST)).mappings().one()
    return {"states": states, **oldest}


def _line(row: RowMapping) -> Waiting:
    told = {name: value for name, value in row.items() if name not in TEXTS}
    return Waiting(**told, sharp=sum(len(findings(row[name])) for name in TEXTS if row[name]))


_IN_STATE = ("register.declarations d where d.state = :view", "d.received_at")

_SOURCES: Mapping[str, tuple[str, str]] = {
    "amended": (
        "register.amendments a join register.declarations d on d.id = a.declaration "
        "where d.state in ('published', 'hidden')",
        "a.at",
    ),
    "flagged": (
        "register.flagged f join register.declarations d on d.id = f.declaration "
        "where f.open_since is not null and d.state in ('published', 'hidden')",
        "f.open_since",
    ),
}
"""What a view is of, and since when each of its lines has been waiting."""

# Page first, the rest for its lines alone: each of the others costs a look into an index.
_LINES = """
with page as materialized (<page>)
select d.id, p.since, d.state, d.technology, d.power_kw, d.year, d.owner_kind, d.precision, d.words, d.gain, d.advice,
  exists (select from register.photos o where o.declaration = d.id) as photo,
  exists (select from register.declarations t where t.id <> d.id and t.technology = d.technology
          and t.state = any (:alive) and ST_DWithin(t.location::geography, d.location::geography, :near)) as twin,
  (select count(*) from register.flags f
   where f.declaration = d.id and f.confirmed_at is not null and f.settled_at is null) as reports
from page p join register.declarations d on d.id = p.id order by p.since, p.id
"""

_STATES = "select state, count(*) as number from register.declarations where state <> 'draft' group by state"

_OLDEST = """
select (select min(received_at) from register.declarations where state = 'confirmed') as oldest_confirmed,
       (select min(at) from register.amendments) as oldest_amended,
       (select min(open_since) from register.flagged where open_since is not null) as oldest_flagged
"""
