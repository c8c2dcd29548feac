"""What is asked all day is answered at a glance; what a glance does not settle is answered all the same."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from geo import db
from tests.api.conftest import application, client_of, heard
from tests.conftest import Territory

ASKED = (
    "/collections/landmarks/items?limit=5&bbox=2,50,3,51",
    "/collections/landmarks/items/{id}",
    "/collections/landmarks/tiles/WebMercatorQuad/9/172/259",
    "/tiles/WebMercatorQuad/9/172/259?collections=landmarks,solar",
)


@pytest.fixture
def looks(loos: Territory, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[TestClient, list[str]]]:
    """A client whose service keeps no answers and is soon out of patience, and the snapshots that it begins."""
    monkeypatch.setattr(db, "GLANCE_SECONDS", 0.3)
    with client_of(replace(loos, settings=replace(loos.settings, memory_mb=0))) as client:
        for collection in ("landmarks", "solar"):
            client.get(f"/collections/{collection}/items")
        heard(client, loos)
        looked: list[str] = []
        catalogue = application(client).state.house.catalogue
        look = catalogue.look
        monkeypatch.setattr(catalogue, "look", lambda *asked: looked.append("look") or look(*asked))
        yield client, looked


def paths(territory: Territory) -> list[str]:
    """The questions, about an item that there is."""
    id = territory.scalar("select id from territory.places where category = 'monument' order by id limit 1")
    return [path.format(id=id) for path in ASKED]


def test_what_is_asked_all_day_needs_no_thread(looks, loos):
    """Pages, items and tiles; a filter does, for its best plan depends on its values."""
    client, looked = looks
    for path in paths(loos):
        answer = client.get(path)
        assert (answer.status_code, len(answer.content) > 20) == (200, True), path
    assert looked == []
    assert client.get(f"{paths(loos)[0]}&category=monument").status_code == 200
    assert looked == ["look"]


def test_what_takes_long_is_asked_again_where_it_keeps_nobody_waiting(looks, loos):
    """Each question about places takes longer than a glance may."""
    client, looked = looks
    path = paths(loos)[0]
    told = client.get(path).json()
    with loos.superuser() as connection:
        connection.execute("create policy slow on territory.places using ((select pg_sleep(0.6))::text is not null)")
        connection.execute("alter table territory.places enable row level security")
    assert client.get(path).json() == told
    assert looked == ["look"]


def test_a_lost_connection_costs_no_answer(looks, loos):
    """All are ended while nobody asks, and nobody who asks then is told."""
    client, _ = looks
    path = paths(loos)[0]
    told = client.get(path).json()
    ended = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'gohelle_reader' and datname = current_database()"
    loos.scalar(ended)
    time.sleep(db.ALIVE_SECONDS + 0.1)  # a pool asks a connection that has rested whether it lives
    assert client.get(path).json() == told
    heard(client, loos)
    assert client.get(path).json() == told


@pytest.mark.parametrize(
    "path",
    ["/collections/nowhere/items", "/collections/solar/items/0", "/collections/solar/tiles/WebMercatorQuad/14/0/0"],
)
def test_what_seems_not_to_be_there_is_looked_for_before_that_is_said(looks, path: str):
    """What was heard last may be a moment old: it may have come since."""
    client, looked = looks
    assert client.get(path).status_code == 404
    assert looked == ["look"]
