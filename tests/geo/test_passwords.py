"""A server whose logins have passwords: migrating, serving, backing up and restoring through them."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.engine import URL

from geo import backup, programs, schema
from geo.db import Database
from geo.settings import Settings, conninfo, reader_of
from seed import pack
from tests.conftest import ROOT

SECRET = "ge:h@im/1 %L"
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def server(admin_url: str) -> Iterator[URL]:
    """The superuser's way into a PostgreSQL of this module's own that asks everybody for a password; no TCP port."""
    with psycopg.connect(admin_url) as connection:
        folder = programs.fitting(connection.info.server_version // 10_000)
    home = Path(tempfile.mkdtemp(prefix="gohelle-", dir="/tmp"))
    (home / "password").write_text("admin")
    account = []
    if os.geteuid() == 0:
        account = ["/usr/sbin/runuser", "-u", "postgres", "--"]
        for path in (home, home / "password"):
            shutil.chown(path, "postgres")
    data = ["-D", str(home / "pg")]

    def run(name: str, *arguments: str) -> None:
        command = [*account, str(folder / name), *data, *arguments]
        subprocess.run(command, cwd="/", check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    try:
        run("initdb", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-A", "scram-sha-256", "--no-sync",
            f"--pwfile={home / 'password'}")  # fmt: skip
        run("pg_ctl", "-w", "-l", str(home / "log"), "-o", f"-c listen_addresses='' -c fsync=off -k {home}", "start")
        yield URL.create("postgresql", "postgres", "admin", database="postgres", query={"host": str(home)})
        run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def prepared(server: URL, name: str, reader: str) -> Settings:
    """A database of that name on the server, and both logins, made as script/roles.sql does."""
    url = server.set(username="gohelle", password=SECRET, database=name)
    with psycopg.connect(conninfo(server), autocommit=True) as admin:
        for role, password in (("gohelle", SECRET), ("gohelle_reader", reader)):
            if not admin.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone():
                admin.execute(sql.SQL("create role {} login").format(sql.Identifier(role)))
            admin.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(role), password))
        admin.execute(sql.SQL("create database {} owner gohelle").format(sql.Identifier(name)))
    with psycopg.connect(conninfo(server.set(database=name))) as inside:
        inside.execute("create extension postgis")
    return Settings.from_env({"GOHELLE_DATABASE_URL": url.render_as_string(hide_password=False)})


def derived() -> str:
    """The reader's password, as the service derives it."""
    return str(reader_of(URL.create("postgresql", "gohelle", SECRET)).password)


def test_all_of_it_works_with_passwords(server: URL, tmp_path: Path):
    """Migrate, seed, read as the reader, back up, restore into a second database."""
    first, second = (prepared(server, name, derived()) for name in ("first", "second"))
    schema.upgrade(first)
    db = Database(first)
    pack.load(db, ROOT / "tests" / "packs" / "ungersheim")
    db.close()
    backup.backup(first, tmp_path / "file", now=NOW)
    backup.restore(second, tmp_path / "file")
    db = Database(second)
    with db.read() as tx:
        assert tx.scalar(text("select current_user")) == "gohelle_reader"
        assert tx.scalar(text("select count(*) from territory.places")) == 4
    db.close()


def test_a_reader_with_another_password_is_said_to_have_one(server: URL):
    """The service's login is no superuser and may not set it: a sentence, not a traceback, and no password in it."""
    settings = prepared(server, "third", "another")
    with pytest.raises(schema.NoReader, match="let a superuser do so") as told:
        schema.upgrade(settings)
    assert not re.search(f"{re.escape(SECRET)}|{derived()}", str(told.value))


def test_a_login_that_may_do_so_heals_the_readers_password(server: URL):
    """As with a superuser's login on a machine of one's own."""
    settings = prepared(server, "fourth", "another")
    with psycopg.connect(conninfo(server), autocommit=True) as admin:
        admin.execute("alter role gohelle superuser")
        schema.upgrade(settings)
        admin.execute("alter role gohelle nosuperuser")
    psycopg.connect(conninfo(settings.reader_url)).close()
