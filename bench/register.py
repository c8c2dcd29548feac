"""Trials of the register: declarations at a steady pace before a long queue, the queue's page, and items beside a flood of letters."""

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from psycopg import sql

from bench.ground import SEED, Ground
from bench.measure import Run, driven, median, paired
from bench.servers import Server, free_port, service, tree
from bench.trials import Client, Finding, percentile
from geo.db import Database
from geo.register import access, outbox, staff

QUEUE = 100_000
PACE = 20
"""Declarations a second."""

LETTERS = 5_000
WAITING = Path(__file__).with_name("register.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hall:
    """A town hall with a full queue: its database, its service with the worker, and a moderator's key."""

    base: Ground
    database: str
    server: Server
    key: str


def register(base: Ground, small: str, *, quick: bool) -> Iterator[Finding]:
    """All three, on one database, with every commit on the disk."""
    with _durable(base), _crowded(base, small) as (database, key), _sink() as smtp:
        env = {"GOHELLE_JOBS": "on", "GOHELLE_SMTP_URL": smtp, "GOHELLE_DECLARATIONS_A_DAY": "0"}
        with service(base, database, memory_mb=0, env=env) as server:
            hall = Hall(base=base, database=database, server=server, key=key)
            yield _declaring(hall, 5 if quick else 30)
            yield _queueing(hall, 10 if quick else 40)
            yield _flooding(hall, 3 if quick else 7)


# Declarations


def _declaring(hall: Hall, seconds: int) -> Finding:
    """Each is due at its moment, whatever became of those before: what has to wait for its turn counts as slow."""
    for number in range(PACE):  # once for nothing: pools fill, statements are prepared
        _declare(hall.server, 0, _body(random.Random(-number), -number))
    begin = time.perf_counter() + 1
    moments = [begin + n / PACE for n in range(seconds * PACE)]
    bodies = [_body(random.Random(n), n) for n in range(len(moments))]
    with ThreadPoolExecutor(4 * PACE) as threads:
        told = list(threads.map(lambda due, body: _declare(hall.server, due, body), moments, bodies))
    kept = _count(hall, "select count(*) from register.declarations where state = 'draft'")
    p50, p95 = (percentile([ms for ms, _ in told], share) for share in (0.5, 0.95))
    well = all(status == 202 for _, status in told) and kept == len(told) + PACE
    return Finding(
        f"{len(told)} declarations, {PACE} a second, before a queue of {QUEUE:,}, fsync on",
        f"p50 {p50:.0f} ms, p95 {p95:.0f} ms from when each was due; {kept - PACE} kept",
        "p95 under 300 ms, all kept",
        well and p95 < 300,
    )


def _body(dice: random.Random, number: int) -> bytes:
    place = [round(dice.uniform(2.78, 2.80), 6), round(dice.uniform(50.45, 50.46), 6)]
    told = {"technology": "photovoltaic", "power_kw": 3 + number % 6, "year": 2015 + number % 10}
    owner = {"email": f"bench{number}@example.org", "owner_agrees": True, "consent": True}
    return json.dumps({**told, **owner, "location": {"type": "Point", "coordinates": place}}).encode()


def _declare(server: Server, due: float, body: bytes) -> tuple[float, int]:
    time.sleep(max(0.0, due - time.perf_counter()))
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
    connection.request("POST", "/installations", body, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return (time.perf_counter() - due) * 1000, answer.status


# The queue


def _queueing(hall: Hall, times: int) -> Finding:
    """The first page and those behind it, as a moderator who leafs through it, in JSON and as a page."""
    client, headers = Client(hall.server), {"Authorization": f"Bearer {hall.key}"}
    told, cursor = [], ""
    for _ in range(times):
        ms, status, body = client.get(f"/register/declarations?limit=50{cursor}", **headers)
        told.append((ms, status))
        cursor = f"&cursor={json.loads(body)['cursor']}"
    shown = [client.get("/townhall", Accept="text/html", **headers)[:2] for _ in range(times)]
    (p50, p95), (page50, page95) = (
        [percentile([ms for ms, _ in some], at) for at in (0.5, 0.95)] for some in (told, shown)
    )
    return Finding(
        f"the queue of {QUEUE:,}, 50 at a time",
        f"leafing through it as JSON p50 {p50:.0f} ms, p95 {p95:.0f} ms; its page p50 {page50:.0f} ms, p95 {page95:.0f} ms",
        "p95 under 200 ms",
        all(status == 200 for _, status in told + shown) and max(p95, page95) < 200,
    )


# Letters


def _flooding(hall: Hall, rounds: int) -> Finding:
    """Items asked while the worker sends, and while it is held, in random order."""
    worker = next(pid for pid in tree(hall.server.pid) if b"--lifeline" in Path(f"/proc/{pid}/cmdline").read_bytes())
    _post(hall)
    paths = [f"/collections/installations/items?f=geojson&limit={100 + n}" for n in range(20)]
    ask = driven(hall.base, hall.server, paths, 3)
    ask()
    before = _sent(hall)
    runs = paired(
        {"held": _with(worker, signal.SIGSTOP, ask), "flood": _with(worker, signal.SIGCONT, ask)}, rounds, SEED
    )
    os.kill(worker, signal.SIGCONT)
    during = _sent(hall) - before
    held, flood = median(runs["held"]), median(runs["flood"])
    lost = 1 - flood.rate / held.rate
    return Finding(
        f"items beside a flood of {LETTERS:,} letters",
        f"{held.rate:,.0f}/s with the worker held, {flood.rate:,.0f}/s while it sends ({lost:.0%} slower; {during} letters"
        " meanwhile: the service goes first)",
        "less than 20 % slower",
        lost < 0.2 and during > 0,
    )


def _with(worker: int, sign: signal.Signals, ask: Callable[[], Run]) -> Callable[[], Run]:
    def run() -> Run:
        os.kill(worker, sign)
        time.sleep(0.2)
        return ask()

    return run


def _post(hall: Hall) -> None:
    db = Database(hall.base.settings(hall.database))
    now = datetime.now(UTC)
    for _ in range(LETTERS // 100):
        with db.write() as tx:
            for _ in range(100):
                address = f"{uuid4().hex}@example.org"
                outbox.post(tx, "still_right", address=address, subject=uuid4(), language="fr", now=now)
    db.close()


def _sent(hall: Hall) -> int:
    return _count(hall, "select count(*) from register.outbox where state = 'sent'")


def _count(hall: Hall, query: str) -> int:
    with hall.base.admin(hall.database) as admin:
        row = admin.execute(sql.SQL(query)).fetchone()  # pyright: ignore[reportArgumentType]
        return row[0] if row else 0


# What it stands on


@contextmanager
def _durable(base: Ground) -> Iterator[None]:
    """The bench's PostgreSQL otherwise spares the disk, which only reads can afford."""
    settings = ("fsync", "synchronous_commit", "full_page_writes")
    with base.admin() as admin:
        for one in settings:
            admin.execute(sql.SQL("alter system set {} = on").format(sql.Identifier(one)))
        admin.execute("select pg_reload_conf()")
        try:
            yield
        finally:
            for one in settings:
                admin.execute(sql.SQL("alter system reset {}").format(sql.Identifier(one)))
            admin.execute("select pg_reload_conf()")


@contextmanager
def _crowded(base: Ground, small: str) -> Iterator[tuple[str, str]]:
    """A copy of the small database in which QUEUE declarations wait; and a moderator's key."""
    name = f"{small}_register"
    with base.admin() as admin:
        drop = sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
        copy = sql.SQL("create database {} template {} owner gohelle strategy file_copy")
        admin.execute(drop)
        admin.execute(copy.format(sql.Identifier(name), sql.Identifier(small)))
        try:
            with base.admin(name) as inside:
                for statement in WAITING.read_text().replace(":rows", str(QUEUE)).split(";\n"):
                    inside.execute(sql.SQL(statement))  # pyright: ignore[reportArgumentType]
            yield name, _moderator(base, name)
        finally:
            admin.execute(drop)


def _moderator(base: Ground, database: str) -> str:
    now = datetime.now(UTC)
    db = Database(base.settings(database))
    with db.write() as tx:
        member = staff.add(tx, "bench@example.org", "moderator", language="fr", now=now)
        key = access.make_key(tx, member.id, name="bench", lifetime=timedelta(days=1), now=now)
    db.close()
    return key


@contextmanager
def _sink() -> Iterator[str]:
    """A mail server that takes everything and keeps nothing; its address."""
    port = free_port()
    line = [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}", "-c", "aiosmtpd.handlers.Sink"]
    env: Mapping[str, str] = {name: value for name, value in os.environ.items() if not name.startswith("GOHELLE_")}
    process = subprocess.Popen(line, env=env, stderr=subprocess.DEVNULL)
    try:
        yield f"smtp://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
