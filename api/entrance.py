"""The town hall's door for people: an address is asked for, a link is mailed, its key opens a session.

Nothing here tells whether an address is one of staff: the answer is the same, and so is what is done before it.
"""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from api import desk, discreet
from api.house import InHouse, Now
from api.sessions import Called, close_cookie, from_our_pages, open_cookie
from geo.collections import Territory
from geo.errors import BadInput, BadKey
from geo.register import access, staff

router = APIRouter()

Typed = Annotated[str, Form()]


@router.get("/townhall/login")
def login(request: Request, house: InHouse) -> Response:
    """Where staff ask for a link, and where the link leads; its key lies in the fragment, which only the page reads."""
    with house.db.read() as tx:
        territory = house.catalogue.territory(tx)
    return _door(request, territory)


@router.post("/townhall/login")
def invite(request: Request, house: InHouse, now: Now, email: Typed = "") -> Response:
    """Mail a link, if the address is one of staff."""
    from_our_pages(request)
    with house.db.write() as tx:
        territory = house.catalogue.territory(tx)
        lang = discreet.language(request, territory)
        try:
            staff.invite(tx, email, address=desk.network(request), language=lang, now=now)
        except BadInput:
            return _door(request, territory, status=400, wrong="email", email=email)
    return _door(request, territory, sent=True)


@router.post("/townhall/session")
def enter(request: Request, house: InHouse, caller: Called, now: Now, code: Typed = "") -> Response:
    """Open a session with the key of a mailed link; a session that was open in this browser ends."""
    from_our_pages(request)
    with house.db.read() as tx:
        territory = house.catalogue.territory(tx)
    try:
        with house.db.write() as tx:
            secret, member = access.enter(tx, code.strip(), now=now)
            if caller.cookie:
                access.close_session(tx, caller.cookie)
    except BadKey:
        return _door(request, territory, status=404, wrong="code")
    answer = desk.elsewhere(request, "/townhall" if member.may("look") else "/")
    open_cookie(answer, house.settings, secret)
    return answer


@router.post("/townhall/logout")
def leave(request: Request, house: InHouse, caller: Called, proof: Typed = "") -> Response:
    """End the session, here and in the database."""
    caller.guard(proof)
    with house.db.write() as tx:
        access.close_session(tx, caller.cookie or "")
    answer = desk.elsewhere(request, "/townhall/login")
    close_cookie(answer, house.settings)
    return answer


def _door(
    request: Request, territory: Territory, *, status: int = 200, wrong: str = "", sent: bool = False, email: str = ""
) -> Response:
    document = {"wrong": wrong, "sent": sent, "email": email, "folder": desk.mail_folder(request)}
    return desk.key_page(request, territory, "townhall_login.html", document, status=status)
