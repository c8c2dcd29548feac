"""Trials of planners' questions over 1,000,000 points and 20,000 polygons: the service, the bare SQL, and geopandas.

Each question goes to the service over HTTP, paired in random order with what PostgreSQL alone needs: the SQL of planning.sql,
and where nobody would write such a thing by hand (`network`), the service's own statements without the service. Then once to
geopandas, which reads what it needs from the same database in a process of its own.
"""

import http.client
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from sqlalchemy import event
from sqlalchemy.engine import Engine

from bench.ground import ROOT, SEED, Ground
from bench.planning_ground import planned
from bench.servers import Server, database_cpu, service
from bench.trials import Finding
from geo.collections import territory
from geo.db import Database
from geo.kinds import KINDS
from geo.planning.question import Asked
from geo.planning.questions import question

BARE = Path(__file__).with_name("planning.sql")
MOST = 1.3
LENS = {"type": "Point", "coordinates": [2.8333, 50.4303]}


def _square(x: float, y: float, half: float) -> dict[str, Any]:
    sides = [
        [x - half, y - half],
        [x + half, y - half],
        [x + half, y + half],
        [x - half, y + half],
        [x - half, y - half],
    ]
    return {"type": "Polygon", "coordinates": [sides]}


AREA = _square(2.8, 50.0, 0.75)
"""18,000 of the 20,000 km2 that may be drawn: by cell, the whole country would pass the bound of 50,000 rows."""
PROPOSAL = _square(2.8333, 50.4303, 0.02)
WAY = {"type": "LineString", "coordinates": [[9.5209, 47.1410], [9.5300, 47.1480]]}

QUESTIONS: Mapping[str, Mapping[str, Any]] = {
    "nearby": {"collections": ["installations"], "distance": 50_000, "geometry": LENS, "limit": 1_000},
    "coverage": {"collection": "installations", "near": "landmarks", "distance": 1_000},
    "overlay-points": {"collection": "installations", "other": "mining-heritage", "attribute": "technology"},
    "overlay-areas": {"collection": "communes", "other": "mining-heritage"},
    "summary-year": {"collection": "installations", "by_year": True},
    "summary-commune": {"collection": "installations", "by": "commune"},
    "summary-cells": {"collection": "installations", "by": "cell_1km", "area": AREA},
    "summary-areas": {"collection": "installations", "by": "areas", "zones": "communes"},
    "network": {"collection": "soft-mobility"},
    "scenario": {
        "geometry": PROPOSAL,
        "collections": ["communes", "installations"],
        "covers": "landmarks",
        "covered": "installations",
        "distance": 1_000,
    },
    "scenario-network": {"geometry": WAY, "collections": ["soft-mobility"], "paths": "soft-mobility"},
}
VALUES = {"area": json.dumps(AREA), "added": json.dumps(PROPOSAL)}
Statements = Sequence[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class Cost:
    """One answer: seconds until it was there, and seconds of CPU of all who worked for it."""

    seconds: float
    cpu: float


def planning(base: Ground, large: str, *, rounds: int, only: str = "") -> Iterator[Finding]:
    """Every question, then the service's memory, then whether PostgreSQL stops when nobody waits."""
    name = planned(base, large)
    asked = {id: inputs for id, inputs in QUESTIONS.items() if only in id}
    url, patient = base.url(name, "gohelle_reader"), "-c statement_timeout=0"
    with service(base, name, memory_mb=0) as server, psycopg.connect(url, options=patient) as alone:
        for id, inputs in asked.items():
            _served(server, id, inputs)
        before = server.memory("VmRSS")
        for id, inputs in asked.items():
            yield _one(base, name, server, alone, id, inputs, rounds)
        yield _flat(server, before)
        yield _cancelled(base, name, server)


def _one(
    base: Ground, name: str, server: Server, alone: psycopg.Connection, id: str, inputs: Mapping[str, Any], rounds: int
) -> Finding:
    statements = _bare().get(id) or _own(base, name, id, inputs)
    contestants: dict[str, Callable[[], object]] = {
        "service": lambda: _served(server, id, inputs),
        "bare": lambda: _alone(alone, statements),
    }
    costs = _paired(base, server, contestants, rounds)
    ratio, cpu = (
        statistics.median(
            getattr(one, what) / max(getattr(other, what), 1e-3)
            for one, other in zip(costs["service"], costs["bare"], strict=True)
        )
        for what in ("seconds", "cpu")
    )
    ours, bare = (statistics.median(one.seconds for one in costs[who]) for who in ("service", "bare"))
    peer = _geopandas(base, name, id, inputs)
    _agree(id, _served(server, id, inputs), peer["figures"])
    return Finding(
        f"{id}, by its bare SQL",
        f"{ratio:.2f} (by CPU {cpu:.2f}); {ours:.2f} s, bare {bare:.2f} s, geopandas {peer['seconds']:.1f} s and"
        f" {peer['mb']} MB",
        f"at most {MOST}",
        ratio <= MOST,
    )


def _paired(
    base: Ground, server: Server, contestants: Mapping[str, Callable[[], object]], rounds: int
) -> dict[str, list[Cost]]:
    """Each once a round, in another order each time; once for nothing before."""
    order, found = random.Random(SEED), {name: [] for name in contestants}
    for run in contestants.values():
        run()
    for _ in range(rounds):
        for name in order.sample(list(contestants), len(contestants)):
            cpu, began = server.cpu() + database_cpu(base), time.perf_counter()
            contestants[name]()
            seconds = time.perf_counter() - began
            found[name].append(Cost(seconds, server.cpu() + database_cpu(base) - cpu))
    return found


# The service


def _served(server: Server, id: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What the answer says of itself; its features are read off the wire, and left unread."""
    body = json.dumps({"inputs": inputs}).encode()
    verb = id.split("-", maxsplit=1)[0]
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=120)
    connection.request("POST", f"/processes/{verb}/execution", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"bench: {id} answers {answer.status} {text[:400]!r}")
    head, _, _ = text.partition(b',"features":[')
    return {**json.loads(head + b"}")[verb], "returned": json.loads(head + b"}")["numberReturned"]}


# PostgreSQL alone


def _bare() -> dict[str, Statements]:
    """The statements of planning.sql by question."""
    summed = [one.name for one in KINDS["installations"].summables]
    text = BARE.read_text().replace("{names}", ", ".join(summed))
    text = text.replace(
        "{sums}", ", ".join(f'sum("{name}") as "{name}", count("{name}") as "{name}_known"' for name in summed)
    )
    found = {}
    for part in text.split("\n\n-- ")[1:]:
        id, _, sql = part.partition("\n")
        found[id.strip()] = [(one.strip(), VALUES if "%(" in one else None) for one in sql.split(";\n") if one.strip()]
    return found


def _own(base: Ground, name: str, id: str, inputs: Mapping[str, Any]) -> Statements:
    """The statements with which the service itself answers."""
    said: list[tuple[str, Any]] = []

    def heard(_conn: Any, _cursor: Any, sql: str, values: Any, _context: Any, _many: bool) -> None:
        said.append((sql, values or None))

    db, verb = Database(base.settings(name)), question(id.split("-", maxsplit=1)[0])
    with db.read_long() as tx:
        known = territory(tx)
        event.listen(Engine, "before_cursor_execute", heard)
        verb.answer(Asked(tx=tx, territory=known, lang=None), verb.read(inputs))
        event.remove(Engine, "before_cursor_execute", heard)
    db.close()
    return said


def _alone(connection: psycopg.Connection, statements: Statements) -> None:
    for sql, values in statements:
        connection.execute(sql, values).fetchall()  # pyright: ignore[reportArgumentType, reportCallIssue]
    connection.rollback()


# geopandas


def _geopandas(base: Ground, name: str, id: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Seconds, MB at the peak, and its figures."""
    line = [sys.executable, "-m", "bench.planning_geopandas", base.url(name, "gohelle_reader"), id, json.dumps(inputs)]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"bench: geopandas says {done.stderr[-800:]}")
    return json.loads(done.stdout)


def _agree(id: str, ours: Mapping[str, Any], figures: Mapping[str, float]) -> None:
    """A fast wrong answer is worth nothing."""
    for path, theirs in figures.items():
        value: Any = ours
        for step in path.split("."):
            value = value[int(step)] if isinstance(value, list) else value[step]
        if abs(value - theirs) > 1e-3 * max(1.0, abs(theirs)):
            raise SystemExit(f"bench: {id} says {path} is {value}, geopandas {theirs}")


# What it costs the house


def _flat(server: Server, before: int) -> Finding:
    after = server.memory("VmRSS")
    return Finding(
        "the service's memory over all questions",
        f"{before} MB after each was asked once, {after} MB at the end, {server.memory()} MB at its peak",
        "at most 15 % more at the end",
        after <= 1.15 * before,
    )


def _cancelled(base: Ground, name: str, server: Server) -> Finding:
    """A client that goes away in the middle of a question; PostgreSQL's processes that still work for it afterwards."""
    working = (
        "select count(*) from pg_stat_activity where datname = %s and usename = 'gohelle_reader' and state = 'active'"
    )
    body = json.dumps({"inputs": QUESTIONS["coverage"]}).encode()
    with base.admin() as admin:

        def busy() -> int:
            row = admin.execute(working, [name]).fetchone()
            return row[0] if row else 0

        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
        connection.request("POST", "/processes/coverage/execution", body, {"Content-Type": "application/json"})
        time.sleep(0.5)
        during = busy()
        began = time.perf_counter()
        connection.close()
        while busy() and time.perf_counter() < began + 60:
            time.sleep(0.01)
        ms = (time.perf_counter() - began) * 1000
    return Finding(
        "a client that goes in the middle of a question",
        f"{during} of PostgreSQL's processes at work, none {ms:.0f} ms after",
        "none after 1 s",
        during > 0 and ms < 1_000,
    )
