"""The register: residents declare, the town decides, and `publish` alone writes what becomes public of it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from annotated_types import Ge, Gt, Le, MaxLen
from pydantic import Strict
from sqlalchemy import text
from sqlalchemy.engine import Connection, RowMapping

from geo.collections import Territory
from geo.columns import LANGUAGES, say
from geo.errors import BadInput, Conflict, IllegalDecision, NotFound, Problem
from geo.kinds import TECHNOLOGIES
from geo.privacy import Precision, rounded, shown
from geo.space import on_earth

Technology = Literal[
    "photovoltaic",
    "solar_thermal",
    "heat_pump",
    "high_performance_building",
    "biomass",
    "storage",
    "wind",
    "hydro",
    "biogas",
    "other",
]
OwnerKind = Literal["private_person", "citizens_company", "company", "social_landlord", "association", "municipality"]

Act = Literal["approve", "reject"]
NEXT: Mapping[tuple[str, str], str] = {
    ("confirmed", "approve"): "published",
    ("confirmed", "reject"): "rejected",
}
"""The life cycle: from this state, by this act, to that state. Nothing else is allowed."""

KEY_HOURS = 24
"""How long an Idempotency-Key is remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A GeoJSON point: longitude and latitude in WGS 84 degrees."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid", "allow_inf_nan": False}
    type: Literal["Point"]
    coordinates: tuple[Annotated[float, Strict(), Ge(-180), Le(180)], Annotated[float, Strict(), Ge(-85), Le(85)]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a resident tells about one installation. Powers in kW, areas in m², yields in MWh a year."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid", "allow_inf_nan": False}
    technology: Technology
    location: Point
    owner_kind: OwnerKind = "private_person"
    precision: Precision | None = None
    exact_consent: Annotated[bool, Strict()] = False
    power_kw: Annotated[float, Strict(), Gt(0), Le(100_000)] | None = None
    area_m2: Annotated[float, Strict(), Gt(0), Le(1_000_000)] | None = None
    annual_mwh: Annotated[float, Strict(), Gt(0), Le(1_000_000)] | None = None
    year: Annotated[int, Strict(), Ge(1900), Le(2200)] | None = None
    visitors_welcome: Annotated[bool, Strict()] = False
    words: Annotated[str, MaxLen(1000)] | None = None
    address: Annotated[str, MaxLen(300)] | None = None
    language: Literal["fr", "en", "de"] = "fr"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """One entry of the queue, as the town hall sees it."""

    id: UUID
    state: str
    technology: str
    power_kw: float | None
    year: int | None
    owner_kind: str
    precision: str
    address: str | None
    words: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a resident gets for a declaration: its number, and where it stands."""

    id: UUID
    state: str
    precision: str
    repeated: bool = field(default=False)


def submit(tx: Connection, draft: Draft, *, territory: Territory, now: datetime, key: str | None = None) -> Receipt:
    """Keep a declaration; nothing of it is public before somebody approves it.

    The same key with the same draft gives the receipt of the first time. BadInput lists everything that the town
    cannot accept; Conflict says that the key was used for another draft.
    """
    precision = draft.precision or ("cell_200m" if draft.owner_kind == "private_person" else "exact")
    _check(tx, draft, precision, territory=territory, now=now)
    if key is not None and (earlier := _earlier(tx, draft, key, now)) is not None:
        return earlier
    values = {name: getattr(draft, name) for name in _KEPT} | {
        "lon": draft.location.coordinates[0],
        "lat": draft.location.coordinates[1],
        "precision": precision,
        "words": _tidy(draft.words),
        "address": _tidy(draft.address),
        "now": now,
    }
    id = tx.execute(text(_INSERT), values).scalar_one()
    _note(tx, id, "declare", actor="resident", reason=None, now=now)
    if key is not None:
        _remember(tx, draft, key, id, now)
    return Receipt(id=id, state="confirmed", precision=precision)


def decide(
    tx: Connection, id: UUID, act: Act, *, territory: Territory, actor: str, now: datetime, reason: str | None = None
) -> str:
    """Take a decision on a declaration and do what follows from it; the new state.

    NotFound if there is no such declaration, IllegalDecision if the life cycle has no such step from its state.
    """
    row = tx.execute(text(_LOCK), {"id": id}).mappings().one_or_none()
    if row is None:
        raise NotFound("there is no such declaration")
    state = NEXT.get((row["state"], act))
    if state is None:
        raise IllegalDecision(f"a declaration that is {row['state']} does not take '{act}'")
    tx.execute(
        text("update register.declarations set state = :state, decided_at = :now where id = :id"),
        {"id": id, "state": state, "now": now},
    )
    if state == "published":
        publish(tx, row, territory=territory)
    _note(tx, id, act, actor=actor, reason=reason, now=now)
    return state


def publish(tx: Connection, row: RowMapping, *, territory: Territory) -> None:
    """Write the public row of a declaration: only what its owner chose to show, at the precision chosen."""
    how = shown(row["precision"])
    source_key = f"declaration:{row['public_key']}"
    if how is None:
        tx.execute(text("delete from territory.installations where source_key = :key"), {"key": source_key})
        return
    private = row["owner_kind"] == "private_person"
    power = rounded(row["power_kw"], 1, private=private)
    names = {lang: _name(row["technology"], power, lang) for lang in LANGUAGES}
    first = territory.languages[0]
    values = {
        "id": row["id"],
        "key": source_key,
        "name": names.get(first, names["en"]),
        "translations": json.dumps({lang: {"name": name} for lang, name in names.items() if lang != first}),
        "technology": row["technology"],
        "power_kw": power,
        "area_m2": rounded(row["area_m2"], 5, private=private),
        "annual_mwh": rounded(row["annual_mwh"], 1, private=private),
        "year": row["year"],
        "owner_kind": row["owner_kind"],
        "visitors_welcome": row["visitors_welcome"],
        "words": row["words"],
        "cell_m": how.cell_m,
        "position": how.position,
        "accuracy": how.accuracy_m,
        "source": territory.body["attribution"],
        "licence": territory.body["licence"],
    }
    tx.execute(text(_PUBLISH), values)


def queue(tx: Connection, *, state: str | None = "confirmed", limit: int = 1000) -> Sequence[Declaration]:
    """The declarations in a state, or in any, oldest first."""
    rows = tx.execute(text(_QUEUE), {"state": state, "limit": limit}).mappings()
    return [Declaration(**row) for row in rows]


_KEPT = ("technology", "power_kw", "area_m2", "annual_mwh", "year", "owner_kind", "visitors_welcome", "language")

_INSERT = """
insert into register.declarations (state, technology, power_kw, area_m2, annual_mwh, year, owner_kind, visitors_welcome,
                                   words, address, location, precision, language, received_at)
values ('confirmed', :technology, :power_kw, :area_m2, :annual_mwh, :year, :owner_kind, :visitors_welcome,
        :words, :address, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), :precision, :language, :now)
returning id
"""

_LOCK = "select * from register.declarations where id = :id for update"

_QUEUE = """
select id, state, technology, power_kw, year, owner_kind, precision, address, words, received_at
from register.declarations where (cast(:state as text) is null or state = :state) order by received_at, id limit :limit
"""

# The database computes the square's centre, so that the exact point is never in a value that leaves it.
_PUBLISH = """
insert into territory.installations (source_key, name, translations, technology, power_kw, area_m2, annual_mwh, year,
  owner_kind, visitors_welcome, words, cell, position, position_accuracy_m, since, since_precision, source, licence, dataset, geom)
select :key, :name, cast(:translations as jsonb), :technology, :power_kw, :area_m2, :annual_mwh, cast(:year as integer),
  :owner_kind, :visitors_welcome, :words,
  register.cell_name(location, cast(:cell_m as integer)), :position, cast(:accuracy as double precision),
  make_date(cast(:year as integer), 1, 1), case when cast(:year as integer) is not null then 'year' end,
  :source, :licence, 'register',
  case when cast(:cell_m as integer) is null then location else register.cell_centre(location, cast(:cell_m as integer)) end
from register.declarations where id = :id
on conflict (source_key) do update set
  name = excluded.name, translations = excluded.translations, technology = excluded.technology,
  power_kw = excluded.power_kw, area_m2 = excluded.area_m2, annual_mwh = excluded.annual_mwh, year = excluded.year,
  owner_kind = excluded.owner_kind, visitors_welcome = excluded.visitors_welcome, words = excluded.words,
  cell = excluded.cell, position = excluded.position, position_accuracy_m = excluded.position_accuracy_m,
  since = excluded.since, since_precision = excluded.since_precision, geom = excluded.geom
"""

# Inside, or as near to an outline as the outline itself is sure of.
_INSIDE = """
select count(*) as outlines,
       count(*) filter (where ST_DWithin(c.geom::geography, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)::geography,
                                         coalesce(c.position_accuracy_m, 0))) as holding
from territory.communes c where c.insee = any (:communes)
"""


def _check(tx: Connection, draft: Draft, precision: str, *, territory: Territory, now: datetime) -> None:
    problems = [
        Problem(pointer=f"/{name}", message="holds a character that cannot be kept")
        for name in ("words", "address")
        if not _storable(getattr(draft, name))
    ]
    if precision == "exact" and draft.owner_kind == "private_person" and not draft.exact_consent:
        message = "must be true for a private person's exact point to be shown"
        problems.append(Problem(pointer="/exact_consent", message=message))
    if draft.year is not None and draft.year > now.year + 5:
        problems.append(Problem(pointer="/year", message="lies more than five years ahead"))
    if not on_earth(draft.location.coordinates) or not _inside(tx, draft.location, territory):
        problems.append(Problem(pointer="/location", message="lies outside the territory"))
    if problems:
        raise BadInput(*problems)


def _inside(tx: Connection, location: Point, territory: Territory) -> bool:
    lon, lat = location.coordinates
    communes = list(territory.body.get("communes", ()))
    row = tx.execute(text(_INSIDE), {"lon": lon, "lat": lat, "communes": communes}).one()
    if row.outlines:
        return row.holding > 0
    west, south, east, north = territory.body["bounds"]
    return west <= lon <= east and south <= lat <= north


def _storable(words: str | None) -> bool:
    """PostgreSQL keeps neither NUL nor half a surrogate pair."""
    return words is None or not any(char == "\x00" or "\ud800" <= char <= "\udfff" for char in words)


def _tidy(words: str | None) -> str | None:
    return words.strip() or None if words is not None else None


def _name(technology: str, power_kw: float | None, lang: str) -> str:
    label = say(TECHNOLOGIES[technology], lang)
    label = label[0].upper() + label[1:]
    if power_kw is None:
        return label
    number = f"{power_kw:g}".replace(".", "," if lang in ("fr", "de") else ".")
    return f"{label}, {number}\u00a0kW"


def _hash(draft: Draft) -> bytes:
    return hashlib.sha256(json.dumps(asdict(draft), sort_keys=True).encode()).digest()


def _earlier(tx: Connection, draft: Draft, key: str, now: datetime) -> Receipt | None:
    """The receipt that this key got before; a second request with the same key waits here for the first."""
    hashed = hashlib.sha256(key.encode()).digest()
    tx.execute(text("select pg_advisory_xact_lock(:one)"), {"one": int.from_bytes(hashed[:8], signed=True)})
    row = tx.execute(
        text("""
            select i.body_hash, d.id, d.state, d.precision from register.idempotency i
            join register.declarations d on d.id = i.declaration where i.key_hash = :key and i.at > :since"""),
        {"key": hashed, "since": now - timedelta(hours=KEY_HOURS)},
    ).one_or_none()
    if row is None:
        return None
    if bytes(row.body_hash) != _hash(draft):
        raise Conflict("this Idempotency-Key was used for another declaration")
    return Receipt(id=row.id, state=row.state, precision=row.precision, repeated=True)


def _remember(tx: Connection, draft: Draft, key: str, id: UUID, now: datetime) -> None:
    tx.execute(
        text("""
            insert into register.idempotency (key_hash, body_hash, declaration, at) values (:key, :body, :id, :now)
            on conflict (key_hash) do update set body_hash = :body, declaration = :id, at = :now"""),
        {"key": hashlib.sha256(key.encode()).digest(), "body": _hash(draft), "id": id, "now": now},
    )


def _note(tx: Connection, id: UUID, act: str, *, actor: str, reason: str | None, now: datetime) -> None:
    tx.execute(
        text("""insert into register.audit (declaration, act, actor, reason, at)
                values (:id, :act, :actor, :reason, :now)"""),
        {"id": id, "act": act, "actor": actor, "reason": reason, "now": now},
    )
