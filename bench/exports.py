"""Trials of files: every row of the large database to FlatGeobuf, GeoPackage and GeoParquet, beside what others make of it.

The service is asked over HTTP, as anybody asks; `ogr2ogr` and geopandas read the same columns of the same PostgreSQL.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from urllib.request import urlopen

import pyogrio

from bench.contests import Stage
from bench.ground import SEED
from bench.measure import paired
from bench.servers import Server, tree
from bench.trials import Finding
from geo.kinds import KINDS

MOST_MB = 150
"""By how much a worker may grow; the process that writes the file ends with it, and is told beside it."""

FORMATS = {"flatgeobuf": ("FlatGeobuf", ".fgb"), "gpkg": ("GPKG", ".gpkg"), "geoparquet": ("", ".parquet")}
GEOPANDAS = """
import sys, geopandas, psycopg, sqlalchemy
url, query, path = sys.argv[1:]
engine = sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
geopandas.read_postgis(query, engine, geom_col="geom").to_parquet(path)
"""


def exports(stage: Stage, rounds: int) -> Iterator[Finding]:
    """One finding for each format, and one for the memory that they took."""
    server, all_peaks = stage.servers["cold"], []
    for format, (driver, suffix) in FORMATS.items():
        with tempfile.TemporaryDirectory(prefix="gohelle-bench-") as folder:
            ours, theirs = Path(folder) / f"ours{suffix}", Path(folder) / f"theirs{suffix}"
            peaks: list[tuple[int, int]] = []
            runs = paired(
                {
                    "ours": lambda format=format, ours=ours, peaks=peaks: _fetched(server, format, ours, peaks),
                    "theirs": _rival(stage, driver, theirs),
                },
                rounds,
                seed=SEED,
            )
            counted = _count(ours, format), _count(theirs, format)
        all_peaks += peaks
        mine, other = (statistics.median(runs[name]) for name in ("ours", "theirs"))
        ratio = statistics.median(a / b for a, b in zip(runs["ours"], runs["theirs"], strict=True))
        rival = "ogr2ogr" if driver else "geopandas"
        yield Finding(
            f"{stage.reach.count:,} features to {format}, beside {rival}",
            f"{mine:.1f} s, {rival} {other:.1f} s (x {ratio:.2f}); {counted[0]:,} and {counted[1]:,} rows",
            "no slower; every row",
            ratio <= 1 and counted[0] == counted[1] == stage.reach.count,
        )
    grown, child = (max(values) for values in zip(*all_peaks, strict=True))
    yield Finding(
        "memory of the worker while they are written and sent",
        f"{grown} MB more; the writing process {child} MB at its peak",
        f"under {MOST_MB} MB more",
        grown < MOST_MB,
    )


def _fetched(server: Server, format: str, path: Path, peaks: list[tuple[int, int]]) -> float:
    """Seconds until the file is there, whole."""
    path.unlink(missing_ok=True)
    watched = Watch(server)
    began = time.perf_counter()
    with (
        urlopen(f"{server.url}/collections/installations/items?f={format}", timeout=900) as answer,
        path.open("wb") as file,
    ):
        while part := answer.read(1 << 20):
            file.write(part)
    took = time.perf_counter() - began
    peaks.append(watched.ended())
    return took


class Watch:
    """Memory of their own of a server's processes, ten times a second: MB that it grows by, and MB of what it starts."""

    def __init__(self, server: Server) -> None:
        """Begin."""
        self._known = frozenset(tree(server.pid))
        self._server, self._stop = server, Event()
        self._first, _ = self._now()
        self._grown = self._child = 0
        self._thread = Thread(target=self._look, daemon=True)
        self._thread.start()

    def ended(self) -> tuple[int, int]:
        """How far the server rose, and how high what it started."""
        self._stop.set()
        self._thread.join()
        return self._grown, self._child

    def _look(self) -> None:
        while not self._stop.wait(0.1):
            served, started = self._now()
            self._grown, self._child = max(self._grown, served - self._first), max(self._child, started)

    def _now(self) -> tuple[int, int]:
        held = self._server.held()
        return sum(mb for pid, mb in held.items() if pid in self._known), sum(
            mb for pid, mb in held.items() if pid not in self._known
        )


def _rival(stage: Stage, driver: str, path: Path) -> Callable[[], float]:
    names = ", ".join(f'"{column.name}"' for column in KINDS["installations"].public)
    query = f"select id, {names}, geom from territory.installations order by id"
    if driver:
        address = f"PG:dbname={stage.database} host={stage.base.socket} user=gohelle_reader"
        line = ["ogr2ogr", "-f", driver, str(path), address, "-sql", query, "-nln", "installations"]
        line += ["-nlt", "POINT", "-a_srs", "EPSG:4326"]
    else:
        line = [sys.executable, "-c", GEOPANDAS, stage.base.url(stage.database, "gohelle_reader"), query, str(path)]

    def run() -> float:
        path.unlink(missing_ok=True)
        began = time.perf_counter()
        subprocess.run(line, check=True, env={**os.environ, "PGOPTIONS": "-c statement_timeout=0"}, capture_output=True)
        return time.perf_counter() - began

    return run


def _count(path: Path, format: str) -> int:
    if format == "geoparquet":
        from pyarrow import parquet  # noqa: PLC0415 (130 MB that no other trial needs)

        return parquet.read_metadata(path).num_rows
    return pyogrio.read_info(path, force_feature_count=True)["features"]
