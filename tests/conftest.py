"""The real things that tests stand on: a PostGIS made by the real migrations, the real pack, a running service.

Each database is a clone of a template (a tenth of a second); templates are made once and named after what made them.
"""
# SQL that names databases is no literal:
# pyright: reportArgumentType=false, reportCallIssue=false

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck
from sqlalchemy.engine import make_url

from geo import schema
from geo.db import Database
from geo.settings import Settings
from seed import pack

ROOT = Path(__file__).parent.parent
LOOS = ROOT / "seed" / "loos-en-gohelle"
SHARED = ROOT.parent / "shared" / "data"


PATIENT = [
    HealthCheck.too_slow,
    HealthCheck.filter_too_much,
    HealthCheck.data_too_large,
    HealthCheck.large_base_example,
    HealthCheck.function_scoped_fixture,
]
"""What hypothesis need not complain of: real databases are slow beside pure functions."""


@dataclass(frozen=True, slots=True)
class Territory:
    """One database of a test's own, and the ways into it."""

    settings: Settings
    db: Database
    admin: str
    asking: list[psycopg.Connection] = field(default_factory=list, repr=False, compare=False)

    @contextmanager
    def superuser(self) -> Iterator[psycopg.Connection]:
        """The database as psql opens it: autocommit, all rights."""
        with psycopg.connect(self.admin, autocommit=True) as connection:
            yield connection

    def scalar(self, sql: str, *values: Any) -> Any:
        """The first value that a query answers, asked by the superuser over one connection that is kept: to open one costs ten questions."""
        if not self.asking or self.asking[-1].closed:
            self.asking.append(psycopg.connect(self.admin, autocommit=True, prepare_threshold=None))
        row = self.asking[-1].execute(sql, values or None).fetchone()
        return row and row[0]

    def close(self) -> None:
        """Let go of every connection."""
        for connection in self.asking:
            connection.close()
        self.db.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first, all others in their order, which keeps together what shares a service."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def admin_url() -> str:
    """The superuser's way into the tests' own cluster."""
    url = os.environ.get("GOHELLE_TEST_ADMIN_URL")
    if not url:
        pytest.exit("GOHELLE_TEST_ADMIN_URL is not set: run script/test, which starts the tests' own PostgreSQL", 2)
    return url


@pytest.fixture(scope="session")
def migrated(admin_url: str) -> str:
    """The template of an empty, migrated database."""
    made_of = sorted((ROOT / "migrations").rglob("*.py"))
    return _template(admin_url, "empty", made_of, schema.upgrade)


@pytest.fixture(scope="session")
def seeded(admin_url: str, migrated: str) -> str:
    """The template of a database that shows Loos-en-Gohelle."""

    def load(settings: Settings) -> None:
        db = Database(settings)
        pack.load(db, LOOS)
        db.close()

    made_of = sorted((*LOOS.glob("*.*"), *(ROOT / "geo").glob("*.py"), *(ROOT / "seed").glob("*.py")))
    return _template(admin_url, f"loos_{migrated[-8:]}", made_of, load, source=migrated)


@pytest.fixture
def database(admin_url: str, migrated: str) -> Iterator[Territory]:
    """A fresh, empty, migrated database."""
    with clone(admin_url, migrated) as territory:
        yield territory


@pytest.fixture
def loos(admin_url: str, seeded: str) -> Iterator[Territory]:
    """A fresh database that shows Loos-en-Gohelle, for tests that change it."""
    with clone(admin_url, seeded) as territory:
        yield territory


@pytest.fixture(scope="session")
def shown(admin_url: str, seeded: str) -> Iterator[Territory]:
    """Loos-en-Gohelle for tests that only look."""
    with clone(admin_url, seeded) as territory:
        yield territory


@dataclass(frozen=True, slots=True)
class Service:
    """A running `gohelle serve` over a database of its own."""

    url: str
    territory: Territory
    process: subprocess.Popen[bytes]


@pytest.fixture(scope="session")
def service(admin_url: str, seeded: str) -> Iterator[Service]:
    """The service as an operator runs it, over Loos-en-Gohelle."""
    with clone(admin_url, seeded) as territory, running(territory) as started:
        yield started


@contextmanager
def running(territory: Territory, **environment: str) -> Iterator[Service]:
    """`gohelle serve` on a free port, without its worker unless GOHELLE_JOBS="on"; ended when the block ends."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = territory.settings
    env = {
        **os.environ,
        "GOHELLE_DATABASE_URL": settings.database_url.render_as_string(hide_password=False),
        "GOHELLE_READER_URL": settings.reader_url.render_as_string(hide_password=False),
        "GOHELLE_PORT": str(port),
        "GOHELLE_PUBLIC_URL": url,
        "GOHELLE_WORKERS": "1",
        "GOHELLE_JOBS": "off",
        **environment,
    }
    process = subprocess.Popen([Path(sys.executable).with_name("gohelle"), "serve"], cwd=ROOT, env=env)
    try:
        _wait_for(f"{url}/healthz", process)
        yield Service(url, territory, process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, "the service ended at its start"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the service did not answer within {seconds} s")


@contextmanager
def clone(admin_url: str, template: str) -> Iterator[Territory]:
    """A database of its own, made from a template and dropped at the end."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(f'create database "{name}" template "{template}" owner gohelle strategy file_copy')
    settings = _settings(admin_url, name)
    territory = Territory(settings, Database(settings), _admin_of(admin_url, name))
    try:
        yield territory
    finally:
        territory.close()
        with psycopg.connect(admin_url, autocommit=True) as admin:
            admin.execute(f'drop database "{name}" with (force)')


def _settings(admin_url: str, name: str) -> Settings:
    service = make_url(admin_url).set(username="gohelle", database=name)
    return Settings.from_env({"GOHELLE_DATABASE_URL": service.render_as_string(hide_password=False)})


def _admin_of(admin_url: str, name: str) -> str:
    return make_url(admin_url).set(database=name).render_as_string(hide_password=False)


def _template(admin_url: str, word: str, made_of: list[Path], fill, source: str | None = None) -> str:
    """A database named after the files that made it; the first worker to ask makes it, the others wait."""
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in made_of)).hexdigest()[:8]
    name = f"template_{word}_{digest}"
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute("select pg_advisory_lock(hashtext('gohelle test templates'))")
        if not admin.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
            _make(admin, admin_url, name, fill, source)
    return name


def _make(admin: psycopg.Connection, admin_url: str, name: str, fill, source: str | None) -> None:
    making = f"making_{uuid.uuid4().hex[:8]}"
    admin.execute(f'create database "{making}" owner gohelle' + (f' template "{source}"' if source else ""))
    if source is None:
        with psycopg.connect(_admin_of(admin_url, making), autocommit=True) as inside:
            inside.execute("create extension postgis")
    fill(_settings(admin_url, making))
    admin.execute(f'alter database "{making}" rename to "{name}"')
