"""Backup and restore: everything of ours in one file, and back into a database, whole or not at all.

A backup is a zip of two members: `manifest.json` and `database.dump` (pg_dump's custom format, which pg_restore reads
without us). It holds what residents entrusted to the town, so only its owner may read the file.
"""

import json
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version as software_version
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg import sql

from geo import programs, schema
from geo.errors import Unavailable
from geo.programs import BackupFailed
from geo.settings import READER, Settings, conninfo

SCHEMAS = ("territory", "register", "jobs")
"""All that migrations make, beside the table of their own revision; a test holds this to the truth."""

FORMAT = 1
MANIFEST = "manifest.json"
DUMP = "database.dump"
NOT_DATA = {
    "territory.version",
    "territory.touched",
    "jobs.procrastinate_workers",
    "jobs.procrastinate_periodic_defers",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says of itself: who made it of what, and how many rows each table has."""

    format: int
    software: str
    revision: str
    made_at: str
    made_with: int
    territory: str | None
    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore did; `migrated_from` is the older revision from which the rows were brought up, if any."""

    manifest: Manifest
    migrated_from: str | None


def backup(settings: Settings, file: Path, *, now: datetime) -> Manifest:
    """Write everything of ours, as of one moment, to the file; it appears when it is whole. Others may work meanwhile."""
    _check_target(file)
    with _connected(settings) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        manifest, folder = _described(connection, now)
        snapshot = _one(connection, "select pg_export_snapshot()")
        with _appearing(file) as stream, zipfile.ZipFile(stream, "w") as archive:
            archive.writestr(MANIFEST, json.dumps(asdict(manifest), indent=2))
            with archive.open(DUMP, "w", force_zip64=True) as member:
                programs.dump(settings, folder, snapshot, SCHEMAS, member)
    return manifest


def restore(settings: Settings, file: Path, *, replace: bool = False) -> Restored:
    """Put a backup into the database, in one transaction, then run the migrations that it lacks.

    BackupFailed where the file is damaged or newer than this software, or the database holds data and `replace` is
    not asked for. A restore that fails or is killed leaves the database as it was.
    """
    manifest = read(file)
    if not schema.knows(manifest.revision):
        raise BackupFailed(
            f"the backup was made by Gohelle {manifest.software} (revision {manifest.revision}), which is newer than "
            f"this one ({software_version('gohelle')}, revision {schema.expected()}); update first. Nothing was changed"
        )
    with _connected(settings) as connection:
        folder = programs.fitting(_major(connection), reads=manifest.made_with)
        _check_place(connection, replace=replace)
        before, after = _before(connection), _after(manifest)
    with zipfile.ZipFile(file) as archive, archive.open(DUMP) as dumped:
        programs.play(settings, folder, dumped, before, after)
    schema.upgrade(settings)
    older = manifest.revision if manifest.revision != schema.expected() else None
    return Restored(manifest=manifest, migrated_from=older)


def read(file: Path) -> Manifest:
    """The manifest of a backup, after reading all of the file; BackupFailed where it is none, or damaged."""
    try:
        with zipfile.ZipFile(file) as archive:
            if archive.testzip() is not None:
                raise BackupFailed(f"{file} is damaged: it does not hold any more what was written")
            archive.getinfo(DUMP)
            found = json.loads(archive.read(MANIFEST))
            if found["format"] > FORMAT:
                raise BackupFailed(f"{file} was made by a newer Gohelle ({found['software']}); update first")
            return Manifest(**found)
    except FileNotFoundError as error:
        raise BackupFailed(f"there is no file {file}") from error
    except OSError as error:
        raise BackupFailed(f"{file} cannot be read ({error.strerror})") from error
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, EOFError) as error:
        raise BackupFailed(f"{file} is no backup of Gohelle's, or is cut off") from error


# The database


@contextmanager
def _connected(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    try:
        with psycopg.connect(
            conninfo(settings.database_url), connect_timeout=5, application_name="gohelle"
        ) as connection:
            yield connection
    except psycopg.OperationalError as error:
        raise Unavailable("the database cannot be reached") from error
    except psycopg.Error as error:
        raise BackupFailed(f"the database refused: {error.diag.message_primary}. Nothing was changed") from error


def _one(connection: psycopg.Connection[Any], query: Any, *values: Any) -> Any:
    row = connection.execute(query, values or None).fetchone()
    return row and row[0]


def _major(connection: psycopg.Connection[Any]) -> int:
    return connection.info.server_version // 10_000


def _described(connection: psycopg.Connection[Any], now: datetime) -> tuple[Manifest, Path]:
    if _one(connection, "select to_regclass('gohelle_migrations')") is None:
        raise BackupFailed("the database holds nothing of Gohelle's, so there is nothing to back up")
    folder = programs.fitting(_major(connection))
    manifest = Manifest(
        format=FORMAT,
        software=software_version("gohelle"),
        revision=_one(connection, "select version_num from gohelle_migrations"),
        made_at=now.isoformat(timespec="seconds"),
        made_with=programs.version_of(folder / "pg_dump"),
        territory=_one(connection, "select max(pack) from territory.about"),
        rows={f"{s}.{t}": _one(connection, _count(s, t)) for s, t in _tables(connection)},
    )
    return manifest, folder


def _tables(connection: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """Those whose rows are kept; what is unlogged, such as limits' counts, is made anew."""
    return connection.execute(
        """select n.nspname::text, c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
           where n.nspname = any (%s) and c.relkind in ('r', 'p') and c.relpersistence = 'p' order by 1, 2""",
        (list(SCHEMAS),),
    ).fetchall()


def _count(schema_name: str, table: str) -> sql.Composed:
    return sql.SQL("select count(*) from {}").format(sql.Identifier(schema_name, table))


def _check_place(connection: psycopg.Connection[Any], *, replace: bool) -> None:
    """Say what would make the restore fail, before it begins."""
    if _one(connection, "select 1 from pg_extension where extname = 'postgis'") is None:
        raise BackupFailed("the database has no PostGIS: let its superuser run `create extension postgis` in it")
    if _one(connection, "select 1 from pg_roles where rolname = %s", READER) is None:
        raise BackupFailed(f"the server has no role {READER} yet: run `gohelle migrate` first, which makes it")
    filled = [
        table
        for schema_name, table in _tables(connection)
        if f"{schema_name}.{table}" not in NOT_DATA
        and _one(connection, sql.SQL("select exists (select from {})").format(sql.Identifier(schema_name, table)))
    ]
    if filled and not replace:
        raise BackupFailed(
            f"the database holds data already ({', '.join(filled[:5])}…); --replace puts the backup in their place, "
            "and what is there now is lost. Nothing was changed"
        )


# Files


def _check_target(file: Path) -> None:
    """A file that is there is replaced only by a newer backup, never taken for one."""
    if not file.absolute().parent.is_dir():
        raise BackupFailed(f"there is no folder {file.absolute().parent}")
    if file.exists():
        with suppress(zipfile.BadZipFile, OSError), zipfile.ZipFile(file) as archive:
            if {MANIFEST, DUMP} <= set(archive.namelist()):
                return
        raise BackupFailed(f"{file} is there already and is no backup; choose another name")


@contextmanager
def _appearing(file: Path) -> Iterator[IO[bytes]]:
    """A new file that nobody else may read, under its name only when all of it is on the disk."""
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".partial", dir=file.absolute().parent)  # mode 600
    made = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        made.replace(file)
        _settle(file.absolute().parent)
    except OSError as error:
        raise BackupFailed(f"{file} cannot be written ({error.strerror})") from error
    finally:
        made.unlink(missing_ok=True)


def _settle(folder: Path) -> None:
    """The folder's new entry reaches the disk, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# The restore's one transaction: before the dump, the dump, after it


def _before(connection: psycopg.Connection[Any]) -> str:
    versions = _one(connection, "select to_regclass('territory.version')")
    highest = "(select coalesce(max(version), 0) from territory.version)" if versions else "0"
    return f"""
        \\set VERBOSITY terse
        \\set SHOW_CONTEXT never
        begin;
        set local lock_timeout = '30s';
        set client_min_messages = warning;
        select pg_advisory_xact_lock(hashtext('gohelle migrations'));
        select set_config('gohelle.highest', {highest}::text, true);
        {" ".join(f"drop schema if exists {name} cascade;" for name in SCHEMAS)}
        drop table if exists gohelle_migrations;
        """


def _after(manifest: Manifest) -> str:
    """The revision, a count of every table, and versions beyond any that was ever told: a tag must not come twice."""
    counted = [
        sql.SQL("if ({}) <> {} then raise exception 'the backup has lost rows of %', {}; end if;").format(
            _count(*name.split(".", 1)), sql.Literal(rows), sql.Literal(name)
        )
        for name, rows in manifest.rows.items()
    ]
    checks = sql.SQL(" ").join(counted).as_string()
    revision = sql.Literal(manifest.revision).as_string()
    return f"""
        reset search_path;
        create table gohelle_migrations (version_num varchar(32) not null, constraint gohelle_migrations_pkc primary key (version_num));
        insert into gohelle_migrations values ({revision});
        do $check$ begin {checks} end $check$;
        update territory.version set changed_at = clock_timestamp(), version = 1 + greatest(
          version, current_setting('gohelle.highest')::bigint, floor(extract(epoch from clock_timestamp()) * 1000)::bigint);
        select pg_notify('territory', collection || ' ' || version) from territory.version;
        commit;
        """
