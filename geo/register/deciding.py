"""What follows from a step of the life cycle: the public row comes or goes, an amendment is taken over, a letter is written."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection, RowMapping

from geo.collections import Territory
from geo.errors import IllegalDecision
from geo.register import outbox
from geo.register.draft import Draft
from geo.register.entries import pending, rewrite
from geo.register.lifecycle import Act, Actor, State, step
from geo.register.publishing import publish, unpublish


def decide(
    tx: Connection,
    id: UUID,
    act: Act,
    *,
    territory: Territory,
    actor: Actor,
    now: datetime,
    reason: str | None = None,
) -> State:
    """Take a decision of the town hall's and do what follows from it; the new state.

    Forbidden, NotFound and IllegalDecision as `lifecycle.step` says; IllegalDecision, too, where an amendment is to be
    decided and none waits.
    """
    before, state = step(tx, id, act, actor=actor, now=now, reason=reason)
    if act in _AMENDED:
        _amended(tx, id, act, now=now)
    if state == "published" and act != "reject_amendment":
        publish(tx, id, territory=territory)
    if state == "hidden":
        unpublish(tx, id, for_good=False)
    if act in LETTERS:
        _write(tx, before, LETTERS[act], reason=reason, now=now)
    return state


LETTERS: Mapping[str, str] = {
    "approve": "published",
    "reject": "rejected",
    "return": "returned",
    "hide": "hidden",
    "approve_amendment": "amendment_approved",
    "reject_amendment": "amendment_rejected",
}
"""Which letter tells the owner."""


def _write(tx: Connection, row: RowMapping, letter: str, *, reason: str | None, now: datetime) -> None:
    details = {"technology": row["technology"], "reason": reason}
    outbox.post(tx, letter, declaration=row["id"], language=row["language"], details=details, now=now)


def _take_over(tx: Connection, id: UUID, draft: Draft, now: datetime) -> None:
    rewrite(tx, id, draft, now=now)
    tx.execute(text(_DROP_PHOTO), {"id": id})
    tx.execute(text(_TAKE_PHOTO), {"id": id})


def _drop(tx: Connection, id: UUID, _draft: Draft, _now: datetime) -> None:
    tx.execute(text("delete from register.photos where declaration = :id and waiting"), {"id": id})


_AMENDED: Mapping[str, Callable[[Connection, UUID, Draft, datetime], Any]] = {
    "approve_amendment": _take_over,
    "reject_amendment": _drop,
}


def _amended(tx: Connection, id: UUID, act: str, *, now: datetime) -> None:
    waiting = pending(tx, id)
    if waiting is None:
        raise IllegalDecision("no amendment of this declaration waits")
    _AMENDED[act](tx, id, waiting.draft, now)
    tx.execute(text("delete from register.amendments where declaration = :id"), {"id": id})


_DROP_PHOTO = """
delete from register.photos o where o.declaration = :id and not o.waiting
  and exists (select from register.photos n where n.declaration = :id and n.waiting)
"""

_TAKE_PHOTO = "update register.photos set waiting = false where declaration = :id and waiting"
