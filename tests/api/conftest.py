"""Clients of the application: in this process, over real databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from api.app import configure_logging, create
from api.work import Workshop
from geo.register import access, staff
from geo.register.staff import ROLES
from geo.settings import Settings
from tests.conftest import Territory
from tests.script.conftest import wait_until


@pytest.fixture(scope="session", autouse=True)
def logging() -> None:
    """As the service logs: tracebacks without values."""
    configure_logging(Settings.from_env({}))


@pytest.fixture(scope="session")
def looker(shown: Territory) -> Iterator[TestClient]:
    """A client of Loos-en-Gohelle, for tests that only look."""
    with client_of(shown) as client:
        yield client


@pytest.fixture
def client(loos: Territory) -> Iterator[TestClient]:
    """A client of a Loos-en-Gohelle of the test's own."""
    with client_of(loos) as client:
        yield client


@pytest.fixture
def keys(loos):
    """The header of a program of each role."""
    made = {}
    with loos.db.write() as tx:
        for role in ROLES:
            member = staff.add(tx, f"{role}@loos.example", role, language="fr", now=datetime.now(UTC))
            key = access.make_key(tx, member.id, name="test", lifetime=timedelta(days=1), now=datetime.now(UTC))
            made[role] = {"Authorization": f"Bearer {key}"}
    return made


@pytest.fixture
def shop(loos):
    """A worker's room."""
    workshop = Workshop(loos.settings)
    yield workshop
    workshop.db.close()


def client_of(territory: Territory) -> TestClient:
    """A client that sees a 500 as the world does, and names a host that the service knows."""
    return TestClient(
        create(territory.settings),
        base_url=territory.settings.public_url,
        raise_server_exceptions=False,
        follow_redirects=False,
    )


def application(client: TestClient) -> FastAPI:
    """The application inside its layers."""
    inner = client.app
    while not isinstance(inner, FastAPI):
        inner = inner.app  # pyright: ignore[reportFunctionMemberAccess] (each layer wraps the next)
    return inner


def routes(client: TestClient) -> set[tuple[str, str]]:
    """Every method and path that the application answers, files aside, whatever router holds them."""
    held: list[Any] = [application(client)]
    found = set()
    while held:
        for route in held.pop().routes:
            if isinstance(route, APIRoute):
                found |= {(method, route.path) for method in route.methods or ()}
            elif hasattr(route, "original_router"):  # FastAPI keeps included routers whole
                held.append(route.original_router)
    return found


def heard(client: TestClient, territory: Territory) -> None:
    """Wait until the client's service has heard of every commit so far: a notification takes some milliseconds."""
    listener = application(client).state.listener
    with territory.superuser() as connection:
        rows = connection.execute("select collection, version from territory.version").fetchall()
    wait_until(lambda: listener.current() == dict(rows))
