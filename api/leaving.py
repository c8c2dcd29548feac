"""When a client goes away, the statement that runs for it is cancelled in the database. Pure ASGI, next to the routes."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geo import errand


class Leaving:
    """Wraps the application. The request's errand is known to the thread that runs it, by its context."""

    def __init__(self, app: ASGIApp) -> None:
        """Pass everything on to the application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request, with an eye on the client."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with errand.begin() as mine:
            client = Client(receive, mine.abandon)
            if scope["method"] == "GET":
                client.watch()
            try:
                await self.app(scope, client, send)
            finally:
                client.forget()


class Client:
    """What comes from the client. Once its body is read, all that can still come is that it leaves."""

    def __init__(self, receive: Receive, left: Callable[[], None]) -> None:
        """Nothing is watched yet."""
        self._receive = receive
        self._left = left
        self._watching: asyncio.Task[Message] | None = None

    async def __call__(self) -> Message:
        """The next message, for the application."""
        if self._watching is not None:
            return await asyncio.shield(self._watching)
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            self.watch()
        return message

    def watch(self) -> None:
        """Wait, beside the application, for the client to leave."""
        self._watching = asyncio.ensure_future(self._leave(self._receive))

    async def _leave(self, receive: Callable[[], Awaitable[Message]]) -> Message:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                await asyncio.to_thread(self._left)
                return message

    def forget(self) -> None:
        """The answer is sent; whether the client leaves is no matter any more."""
        if self._watching is not None:
            self._watching.cancel()
