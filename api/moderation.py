"""The queue and its decisions as JSON, for the town hall's own programs: a key as `Authorization: Bearer`, or a session."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import TypeAdapter
from starlette.responses import Response

from api import desk, dossiers
from api.house import JSON, Asked, InHouse, Now
from api.query import Misread, one_of
from api.sessions import Called
from geo.errors import NotFound
from geo.register import dossier, moderation, outbox, worklist
from geo.register.findings import findings
from geo.register.moderation import DECISIONS, Decided
from geo.register.worklist import VIEWS

router = APIRouter()

DEFAULT_LINES, MOST_LINES = 50, 500

_PLAIN = TypeAdapter(Any)


@router.get("/register/declarations")
def declarations(ask: Asked, house: InHouse, caller: Called, now: Now) -> Response:
    """What waits, oldest first: a view by `state`, `limit` lines, from `cursor` on."""
    with house.db.write() as tx:
        territory = house.catalogue.territory(tx)
        caller.member(tx, "look", now=now)
        parameters = ask.settle(territory, (JSON,))
        view = parameters.take("state", one_of(VIEWS), VIEWS[0])
        limit = parameters.take("limit", _limit, DEFAULT_LINES)
        after = parameters.take("cursor", desk.cursor, None)
        parameters.finish()
        page = worklist.page(tx, view, limit=limit, after=after)  # pyright: ignore[reportArgumentType] (one of VIEWS)
    lines = [asdict(line) for line in page.lines]
    cursor = desk.cursor_text(page.after) if page.after else None
    return _answer({"declarations": lines, "cursor": cursor})


@router.get("/register/declarations/{id}")
def declaration(id: str, house: InHouse, caller: Called, now: Now) -> Response:
    """One declaration, with all that a decision turns on, and the decisions that it takes now."""
    with house.db.write() as tx:
        caller.member(tx, "look", now=now)
        found = dossier.read(tx, desk.number(id))
    marked = {name: findings(found.facts[name]) for name in worklist.TEXTS if name in found.facts}
    return _answer({**asdict(found), "acts": list(dossiers.acts(found)), "findings": marked})


@router.post("/register/declarations/{id}/{act}")
def decide(id: str, act: str, body: Decided, house: InHouse, caller: Called, now: Now) -> Response:
    """Take a decision; the new state. `seen` of the declaration, sent along, refuses what changed since it was read."""
    with house.db.write() as tx:
        member = caller.member(tx, act if act in DECISIONS else "look", now=now)
        if act not in DECISIONS:
            raise NotFound("there is no such decision")
        territory = house.catalogue.territory(tx)
        how = {"reason": body.reason, "checked": body.checked, "seen": body.seen}
        state = moderation.decide(tx, desk.number(id), act, member=member, territory=territory, now=now, **how)
    return _answer({"id": id, "state": state})


@router.get("/register/tally")
def tally(house: InHouse, caller: Called, now: Now) -> Response:
    """For whoever watches over the service: how many declarations in each state, since when the oldest has been waiting."""
    with house.db.write() as tx:
        caller.member(tx, "count", now=now)
        counted = worklist.tally(tx)
        letters = outbox.tally(tx)
    return _answer({**counted, "letters": asdict(letters)})


def _answer(document: Any) -> Response:
    return desk.answer(_PLAIN.dump_python(document, mode="json"))


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text[:9]) >= 1 or len(text) > 9:
        raise Misread(f"must be a whole number from 1 to {MOST_LINES}")
    return min(int(text), MOST_LINES)
