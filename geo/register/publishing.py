"""What becomes public of a declaration: this room alone writes and deletes its row in `territory`."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection, RowMapping

from geo.collections import Territory
from geo.columns import LANGUAGES, say
from geo.energy import TECHNOLOGIES
from geo.privacy import rounded, shown
from geo.register.declared import FACTS
from geo.register.draft import Draft


def publish(tx: Connection, id: UUID, *, territory: Territory) -> None:
    """Write the public row of a declaration: only what its owner chose to show, at the precision chosen.

    Facts that are not meant for the public stay private, and a private person's measures are rounded. An entry for
    statistics only has no row. The number of the row stays the same as long as the declaration lives.
    """
    row = tx.execute(text("select * from register.declarations where id = :id"), {"id": id}).mappings().one()
    how = shown(row["precision"])
    if how is None:
        unpublish(tx, id, for_good=True)
        return
    first = territory.languages[0]
    facts = public_facts(row)
    names = {lang: _name(row["technology"], facts.get("power_kw"), lang) for lang in LANGUAGES}
    values = {
        "id": id,
        "facts": json.dumps(facts),
        "name": names.get(first, names["en"]),
        "translations": json.dumps({lang: {"name": name} for lang, name in names.items() if lang != first}),
        "cell_m": how.cell_m,
        "position": how.position,
        "accuracy": how.accuracy_m,
        "source": territory.body["attribution"],
        "licence": territory.body["licence"],
    }
    public_id = tx.execute(text(_PUBLISH), values).scalar_one()
    tx.execute(text(_SHOW_PHOTO), {"id": id, "public_id": public_id})


def unpublish(tx: Connection, id: UUID, *, for_good: bool) -> None:
    """Take the public row away, and its photo with it; `for_good` leaves its number as a tombstone for harvesters."""
    gone = tx.execute(text(_UNPUBLISH), {"id": id}).scalar_one_or_none()
    public_id = tx.scalar(text("select public_id from register.declarations where id = :id"), {"id": id})
    if for_good and (gone or public_id) is not None:
        tx.execute(text(_BURY), {"id": gone or public_id})
        tx.execute(text("update register.declarations set public_id = null where id = :id"), {"id": id})


def preview(tx: Connection, draft: Draft, lang: str) -> dict[str, Any]:
    """What would be public of a draft, before it is sent: name, facts, and the square or None where there is none."""
    told = {"owner_kind": draft.owner_kind, "technology": draft.technology, "facts": draft.facts}
    typed = dict.fromkeys(("power_kw", "area_m2", "annual_mwh")) | dict(draft.facts)
    facts = public_facts({**typed, **told})
    how = shown(draft.precision)
    lon, lat = draft.location
    square = {"lon": lon, "lat": lat, "size": how.cell_m if how else None}
    return {
        "name": _name(draft.technology, facts.get("power_kw"), lang),
        "facts": facts,
        "cell": tx.scalar(text(_CELL), square) if how and how.cell_m else None,
        "cell_m": how.cell_m if how else None,
    }


def public_facts(row: RowMapping | Mapping[str, Any]) -> dict[str, Any]:
    """What the facts of a declaration look like in public."""
    private = row["owner_kind"] == "private_person"
    told = {name: row[name] for name in ("power_kw", "area_m2", "annual_mwh")} | dict(row["facts"])
    return {
        one.name: rounded(told[one.name], one.step, private=private) if one.step else told[one.name]
        for one in FACTS[row["technology"]]
        if one.step is not None and told.get(one.name) is not None
    }


def _name(technology: str, power_kw: float | None, lang: str) -> str:
    label = say(TECHNOLOGIES[technology], lang)
    label = label[0].upper() + label[1:]
    if power_kw is None:
        return label
    number = f"{power_kw:g}".replace(".", "," if lang in ("fr", "de") else ".")
    return f"{label}, {number}\u00a0kW"


_CELL = "select register.cell_name(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), cast(:size as integer))"

# The database computes the square's centre, so that the exact point is never in a value that leaves it.
_PUBLISH = """
with made as (
  insert into territory.installations as t (id, source_key, name, translations, technology, power_kw, area_m2,
    annual_mwh, year, owner_kind, visitors_welcome, status, heat_pump_kind, fuel, label, level, assurance,
    energy_kwh_m2_year, place, orientation, storage_kwh, words, gain, advice, cell, position, position_accuracy_m,
    since, since_precision, source, licence, dataset, geom)
  overriding system value
  select coalesce(d.public_id, nextval(pg_get_serial_sequence('territory.installations', 'id'))),
    'declaration:' || d.public_key, :name, cast(:translations as jsonb), d.technology, f.power_kw, f.area_m2,
    f.annual_mwh, d.year, d.owner_kind, d.visitors_welcome, d.status, f.heat_pump_kind, f.fuel, f.label, f.level,
    f.assurance, f.energy_kwh_m2_year, f.place, f.orientation, f.storage_kwh, d.words, d.gain, d.advice,
    register.cell_name(d.location, cast(:cell_m as integer)), :position, cast(:accuracy as double precision),
    make_date(d.year, 1, 1), case when d.year is not null then 'year' end, :source, :licence, 'register',
    case when cast(:cell_m as integer) is null then d.location
         else register.cell_centre(d.location, cast(:cell_m as integer)) end
  from register.declarations d, jsonb_populate_record(null::territory.installations, cast(:facts as jsonb)) f
  where d.id = :id
  on conflict (source_key) do update set
    name = excluded.name, translations = excluded.translations, technology = excluded.technology,
    power_kw = excluded.power_kw, area_m2 = excluded.area_m2, annual_mwh = excluded.annual_mwh, year = excluded.year,
    owner_kind = excluded.owner_kind, visitors_welcome = excluded.visitors_welcome, status = excluded.status,
    heat_pump_kind = excluded.heat_pump_kind, fuel = excluded.fuel, label = excluded.label, level = excluded.level,
    assurance = excluded.assurance, energy_kwh_m2_year = excluded.energy_kwh_m2_year, place = excluded.place,
    orientation = excluded.orientation, storage_kwh = excluded.storage_kwh, words = excluded.words,
    gain = excluded.gain, advice = excluded.advice, cell = excluded.cell, position = excluded.position,
    position_accuracy_m = excluded.position_accuracy_m, since = excluded.since,
    since_precision = excluded.since_precision, geom = excluded.geom
  returning id)
update register.declarations d set public_id = made.id from made where d.id = :id returning made.id
"""

_UNPUBLISH = """
delete from territory.installations where source_key = (
  select 'declaration:' || public_key from register.declarations where id = :id) returning id
"""

_BURY = "insert into territory.tombstones (kind, id) values ('installations', :id) on conflict do nothing"

# A photo gets a new name whenever another one is shown, so that caches keep nothing that was taken away.
_SHOW_PHOTO = """
with gone as (
  delete from territory.photos p where p.installation = :public_id
    and not exists (select from register.photos r where r.declaration = :id and not r.waiting and r.id = p.id)),
made as (
  insert into territory.photos (id, installation, large, small, width, height)
  select r.id, :public_id, r.large, r.small, r.width, r.height from register.photos r
  where r.declaration = :id and not r.waiting on conflict (id) do nothing)
update territory.installations t set photo = p.path
from (select (select '/photos/' || r.id from register.photos r where r.declaration = :id and not r.waiting) as path) p
where t.id = :public_id and t.photo is distinct from p.path
"""
