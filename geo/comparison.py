"""What the map and the national register each say of a technology, in the communes that the register's file speaks of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, or_
from sqlalchemy.engine import Connection

from geo.collections import Territory
from geo.filters import spelled
from geo.kinds import INSTALLATIONS
from geo.tables import rows

NARROWING = ("technology", "commune")
"""What a comparison may be narrowed by: the register knows no owners."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """How many installations one side has, how many of its entries tell their power, and those powers in kW."""

    count: int
    powers: int
    power_kw: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Both sides of a technology. `newest` is the last commissioning of those that the register lists one by one."""

    technology: str
    on_map: Side
    register: Side
    newest: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the register's rows come from, the day that they speak of, if it was said, and when they were imported."""

    source: str
    source_url: str | None
    source_date: date | None
    licence: str
    imported_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The communes compared, by their INSEE codes, and each technology of electricity that either side has."""

    communes: Sequence[str]
    pairs: Sequence[Pair]
    origins: Sequence[Origin]


def comparison(tx: Connection, territory: Territory, narrowed: Mapping[str, str]) -> Comparison | None:
    """The comparison; None where no file of the register was imported, or where it is asked by owner."""
    if set(narrowed) - set(NARROWING):
        return None
    columns = rows(INSTALLATIONS).c
    visible = or_(*(one.condition() for one in territory.collections.values() if one.kind is INSTALLATIONS))
    where, values = spelled(and_(visible, *(columns[name] == value for name, value in sorted(narrowed.items()))))
    asked = {**values, **{f"only_{name}": narrowed.get(name) for name in NARROWING}}
    origins = tx.exec_driver_sql(_ORIGINS).all()
    if not origins:
        return None
    communes = tx.exec_driver_sql(_COMMUNES, asked).scalars().all()
    found = tx.exec_driver_sql(_PAIRS.format(where=where), asked).all()
    return Comparison(
        communes=communes,
        pairs=[
            Pair(
                technology=row.technology,
                on_map=Side(count=row.n, powers=row.powers, power_kw=row.kw),
                register=Side(count=row.told_n, powers=row.told_powers, power_kw=row.told_kw),
                newest=row.newest,
            )
            for row in found
        ],
        origins=[Origin(**row._mapping) for row in origins],  # noqa: SLF001 (SQLAlchemy's public name for it)
    )


_ORIGINS = """
select source, source_url, source_date, licence, max(updated_at)::date as imported_on
from territory.registrations group by 1, 2, 3, 4 order by source, source_date
"""

_COMMUNES = """
select distinct commune from territory.registrations
where %(only_commune)s::text is null or commune = %(only_commune)s order by 1
"""

# Heat and houses are none of the register's business: a technology that is only on the map is left out then.
_PAIRS = """
with told as (
  select technology, sum(count) as told_n, count(power_kw) as told_powers, sum(power_kw::numeric)::float8 as told_kw,
         max(commissioned_on) filter (where count = 1) as newest
  from territory.registrations
  where (%(only_commune)s::text is null or commune = %(only_commune)s)
    and (%(only_technology)s::text is null or technology = %(only_technology)s)
  group by technology),
drawn as (
  select f.technology, count(*) as n, count(f.power_kw) as powers, sum(f.power_kw::numeric)::float8 as kw
  from territory.installations f
  where {where} and coalesce(f.status, 'operating') = 'operating'
    and f.technology not in ('solar_thermal', 'heat_pump', 'high_performance_building')
    and f.commune in (select commune from territory.registrations)
  group by f.technology)
select technology, coalesce(n, 0) as n, coalesce(powers, 0) as powers, kw, coalesce(told_n, 0) as told_n,
       coalesce(told_powers, 0) as told_powers, told_kw, newest
from told full join drawn using (technology)
order by told_kw desc nulls last, kw desc nulls last, technology
"""
