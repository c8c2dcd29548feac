"""Declarations as rows: a draft written, read back and rewritten, its consents, and the amendment that waits beside it."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection, RowMapping

from geo.collections import Territory
from geo.register.declared import CONSENTS
from geo.register.draft import Draft

TYPED = ("power_kw", "area_m2", "annual_mwh")
"""The facts that have columns of their own; the others share one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """What an owner wants to change, and since when it waits."""

    draft: Draft
    at: datetime


def contributor(tx: Connection, draft: Draft, *, now: datetime) -> UUID:
    """Whoever declares, by mail address; nobody learns whether the address was known."""
    values = {"email": draft.email, "language": draft.language, "now": now}
    return tx.execute(text(_CONTRIBUTOR), values).scalar_one()


def write(tx: Connection, draft: Draft, *, contributor: UUID | None, now: datetime) -> UUID:
    """A new row, in the state `draft`."""
    return tx.execute(text(_INSERT), {**_values(draft), "contributor": contributor, "now": now}).scalar_one()


def rewrite(tx: Connection, id: UUID, draft: Draft, *, now: datetime) -> None:
    """Let the row say what the draft says; who declared it, and when, stays."""
    tx.execute(text(_UPDATE), {**_values(draft), "id": id})
    agree(tx, id, draft, now=now)


def read(tx: Connection, id: UUID) -> tuple[RowMapping, Draft]:
    """The row of a declaration that is there, and what it says as a draft."""
    row = tx.execute(text(_READ), {"id": id}).mappings().one()
    return row, draft_of(row)


def draft_of(row: RowMapping) -> Draft:
    """What a row says; it needs `lon` and `lat` beside the columns of the table."""
    own = {name: row[name] for name in Draft.__dataclass_fields__ if name in row}
    facts = {name: row[name] for name in TYPED if row[name] is not None} | dict(row["facts"])
    return Draft(**{**own, "email": None, "location": (row["lon"], row["lat"]), "facts": facts})


def wait(tx: Connection, id: UUID, draft: Draft, *, now: datetime) -> None:
    """Keep an amendment beside the row until the town decides; a later one takes its place."""
    tx.execute(text(_WAIT), {"id": id, "draft": json.dumps(draft.as_json()), "now": now})


def pending(tx: Connection, id: UUID) -> Amendment | None:
    """The amendment that waits."""
    row = tx.execute(
        text("select draft, at from register.amendments where declaration = :id"), {"id": id}
    ).one_or_none()
    return Amendment(draft=Draft.kept(row.draft), at=row.at) if row else None


def agree(tx: Connection, id: UUID, draft: Draft, *, now: datetime) -> None:
    """Keep with the declaration what was agreed to, by the version of its text, and what was taken back."""
    given = {"publication": True, "exact": draft.exact_consent and draft.precision == "exact"}
    for purpose, yes in given.items():
        texts = json.dumps(CONSENTS[purpose], sort_keys=True, ensure_ascii=False)
        version = hashlib.sha256(texts.encode()).hexdigest()[:16]
        values = {"id": id, "purpose": purpose, "version": version, "texts": texts, "now": now}
        if yes:
            tx.execute(text(_TEXT), values)
            tx.execute(text(_AGREE), values)
        else:
            tx.execute(text(_REVOKE), values)


def communes_hold(tx: Connection, location: tuple[float, float], territory: Territory) -> bool:
    """Whether a point lies in the territory: in an outline, or as near to one as the outline itself is sure of."""
    lon, lat = location
    communes = list(territory.body.get("communes", ()))
    row = tx.execute(text(_INSIDE), {"lon": lon, "lat": lat, "communes": communes}).one()
    if row.outlines:
        return row.holding > 0
    west, south, east, north = territory.body["bounds"]
    return west <= lon <= east and south <= lat <= north


def _values(draft: Draft) -> dict[str, Any]:
    own = {name: getattr(draft, name) for name in _OWN}
    rest = {name: value for name, value in draft.facts.items() if name not in TYPED}
    typed = {name: draft.facts.get(name) for name in TYPED}
    return {**own, **typed, "facts": json.dumps(rest), "lon": draft.location[0], "lat": draft.location[1]}


_OWN = ("technology", "status", "year", "month", "owner_kind", "visitors_welcome", "words", "gain", "advice", "address",
        "located_by", "precision", "language")  # fmt: skip

_CONTRIBUTOR = """
insert into register.contributors (email, language, created_at) values (:email, :language, :now)
on conflict (email) do update set language = excluded.language returning id
"""

_COLUMNS = [*_OWN, *TYPED]

_INSERT = f"""
insert into register.declarations (state, contributor, {", ".join(_COLUMNS)}, facts, location, received_at, acted_at)
values ('draft', :contributor, {", ".join(f":{name}" for name in _COLUMNS)}, cast(:facts as jsonb),
        ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), :now, :now)
returning id
"""

_UPDATE = f"""
update register.declarations set {", ".join(f"{name} = :{name}" for name in _COLUMNS)}, facts = cast(:facts as jsonb),
  location = ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)
where id = :id
"""

_READ = "select *, ST_X(location) as lon, ST_Y(location) as lat from register.declarations where id = :id"

_WAIT = """
insert into register.amendments (declaration, draft, at) values (:id, cast(:draft as jsonb), :now)
on conflict (declaration) do update set draft = excluded.draft, at = excluded.at
"""

_TEXT = """
insert into register.consent_texts (version, purpose, texts) values (:version, :purpose, cast(:texts as jsonb))
on conflict (version) do nothing
"""

_AGREE = """
insert into register.consents (declaration, purpose, version, given_at)
select :id, :purpose, :version, :now
where not exists (select from register.consents where declaration = :id and purpose = :purpose
                    and version = :version and revoked_at is null)
"""

_REVOKE = """
update register.consents set revoked_at = :now where declaration = :id and purpose = :purpose and revoked_at is null
"""

_INSIDE = """
select count(*) as outlines,
       count(*) filter (where ST_DWithin(c.geom::geography, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)::geography,
                                         coalesce(c.position_accuracy_m, 0))) as holding
from territory.communes c where c.insee = any (:communes)
"""
