"""The application: routes, static files, and the layers around them, put together for one process."""

import ctypes
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from api import (
    assets,
    declare,
    embed,
    entrance,
    features,
    feeds,
    flags,
    health,
    installations,
    mine,
    moderation,
    openapi,
    photos,
    plan,
    problems,
    processes,
    schemas,
    search,
    sitemaps,
    statistics,
    styles,
    sums,
    territory,
    tiles,
    townhall,
    uploads,
)
from api.edge import LARGEST_BODY, Edge
from api.files import Files
from api.house import House
from api.leaving import Leaving
from api.logs import configure_logging
from api.memory import Memory
from geo.settings import Settings

FILES = {"/static": assets.STATIC, "/built": assets.BUILT, "/vendor/noto-sans": assets.BUILT / "noto-sans"}
"""Folders that are served as they are, by the beginning of their addresses."""


TOWN_HALL = (entrance, townhall, moderation, flags)
"""Rooms that are somebody's own; the entrance goes first, for `/townhall/login` is no declaration's number."""


def create(settings: Settings) -> ASGIApp:
    """The whole service as one ASGI application."""
    house = House(settings)
    listener = house.listener

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        listener.start()
        yield
        listener.stop()
        house.db.close()

    app = FastAPI(
        title="Gohelle",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        max_body_size=LARGEST_BODY,
        lifespan=lifespan,
    )
    app.state.house = house
    app.state.listener = listener
    problems.install(app)
    # Routes are tried in turn: those that are asked all day come first.
    app.router.routes.extend((*features.ALL_DAY, *tiles.ALL_DAY))
    rooms = (
        tiles,
        territory,
        schemas,
        openapi,
        search,
        styles,
        processes,
        uploads,
        plan,
        installations,
        declare,
        mine,
        photos,
        sums,
        statistics,
        embed,
        feeds,
        sitemaps,
        health,
    )
    for room in (*rooms, *TOWN_HALL):
        app.include_router(room.router)
    for path, folder in FILES.items():
        app.mount(path, Files(directory=folder, check_dir=False))
    bounds = _bounds(room.router for room in rooms)
    if not settings.memory_mb:
        return Edge(Leaving(app), settings, bounds, house.error_page)
    memory = Memory(Leaving(app), listener.current, limit=settings.memory_mb * 1_000_000)
    return Edge(memory, settings, bounds, house.error_page, memory.at_hand)


def _bounds(routers: Iterable[APIRouter]) -> dict[str, int]:
    """The largest bodies by path, as the routes declare them; the edge refuses by them before a byte is read."""
    declared = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    return {route.path: route.max_body_size for route in declared if route.max_body_size is not None}


MMAP_THRESHOLD = -3
LARGE = 1_000_000
"""Bytes of an answer, or of a part of it, that go back to the system once it is sent."""


def from_environment() -> ASGIApp:
    """What uvicorn calls in each worker."""
    # Left alone, glibc takes large answers from where small things lie, which then cannot be given back: a worker
    # grows by a quarter over some planners' questions. Other systems have no such setting, nor the habit.
    with suppress(AttributeError):
        ctypes.CDLL(None).mallopt(MMAP_THRESHOLD, LARGE)
    settings = Settings.from_env()
    configure_logging(settings)
    return create(settings)
