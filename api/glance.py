"""Questions that are asked all day: answered on the event loop where one statement settles them, else in a thread."""

from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.house import PAGE, Ask
from geo.collections import Question, Seen, Territory

PLAIN = frozenset(("f", "lang", "limit", "bbox", "cursor", "crs", "bbox-crs", "collections"))
"""Parameters whatever values of which one plan suits. The best plan for a filter depends on how rare its value is."""

BULKY = 20_000
"""Bytes from which on compressing would keep the others on the loop waiting."""


async def glance(ask: Ask, question: Question[Seen], reply: Callable[[Territory, Seen], Response]) -> Response:
    """The answer to a question: `reply` writes it, and runs on the loop or in a thread, as do those who ask."""
    house = ask.house
    heard = house.listener.current() if PLAIN.issuperset(ask.request.query_params) else None
    told = await house.catalogue.glance(house.db, heard, question)
    if told is not None and ask.form is not PAGE and (told[1].size < BULKY or not ask.coding):
        return reply(*told)
    return await run_in_threadpool(lambda: reply(*(told or house.catalogue.look(house.db, question))))


def all_day(path: str, answer: Callable[..., Awaitable[Response]]) -> Route:
    """A route for what is asked all day: the answer is called with the question and the path's own parts by name.

    A plain route: FastAPI's own, which checks and converts what there is nothing of here, costs as much as a tile.
    """

    async def endpoint(request: Request) -> Response:
        return await answer(Ask(request), **request.path_params)

    return Route(path, endpoint, name=answer.__name__)
