"""What the bench stands on: a PostgreSQL of its own, and databases built from real detections with a fixed seed."""

import gzip
import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from geo import schema
from geo.collections import Collection, Reach, reach, territory
from geo.db import Database
from geo.settings import Settings
from seed import pack

ROOT = Path(__file__).parent.parent
LOAD = ROOT.parent / "shared" / "data" / "load"
DETECTIONS = LOAD / "pv_installations_fr.csv.gz"
COMMUNES = LOAD / "fr_communes_2018.geojsonl.gz"
MADE_OF = (Path(__file__), Path(__file__).with_name("data.sql"), *sorted((ROOT / "migrations").rglob("*.py")))
LOOS = ROOT / "seed" / "loos-en-gohelle"
SEED = 62528
"""Of the points, the boxes, the tiles and the order of rounds."""

FEW = 10_000
KIND = "installations"


@dataclass(frozen=True, slots=True)
class Ground:
    """The bench's own PostgreSQL: the folder of its socket, and its first process."""

    socket: str
    postmaster: int

    def url(self, database: str, role: str = "gohelle") -> str:
        """The address of a database, as psycopg, SQLAlchemy and the service take it."""
        return f"postgresql://{role}@/{database}?host={self.socket}"

    def peer_url(self, database: str) -> str:
        """The same for asyncpg, which wants the folder in the host's place."""
        return f"postgresql://gohelle@{quote(self.socket, safe='')}/{database}"

    def settings(self, database: str) -> Settings:
        """The service's settings for one of its databases."""
        return Settings.from_env({"GOHELLE_DATABASE_URL": self.url(database)})

    def admin(self, database: str = "postgres") -> psycopg.Connection:
        """The superuser's connection, each statement by itself."""
        return psycopg.connect(self.url(database, "postgres"), autocommit=True)


@contextmanager
def ground() -> Iterator[Ground]:
    """PostgreSQL, started, and stopped again when nobody else needs it."""
    script = ROOT / "script" / "cluster.py"
    said = subprocess.run([script, "--test", "status"], capture_output=True, text=True, check=False).stdout
    base = Path(said.split("\ndata ")[1].split("\n")[0].strip()).parents[1]
    # Beside the folder of the tests' cluster: what its processes cost is then the bench's alone.
    home = base.with_name(f"{base.name}-bench") if os.geteuid() == 0 else base / "bench" / "cluster"
    home.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    env = {**os.environ, "GOHELLE_DATA": str(home)}
    who = ["--for", str(os.getpid())]
    url = subprocess.run([script, "--test", "start", *who], env=env, capture_output=True, text=True, check=True).stdout
    try:
        pid = int((home / "test" / "pg" / "postmaster.pid").read_text().split("\n")[0])
        yield Ground(url.strip().partition("?host=")[2], pid)
    finally:
        subprocess.run([script, "--test", "stop", *who], env=env, check=False)


def databases(base: Ground, rows: int) -> tuple[str, str]:
    """The names of the large database and of the one of FEW rows; made where they are missing."""
    made_by = hashlib.sha256(b"".join(file.read_bytes() for file in MADE_OF)).hexdigest()[:8]
    large, small = f"bench_{rows}_{made_by}", f"bench_{FEW}_{made_by}"
    with base.admin() as admin:
        known = {row[0] for row in admin.execute("select datname from pg_database").fetchall()}
        if large not in known:
            made(admin, large, lambda making: _fill(base, making, rows))
        if small not in known:
            made(admin, small, lambda making: _thin(base, making), template=large)
    return large, small


def made(admin: psycopg.Connection, name: str, fill: Callable[[str], None], template: str = "template0") -> None:
    """Make a database under a passing name, so that one which stands is whole."""
    making = sql.Identifier(f"making_{name}")
    admin.execute(sql.SQL("drop database if exists {} with (force)").format(making))
    admin.execute(
        sql.SQL("create database {} owner gohelle template {} strategy file_copy").format(
            making, sql.Identifier(template)
        )
    )
    fill(f"making_{name}")
    admin.execute(sql.SQL("alter database {} rename to {}").format(making, sql.Identifier(name)))


def _fill(base: Ground, name: str, rows: int) -> None:
    print(f"building {rows} rows from {DETECTIONS.name} (once; about a minute for each million)", flush=True)
    with base.admin(name) as connection:
        connection.execute("create extension postgis")
        connection.execute("create extension pg_stat_statements")
    schema.upgrade(base.settings(name))
    db = Database(base.settings(name))
    pack.load(db, LOOS)
    db.close()
    with base.admin(name) as connection:
        connection.execute("set gohelle.bulk = 'on'")
        connection.execute("set work_mem = '256MB'")
        connection.execute("truncate territory.installations restart identity cascade")
        _stage(connection)
        text = Path(__file__).with_name("data.sql").read_text().replace(":rows", str(rows)).replace(":seed", str(SEED))
        for statement in text.split(";\n"):
            connection.execute(sql.SQL(statement))  # pyright: ignore[reportArgumentType]
        connection.execute("drop schema bench cascade")
        connection.execute("vacuum analyze")


def _stage(connection: psycopg.Connection) -> None:
    stage_communes(connection)
    connection.execute(
        "create table bench.detections (id integer, dep text, commune text, kwp float8, azimuth float8, tilt float8,"
        " image_year integer, lon float8, lat float8)"
    )
    with connection.cursor().copy("copy bench.detections from stdin (format csv, header)") as copy:
        copy.write(gzip.decompress(DETECTIONS.read_bytes()))
    connection.execute("analyze bench.detections")


def stage_communes(connection: psycopg.Connection) -> None:
    """The communes of France in a schema that passes: bench.communes (code, nom, dep, geom)."""
    connection.execute("create schema bench")
    connection.execute("create table bench.raw (feature jsonb)")
    with (
        connection.cursor().copy("copy bench.raw from stdin") as copy,
        gzip.open(COMMUNES, "rt", encoding="utf-8") as lines,
    ):
        for line in lines:
            copy.write_row([line])
    connection.execute(
        "create table bench.communes as select feature #>> '{properties,code}' as code, feature #>> '{properties,nom}' as nom,"
        " left(feature #>> '{properties,code}', 2) as dep,"
        " ST_MakeValid(ST_SetSRID(ST_GeomFromGeoJSON(feature -> 'geometry'), 4326)) as geom from bench.raw"
    )
    connection.execute("create index on bench.communes (dep, nom)")
    connection.execute("create index on bench.communes using gist (geom)")
    connection.execute("analyze bench.communes")


def _thin(base: Ground, name: str) -> None:
    """Keep FEW of the rows, whichever a hash says."""
    with base.admin(name) as connection:
        columns = connection.execute(
            "select string_agg(quote_ident(attname), ', ') from pg_attribute where attrelid = 'territory.installations'::regclass"
            " and attnum > 0 and not attisdropped and attgenerated = '' and attname <> 'id'"
        ).fetchone()
        names = sql.SQL(columns[0] if columns else "")  # pyright: ignore[reportArgumentType]
        connection.execute("set gohelle.bulk = 'on'")
        connection.execute(
            sql.SQL(
                "create temporary table kept as select {} from territory.installations order by md5(source_key) limit {}"
            ).format(names, FEW)
        )
        connection.execute("truncate territory.installations restart identity cascade")
        connection.execute(
            sql.SQL("insert into territory.installations ({}) select {} from kept order by geom").format(names, names)
        )
        connection.execute("vacuum analyze")


def scene(base: Ground, database: str) -> tuple[Collection, Reach]:
    """The collection that is asked, and its reach."""
    db = Database(base.settings(database))
    with db.read() as tx:
        one = territory(tx).collection(KIND)
        found = reach(tx, one)
    db.close()
    return one, found
