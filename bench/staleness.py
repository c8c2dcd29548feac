"""How old an answer may be: one writer, readers over four workers with memory, and how soon a notification arrives."""

import json
import threading
import time
from dataclasses import dataclass, field

import psycopg

from bench.contests import Stage
from bench.servers import service
from bench.trials import Client, Finding, percentile

WORKERS = 4
READERS = 8


@dataclass
class Watch:
    """What the threads share. `commits[v]` is when the value v was committed; `heard` are notifications' delays in ms."""

    commits: dict[int, float] = field(default_factory=dict)
    heard: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    backwards: int = 0
    answers: int = 0
    over: bool = False


def staleness(stage: Stage) -> list[Finding]:
    """Rows change 20 times a second; each reader keeps to one worker."""
    watch = Watch()
    id = stage.scene.ids[0]
    with service(stage.base, stage.database, memory_mb=64, workers=WORKERS) as server:
        time.sleep(2)  # all workers have heard the listener's first beat
        listening = threading.Thread(target=_listen, args=(stage, watch))
        readers = [
            threading.Thread(
                target=_read, args=(Client(server), f"/collections/installations/items/{id}?f=geojson", watch)
            )
            for _ in range(READERS)
        ]
        for thread in (listening, *readers):
            thread.start()
        _write(stage, id, watch, seconds=5 if stage.quick else 60)
        watch.over = True
        for thread in (listening, *readers):
            thread.join()
    delay, late = percentile(watch.heard, 0.99), percentile(watch.late or [0.0], 0.99)
    return [
        Finding(
            f"{watch.answers:,} answers of {WORKERS} workers during {len(watch.commits)} commits",
            f"{watch.backwards} older than what the same worker had shown; begun after a commit that they did not show:"
            f" {len(watch.late)}, p99 {late:.0f} ms after it, at most {max(watch.late, default=0.0):.0f} ms",
            "none older than a version already seen there",
            watch.backwards == 0,
        ),
        Finding("from commit to notification", f"p99 {delay:.1f} ms", "p99 under 50 ms", delay < 50),
    ]


def _write(stage: Stage, id: int, watch: Watch, *, seconds: int) -> None:
    """Each value is larger than the one before; the time is taken when the commit has returned."""
    end = time.monotonic() + seconds
    with psycopg.connect(stage.base.url(stage.database), autocommit=True) as connection:
        value = 1_000_000
        while time.monotonic() < end:
            value += 1
            connection.execute("update territory.installations set power_kw = %s where id = %s", [value, id])
            watch.commits[value] = time.monotonic()
            time.sleep(0.05)


def _listen(stage: Stage, watch: Watch) -> None:
    with psycopg.connect(stage.base.url(stage.database), autocommit=True) as connection:
        connection.execute("listen territory")
        while not watch.over:
            for notification in connection.notifies(timeout=0.5):
                now = time.monotonic()
                if notification.payload.startswith("installations "):
                    time.sleep(0.002)  # the writer notes its time after the commit has returned
                    last = max(watch.commits.values(), default=now)
                    watch.heard.append(max(0.0, now - last) * 1000)


def _read(client: Client, path: str, watch: Watch) -> None:
    seen = 0
    while not watch.over:
        before = time.monotonic()
        _, status, body = client.get(path)
        value = json.loads(body)["properties"]["power_kw"] or 0 if status == 200 else 0
        watch.answers += 1
        if value < 1_000_000:
            continue
        if value < seen:
            watch.backwards += 1
        seen = max(seen, int(value))
        missed = watch.commits.get(int(value) + 1)
        if missed and missed < before:
            watch.late.append((before - missed) * 1000)
        time.sleep(0.002)
