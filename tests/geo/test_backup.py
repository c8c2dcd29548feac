"""Backup and restore: nothing is lost, nothing is half done, and what was private stays so."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from geo import backup, programs, register, schema
from geo.collections import territory
from geo.errors import Unavailable
from geo.programs import BackupFailed
from geo.settings import Settings
from tests.api.conftest import client_of
from tests.conftest import ROOT, Territory, _template, clone
from tests.declaring import DECIDER, declared, published
from tests.script.conftest import wait_until

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
TABLES = "select schemaname || '.' || tablename from pg_tables where schemaname in ('territory', 'register') order by 1"


@pytest.fixture(scope="session")
def bare(admin_url: str) -> str:
    """The template of a database that has PostGIS and nothing of ours."""
    return _template(admin_url, "bare", [], lambda _settings: None)


@pytest.fixture
def fresh(admin_url: str, bare: str) -> Iterator[Territory]:
    """A new database, where nothing was migrated yet."""
    with clone(admin_url, bare) as made:
        yield made


@pytest.fixture
def lived_in(loos: Territory) -> Territory:
    """Loos with two declarations, one of them published."""
    published(loos, power_kw=8.4, year=2021)
    declared(loos, power_kw=8.4, year=2021)
    return loos


def shown(at: Territory) -> dict[str, bytes]:
    """Every collection's bytes, as the world gets them."""
    with client_of(at) as client:
        listed = client.get("/collections?f=json").json()["collections"]
        assert len(listed) > 5
        return {one["id"]: client.get(f"/collections/{one['id']}/items?f=json&limit=1000").content for one in listed}


def held(at: Territory) -> dict[str, str]:
    """Every row of every table but the versions, as text."""
    with at.superuser() as connection:
        tables = [row[0] for row in connection.execute(TABLES).fetchall() if row[0] not in backup.NOT_DATA]
        query = "select coalesce(string_agg(t::text, e'\\n' order by t::text), '') from {} t"
        return {one: connection.execute(query.format(one)).fetchone()[0] for one in tables}  # pyright: ignore


def versions(at: Territory) -> dict[str, int]:
    """The version of each collection."""
    return at.scalar("select jsonb_object_agg(collection, version) from territory.version")


def objects(at: Territory) -> list[tuple[str, ...]]:
    """What stands in our schemas: tables, indexes, sequences, functions, triggers, constraints, grants."""
    with at.superuser() as connection:
        return connection.execute("""
            select 'relation', c.oid::regclass::text, c.relkind::text, coalesce(c.relacl::text, ''), c.relowner::regrole::text
            from pg_class c where relnamespace::regnamespace::text in ('territory', 'register')
            union all select 'function', p.oid::regprocedure::text, md5(prosrc), coalesce(proacl::text, ''), proowner::regrole::text
            from pg_proc p where pronamespace::regnamespace::text in ('territory', 'register')
            union all select 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid), ''
            from pg_trigger where not tgisinternal
            union all select 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), ''
            from pg_constraint where connamespace::regnamespace::text in ('territory', 'register')
            union all select 'schema', nspname, '', coalesce(nspacl::text, ''), nspowner::regrole::text
            from pg_namespace where nspname in ('territory', 'register')
            order by 1, 2, 3, 4""").fetchall()


def test_everything_comes_back_in_a_new_database(lived_in: Territory, fresh: Territory, tmp_path: Path):
    """The same bytes to the world, the same rows behind it, the same tables, triggers and grants."""
    file = tmp_path / "loos.backup"
    made = backup.backup(lived_in.settings, file, now=NOW)
    assert made.territory == "loos-en-gohelle"
    assert made.rows["register.declarations"] == 2
    done = backup.restore(fresh.settings, file)
    assert done.migrated_from is None
    assert held(fresh) == held(lived_in)
    assert objects(fresh) == objects(lived_in)
    assert shown(fresh) == shown(lived_in)
    assert fresh.scalar("select version_num from gohelle_migrations") == schema.expected()
    assert fresh.scalar("select count(*) from register.audit") == 5


def test_life_goes_on_after_a_restore(lived_in: Territory, fresh: Territory, tmp_path: Path):
    """Numbers continue after the highest, versions rise with each commit, an idempotency key still holds."""
    backup.backup(lived_in.settings, tmp_path / "file", now=NOW)
    backup.restore(fresh.settings, tmp_path / "file")
    highest = fresh.scalar("select max(id) from register.audit")
    before = versions(fresh)
    waiting = fresh.scalar("select id from register.declarations where state = 'confirmed'")
    with fresh.db.write() as tx:
        register.decide(tx, waiting, "approve", territory=territory(tx), actor=DECIDER, now=NOW)
    assert fresh.scalar("select max(id) from register.audit") > highest
    assert fresh.scalar("select count(*) from territory.installations where dataset = 'register'") == 2
    assert versions(fresh)["installations"] > before["installations"]


def test_a_tag_never_comes_twice(lived_in: Territory, tmp_path: Path):
    """After a restore every version lies beyond all that were told, also by the database that it replaced."""
    backup.backup(lived_in.settings, tmp_path / "file", now=NOW)
    with lived_in.superuser() as connection:
        connection.execute("update territory.version set version = version + 1000000000000 where collection = 'memory'")
    before = versions(lived_in)
    backup.restore(lived_in.settings, tmp_path / "file", replace=True)
    assert min(versions(lived_in).values()) > max(before.values())


def test_the_reader_still_cannot_read_the_register(lived_in: Territory, fresh: Territory, tmp_path: Path):
    """Its grants are there again, and no more than those."""
    backup.backup(lived_in.settings, tmp_path / "file", now=NOW)
    backup.restore(fresh.settings, tmp_path / "file")
    url = fresh.settings.reader_url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as reader:
        assert reader.execute("select count(*) from territory.places").fetchone() != (0,)
        for table in ("declarations", "audit", "idempotency"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(f"select count(*) from register.{table}")  # pyright: ignore
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("begin read write; delete from territory.places")


def test_the_file_is_its_owners_alone(lived_in: Territory, tmp_path: Path):
    """Mode 600 whatever the umask, nothing beside it, and a newer backup takes the older one's place."""
    file = tmp_path / "file"
    before = os.umask(0)
    try:
        backup.backup(lived_in.settings, file, now=NOW)
        backup.backup(lived_in.settings, file, now=NOW)
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert backup.read(file).made_at == "2026-05-01T12:00:00+00:00"


def test_a_password_is_never_an_argument(lived_in: Territory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Everybody on a machine can list arguments."""
    seen = []
    start = subprocess.Popen

    def note(command, **options):
        seen.append(([str(part) for part in command], options.get("env") or {}))
        return start(command, **options)

    monkeypatch.setattr(programs.subprocess, "Popen", note)
    url = lived_in.settings.database_url.set(password="geheim")
    settings = Settings.from_env({"GOHELLE_DATABASE_URL": url.render_as_string(hide_password=False)})
    backup.backup(settings, tmp_path / "file", now=NOW)
    (dumping,) = [one for one in seen if one[0][0].endswith("pg_dump") and "--version" not in one[0]]
    assert not any("geheim" in part for part in dumping[0])
    assert dumping[1]["PGPASSWORD"] == "geheim"


def test_no_data_are_overwritten_unasked(lived_in: Territory, tmp_path: Path):
    """A database that holds anything refuses; with the flag it becomes what the backup is."""
    backup.backup(lived_in.settings, tmp_path / "file", now=NOW)
    with lived_in.superuser() as connection:
        connection.execute("delete from territory.places")
    before = held(lived_in)
    with pytest.raises(BackupFailed, match="--replace"):
        backup.restore(lived_in.settings, tmp_path / "file")
    assert held(lived_in) == before
    backup.restore(lived_in.settings, tmp_path / "file", replace=True)
    assert lived_in.scalar("select count(*) from territory.places") > 0


def test_an_empty_migrated_database_is_taken(lived_in: Territory, database: Territory, tmp_path: Path):
    """`gohelle migrate` before `gohelle restore` does no harm: a new server needs it for its roles."""
    backup.backup(lived_in.settings, tmp_path / "file", now=NOW)
    backup.restore(database.settings, tmp_path / "file")
    assert held(database) == held(lived_in)


# Other versions of the software


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The migrations of a version to come: ours and one more."""
    folder = tmp_path / "migrations"
    shutil.copytree(ROOT / "migrations", folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "9999_newer.py").write_text(f"""
from alembic import op
revision = "9999"
down_revision = "{schema.expected()}"
def upgrade(): op.execute("create table territory.newer (id integer); grant select on territory.newer to gohelle_reader")
def downgrade(): op.execute("drop table territory.newer")
""")
    return folder


def test_a_backup_of_an_older_version_is_migrated(
    lived_in: Territory, fresh: Territory, tmp_path: Path, newer: Path, monkeypatch: pytest.MonkeyPatch
):
    """The newer software restores what the older one wrote, then brings it up."""
    backup.backup(lived_in.settings, tmp_path / "file", now=NOW)
    now = schema.expected()
    monkeypatch.setattr(schema, "MIGRATIONS", newer)
    done = backup.restore(fresh.settings, tmp_path / "file")
    assert done.migrated_from == now
    assert fresh.scalar("select version_num from gohelle_migrations") == "9999"
    assert fresh.scalar("select count(*) from territory.newer") == 0
    assert fresh.scalar("select count(*) from register.declarations") == 2


def test_the_first_version_s_backup_is_migrated(lived_in: Territory, fresh: Territory, tmp_path: Path):
    """From the first revision that ever was, the world gets the bytes that it gets where that was migrated in its place."""
    lived_in.db.close()
    schema.downgrade(lived_in.settings, "0001")
    assert backup.backup(lived_in.settings, tmp_path / "file", now=NOW).revision == "0001"
    backup.restore(fresh.settings, tmp_path / "file")
    assert fresh.scalar("select version_num from gohelle_migrations") == schema.expected()
    schema.upgrade(lived_in.settings)
    assert shown(fresh) == shown(lived_in)


def test_a_newer_backup_is_refused(
    lived_in: Territory, fresh: Territory, tmp_path: Path, newer: Path, monkeypatch: pytest.MonkeyPatch
):
    """With a sentence that names both versions; nothing is touched."""
    with monkeypatch.context() as future:
        future.setattr(schema, "MIGRATIONS", newer)
        schema.upgrade(lived_in.settings)
        backup.backup(lived_in.settings, tmp_path / "file", now=NOW)
    with pytest.raises(BackupFailed, match=r"revision 9999\), which is newer"):
        backup.restore(fresh.settings, tmp_path / "file")
    assert fresh.scalar("select to_regnamespace('territory')") is None


# What goes wrong


def remade(file: Path, cut: int | None = None, **changes) -> None:
    """The backup with another manifest, or with its dump cut off: a zip that is whole."""
    with zipfile.ZipFile(file) as archive:
        manifest, dump = json.loads(archive.read(backup.MANIFEST)), archive.read(backup.DUMP)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(backup.MANIFEST, json.dumps(manifest | changes))
        archive.writestr(backup.DUMP, dump[:cut])


@pytest.mark.parametrize("share", [0.02, 0.5, 0.9, 0.999])
def test_a_damaged_dump_changes_nothing(lived_in: Territory, tmp_path: Path, share: float):
    """What ends early is rolled back, the dropped tables with it."""
    file = tmp_path / "file"
    backup.backup(lived_in.settings, file, now=NOW)
    with zipfile.ZipFile(file) as archive:
        size = archive.getinfo(backup.DUMP).file_size
    remade(file, cut=int(size * share))
    before, tags = held(lived_in), versions(lived_in)
    with pytest.raises(BackupFailed, match="nothing was changed"):
        backup.restore(lived_in.settings, file, replace=True)
    assert held(lived_in) == before
    assert versions(lived_in) == tags


def test_rows_that_are_missing_are_noticed(lived_in: Territory, fresh: Territory, tmp_path: Path):
    """Every table is counted before anything is kept."""
    file = tmp_path / "file"
    made = backup.backup(lived_in.settings, file, now=NOW)
    remade(file, rows={**made.rows, "register.declarations": 3})
    with pytest.raises(BackupFailed, match=r"lost rows of register\.declarations"):
        backup.restore(fresh.settings, file)
    assert fresh.scalar("select to_regnamespace('territory')") is None


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all" * 100])
def test_what_is_no_backup_is_said_to_be_none(fresh: Territory, tmp_path: Path, content: bytes):
    """Neither restored nor replaced by a backup."""
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(BackupFailed, match="no backup"):
        backup.restore(fresh.settings, file)
    with pytest.raises(BackupFailed, match="choose another name"):
        backup.backup(fresh.settings, file, now=NOW)
    assert file.read_bytes() == content


@pytest.mark.parametrize("place", [40, 5000, -200])
def test_a_flipped_or_lost_byte_is_noticed(lived_in: Territory, fresh: Territory, tmp_path: Path, place: int):
    """A copy over a bad line: the checksum tells before the database is asked."""
    file = tmp_path / "file"
    backup.backup(lived_in.settings, file, now=NOW)
    whole = file.read_bytes()
    place %= len(whole)
    for broken in (whole[:place], whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]):
        file.write_bytes(broken)
        with pytest.raises(BackupFailed):
            backup.restore(fresh.settings, file)
    assert fresh.scalar("select to_regnamespace('territory')") is None


def test_without_its_programs_it_says_what_to_install(
    lived_in: Territory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """And leaves no file behind."""
    monkeypatch.setattr(programs, "FOLDERS", ())
    monkeypatch.setattr(programs.shutil, "which", lambda _name: None)
    with pytest.raises(BackupFailed, match="install postgresql-client-"):
        backup.backup(lived_in.settings, tmp_path / "file", now=NOW)
    assert list(tmp_path.iterdir()) == []


def test_a_dump_that_fails_leaves_no_file(lived_in: Territory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The name appears when the backup is whole; a failing program and a refusing database are one sentence each."""
    file = tmp_path / "file"
    start = subprocess.Popen
    with monkeypatch.context() as failing:
        failing.setattr(programs.subprocess, "Popen", lambda command, **options: start(["/bin/false"], **options))
        failing.setattr(programs, "fitting", lambda _server: Path("/usr/bin"))
        failing.setattr(programs, "version_of", lambda _program: 15)
        with pytest.raises(BackupFailed, match="pg_dump failed"):
            backup.backup(lived_in.settings, file, now=NOW)
    with lived_in.superuser() as connection:
        connection.execute("revoke all on territory.places from gohelle")
    with pytest.raises(BackupFailed, match="permission denied"):
        backup.backup(lived_in.settings, file, now=NOW)
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_away_is_said_to_be(tmp_path: Path):
    """As everywhere else."""
    settings = Settings.from_env({"GOHELLE_DATABASE_URL": f"postgresql://gohelle@/gohelle?host={tmp_path}"})
    with pytest.raises(Unavailable):
        backup.backup(settings, tmp_path / "file", now=NOW)


def restoring(at: Territory, file: Path) -> "subprocess.Popen[bytes]":
    """`gohelle restore --replace` as an operator starts it."""
    url = at.settings.database_url.render_as_string(hide_password=False)
    return subprocess.Popen(
        [Path(sys.executable).with_name("gohelle"), "restore", file, "--replace"],
        cwd=ROOT,
        env={**os.environ, "GOHELLE_DATABASE_URL": url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def await_transaction(at: Territory) -> None:
    """Until the restore's transaction has begun."""
    query = "select count(*) from pg_stat_activity where datname = current_database() and backend_xid is not null"
    wait_until(lambda: at.scalar(query), 120, pause=0.005)


def test_a_restore_killed_at_any_moment_changes_nothing(lived_in: Territory, tmp_path: Path):
    """SIGKILL while it drops, fills or indexes: the rows are those of before, or all those of the backup."""
    file = tmp_path / "file"
    backup.backup(lived_in.settings, file, now=NOW)
    whole = held(lived_in)
    with lived_in.superuser() as connection:
        connection.execute("delete from territory.places")
    before = held(lived_in)
    lived_in.db.close()
    for wait in (0, 0.06, 0.15):
        process = restoring(lived_in, file)
        await_transaction(lived_in)
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert held(lived_in) in (before, whole), wait


def test_a_restore_that_must_wait_can_be_killed(lived_in: Territory, tmp_path: Path):
    """It has dropped half of everything and waits for a reader: killed there, nothing was dropped."""
    file = tmp_path / "file"
    backup.backup(lived_in.settings, file, now=NOW)
    before = held(lived_in)
    lived_in.db.close()
    with psycopg.connect(lived_in.admin) as reader:
        reader.execute("select count(*) from register.audit")
        process = restoring(lived_in, file)
        await_transaction(lived_in)
        while not lived_in.scalar("select count(*) from pg_locks where not granted and locktype = 'relation'"):
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert held(lived_in) == before


def test_all_that_migrations_make_is_in_a_backup(database: Territory):
    """A new schema must be named in geo/backup.py, or it would be lost."""
    with database.superuser() as connection:
        made = connection.execute("""
            select nspname from pg_namespace n where nspname not like 'pg\\_%' and nspname not in ('information_schema', 'public')
            and not exists (select from pg_depend d where d.objid = n.oid and d.deptype = 'e') order by 1""").fetchall()
        loose = connection.execute("""
            select relname from pg_class c where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'S', 'm', 'p')
            and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')""").fetchall()
    assert sorted(name for (name,) in made) == sorted(backup.SCHEMAS)
    assert loose == [("gohelle_migrations",)]
