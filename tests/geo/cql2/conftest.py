"""Rows for filters to choose from, in PostGIS and in Python: nulls, accents, dates of all sorts, every shape."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
import shapely
from psycopg.rows import dict_row
from sqlalchemy import select
from sqlalchemy.engine import Connection

from geo import cql2
from geo.crs import CRS84, Crs
from geo.kinds import KINDS, Kind
from geo.tables import rows
from tests.conftest import Territory, clone
from tests.geo.cql2.evaluator import Row, evaluate

NAMES = [
    "Cité n° 5", "cité N° 5", "CITE N° 5", "Straße", "STRASSE", "Œuvre", "oeuvre", "100 %", "100 _", "a\\b", "Éolienne",
    "ÉOLIENNE", "Zoë", "zoe", "", "it's", 'say "x"', "Ä", "Z", "a", "zz\nzz", "Łódź", "ὀδός", "😀", "%", "_",
]  # fmt: skip
PUT = """
insert into territory.{kind} (source_key, name, description, translations, source, licence, position, commune, since, until, geom, {own})
select n, coalesce(nullif((%(names)s::text[])[1 + n %% %(many)s], ''), '-'), case when n %% 4 > 0 then (%(names)s::text[])[1 + n * 5 %% %(many)s] end,
       case when n %% 3 = 0 then jsonb_build_object('en', jsonb_build_object('name', 'English ' || n %% 5)) else '{{}}' end,
       's' || n %% 3, 'l', (array['surveyed', 'approximate', 'digitised'])[1 + n %% 3], (62000 + n %% 7)::text,
       case when n %% 5 > 0 then since end, case when n %% 3 = 0 then since + n * 100 %% 800 end, geom, {values}
from (select n, date '2010-01-01' + (n * 37 %% 24) * 61 as since, {geom} as geom from generate_series(1, 120) n) given
"""
PLACE = "ST_SetSRID(ST_MakePoint(2.75 + n %% 12 * 0.01, 50.42 + n / 12 * 0.01), 4326)"
OF = {
    "installations": (
        "technology, power_kw, year, visitors_welcome, owner_kind",
        "(array['photovoltaic', 'heat_pump', 'wind'])[1 + n %% 3], case when n %% 4 > 0 then (n * 7 %% 50) / 2.0 - 0 end, "
        "case when n %% 6 > 0 then 1990 + n %% 30 end, case n %% 3 when 0 then true when 1 then false end, 'company'",
        PLACE,
    ),
    "areas": ("category, area_ha", "'park', case when n %% 4 > 0 then n / 4.0 end",
              "ST_Multi(ST_MakeEnvelope(2.75 + n %% 12 * 0.01, 50.42 + n / 12 * 0.01, 2.75 + n %% 12 * 0.01 + n %% 3 * 0.005 + 0.005, 50.42 + n / 12 * 0.01 + 0.01, 4326))"),
    "paths": ("category, length_m", "'footpath', case when n %% 4 > 0 then n * 10 end",
              f"ST_Multi(ST_MakeLine({PLACE}, ST_Translate({PLACE}, 0.01 * (n %% 3), 0.01)))"),
}  # fmt: skip


@dataclass(frozen=True)
class Chosen:
    """The rows of one database, and which of them a filter finds, by either way."""

    territory: Territory
    features: dict[str, dict[int, Row]]

    def by_database(self, tree_or_text: Any, kind: str = "installations", *, crs: Crs = CRS84, lang: str | None = None) -> set[int]:  # fmt: skip
        """The ids that PostgreSQL finds, asked as the service asks."""
        with self.territory.db.read() as tx:
            return found(tx, KINDS[kind], tree_or_text, crs=crs, lang=lang)

    def by_python(self, tree: Any, kind: str = "installations") -> set[int]:
        """The ids for which the tree is true."""
        return {id for id, row in self.features[kind].items() if evaluate(tree, row) is True}


def found(tx: Connection, kind: Kind, asked: Any, *, crs: Crs = CRS84, lang: str | None = None) -> set[int]:
    """The ids that a filter finds; a text is CQL2 text, anything else its JSON."""
    read = cql2.read if isinstance(asked, str) else cql2.from_tree
    condition = read(asked, kind, crs=crs, lang=lang).condition
    return set(tx.scalars(select(rows(kind).c.id).where(condition)))


@pytest.fixture(scope="session")
def chosen(admin_url: str, migrated: str) -> Iterator[Chosen]:
    """120 rows of each shape."""
    with clone(admin_url, migrated) as territory:
        with territory.superuser() as connection:
            for kind, (own, values, geom) in OF.items():
                sql = PUT.format(kind=kind, own=own, values=values, geom=geom).encode()
                connection.execute(sql, {"names": NAMES, "many": len(NAMES)})
                connection.execute(f"update territory.{kind} set updated_at = updated_at where id % 2 = 0".encode())
            features = {kind: _features(connection, KINDS[kind]) for kind in OF}
        yield Chosen(territory, features)


def _features(connection: psycopg.Connection, kind: Kind) -> dict[int, Row]:
    names = ", ".join(f'"{name}"' for name in kind.filterables)
    sql = f"select id, ST_AsBinary(geom) as geometry, {names} from territory.{kind.id}"
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(sql.encode()).fetchall()
    return {row["id"]: {**row, "geometry": shapely.from_wkb(row["geometry"])} for row in found}


def flat(tree: Any) -> Any:
    """A tree as two parsers may both have it: chains of AND and OR as one, every number a double."""
    if isinstance(tree, list):
        return [flat(one) for one in tree]
    if isinstance(tree, int) and not isinstance(tree, bool):
        return float(tree)
    if not isinstance(tree, dict):
        return tree
    made = {name: flat(value) for name, value in tree.items()}
    if made.get("op") in ("and", "or"):
        made["args"] = [part for one in made["args"] for part in (one["args"] if _is(one, made["op"]) else [one])]
    return made


def _is(tree: Any, op: str) -> bool:
    return isinstance(tree, dict) and tree.get("op") == op
