"""`script/bench`: build the data, run the contests and the trials, write bench/RESULTS.md and print its tables."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from bench import plot, questions, report
from bench.contests import Contest, Stage, contests, from_memory
from bench.exports import exports
from bench.filters import filters
from bench.ground import COMMUNES, DETECTIONS, SEED, databases, ground, scene
from bench.measure import median, paired
from bench.page import page
from bench.planning import planning
from bench.register import register
from bench.report import Outcome
from bench.servers import all_servers, fetch, ready
from bench.staleness import staleness
from bench.trials import Finding, crowd, every_zoom, growth, memory, walk

HERE = Path(__file__).parent
NOTES = HERE / "NOTES.md"
ROWS = 1_000_000
FEW = 1
"""Round of what takes minutes, however many the others have."""


def main(arguments: Sequence[str]) -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument("--scale", type=int, default=1, metavar="N", help="N million rows instead of one")
    parser.add_argument("--quick", action="store_true", help="two minutes: few contests, nothing is written")
    parser.add_argument(
        "--only",
        default="",
        metavar="WORD",
        help="only contests whose name holds the word (`filter`), no trials; `register`, `exports`, `page`, `planning`: only its trials",
    )
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="N rounds of each contest instead of five")
    options = parser.parse_args(arguments)
    if options.only == "page":
        with ground() as base:
            print(report.targets(list(page(base, rounds=1 if options.quick else options.rounds))))
        return 0
    if not DETECTIONS.exists() or not COMMUNES.exists():
        print(f"skipped: the detections are not here ({DETECTIONS.parent})")
        return 0
    if missing := ready():
        print(missing, file=sys.stderr)
        return 1
    began = time.monotonic()
    with ground() as base:
        large, small = databases(base, ROWS * options.scale)
        alone = {
            "register": lambda: register(base, small, quick=options.quick),
            "planning": lambda: planning(base, large, rounds=options.rounds),
        }
        if options.only in alone:
            print(report.targets(list(alone[options.only]())))
            return 0
        collection, reach = scene(base, large)
        with base.admin(large) as connection:
            drawn = questions.scenery(connection, reach)
        with all_servers(base, large) as servers, tempfile.TemporaryDirectory() as folder:
            stage = Stage(
                base=base,
                database=large,
                servers=servers,
                collection=collection,
                reach=reach,
                scene=drawn,
                quick=options.quick,
            )
            for name in ("cold", "kept"):
                fetch(servers[name], "/collections/installations/items?limit=1")  # count and extent, once a version
            rounds = 3 if options.quick else options.rounds
            outcomes = [
                outcome
                for asked in (contests(stage), filters(stage), from_memory(stage, Path(folder)))
                for outcome in _outcomes(asked, rounds, options.only)
            ]
            tried = exports(stage, rounds) if options.only == "exports" else _trials(stage, small, rounds)
            found = report.findings(outcomes) + (list(tried) if options.only in ("", "exports") else [])
            command = " ".join(["script/bench", *arguments])
            about = report.circumstances(stage, rounds, command)
    print(f"\n{about}\n\n{report.table(outcomes)}\n\n{report.targets(found)}\n\n{time.monotonic() - began:.0f} s")
    if not options.quick and not options.only:
        notes = NOTES.read_text() if NOTES.exists() else ""
        report.write(HERE / "RESULTS.md", about=about, outcomes=outcomes, found=found, notes=notes)
        plot.write(HERE / "results.svg", outcomes)
    return 0


def _outcomes(asked: Iterator[Contest], rounds: int, only: str) -> Iterator[Outcome]:
    for contest in asked:
        if only not in contest.id:
            continue
        for run in contest.contestants.values():
            run()  # once for nothing: caches fill, statements are prepared
        runs = paired(contest.contestants, rounds, seed=SEED)
        outcome = Outcome(contest, runs)
        print(
            f"{contest.title}: " + ", ".join(f"{name} {median(found).rate:,.0f}/s" for name, found in runs.items()),
            flush=True,
        )
        yield outcome


def _trials(stage: Stage, small: str, rounds: int) -> Iterator[Finding]:
    few = min(rounds, FEW)
    trials: dict[str, Callable[[], Iterable[Finding]]] = {
        "every zoom": lambda: [every_zoom(stage)],
        "walk": lambda: [walk(stage)],
        "growth": lambda: [growth(stage, small, rounds)],
        "crowd": lambda: [crowd(stage)],
        "memory": lambda: [memory(stage)],
        "exports": lambda: [] if stage.quick else exports(stage, few),
        "staleness": lambda: staleness(stage),
        "register": lambda: register(stage.base, small, quick=stage.quick),
        "page": lambda: page(stage.base, rounds=rounds),
        "planning": lambda: [] if stage.quick else planning(stage.base, stage.database, rounds=few),
    }
    for name, trial in trials.items():
        try:
            for one in trial():
                print(f"{one.title}: {one.found}", flush=True)
                yield one
        except (Exception, SystemExit) as error:  # noqa: BLE001 (an hour's other findings are not thrown away for it)
            yield Finding(name, f"broke off: {type(error).__name__}: {error}"[:300], "an answer", False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
