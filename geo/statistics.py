"""What the installations on the map add up to: by technology, year, commune and owner. One statement over public rows.

Those who are counted without being shown are no part of it: they stand in `geo.register.sums`, in sums of at least five.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, or_
from sqlalchemy.engine import Connection, Row

from geo.collections import Territory, Versions
from geo.energy import GRID, YIELD
from geo.filters import spelled
from geo.kinds import INSTALLATIONS
from geo.tables import rows

DIMENSIONS = ("technology", "year", "commune", "owner_kind")
FILTERS = ("technology", "commune", "owner_kind")
"""What the statistics may be narrowed by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """How many installations there are, and what is known of them: `None` where nothing is.

    Powers in kW, of `powers` installations; the yield in MWh a year, of `yields`, as declared or else estimated; what
    the same electricity from the grid would emit in t of CO2 equivalent a year, of `emissions`.
    """

    count: int
    powers: int
    power_kw: float | None
    yields: int
    declared_yields: int
    annual_mwh: float | None
    emissions: int
    annual_t_co2: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """The installations that share a value; None where it is not known."""

    value: str | int | None
    total: Total


@dataclass(frozen=True, slots=True)
class Stand:
    """What was added in a year, and what stands at its end, of the installations whose year is known.

    `added_kw` is None where no power of that year is known.
    """

    year: int
    added: int
    added_kw: float | None
    count: int
    power_kw: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """All of it. `left_out` counts what is planned or stopped by status; `years` has every year without a gap."""

    total: Total
    groups: Mapping[str, Sequence[Group]]
    years: Sequence[Stand]
    left_out: Mapping[str, int]
    communes: Mapping[str, str]


def statistics(tx: Connection, territory: Territory, narrowed: Mapping[str, str]) -> Statistics:
    """The statistics of the installations that some collection shows, where these columns have these values."""
    columns = rows(INSTALLATIONS).c
    visible = or_(*(one.condition() for one in territory.collections.values() if one.kind is INSTALLATIONS))
    where, values = spelled(and_(visible, *(columns[name] == value for name, value in sorted(narrowed.items()))))
    coefficients = {
        "yielding": list(YIELD.technologies),
        "yield": YIELD.value,
        "electric": list(GRID.technologies),
        "intensity": GRID.value,
    }
    found = tx.exec_driver_sql(_SUMS.format(where=where), {**values, **coefficients}).all()
    left_out = tx.exec_driver_sql(_LEFT_OUT.format(where=where), values).all()
    named = tx.exec_driver_sql("select insee, name from territory.communes where insee is not null").all()
    groups = {name: [_group(row, name) for row in found if row.dimension == name] for name in DIMENSIONS}
    whole = next((row for row in found if row.dimension == "all"), None)
    return Statistics(
        total=_total(whole) if whole else NOTHING,
        groups=groups,
        years=_stands(groups["year"]),
        left_out=dict(left_out),
        communes=dict(named),
    )


def versions(territory: Territory) -> Versions:
    """The versions that the statistics rest on."""
    concerned = [one.id for one in territory.collections.values() if one.kind.id in ("installations", "communes")]
    return {id: territory.versions.get(id, 0) for id in (*concerned, "catalogue", "declared-sums", "registrations")}


NOTHING = Total(
    count=0,
    powers=0,
    power_kw=None,
    yields=0,
    declared_yields=0,
    annual_mwh=None,
    emissions=0,
    annual_t_co2=None,
)

# Sums of decimals, for those of floats depend on the order of rows.
_SUMS = """
with counted as (
  select f.technology, f.year, f.commune, f.owner_kind, f.power_kw::numeric as power, f.annual_mwh is not null as told,
         coalesce(f.annual_mwh::numeric,
                  case when f.technology = any (%(yielding)s) then f.power_kw::numeric * %(yield)s::numeric end) as mwh,
         f.technology = any (%(electric)s) as electric
  from territory.installations f
  where {where} and coalesce(f.status, 'operating') = 'operating')
select case when grouping(technology) = 0 then 'technology' when grouping(year) = 0 then 'year'
            when grouping(commune) = 0 then 'commune' when grouping(owner_kind) = 0 then 'owner_kind'
            else 'all' end as dimension,
       technology, year, commune, owner_kind, count(*) as n, count(power) as powers, sum(power) as power_kw,
       count(mwh) as yields, count(*) filter (where told) as declared_yields, round(sum(mwh), 3) as annual_mwh,
       count(mwh) filter (where electric) as emissions,
       round(sum(mwh) filter (where electric) * %(intensity)s::numeric, 3) as annual_t_co2
from counted
group by grouping sets ((), (technology), (year), (commune), (owner_kind))
order by dimension, year nulls last, power_kw desc nulls last, n desc, technology, commune, owner_kind
"""

_LEFT_OUT = """
select f.status, count(*) from territory.installations f
where {where} and f.status in ('planned', 'stopped') group by f.status order by f.status
"""


def _group(row: Row[Any], dimension: str) -> Group:
    return Group(getattr(row, dimension), _total(row))


def _total(row: Row[Any]) -> Total:
    return Total(
        count=row.n,
        powers=row.powers,
        power_kw=_number(row.power_kw),
        yields=row.yields,
        declared_yields=row.declared_yields,
        annual_mwh=_number(row.annual_mwh),
        emissions=row.emissions,
        annual_t_co2=_number(row.annual_t_co2),
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _stands(groups: Sequence[Group]) -> Sequence[Stand]:
    """Every year from the first known to the last."""
    known = {int(one.value): one.total for one in groups if one.value is not None}
    stands: list[Stand] = []
    count, power = 0, 0.0
    for year in range(min(known), max(known) + 1) if known else ():
        added = known.get(year, NOTHING)
        count, power = count + added.count, round(power + (added.power_kw or 0), 6)
        stands.append(Stand(year, added.count, added.power_kw, count, power))
    return stands
