"""Where anybody reports a public entry to the town: a form, and the page that its mailed link opens."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from api import desk, discreet
from api.house import InHouse, Now
from api.sessions import from_our_pages
from geo.collections import Territory
from geo.columns import say
from geo.errors import BadInput, BadKey, NotFound
from geo.register import flags

router = APIRouter()

Typed = Annotated[str, Form()]


@router.get("/flag")
def form(request: Request, house: InHouse) -> Response:
    """The form for one public entry, which `entry` names by the key in its `source_key`."""
    with house.db.read() as tx:
        territory = house.catalogue.territory(tx)
        lang = discreet.language(request, territory)
        entry = _entry(request.query_params.get("entry", ""))
        name = say(flags.named(tx, entry), lang)
    return _form(request, territory, entry, name)


@router.post("/flag")
def report(
    request: Request,
    house: InHouse,
    now: Now,
    entry: Typed = "",
    reason: Typed = "",
    words: Typed = "",
    email: Typed = "",
    website: Typed = "",
) -> Response:
    """Take a report, and mail the link that confirms it. `website` is seen by programs alone, and stays empty."""
    from_our_pages(request)
    key = _entry(entry)
    with house.db.read() as tx:
        territory = house.catalogue.territory(tx)
        lang = discreet.language(request, territory)
        name = say(flags.named(tx, key), lang)
    typed = {"reason": reason, "words": words, "email": email}
    if website:
        return _form(request, territory, key, name, sent=True)
    try:
        with house.db.write() as tx:
            flags.report(tx, key, **typed, address=desk.network(request), language=lang, now=now)
    except BadInput as error:
        wrong = [one.pointer.removeprefix("/") for one in error.problems if one.pointer]
        return _form(request, territory, key, name, status=400, typed=typed, wrong=wrong)
    return _form(request, territory, key, name, sent=True)


@router.get("/flag/confirm")
def confirmation(request: Request, house: InHouse) -> Response:
    """Where the mailed link leads; only its button confirms."""
    with house.db.read() as tx:
        territory = house.catalogue.territory(tx)
    return _confirmation(request, territory)


@router.post("/flag/confirm")
def confirm(request: Request, house: InHouse, now: Now, code: Typed = "") -> Response:
    """Count the report that the mailed key is for."""
    from_our_pages(request)
    with house.db.read() as tx:
        territory = house.catalogue.territory(tx)
    try:
        with house.db.write() as tx:
            flags.confirm(tx, code.strip(), now=now)
    except BadKey:
        return _confirmation(request, territory, status=404, wrong=True)
    return _confirmation(request, territory, done=True)


def _form(
    request: Request,
    territory: Territory,
    entry: UUID,
    name: str,
    *,
    status: int = 200,
    typed: dict[str, str] | None = None,
    wrong: list[str] | None = None,
    sent: bool = False,
) -> Response:
    document = {
        "entry": str(entry),
        "name": name,
        "reasons": list(flags.REASONS),
        "typed": typed or {"reason": "", "words": "", "email": ""},
        "wrong": wrong or [],
        "sent": sent,
        "folder": desk.mail_folder(request),
    }
    return desk.page(request, territory, "flag.html", document, status=status, query={"entry": str(entry)})


def _confirmation(
    request: Request, territory: Territory, *, status: int = 200, wrong: bool = False, done: bool = False
) -> Response:
    return desk.key_page(request, territory, "flag_confirm.html", {"wrong": wrong, "done": done}, status=status)


def _entry(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("there is no such public entry") from None
