"""Statements asked from the event loop: what comes back, who waits for whom, and what happens when something breaks."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from psycopg.conninfo import make_conninfo

from geo import errand, wire
from geo.db import Database
from geo.errors import Broken, TooSlow, Unavailable
from geo.settings import conninfo
from geo.wire import Wire, numbered

WHO = "select pg_backend_pid() as pid"


@pytest.fixture
def two(shown) -> Iterator[Wire]:
    """A wire of two connections as the reader, with a short patience in the database."""
    options = "-c statement_timeout=2s -c timezone=UTC"
    made = Wire(make_conninfo(conninfo(shown.settings.reader_url), options=options), size=2)
    yield made
    made.close()


def running(territory, pid: int) -> int:
    """How many statements run on a connection of the database."""
    return territory.scalar("select count(*) from pg_stat_activity where pid = %s and state = 'active'", pid)


async def until(true: Callable[[], Any]) -> None:
    """Wait for something, 5 s at most."""
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.01)


def test_values_come_and_go_as_they_are(two: Wire):
    """Of every type that a statement of ours takes or tells; a name may stand in it twice, a per cent sign is doubled."""
    sql = """select %(n)s::integer + 1 as n, %(big)s::bigint as big, %(x)s::float8 as x, %(text)s::text as text, 'a%%' as per,
        %(none)s::text as none, %(yes)s::boolean as yes, array[%(text)s::text] || %(list)s::text[] as list,
        'é'::bytea as raw, '{"a": [1]}'::jsonb as json"""
    values = {
        "n": 41,
        "big": 1 << 43,
        "x": 2.5,
        "text": "l'été \\ \"%s",
        "none": None,
        "yes": True,
        "list": ["a", "b,"],
    }
    row = asyncio.run(two.one(sql, values))
    assert row._asdict() == {
        "n": 42,
        "big": 1 << 43,
        "x": 2.5,
        "text": values["text"],
        "per": "a%",
        "none": None,
        "yes": True,
        "list": [values["text"], "a", "b,"],
        "raw": "é".encode(),
        "json": {"a": [1]},
    }
    assert asyncio.run(two.one("select 1 as n where %(n)s::integer > 2", {"n": 1})) is None


def test_a_statement_is_prepared_once(two: Wire, monkeypatch):
    """Whatever the numbers in it; and a connection that holds too many begins anew."""
    held = "select count(*)::integer as n from pg_prepared_statements"

    async def asked() -> tuple[int, int]:
        for n in (1, 300, 70_000):
            assert (await two.one("select %(n)s::integer as n", {"n": n})).n == n
        few = (await two.one(held, {})).n
        monkeypatch.setattr(wire, "PREPARED", 4)
        for n in range(20):
            assert (await two.one(f"select {n} as n", {})).n == n
        return few, (await two.one(held, {})).n

    few, then = asyncio.run(asked())
    assert few == 2
    assert then <= 4


def test_who_came_first_is_served_first_and_nobody_is_forgotten(two: Wire):
    """Fifty at once over two connections."""

    async def asked() -> tuple[list[int], set[int]]:
        done: list[int] = []
        pids: set[int] = set()

        async def one(n: int) -> None:
            pids.add((await two.one(f"{WHO}, pg_sleep(0.01)", {})).pid)
            done.append(n)

        await asyncio.gather(*(one(n) for n in range(50)))
        return done, pids

    done, pids = asyncio.run(asked())
    assert len(pids) == 2
    assert max(abs(place - n) for place, n in enumerate(done)) <= 2


def test_whoever_gives_up_waiting_takes_nobody_s_turn(two: Wire, shown):
    """One that waited and one that was being answered: the others are served, and not what the second had asked."""

    async def asked() -> None:
        slow = [asyncio.ensure_future(two.one("select 'slow' as told, pg_sleep(1)", {})) for _ in range(2)]
        await asyncio.sleep(0.2)
        waiting = [asyncio.ensure_future(two.one(f"select {n} as told", {})) for n in range(4)]
        await asyncio.sleep(0.05)
        waiting[0].cancel()
        slow[0].cancel()
        rest = await asyncio.gather(*waiting[1:])
        assert [row.told for row in rest] == [1, 2, 3]
        assert (await slow[1]).told == "slow"

    asyncio.run(asked())


def test_a_connection_handed_to_whoever_just_gave_up_is_not_lost(two: Wire):
    """Between the hand-over and the waiter's turn in the loop, its request may be cancelled."""

    async def asked() -> int:
        lines = [await two._borrowed(), await two._borrowed()]
        late = asyncio.create_task(two._borrowed())
        await until(lambda: two._waiting)
        two._give_back(lines[0])
        late.cancel()
        with pytest.raises(asyncio.CancelledError):
            await late
        two._give_back(lines[1])
        return len(two._idle)

    assert asyncio.run(asked()) == 2


def test_whoever_gives_up_opening_leaves_the_place_to_the_next(two: Wire):
    """Or those who wait would wait for a connection that nobody opens."""

    async def asked() -> None:
        opening = [asyncio.create_task(two._borrowed()) for _ in range(2)]
        waiting = asyncio.create_task(two._borrowed())
        await asyncio.sleep(0)
        for one in opening:
            one.cancel()
        async with asyncio.timeout(5):
            two._give_back(await waiting)

    asyncio.run(asked())


def test_a_broken_connection_is_said_and_replaced(two: Wire, shown):
    """Broken under a statement, and broken while nobody asked."""

    async def asked() -> None:
        pid = (await two.one(WHO, {})).pid
        lasting = asyncio.ensure_future(two.one("select pg_sleep(1.5)", {}))
        await until(lambda: running(shown, pid))
        shown.scalar("select pg_terminate_backend(%s)", pid)
        with pytest.raises(Unavailable):
            await lasting
        other = (await two.one(WHO, {})).pid
        shown.scalar("select pg_terminate_backend(%s)", other)
        await until(lambda: not shown.scalar("select count(*) from pg_stat_activity where pid = %s", other))
        await asyncio.sleep(0.05)  # the end of the connection is heard
        assert (await two.one(WHO, {})).pid not in (pid, other)

    asyncio.run(asked())


def test_no_database_is_unavailable():
    """Not an error of ours."""
    with pytest.raises(Unavailable):
        asyncio.run(Wire("host=/nowhere dbname=gohelle", size=1).one("select 1", {}))


def test_the_database_s_patience_ends(two: Wire):
    """TooSlow, and the connection goes on."""

    async def asked() -> None:
        pids = {(await two.one(WHO, {})).pid}
        with pytest.raises(TooSlow):
            await two.one("select pg_sleep(5)", {})
        assert (await two.one(WHO, {})).pid in pids

    asyncio.run(asked())


def test_a_statement_that_nobody_waits_for_is_called_off(two: Wire, shown):
    """In the database, at once; and it is that statement that is hit, not the next on the same connection."""

    async def asked() -> None:
        pid = (await two.one(WHO, {})).pid
        with errand.begin() as mine:
            lasting = asyncio.ensure_future(two.one("select pg_sleep(1.9)", {}))
            await until(lambda: running(shown, pid))
            threading.Thread(target=mine.abandon).start()
            with pytest.raises(TooSlow):
                await lasting
            with pytest.raises(TooSlow):
                await two.one(WHO, {})  # of the same errand
        for _ in range(20):
            assert (await two.one("select 1 as n, pg_sleep(0.001)", {})).n == 1
        assert running(shown, pid) == 0

    asyncio.run(asked())


@pytest.mark.parametrize("sql", ["select 1 / 0 as n", "select no_such_column", "select 'secret'::integer"])
def test_a_fault_of_ours_quotes_nothing(two: Wire, sql: str):
    """The database's own message may hold what was asked."""

    async def asked() -> None:
        with pytest.raises(Broken) as told:
            await two.one(sql, {})
        assert "secret" not in str(told.value)
        assert (await two.one("select 1 as n", {})).n == 1

    asyncio.run(asked())


def test_a_table_that_changed_is_prepared_anew(database):
    """The plan that was made is of other columns: once unavailable, then right."""
    made = Wire(conninfo(database.settings.database_url), size=1)

    async def asked() -> None:
        assert (await made.one("select * from changing", {}))._asdict() == {"n": 1}
        with database.superuser() as connection:
            connection.execute("alter table public.changing add column m integer default 2")
        with pytest.raises(Unavailable):
            await made.one("select * from changing", {})
        assert (await made.one("select * from changing", {}))._asdict() == {"n": 1, "m": 2}

    with database.superuser() as connection:
        connection.execute("create table public.changing as select 1 as n")
        connection.execute("grant select on public.changing to public")
    asyncio.run(asked())
    made.close()


def test_much_goes_both_ways(two: Wire):
    """More than a socket holds at once."""
    much = "x" * 4_000_000
    row = asyncio.run(two.one("select length(%(much)s::text) as n, %(much)s::text as back", {"much": much}))
    assert (row.n, row.back) == (len(much), much)


def test_another_loop_has_connections_of_its_own(two: Wire):
    """Those of a loop that has ended are closed."""
    pids = [asyncio.run(two.one(WHO, {})).pid for _ in range(3)]
    assert len(set(pids)) == 3


def test_each_name_has_one_number():
    """In the order in which they first stand."""
    assert numbered("%(b)s %(a)s %% %(b)s") == (b"$1 $2 % $1", ("b", "a"))


def test_the_wire_reads_and_cannot_write(shown):
    """It is the reader's login, as everything that reads."""
    db = Database(shown.settings)
    with pytest.raises(Broken, match="25006"):
        asyncio.run(db._wire.one("update territory.version set version = version + 1 returning 1", {}))
    with pytest.raises(Broken, match="42501"):
        asyncio.run(db._wire.one("select count(*) from register.declarations", {}))
    db.close()
