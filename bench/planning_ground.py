"""What planners ask about in the bench: a copy of the large database, with real polygons, points and lines beside its rows."""

import csv
import gzip
import hashlib
from pathlib import Path

import psycopg
import pyogrio
from psycopg import sql

from bench import ground
from bench.ground import LOAD, Ground, made

POLYGONS = 20_000
BROWNFIELDS = LOAD / "friches_fr.csv.gz"
MONUMENTS = LOAD / "monuments_historiques_fr.csv.gz"
WAYS = LOAD / "liechtenstein-2013-08-03.osm.pbf"
DATA = Path(__file__).with_name("planning_data.sql")
MADE_OF = (Path(__file__), DATA)


def planned(base: Ground, large: str) -> str:
    """The name of the database; made where it is missing, and those of earlier makings dropped."""
    name = f"{large}_planning_{hashlib.sha256(b''.join(file.read_bytes() for file in MADE_OF)).hexdigest()[:8]}"
    with base.admin() as admin:
        known = [row[0] for row in admin.execute("select datname from pg_database").fetchall()]
        for old in known:
            if "_planning_" in old and old != name:
                admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(old)))
        if name not in known:
            made(admin, name, lambda making: _fill(base, making), template=large)
    return name


def _fill(base: Ground, name: str) -> None:
    print(f"adding {POLYGONS:,} polygons and what else planners ask about (once; half a minute)", flush=True)
    with base.admin(name) as connection:
        connection.execute("set gohelle.bulk = 'on'")
        ground.stage_communes(connection)
        _points(connection)
        _ways(connection)
        for statement in DATA.read_text().replace(":polygons", str(POLYGONS)).split(";\n"):
            connection.execute(sql.SQL(statement))  # pyright: ignore[reportArgumentType]


def _points(connection: psycopg.Connection) -> None:
    connection.execute("create table bench.points (what text, key text, name text, lon float8, lat float8)")
    told = {
        "brownfield": (BROWNFIELDS, "site_id", "comm_nom"),
        "monument": (MONUMENTS, "ref", "nom"),
    }
    with connection.cursor().copy("copy bench.points from stdin") as copy:
        for what, (file, key, name) in told.items():
            with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
                for row in csv.DictReader(lines):
                    if row["lon"] and row["lat"]:
                        copy.write_row([what, row[key], row[name] or row[key], float(row["lon"]), float(row["lat"])])


def _ways(connection: psycopg.Connection) -> None:
    """All that OpenStreetMap calls a highway: the only real network of such a size that is at hand."""
    ways = pyogrio.read_dataframe(WAYS, layer="lines", where="highway is not null", columns=["osm_id", "name"])
    connection.execute("create table bench.ways (key text, name text, wkb text)")
    with connection.cursor().copy("copy bench.ways from stdin") as copy:
        for row in ways.itertuples():
            copy.write_row([row.osm_id, row.name or f"way {row.osm_id}", row.geometry.wkb_hex])
