"""The town's decisions as its people take them: who may, on what they saw, with what they checked. What follows: deciding.py."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, get_args
from uuid import UUID

from pydantic import Strict
from sqlalchemy import text
from sqlalchemy.engine import Connection, RowMapping

from geo.collections import Territory
from geo.errors import BadInput, NotFound, Problem, Stale
from geo.register import deciding, flags
from geo.register.findings import writable
from geo.register.lifecycle import NEXT, Actor, State
from geo.register.staff import Member, authorise
from geo.register.worklist import TEXTS

Decision = Literal["approve", "return", "reject", "approve_amendment", "reject_amendment", "keep", "hide"]
DECISIONS: tuple[Decision, ...] = get_args(Decision)
"""What the town hall may do with an entry, in the order of its buttons."""

REASONED = frozenset({"return", "reject", "reject_amendment", "hide"})
"""Whoever takes something away says why."""

PUBLISHING = frozenset({"approve", "approve_amendment"})
"""What makes something public that nobody has looked at before."""

LOOKED = frozenset({"keep", "hide"})
"""Whoever decides this has seen the reports."""


Check = Literal["names", "faces", "plates", "house_numbers"]
CHECKS: tuple[Check, ...] = get_args(Check)
"""What the town looks for before anything becomes public."""

LONGEST_REASON = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What whoever decides says beside the act; `seen` is the number of the last act that they have seen."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}
    reason: str | None = None
    checked: tuple[Check, ...] = ()
    seen: Annotated[int, Strict()] | None = None


def possible(state: str, *, amended: bool, reported: bool) -> Collection[Decision]:
    """The decisions that make sense now: of the life cycle, with an amendment that waits, with reports that do."""
    senseless: set[str] = set() if amended else {"approve_amendment", "reject_amendment"}
    if state != "hidden" and not reported:
        senseless.add("keep")
    return [act for act in DECISIONS if (state, act) in NEXT and act not in senseless]


def owed(*, texts: bool, photo: bool) -> Collection[str]:
    """What is to be checked of an entry that has texts, or a photo: no text shows a face or a plate."""
    return CHECKS if photo else ("names", "house_numbers") if texts else ()


def decide(
    tx: Connection,
    id: UUID,
    act: Decision,
    *,
    member: Member,
    territory: Territory,
    now: datetime,
    reason: str | None = None,
    checked: Collection[str] = (),
    seen: int | None = None,
) -> State:
    """Take a decision; the new state. `seen` is the number of the last act that the member has seen, where they say so.

    Forbidden, NotFound and IllegalDecision as the life cycle says; Stale if somebody acted since; BadInput lists a
    missing reason and everything that is public by this and was not checked.
    """
    authorise(member, act)
    # Locked first and read then: whoever waits here for another's decision must not read what stood before it.
    tx.execute(text("select from register.declarations where id = :id for update"), {"id": id})
    row = tx.execute(text(_ENTRY), {"id": id}).mappings().one_or_none()
    if row is None:
        raise NotFound("there is no such declaration")
    if seen is not None and seen != row["seen"]:
        raise Stale("somebody has acted on this declaration since it was looked at")
    if (row["state"], act) in NEXT:  # else the life cycle says what is wrong
        _check(row, act, reason, checked)
    actor = Actor.staff(member.id, member.role)
    reason = reason.strip() or None if reason else None
    state = deciding.decide(tx, id, act, territory=territory, actor=actor, now=now, reason=reason)
    if act in PUBLISHING:
        tx.execute(text(_CHECKED), {"id": id, "items": [item for item in CHECKS if item in checked]})
    if act in LOOKED:
        flags.settle(tx, id, keep=act == "keep", now=now)
    return state


def _check(row: RowMapping, act: Decision, reason: str | None, checked: Collection[str]) -> None:
    problems = []
    if act in REASONED and not (reason and reason.strip()):
        problems.append(Problem(pointer="/reason", message="is missing: the resident reads why"))
    if reason and (len(reason) > LONGEST_REASON or not writable(reason)):
        message = f"must have at most {LONGEST_REASON} characters, and no control characters"
        problems.append(Problem(pointer="/reason", message=message))
    if act in PUBLISHING and (missing := _unchecked(row, act, checked)):
        problems.append(Problem(pointer="/checked", message=f"must name what was checked: {', '.join(missing)}"))
    if problems:
        raise BadInput(*problems)


def _unchecked(row: RowMapping, act: Decision, checked: Collection[str]) -> Collection[str]:
    shown: Mapping = row["draft"] if act == "approve_amendment" and row["draft"] else row
    texts = any(shown.get(name) for name in TEXTS)
    return [item for item in owed(texts=texts, photo=row["photo"]) if item not in checked]


_ENTRY = """
select d.state, d.words, d.gain, d.advice,
  coalesce((select max(a.id) from register.audit a where a.declaration = d.id), 0) as seen,
  (select a.draft from register.amendments a where a.declaration = d.id) as draft,
  exists (select from register.photos o where o.declaration = d.id) as photo
from register.declarations d where d.id = :id and d.state <> 'draft'
"""

_CHECKED = """
insert into register.checks (declaration, audit, item)
select :id, (select max(a.id) from register.audit a where a.declaration = :id), item
from unnest(cast(:items as text[])) as item
"""
