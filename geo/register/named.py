"""Places that people know, by name, for whoever declares without a map: all of them public already."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.engine import Connection

MOST = 400


@dataclass(frozen=True, slots=True)
class Named:
    """A place and where it is, in WGS 84 degrees."""

    name: str
    lon: float
    lat: float


def places(tx: Connection) -> Sequence[Named]:
    """The places of the territory by name: sites, gardens, heritage, parks; each name once."""
    return [Named(*row) for row in tx.execute(text(_PLACES), {"most": MOST})]


_PLACES = """
select distinct on (name) name, round(ST_X(p)::numeric, 6)::float8, round(ST_Y(p)::numeric, 6)::float8
from (select name, geom as p from territory.places
      union all select name, ST_PointOnSurface(geom) from territory.heritage
      union all select name, ST_PointOnSurface(geom) from territory.areas) found
where not exists (select from territory.communes)
   or exists (select from territory.communes c where ST_Intersects(c.geom, p))
order by name limit :most
"""
