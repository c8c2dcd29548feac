"""Answers from memory: never older than a version already seen, never somebody else's, bounded, and none while deaf."""

import asyncio
import threading
import time

import httpx2 as httpx
import pytest

from api.memory import Memory
from tests.api.conftest import application, client_of, heard
from tests.conftest import running
from tests.script.conftest import wait_until


class Counting:
    """An application that counts its calls and answers with its own versions."""

    def __init__(self, versions, body=b"x" * 100, status=200, delay=0.0):
        self.calls = 0
        self.versions = versions
        self.body = body
        self.status = status
        self.delay = delay

    async def __call__(self, scope, receive, send):
        self.calls += 1
        await asyncio.sleep(self.delay)
        scope["state"]["versions"] = dict(self.versions)
        tag = f'"{self.versions}"'.encode()
        await send({"type": "http.response.start", "status": self.status, "headers": [(b"etag", tag)]})
        await send({"type": "http.response.body", "body": self.body})


async def get(app, path="/a", query=b"", method="GET", **headers):
    """One request through the layer: its status and body."""
    said = []
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query,
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        "state": {},
    }

    async def send(message):
        said.append(message)

    await app(scope, None, send)
    return said[0]["status"], said[1]["body"]


def test_the_same_question_is_answered_once():
    """In whatever order its parameters stand, and with headers that negotiate alike."""
    inner = Counting({"a": 1})
    memory = Memory(inner, lambda: {"a": 1})

    async def story():
        await get(memory, query=b"x=1&y=2", accept="*/*")
        await get(memory, query=b"y=2&x=1", accept="*/*;q=1")
        assert inner.calls == 1
        await get(memory, query=b"x=1&y=2", accept="text/html")
        await get(memory, query=b"x=1&y=2", accept="*/*", accept_language="de")
        await get(memory, query=b"x=1&y=2", accept="*/*", accept_encoding="br")
        assert inner.calls == 4

    asyncio.run(story())


def test_an_answer_lasts_as_long_as_all_its_versions():
    """And none is served while nobody knows the versions, or this worker is behind its own answer."""
    inner, now = Counting({"a": 1, "b": 5}), {"a": 1, "b": 5, "c": 9}
    heard: list[dict[str, int] | None] = [now]
    memory = Memory(inner, lambda: heard[0])

    async def calls_of():
        before = inner.calls
        await get(memory)
        return inner.calls - before

    async def story():
        assert await calls_of() == 1
        assert await calls_of() == 0
        heard[0] = {**now, "c": 10}
        assert await calls_of() == 0
        heard[0] = {**now, "b": 6}
        assert await calls_of() == 1
        inner.versions = {"a": 1, "b": 6}
        assert await calls_of() == 1
        assert await calls_of() == 0
        heard[0] = None
        assert await calls_of() == 1
        heard[0] = {"a": 1, "b": 5}
        assert await calls_of() == 1

    asyncio.run(story())


@pytest.mark.parametrize("request_", [{"method": "POST"}, {"cookie": "a=b"}, {"authorization": "Bearer x"}])
def test_nothing_of_somebodys_own_is_kept(request_):
    """Neither stored nor served."""
    inner = Counting({"a": 1})
    memory = Memory(inner, lambda: {"a": 1})

    async def story():
        await get(memory)
        await get(memory, **request_)
        await get(memory, **request_)
        assert inner.calls == 3

    asyncio.run(story())


@pytest.mark.parametrize("inner", [Counting({"a": 1}, status=404), Counting({"a": 1}, status=503)])
def test_only_what_went_well_is_kept(inner):
    """Errors are asked again."""
    memory = Memory(inner, lambda: {"a": 1})

    async def story():
        await get(memory)
        await get(memory)
        assert inner.calls == 2

    asyncio.run(story())


def test_identical_misses_wait_for_one_answer():
    """Fifty at once are one question; after an answer that cannot be kept, each asks for itself."""

    async def calls_for(inner):
        memory = Memory(inner, lambda: {"a": 1})
        answers = await asyncio.gather(*(get(memory) for _ in range(50)))
        assert len({status for status, _ in answers}) == 1
        return inner.calls

    assert asyncio.run(calls_for(Counting({"a": 1}, delay=0.05))) == 1
    assert asyncio.run(calls_for(Counting({"a": 1}, status=503, delay=0.05))) == 50


def test_memory_is_bounded_in_bytes():
    """The least recently used goes first; what is too large for its share is never kept."""
    inner = Counting({"a": 1}, body=b"x" * 9_000)
    memory = Memory(inner, lambda: {"a": 1}, limit=200_000)

    async def story():
        for number in range(100):
            await get(memory, path=f"/{number}")
            await get(memory, path="/0")
            assert memory.size <= 200_000
        assert inner.calls == 100
        await get(memory, path="/1")
        assert inner.calls == 101
        inner.body = b"x" * 20_000
        await get(memory, path="/large")
        await get(memory, path="/large")
        assert inner.calls == 103

    asyncio.run(story())


def test_304_from_memory_has_no_body():
    """To the tag of the kept answer."""
    memory = Memory(Counting({"a": 1}), lambda: {"a": 1})

    async def story():
        await get(memory)
        tag = "\"{'a': 1}\""
        assert await get(memory, if_none_match=f'W/{tag}, "x"') == (304, b"")
        assert (await get(memory, if_none_match='"x"'))[0] == 200

    asyncio.run(story())


PLACE = (
    "insert into territory.places (source_key, name, category, source, licence, position, geom) "
    "values (%s, 'n', 'cemetery', 's', 'l', 'surveyed', 'SRID=4326;POINT(2.79 50.45)')"
)


def test_no_worker_answers_older_than_it_already_did(loos):
    """Two workers, a writer and readers: each reader's count never goes down, and soon reaches what is written."""
    with running(loos, GOHELLE_WORKERS="2") as service, loos.superuser() as writer:
        counts: dict[int, list[int]] = {number: [] for number in range(4)}
        stop = threading.Event()

        def read(number):
            # One connection is one worker: what that worker has shown it never takes back.
            with httpx.Client(base_url=service.url, timeout=20) as client:
                while not stop.is_set():
                    answer = client.get("/collections/memory/items?limit=1").json()
                    counts[number].append(answer["numberMatched"])

        threads = [threading.Thread(target=read, args=[number]) for number in counts]
        for thread in threads:
            thread.start()
        for number in range(40):
            writer.execute(PLACE, [f"k{number}"])
            time.sleep(0.05)
        whole = loos.scalar("select count(*) from territory.places where category in ('cemetery', 'memorial')")
        wait_until(lambda: all(seen and seen[-1] == whole for seen in counts.values()))
        stop.set()
        for thread in threads:
            thread.join(20)
    for seen in counts.values():
        assert seen == sorted(seen)


def test_what_a_worker_has_written_it_shows_at_once(loos, monkeypatch):
    """Without waiting for the notification: here none is ever heard."""
    monkeypatch.setattr("psycopg.Connection.notifies", lambda *_, **__: iter(time.sleep(0.1) or ()))
    path = "/collections/memory/items?limit=1"
    with client_of(loos) as client:
        heard(client, loos)
        first = client.get(path).json()["numberMatched"]
        for number in range(5):
            with application(client).state.house.db.write() as tx:
                tx.exec_driver_sql(PLACE, (f"own{number}",))
            assert client.get(path).json()["numberMatched"] == first + number + 1


def test_a_deaf_worker_serves_nothing_from_memory(loos):
    """With its listener cut off it asks the database, and knows again once it hears."""
    with running(loos) as service, httpx.Client(base_url=service.url) as client:
        path = "/collections/memory/items?limit=1"
        first = client.get(path).json()["numberMatched"]
        cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity where query = 'listen territory' or query = 'select 1'"
        with loos.superuser() as writer:
            writer.execute(cut)
            writer.execute(PLACE, ["deaf"])
            wait_until(lambda: client.get(path).json()["numberMatched"] == first + 1)
            writer.execute(PLACE, ["hears"])
            wait_until(lambda: client.get(path).json()["numberMatched"] == first + 2)
