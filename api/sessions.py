"""Who asks: a cookie or a key, read from the request and looked up in the handler's own transaction; and forms of ours.

Forms that act in somebody's name carry a proof that only our pages know, and come from our own pages alone.
"""

import hmac
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from geo.errors import Forbidden, Unauthenticated
from geo.register import access, staff
from geo.register.staff import Member
from geo.settings import Settings

READING = {"GET", "HEAD"}


class Caller:
    """One request's credentials. Nobody is looked up before `member` is asked."""

    def __init__(self, request: Request) -> None:
        """Read the headers. A key counts before a cookie: no foreign page can send one."""
        self.request = request
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        self.key = key.strip() if scheme.lower() == "bearer" else None
        self.cookie = request.cookies.get(cookie_name(request.app.state.house.settings))

    def member(self, tx: Any, act: str, *, now: datetime, proof: str | None = None) -> Member:
        """Who asks, if they may do that. Unauthenticated where nobody is known; Forbidden where it is not theirs.

        `proof` is what a form of ours carried; programs that use a session send it as `X-CSRF-Token`.
        """
        found = self.reader(tx, now=now)
        if self.key is None and self.request.method not in READING:
            self.guard(proof or self.request.headers.get("x-csrf-token", ""))
        staff.authorise(found, act)
        return found

    def reader(self, tx: Any, *, now: datetime) -> Member:
        """Who asks, for an answer that changes nothing, whatever the method; Unauthenticated where nobody is known."""
        if self.key is not None:
            return access.of_key(tx, self.key, now=now)
        if self.cookie:
            return access.of_session(tx, self.cookie, now=now)
        raise Unauthenticated(access.WHO)

    def proof(self) -> str:
        """What the forms of this session's pages carry; empty where a key asks, which needs none."""
        return access.proof(self.cookie) if self.cookie and self.key is None else ""

    def guard(self, proof: str) -> None:
        """Forbidden unless a form of this session's own pages was sent, by a browser that says it came from us."""
        expected = self.proof().encode()
        if not of_our_own(self.request) or not hmac.compare_digest(proof.encode("utf-8", "replace"), expected):
            raise Forbidden("this form does not come from this session's pages: open the page again")


def of_our_own(request: Request, *, strict: bool = True) -> bool:
    """Whether a page of ours sent the request, as its browser tells.

    `strict` refuses who does not tell. Pages that send no referrer cannot tell over plain HTTP: theirs are not strict.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin", "null")
    if origin == "null":
        return not strict
    return urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()


def from_our_pages(request: Request) -> None:
    """Forbidden where a page of another site fills in a form that needs no session."""
    if not of_our_own(request, strict=False):
        raise Forbidden("this form does not come from this site's own pages")


def cookie_name(settings: Settings) -> str:
    """The session's cookie; over HTTPS its name binds it to this very host and to encrypted ways."""
    return "__Host-gohelle" if _secure(settings) else "gohelle"


def open_cookie(response: Response, settings: Settings, secret: str) -> None:
    """Give the browser its session."""
    response.set_cookie(
        cookie_name(settings),
        secret,
        max_age=int(access.LONGEST.total_seconds()),
        secure=_secure(settings),
        httponly=True,
        samesite="lax",
    )


def close_cookie(response: Response, settings: Settings) -> None:
    """Take the session's cookie away."""
    response.delete_cookie(cookie_name(settings), secure=_secure(settings), httponly=True, samesite="lax")


def _secure(settings: Settings) -> bool:
    return settings.public_url.startswith("https:")


Called = Annotated[Caller, Depends(Caller)]
