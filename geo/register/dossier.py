"""All that the town hall knows of one declaration: what was declared, where, what changed, who else, what was done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection, RowMapping

from geo.errors import NotFound
from geo.privacy import CELL_METRES
from geo.register import flags
from geo.register.declared import COMMON, FACT, asked
from geo.register.worklist import ALIVE, NEAR_METRES

LonLat = tuple[float, float]
"""Longitude and latitude in WGS 84 degrees."""

UNTOLD = frozenset({"email", "language", "owner_agrees", "consent", "exact_consent", "sure", "located_by"})
"""What the form asks and no decision turns on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where it is said to be, and the INSPIRE square that stands for it in public; None where the point itself does."""

    at: LonLat
    cell: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """An entry that may be the same: `id` where it was declared, else the `item` of installations that it is."""

    id: UUID | None
    item: int | None
    state: str
    metres: float
    at: LonLat
    same_person: bool
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field of an amendment: what it says now, and what it would say."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """What an owner wants to change; `place` is where it would then be, `metres` how far that is from where it is."""

    at: datetime
    changes: Sequence[Change]
    place: Place
    metres: float
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One line of the audit trail; `by` is the address of somebody of the town hall who still works there."""

    act: str
    actor: str
    by: str | None
    reason: str | None
    at: datetime
    checked: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """One declaration in full. `seen` is the number of the last act on it: whoever decides says which one they saw."""

    id: UUID
    state: str
    received_at: datetime
    seen: int
    facts: Mapping[str, Any]
    place: Place
    photos: Sequence[str]
    twins: Sequence[Twin]
    amendment: Amendment | None
    reports: Sequence[flags.Report]
    kept_at: datetime | None
    public_item: int | None
    trail: Sequence[Done]


def read(tx: Connection, id: UUID) -> Dossier:
    """The declaration of that number; NotFound if there is none, or none whose owner has confirmed it."""
    row = tx.execute(text(_ENTRY), {"id": id}).mappings().one_or_none()
    if row is None:
        raise NotFound("there is no such declaration")
    facts = _facts(row)
    trail = [Done(**done) for done in tx.execute(text(_TRAIL), {"id": id}).mappings()]
    return Dossier(
        id=id,
        state=row["state"],
        received_at=row["received_at"],
        seen=row["seen"],
        facts=facts,
        place=Place(at=(row["lon"], row["lat"]), cell=row["cell"]),
        photos=row["photos"],
        twins=_twins(tx, id),
        amendment=_amendment(tx, id, facts),
        reports=flags.reports(tx, id),
        kept_at=row["kept_at"],
        public_item=row["item"],
        trail=trail,
    )


def photo(tx: Connection, id: UUID, *, waiting: bool) -> bytes:
    """The large picture of a declaration, or the one that waits with its amendment; NotFound where there is none."""
    found = tx.scalar(text(_PHOTO), {"id": id, "waiting": waiting})
    if found is None:
        raise NotFound("there is no such photo")
    return bytes(found)


def _facts(row: RowMapping | Mapping[str, Any]) -> Mapping[str, Any]:
    """What is said, by the names of declared.py and in its order; nothing where nothing is said."""
    told = {**row["facts"], **{name: row[name] for name in (*COMMON, *FACT) if name in row}}
    return {
        name: told[name] for name in asked(row["technology"]) if name not in UNTOLD and told.get(name) not in (None, "")
    }


def _twins(tx: Connection, id: UUID) -> Sequence[Twin]:
    values = {"id": id, "near": NEAR_METRES, "alive": list(ALIVE)}
    return [
        Twin(
            id=row["id"],
            item=row["item"],
            state=row["state"],
            metres=row["metres"],
            at=(row["lon"], row["lat"]),
            same_person=bool(row["same_person"]),
            facts=_facts(row),
        )
        for row in tx.execute(text(_TWINS), values).mappings()
    ]


def _amendment(tx: Connection, id: UUID, facts: Mapping[str, Any]) -> Amendment | None:
    found = tx.execute(
        text("select draft, at from register.amendments where declaration = :id"), {"id": id}
    ).one_or_none()
    if found is None:
        return None
    draft = found.draft
    after = _facts({"facts": {}, **draft})
    lon, lat = draft["location"]["coordinates"]
    size = CELL_METRES.get(draft["precision"])
    where = tx.execute(text(_MOVED), {"id": id, "lon": lon, "lat": lat, "size": size}).one()
    names = [name for name in {**asked(str(facts["technology"])), **asked(draft["technology"])} if name not in UNTOLD]
    return Amendment(
        at=found.at,
        changes=[
            Change(name=name, before=facts.get(name), after=after.get(name))
            for name in names
            if facts.get(name) != after.get(name)
        ],
        place=Place(at=(lon, lat), cell=where.cell),
        metres=where.metres,
        facts=after,
    )


_ENTRY = """
select d.*, ST_X(d.location) as lon, ST_Y(d.location) as lat,
  case d.precision when 'cell_200m' then register.cell_name(d.location, 200)
                   when 'cell_1km' then register.cell_name(d.location, 1000) end as cell,
  coalesce((select max(a.id) from register.audit a where a.declaration = d.id), 0) as seen,
  array(select case when o.waiting then 'waiting' else 'current' end from register.photos o
        where o.declaration = d.id order by o.waiting) as photos,
  (select f.kept_at from register.flagged f where f.declaration = d.id) as kept_at,
  (select i.id from territory.installations i where i.source_key = 'declaration:' || d.public_key) as item
from register.declarations d where d.id = :id and d.state <> 'draft'
"""

_TRAIL = """
select a.act, a.actor, s.email as by, a.reason, a.at,
  array(select c.item from register.checks c where c.audit = a.id order by c.item) as checked
from register.audit a
left join register.staff s on a.actor = 'staff:' || s.id
where a.declaration = :id order by a.id
"""

_PHOTO = "select large from register.photos where declaration = :id and waiting = :waiting"

_FACTS = ", ".join(
    f"t.{name}"
    for name in (
        "technology",
        "status",
        "year",
        "power_kw",
        "area_m2",
        "annual_mwh",
        "owner_kind",
        "visitors_welcome",
        "words",
    )
)

# Declared ones by their exact points; those that a pack or an import brought where their points are exact, too.
_TWINS = f"""
select t.id, null::bigint as item, t.state, {_FACTS}, t.facts, t.address, t.precision, t.gain, t.advice, t.month,
  ST_X(t.location) as lon, ST_Y(t.location) as lat,
  ST_Distance(t.location::geography, d.location::geography) as metres, t.contributor = d.contributor as same_person
from register.declarations d join register.declarations t
  on t.id <> d.id and t.technology = d.technology and t.state = any (:alive)
  and ST_DWithin(t.location::geography, d.location::geography, :near)
where d.id = :id
union all
select null, t.id, 'published', {_FACTS}, '{{}}', null, null, null, null, null,
  ST_X(t.geom), ST_Y(t.geom), ST_Distance(t.geom::geography, d.location::geography), false
from register.declarations d join territory.installations t
  on t.technology = d.technology and t.position <> 'cell' and t.source_key not like 'declaration:%'
  and ST_DWithin(t.geom::geography, d.location::geography, :near)
where d.id = :id
order by metres limit 5
"""

_MOVED = """
select ST_Distance(d.location::geography, n.point::geography) as metres,
  register.cell_name(n.point, cast(:size as integer)) as cell
from register.declarations d, (select ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) as point) n where d.id = :id
"""
