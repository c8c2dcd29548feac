"""What was measured, as a table: for the terminal, and with its circumstances for bench/RESULTS.md."""

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.contests import Contest, Stage
from bench.ground import DETECTIONS, SEED
from bench.measure import CLIENTS, Run, median
from bench.servers import PEER, POOL
from bench.trials import Finding

NAMES = {
    "cold": "gohelle, cold",
    "kept": "gohelle, from memory",
    "peer": "tipg",
    "helped": "tipg, told of geom_3857",
    "floor": "same SQL, pgbench",
    "bare": "bare ASGI answer",
}
HEAD = "| work | contender | req/s | p50 ms | p95 ms | p99 ms | bytes | CPU ms | PostgreSQL CPU ms |\n|---|---|--:|--:|--:|--:|--:|--:|--:|"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A contest, measured: the rounds of each contender."""

    contest: Contest
    runs: Mapping[str, Sequence[Run]]

    def ratio(self, one: str, other: str, name: str = "rate") -> float:
        """The median over the rounds of one's value by the other's, each pair of the same round."""
        pairs = zip(self.runs[one], self.runs[other], strict=True)
        values = sorted(getattr(a, name) / max(getattr(b, name), 1e-9) for a, b in pairs)
        return values[len(values) // 2]

    def cheaper(self) -> float:
        """How many times the CPU of a cold answer the peer's costs, each with PostgreSQL's part: steadier than rates."""
        cold, peer = (median(self.runs[name]) for name in ("cold", "peer"))
        return (peer.cpu + peer.database_cpu) / max(cold.cpu + cold.database_cpu, 1e-9)


def findings(outcomes: Sequence[Outcome]) -> list[Finding]:
    """The ratios that were aimed at."""
    found = []
    for outcome in outcomes:
        id = outcome.contest.id
        if id.startswith(("items-100-", "items-1000-")) or id == "z14":
            times = 4 if id == "z14" else 15
            silent = not median(outcome.runs["peer"]).rate  # then there is nothing to divide by
            peer = 0.0 if silent else outcome.ratio("cold", "peer")
            floor = outcome.ratio("cold", "floor")
            title = outcome.contest.title
            found.append(
                Finding(
                    f"{title}, cold, by the peer's rate",
                    "the peer answered nothing" if silent else f"{peer:.1f} (by CPU {outcome.cheaper():.1f})",
                    f"at least {times}",
                    peer >= times,
                )
            )
            found.append(Finding(f"{title}, cold, by pgbench's rate", f"{floor:.2f}", "at least 0.8", floor >= 0.8))
        if id.startswith("filter-"):
            found.append(_filtered(outcome))
        if id.startswith("memory-"):
            most = 1.3 if id.endswith("304") else 1.6
            cpu = outcome.ratio("kept", "bare", "cpu")
            found.append(
                Finding(
                    f"{outcome.contest.title}: CPU by the bare answer's", f"{cpu:.2f}", f"at most {most}", cpu <= most
                )
            )
    return found


def _filtered(outcome: Outcome) -> Finding:
    run = median(outcome.runs["peer"])
    peer = outcome.ratio("cold", "peer")
    words = f"{peer:.1f}" if run.rate else "the peer answered nothing"
    failed = f" (it failed {run.errors} times)" if run.errors else ""
    return Finding(f"{outcome.contest.title}, by the peer's rate", words + failed, "at least 1", peer >= 1)


def table(outcomes: Sequence[Outcome]) -> str:
    """All contests and contenders; medians over the rounds."""
    lines = [HEAD]
    for outcome in outcomes:
        for name, runs in outcome.runs.items():
            run = median(runs)
            cpu = "" if name == "floor" else f"{run.cpu:.2f}"
            size = "" if name == "floor" else f"{run.bytes:,.0f}"
            failed = f" ({run.errors} failed)" if run.errors else ""
            lines.append(
                f"| {outcome.contest.title} | {NAMES[name]}{failed} | {run.rate:,.0f} | {run.p50:.1f} | {run.p95:.1f} |"
                f" {run.p99:.1f} | {size} | {cpu} | {run.database_cpu:.2f} |"
            )
    return "\n".join(lines)


def targets(found: Sequence[Finding]) -> str:
    """What was aimed at, and whether it holds."""
    lines = ["| target | found | wanted | |", "|---|---|---|---|"]
    return "\n".join(
        [
            *lines,
            *(
                f"| {one.title} | {one.found} | {one.wanted} | {'holds' if one.holds else '**missed**'} |"
                for one in found
            ),
        ]
    )


def circumstances(stage: Stage, rounds: int, command: str) -> str:
    """The machine, the versions, the data and the rules."""
    with stage.base.admin(stage.database) as admin:
        row = admin.execute("select version(), postgis_lib_version()").fetchone() or ("", "")
    cpu = next((line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "?")
    memory = next((int(line.split()[1]) // 1_048_576 for line in _lines("/proc/meminfo")), 0)
    peer = _said([PEER / "bin" / "python", "-c", "import importlib.metadata as m; print(m.version('tipg'))"])
    wrk = _said(["wrk", "-v"]).split("[")[0].split("Copyright")[0].strip()
    return "\n".join(
        [
            f"- `{command}`; load average at the end {os.getloadavg()[0]:.1f}",
            f"- {os.cpu_count()} cores of {cpu}, {memory} GB; {platform.platform()}",
            f"- Python {platform.python_version()}, {row[0].split(' (')[0]}, PostGIS {row[1]}, {wrk}, tipg {peer}",
            f"- {stage.reach.count:,} rows made of {DETECTIONS.name}: each detection of a roof scattered inside its commune's"
            f" polygon, and repeated; seed {SEED}",
            f"- each contender one process and {POOL} connections to the same PostgreSQL; wrk with one thread and {CLIENTS}"
            f" connections on loopback, pgbench with {CLIENTS} clients; answers uncompressed; {rounds} rounds in random order,"
            " medians; a ratio is the median of the rounds' ratios",
            "- the peer is asked for the same properties, and for tiles as its own addresses name them; the second line of tiles"
            " tells it of the stored geometry in Web Mercator, which it would not find. Of a tile it draws 10,000 features"
            " at most and drops the others. Boxes stand around points of the data",
        ]
    )


def write(path: Path, *, about: str, outcomes: Sequence[Outcome], found: Sequence[Finding], notes: str) -> None:
    """bench/RESULTS.md."""
    text = f"""# Results of the bench

Written by `script/bench`. Absolute times are context, for the machine was shared; ratios are the result.

{about}

![How often in a second each contender answers](results.svg)

## Targets

{targets(found)}

{notes}

## All that was measured

CPU is that of a contender's own processes for each request; the load generator's is in neither column.

{table(outcomes)}
"""
    path.write_text(text)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _said(line: list) -> str:
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip()
