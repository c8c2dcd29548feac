"""One measurement: a server under wrk, or PostgreSQL alone under pgbench; and rounds that pair them in random order."""

import json
import os
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from bench.ground import Ground
from bench.servers import Server, database_cpu
from geo.db import ALONE, ONE_PLAN

CLIENTS = 8
LUA = Path(__file__).with_name("wrk.lua")
SCRATCH = tempfile.TemporaryDirectory(prefix="gohelle_bench_")
ABANDONED = """select pg_cancel_backend(pid) from pg_stat_activity
  where datname = %s and state = 'active' and pid <> pg_backend_pid() and backend_type = 'client backend'"""
Statement = tuple[str, Mapping[str, Any]]
Measured = TypeVar("Measured")
"""What a contender's round gives: a Run, or seconds alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What came of it. Rates a second, times in ms, CPU in ms a request, bytes a request."""

    rate: float
    p50: float
    p95: float
    p99: float
    bytes: float
    cpu: float
    database_cpu: float
    errors: int


def median(runs: Sequence[Run]) -> Run:
    """Field by field; errors are added up."""
    middle = {one.name: statistics.median(getattr(run, one.name) for run in runs) for one in fields(Run)}
    return Run(**{**middle, "errors": sum(run.errors for run in runs)})


def paired(contestants: Mapping[str, Callable[[], Measured]], rounds: int, seed: int) -> dict[str, list[Measured]]:
    """Each once a round, in another order each time: the machine's swings then fall on all alike."""
    order = random.Random(seed)
    found: dict[str, list[Measured]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name in order.sample(list(contestants), len(contestants)):
            found[name].append(contestants[name]())
    return found


def driven(
    base: Ground, server: Server, asked: Sequence[str], seconds: int, *, clients: int = CLIENTS
) -> Callable[[], Run]:
    """Wrk over a list of paths (`path`, or `path<tab>tag to send back`)."""
    file = Path(tempfile.mkstemp(suffix=".txt", dir=SCRATCH.name)[1])
    file.write_text("\n".join(asked) + "\n")
    line = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "30s", "-s", LUA, server.url, "--", file]
    turn = iter(range(1, 1_000_000))

    def run() -> Run:
        cpu, db = server.cpu(), database_cpu(base)
        done = subprocess.run([*line, str(next(turn))], capture_output=True, text=True, check=True)
        cpu, db = server.cpu() - cpu, database_cpu(base) - db
        said = json.loads(done.stdout.strip().splitlines()[-1])
        n = max(1, said["requests"])
        return Run(
            rate=said["requests"] / said["us"] * 1e6,
            **{name: said[name] / 1000 for name in ("p50", "p95", "p99")},
            bytes=said["bytes"] / n,
            cpu=cpu / n * 1000,
            database_cpu=db / n * 1000,
            errors=said["errors"],
        )

    return run


def settled(base: Ground, database: str, run: Callable[[], Run]) -> Callable[[], Run]:
    """The run, and after it an end to statements that nobody waits for any more.

    The peer goes on with the questions of clients that have left, and would be slow, and slow the others, long after.
    """

    def and_end() -> Run:
        found = run()
        with base.admin(database) as admin:
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline and admin.execute(ABANDONED, [database]).fetchall():
                time.sleep(0.1)
        return found

    return and_end


def floor(base: Ground, database: str, statements: Iterable[Statement], seconds: int) -> Callable[[], Run]:
    """The same SQL with the same values, prepared, under pgbench: what PostgreSQL alone can do."""
    folder = Path(tempfile.mkdtemp(dir=SCRATCH.name))
    texts: dict[str, Any] = {}
    line = [
        "pgbench",
        "-n",
        "-M",
        "prepared",
        f"-c{CLIENTS}",
        "-j1",
        f"-T{seconds}",
        "-h",
        base.socket,
        "-U",
        "gohelle_reader",
    ]
    for number, (sql, values) in enumerate(statements):
        file = folder / f"{number}.sql"
        file.write_text(_script(sql, values, number))
        texts |= {f"{name}_{number}": value for name, value in values.items() if isinstance(value, str)}
        line += ["-f", str(file)]
    for name, value in texts.items():
        line += ["-D", f"{name}={value}"]

    def run() -> Run:
        for old in folder.glob("log.*"):
            old.unlink()
        db = database_cpu(base)
        done = subprocess.run(
            [*line, "-l", "--log-prefix=log", database],
            cwd=folder,
            env={**os.environ, "PGOPTIONS": f"{ALONE} {ONE_PLAN}"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"bench: pgbench says {done.stderr[:600]}")
        db = database_cpu(base) - db
        times = sorted(
            int(entry.split()[2]) / 1000 for log in folder.glob("log.*") for entry in log.read_text().splitlines()
        )
        n = max(1, len(times))
        rate = float(done.stdout.split("tps = ")[1].split()[0])
        at = [times[min(n - 1, int(n * share))] if times else 0.0 for share in (0.5, 0.95, 0.99)]
        return Run(rate=rate, p50=at[0], p95=at[1], p99=at[2], bytes=0, cpu=0, database_cpu=db / n * 1000, errors=0)

    return run


def _script(sql: str, values: Mapping[str, Any], number: int) -> str:
    """The driver's %(name)s as pgbench's :name_7; numbers are set in script 7, texts on the command line."""
    lines = []
    # pgbench looks for its variables in literals, too; PostgreSQL folds what then stands in two parts.
    sql = sql.replace("':squares'", "(chr(58) || 'squares')").replace(":null'", ":' || 'null'")
    for name, value in values.items():
        # The driver tells PostgreSQL how large a number is; pgbench does not.
        large = isinstance(value, int) and abs(value) >= 1 << 31
        sql = sql.replace(f"%({name})s", f":{name}_{number}::bigint" if large else f":{name}_{number}")
        if not isinstance(value, str):
            lines.append(f"\\set {name}_{number} {value!r}")
    return "\n".join([*lines, sql.replace("%%", "%").strip() + ";"]) + "\n"
