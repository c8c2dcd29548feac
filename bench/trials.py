"""Trials of one contender alone: every zoom, the walk through all pages, slow questions beside quick ones, growth, memory."""

import asyncio
import http.client
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench import questions
from bench.contests import Stage
from bench.ground import Ground
from bench.measure import Run, driven, paired
from bench.questions import Scenery
from bench.servers import Server, service

AT_ONCE = 200
SLOW = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: what was tried, what came of it, what was wanted, and whether it holds."""

    title: str
    found: str
    wanted: str
    holds: bool


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class Client:
    """One connection that stays open, as a browser's does."""

    def __init__(self, server: Server) -> None:
        """Not yet connected."""
        self._connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)

    def get(self, path: str, **headers: str) -> tuple[float, int, bytes]:
        """Milliseconds, status, body as it was sent."""
        before = time.perf_counter()
        self._connection.request("GET", path, headers=headers)
        answer = self._connection.getresponse()
        body = answer.read()
        return (time.perf_counter() - before) * 1000, answer.status, body


def every_zoom(stage: Stage) -> Finding:
    """Tiles of all zooms, one after the other, compressed as for a browser."""
    client = Client(stage.servers["cold"])
    asked = questions.every_zoom(stage.scene, 3 if stage.quick else 12)
    told = [client.get(questions.tile_path(tile), **{"Accept-Encoding": "br"}) for tile in asked]
    p95 = percentile([ms for ms, _, _ in told], 0.95)
    slowest, tile = max(zip((ms for ms, _, _ in told), asked, strict=True), key=lambda one: one[0])
    largest = max(len(body) for _, _, body in told) / 1000
    well = all(status == 200 for _, status, _ in told)
    return Finding(
        f"{len(asked)} tiles z0 to z22, cold, alone",
        f"p95 {p95:.0f} ms (slowest {slowest:.0f} ms, z{tile.z}), largest {largest:.0f} kB with br",
        "p95 under 300 ms, at most 200 kB",
        well and p95 < 300 and largest <= 200,
    )


def walk(stage: Stage) -> Finding:
    """All features in pages of 1,000, by their next links."""
    client = Client(stage.servers["cold"])
    path, times, met = "/collections/installations/items?f=geojson&limit=1000", [], 0
    while path and not (stage.quick and len(times) == 100):
        ms, _, body = client.get(path)
        document = json.loads(body)
        times.append(ms)
        met += document["numberReturned"]
        following = next((link["href"] for link in document["links"] if link["rel"] == "next"), "")
        path = following.removeprefix(stage.servers["cold"].url)
    tenth = max(1, len(times) // 10)
    first, last = statistics.median(times[:tenth]), statistics.median(times[-tenth:])
    whole = met == stage.reach.count or stage.quick
    return Finding(
        f"walk through {met:,} features in {len(times):,} pages",
        f"{sum(times) / 1000:.1f} s; a page {first:.1f} ms in the first tenth, {last:.1f} ms in the last",
        "all of them, the pace kept (last at most 1.5 times the first)",
        whole and last < 1.5 * first,
    )


def crowd(stage: Stage) -> Finding:
    """200 at once while 5 clients ask questions that take 5 seconds, of the same pool of 10 connections."""
    with _slow_places(stage.base, stage.database):
        times, failed = asyncio.run(_crowd(stage.servers["cold"], stage.scene))
    p50, p99 = percentile(times, 0.5), percentile(times, 0.99)
    return Finding(
        f"{AT_ONCE} cold items requests at once beside {SLOW} questions of {SLOW} s, pool of 10, {len(times) // AT_ONCE} times",
        f"{len(times) - failed} of {len(times)} answered, p50 {p50:.0f} ms, p99 {p99:.0f} ms",
        "all; p99 under 10 times p50",
        not failed and p99 < 10 * p50,
    )


@contextmanager
def _slow_places(base: Ground, database: str) -> Iterator[None]:
    """Every question about places takes 5 seconds: a policy on the table makes it so, and says yes to all rows."""
    with base.admin(database) as admin:
        admin.execute("create policy slow on territory.places using ((select pg_sleep(5))::text is not null)")
        admin.execute("alter table territory.places enable row level security")
        try:
            yield
        finally:
            admin.execute("alter table territory.places disable row level security")
            admin.execute("drop policy slow on territory.places")


async def _crowd(server: Server, scene: Scenery) -> tuple[list[float], int]:
    boxes = questions.boxes(scene, 0.01)
    paths = [questions.items_path(boxes[n % len(boxes)], 100) for n in range(AT_ONCE)]
    stop = time.monotonic() + 6
    slow = [asyncio.create_task(_again(server, f"/collections/gardens/items?limit={n + 1}", stop)) for n in range(SLOW)]
    await asyncio.sleep(0.5)
    told = []
    for _ in range(3):
        told += await asyncio.gather(*(_once(server, path) for path in paths))
    await asyncio.gather(*slow)
    return [ms for ms, _ in told], sum(status != 200 for _, status in told)


async def _again(server: Server, path: str, stop: float) -> None:
    while time.monotonic() < stop:
        await _once(server, path)


async def _once(server: Server, path: str) -> tuple[float, int]:
    parts = urlsplit(server.url)
    before = time.perf_counter()
    try:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        status = int(answer[9:12] or 0)
    except OSError:
        status = 0
    return (time.perf_counter() - before) * 1000, status


def growth(stage: Stage, small: str, rounds: int) -> Finding:
    """The same boxes over few rows and over many, one client; boxes that fill a page of 100 in both."""
    found = []
    with service(stage.base, small, memory_mb=0) as few:
        for share in (0.1, 0.5):
            paths = [questions.items_path(box, 100) for box in questions.boxes(stage.scene, share)]
            runs = paired(
                {
                    "few": driven(stage.base, few, paths, 1, clients=1),
                    "many": driven(stage.base, stage.servers["cold"], paths, 1, clients=1),
                },
                rounds,
                seed=round(share * 1000),
            )
            found.append((share, _p50(runs["few"]), _p50(runs["many"])))
    words = "; ".join(f"box of {share:.0%}: p50 {few:.2f} -> {many:.2f} ms" for share, few, many in found)
    worst = max(many / few for _, few, many in found)
    return Finding(
        f"pages of 100 from 10,000 to {stage.reach.count:,} rows",
        f"{words} (x {worst:.2f})",
        "less than 2 times",
        worst < 2,
    )


def _p50(runs: Sequence[Run]) -> float:
    return statistics.median(run.p50 for run in runs)


def memory(stage: Stage) -> Finding:
    """What a worker holds after all that, its memory filled to its bound."""
    kept = stage.servers["kept"]
    boxes = [box for share in (0.01, 0.02, 0.05, 0.1, 0.2) for box in questions.boxes(stage.scene, share)]
    paths = [questions.items_path(box, limit) for limit in range(1_000, 1_005) for box in boxes]
    driven(stage.base, kept, paths, 4 if stage.quick else 10)()
    peak = kept.memory()
    return Finding(
        "one worker after the whole bench, memory filled",
        f"{kept.memory('VmRSS')} MB now, {peak} MB at its peak (without memory {stage.servers['cold'].memory()} MB,"
        f" peer {stage.servers['peer'].memory()} MB)",
        "under 250 MB",
        peak < 250,
    )
