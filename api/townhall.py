"""The town hall's pages: the queue, one declaration in full, and the decision on it. Their JSON twins: moderation.py."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from api import desk, discreet, dossiers
from api.house import House, InHouse, Now
from api.query import Misread
from api.sessions import Called, Caller
from geo.errors import BadInput, IllegalDecision, NotFound, Stale, Unauthenticated
from geo.register import dossier, moderation, staff, worklist
from geo.register.staff import Member
from geo.register.worklist import VIEWS, View

router = APIRouter()

LINES = 50
"""Lines on a page of the queue."""

Typed = Annotated[str, Form()]


@router.get("/townhall")
def queue(request: Request, house: InHouse, caller: Called, now: Now) -> Response:
    """What waits, oldest first. `state` chooses a view, `cursor` a page of it, `done` says what was decided last."""
    asked = request.query_params
    view = _view(asked.get("state", ""))
    after = _after(asked.get("cursor", ""))
    try:
        with house.db.write() as tx:
            territory = house.catalogue.territory(tx)
            member = caller.member(tx, "look", now=now)
            counts = worklist.counts(tx)
            page = worklist.page(tx, view, limit=LINES, after=after)
    except Unauthenticated:
        return desk.elsewhere(request, "/townhall/login")
    lang = discreet.language(request, territory)
    document = {
        **_room(member, caller),
        "view": view,
        "views": [{"id": one, "count": counts[one], "work": one in worklist.WORK} for one in VIEWS],
        "most": worklist.COUNTED_TO,
        "lines": [dossiers.line(one, lang, now=now) for one in page.lines],
        "next": desk.cursor_text(page.after) if page.after else None,
        "first": after is not None,
        "done": asked.get("done") if asked.get("done") in moderation.DECISIONS else None,
    }
    return desk.page(request, territory, "townhall.html", document, query={"state": view})


@router.get("/townhall/{id}")
def one(id: str, request: Request, caller: Called, now: Now) -> Response:
    """One declaration, with all that a decision turns on."""
    return _shown(request, caller, now, id)


@router.post("/townhall/{id}")
def decide(
    id: str,
    request: Request,
    house: InHouse,
    caller: Called,
    now: Now,
    proof: Typed = "",
    act: Typed = "",
    reason: Typed = "",
    checked: Annotated[Sequence[str], Form()] = (),
    seen: Typed = "",
    state: Typed = "",
) -> Response:
    """Take a decision, and go on with the queue; what stands in its way is shown on the page, with what was typed."""
    typed = {"reason": reason, "checked": list(checked)}
    if act not in moderation.DECISIONS:
        raise NotFound("there is no such decision")
    try:
        with house.db.write() as tx:
            territory = house.catalogue.territory(tx)
            member = caller.member(tx, act, now=now, proof=proof)
            last = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 19 else -1
            how = {"reason": reason, "checked": checked, "seen": last}
            moderation.decide(tx, desk.number(id), act, member=member, territory=territory, now=now, **how)
    except Unauthenticated:
        return desk.elsewhere(request, "/townhall/login")
    except BadInput as error:
        wrong = [one.pointer.removeprefix("/") for one in error.problems if one.pointer]
        return _shown(request, caller, now, id, status=400, wrong=wrong, act=act, typed=typed)
    except (Stale, IllegalDecision):
        return _shown(request, caller, now, id, status=409, wrong=["stale"], typed=typed)
    return desk.elsewhere(request, f"/townhall?state={_view(state)}&done={act}")


@router.get("/townhall/{id}/photos/{which}")
def photo(id: str, which: str, house: InHouse, caller: Called, now: Now) -> Response:
    """A declaration's picture: the `current` one, or the one that is `waiting` with its amendment."""
    if which not in ("current", "waiting"):
        raise NotFound("there is no such photo")
    with house.db.write() as tx:
        caller.member(tx, "look", now=now)
        data = dossier.photo(tx, desk.number(id), waiting=which == "waiting")
    return Response(data, 200, {**desk.ALONE, "Content-Security-Policy": "default-src 'none'"}, "image/jpeg")


def _shown(
    request: Request,
    caller: Caller,
    now: Any,
    id: str,
    *,
    status: int = 200,
    wrong: Sequence[str] = (),
    act: str = "",
    typed: dict[str, Any] | None = None,
) -> Response:
    house: House = request.app.state.house
    try:
        with house.db.write() as tx:
            territory = house.catalogue.territory(tx)
            member = caller.reader(tx, now=now)
            staff.authorise(member, "look")
            found = dossier.read(tx, desk.number(id))
    except Unauthenticated:
        return desk.elsewhere(request, "/townhall/login")
    lang = discreet.language(request, territory)
    document = {
        **_room(member, caller),
        **dossiers.page(found, lang, now=now),
        "acts": list(dossiers.acts(found)),
        "reasoned": sorted(moderation.REASONED),
        "near": worklist.NEAR_METRES,
        "wrong": list(wrong),
        "tried": act,
        "typed": typed or {"reason": "", "checked": []},
        "view": _view(request.query_params.get("state", "")),
        "setup": {"basemap": house.settings.basemap, "attribution": territory.body["attribution"]},
    }
    policy = desk.map_policy(house.settings.basemap)
    return desk.page(
        request,
        territory,
        "townhall_entry.html",
        document,
        status=status,
        policy=policy,
        query={"state": document["view"]},
    )


def _room(member: Member, caller: Caller) -> dict[str, Any]:
    """What every page of the town hall shows of who looks at it."""
    return {"email": member.email, "role": member.role, "proof": caller.proof()}


def _view(text: str) -> View:
    """The view that an address names; the first where it names none."""
    return text if text in VIEWS else VIEWS[0]


def _after(text: str) -> Any:
    """Where the page begins; at the beginning where the address is no page of ours."""
    try:
        return desk.cursor(text) if text else None
    except Misread:
        return None
