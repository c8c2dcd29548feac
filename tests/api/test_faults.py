"""The database is killed under traffic: the service says so, keeps what it confirmed, and recovers by itself."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2 as httpx
import pytest
from sqlalchemy.engine import make_url

from geo import schema
from geo.db import Database
from geo.settings import Settings
from seed import pack
from tests.conftest import LOOS, Service, Territory, running
from tests.declaring import body
from tests.script.conftest import Folder, clear_away, wait_until

DRAFT = body("photovoltaic", power_kw=3)


@pytest.fixture
def standing() -> Iterator[tuple[Folder, Service]]:
    """A service over a private cluster of its own, as script/server makes it."""
    folder = Folder(test=False)
    try:
        folder.start()
        with running(_territory(folder), GOHELLE_DECLARATIONS_A_DAY="0") as service:
            yield folder, service
    finally:
        clear_away(folder)


def _territory(folder: Folder) -> Territory:
    url = folder.do("url").stdout.strip()
    settings = Settings.from_env({"GOHELLE_DATABASE_URL": url})
    schema.upgrade(settings)
    db = Database(settings)
    pack.load(db, LOOS)
    db.close()
    return Territory(settings, db, make_url(url).set(username="postgres").render_as_string())


@contextmanager
def traffic(url: str) -> Iterator[list[tuple[str, httpx.Response]]]:
    """Four clients that read and one that declares, without a pause; their answers."""
    answers: list[tuple[str, httpx.Response]] = []
    stop = threading.Event()

    def read(path: str) -> None:
        with httpx.Client(base_url=url, timeout=30) as client:
            while not stop.is_set():
                answers.append(("GET", client.get(path)))

    def declare() -> None:
        with httpx.Client(base_url=url, timeout=30) as client:
            for number in range(10_000):
                if stop.is_set():
                    return
                answers.append(("POST", client.post("/installations", json={**DRAFT, "words": f"n{number}"})))

    paths = ("/collections/solar/items", "/collections", "/?f=html", "/collections/solar/items?f=html")
    threads = [threading.Thread(target=read, args=[path]) for path in paths] + [threading.Thread(target=declare)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)


@pytest.mark.long
def test_a_killed_database(standing):
    """503 with Retry-After while it is away, nothing half-written, and no hand needed after it is back."""
    folder, service = standing
    with traffic(service.url) as answers:
        wait_until(lambda: len(answers) > 100)
        folder.crash()
        at = len(answers)
        wait_until(lambda: any(answer.status_code == 503 for _, answer in answers[at:]))
        wait_until(folder.gone)
        time.sleep(0.3)
        folder.start()
        back = len(answers)
        wait_until(lambda: sum(answer.status_code in (200, 202) for _, answer in answers[back:]) > 50)
        recovered = len(answers)
        wait_until(lambda: len(answers) > recovered + 100)
    statuses = {answer.status_code for _, answer in answers}
    assert statuses == {200, 202, 503}
    for _, answer in answers:
        if answer.status_code == 503:
            assert answer.headers["retry-after"].isdigit()
            assert answer.headers["access-control-allow-origin"] == "*"
            assert answer.headers["content-type"].startswith(("application/problem+json", "text/html"))
    assert {answer.status_code for _, answer in answers[recovered:]} <= {200, 202}
    confirmed = {answer.json()["id"] for method, answer in answers if method == "POST" and answer.status_code == 202}
    kept = set(folder.ask("select id from register.declarations").split())
    assert confirmed <= kept
    # A declaration whose confirmation was cut off may be there; each that is there is whole.
    assert folder.ask("select count(*) from register.declarations d where not exists "
                      "(select from register.audit a where a.declaration = d.id)") == "0"  # fmt: skip


def test_readiness_tells_and_health_does_not(standing):
    """/healthz is about the process, /readyz about the answers."""
    folder, service = standing
    assert httpx.get(f"{service.url}/readyz").status_code == 200
    folder.do("stop")
    assert httpx.get(f"{service.url}/healthz").status_code == 200
    assert httpx.get(f"{service.url}/readyz").status_code == 503
    folder.start()
    wait_until(lambda: httpx.get(f"{service.url}/readyz").status_code == 200)
    os.kill(service.process.pid, 0)


def test_a_client_that_leaves_takes_its_statement_along(loos):
    """Questions that wait for a lock are dropped by their clients: within a moment nothing of theirs runs any more."""
    waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    inputs = {"collections": ["solar"], "distance": 300, "geometry": {"type": "Point", "coordinates": [2.79, 50.45]}}
    asked = (
        ("GET", "/processes/nearby/execution?collections=solar&lon=2.79&lat=50.45&distance=300", None),
        ("GET", "/collections/solar/items?bbox=2,50,3,51", None),
        ("POST", "/processes/nearby/execution", {"inputs": inputs}),
    )
    with running(loos) as service:
        with loos.superuser() as connection:
            connection.execute("begin")
            connection.execute("lock table territory.installations")
            for method, path, body in asked:
                with httpx.Client(base_url=service.url, timeout=0.7) as client, pytest.raises(httpx.ReadTimeout):
                    client.request(method, path, json=body)
                wait_until(lambda: loos.scalar(waiting) == 0, 5)
            connection.execute("rollback")
        assert httpx.get(f"{service.url}/collections/solar/items").status_code == 200
