"""Those who want to be counted and not shown: one sum by technology and commune, told monthly and in batches.

A sum says nothing of fewer than five, and never changes by fewer than five, so that nobody learns when somebody joined
or left. A person who leaves a sum that falls below five takes it away altogether.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.engine import Connection

FEWEST = 5


@dataclass(frozen=True, slots=True)
class Sum:
    """How many installations of a technology a commune has beside those on the map, and their rounded power in kW."""

    technology: str
    commune: str
    count: int
    power_kw: float | None


def told(tx: Connection) -> Sequence[Sum]:
    """The sums as they are public."""
    rows = tx.execute(text("select technology, commune, count, power_kw from territory.declared_sums order by 1, 2"))
    return [Sum(*row) for row in rows]


def refresh(tx: Connection, *, now: datetime) -> bool:
    """Bring the sums up to date, once a month; whether it was done now. Two at once: the second waits and does nothing."""
    month = now.strftime("%Y-%m")
    if tx.execute(text(_ONCE), {"month": month}).one_or_none() is None:
        return False
    for sql in (_LEAVE, _COUNT, _DROP, _TELL, _MARK):
        tx.execute(text(sql), {"fewest": FEWEST})
    tx.execute(text("drop table sums_now"))
    return True


_ONCE = "insert into register.sums_told (month) values (:month) on conflict do nothing returning month"

_LEAVE = """
update register.declarations set counted = false where counted and (state <> 'published' or precision <> 'statistics')
"""

# By the commune of the square, not of the home: a square on a border would tell on which side the home stands.
_COUNT = """
create temporary table sums_now on commit drop as
select m.technology, m.commune, count(*) as members, count(*) filter (where m.counted) as counted,
       sum(m.power) as power_kw, s.count as told
from (select d.technology, d.counted, greatest(1, round(d.power_kw)) as power,
             coalesce(territory.commune_at(register.cell_centre(d.location, 200)),
                      (select body -> 'communes' ->> 0 from territory.about), '') as commune
      from register.declarations d where d.state = 'published' and d.precision = 'statistics') m
left join territory.declared_sums s using (technology, commune)
group by m.technology, m.commune, s.count
"""

_DROP = """
delete from territory.declared_sums s where not exists (
  select from sums_now n where (n.technology, n.commune) = (s.technology, s.commune) and n.members >= :fewest)
"""

_CHANGED = "n.members >= :fewest and (n.told is null or (n.members - n.counted) + abs(n.told - n.counted) >= :fewest)"

_TELL = f"""
insert into territory.declared_sums (technology, commune, count, power_kw)
select n.technology, n.commune, n.members, n.power_kw from sums_now n where {_CHANGED}
on conflict (technology, commune) do update set count = excluded.count, power_kw = excluded.power_kw
"""

_MARK = f"""
update register.declarations d set counted = n.members >= :fewest
from sums_now n
where d.state = 'published' and d.precision = 'statistics' and d.technology = n.technology
  and coalesce(territory.commune_at(register.cell_centre(d.location, 200)),
               (select body -> 'communes' ->> 0 from territory.about), '') = n.commune
  and (({_CHANGED}) or n.members < :fewest)
"""
