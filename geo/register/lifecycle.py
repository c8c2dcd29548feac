"""The life cycle of a declaration as one table of data: who may do what in which state. What follows is not here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection, RowMapping

from geo.errors import Forbidden, IllegalDecision, NotFound

State = Literal["draft", "confirmed", "returned", "rejected", "published", "hidden", "withdrawn", "erased"]
Act = Literal[
    "confirm", "correct", "resubmit", "amend", "renew", "withdraw", "erase",
    "approve", "reject", "return", "hide", "keep", "approve_amendment", "reject_amendment", "ask",
]  # fmt: skip
Role = Literal["resident", "moderator", "planner", "admin", "operator", "schedule", "public"]

NEXT: Mapping[tuple[State, Act], State] = {
    ("draft", "confirm"): "confirmed",
    ("confirmed", "correct"): "confirmed",
    ("confirmed", "approve"): "published",
    ("confirmed", "reject"): "rejected",
    ("confirmed", "return"): "returned",
    ("confirmed", "withdraw"): "withdrawn",
    ("returned", "resubmit"): "confirmed",
    ("returned", "withdraw"): "withdrawn",
    ("rejected", "resubmit"): "confirmed",
    ("rejected", "withdraw"): "withdrawn",
    **{(state, act): state for state in ("published", "hidden") for act in ("amend", "approve_amendment", "reject_amendment", "ask", "renew")},
    ("published", "keep"): "published",
    ("published", "hide"): "hidden",
    ("published", "withdraw"): "withdrawn",
    ("hidden", "keep"): "published",
    ("hidden", "hide"): "hidden",  # somebody has looked at what reports hid, and says why it stays so
    ("hidden", "withdraw"): "withdrawn",
    **{(state, "erase"): "erased" for state in ("draft", "confirmed", "returned", "rejected", "published", "hidden", "withdrawn")},
}  # fmt: skip
"""From this state, by this act, to that state. Nothing else is allowed. `erased` is no row: only its tombstone stays."""

_TOWN: frozenset[Role] = frozenset({"moderator", "admin", "operator"})
_OWNER: frozenset[Role] = frozenset({"resident"})
MAY: Mapping[Act, frozenset[Role]] = {
    **dict.fromkeys(("confirm", "correct", "resubmit", "amend", "renew"), _OWNER),
    **dict.fromkeys(("approve", "reject", "return", "keep", "approve_amendment", "reject_amendment"), _TOWN),
    "hide": frozenset[Role]({"public"}) | _TOWN,  # five confirmed flags are an act of the public
    "withdraw": frozenset[Role]({"resident", "schedule"}),
    "erase": frozenset[Role]({"resident", "schedule", "admin", "operator"}),
    "ask": frozenset[Role]({"schedule"}),
}
"""Whose act it is. A planner reads the map and decides nothing."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the name that the audit trail keeps (`resident`, `staff:<uuid>`, `schedule`...), and in which role."""

    name: str
    role: Role

    @classmethod
    def staff(cls, id: UUID, role: Role) -> Self:
        """Somebody of the town hall."""
        return cls(f"staff:{id}", role)

    @classmethod
    def at_the_command_line(cls, user: str) -> Self:
        """Whoever has a shell on the machine; it is an operator who is trusted with all of it."""
        return cls(f"command line, {user}", "operator")


RESIDENT = Actor("resident", "resident")
SCHEDULE = Actor("schedule", "schedule")
PUBLIC = Actor("public", "public")


def step(
    tx: Connection, id: UUID, act: Act, *, actor: Actor, now: datetime, reason: str | None = None
) -> tuple[RowMapping, State]:
    """Take one step: the declaration as it was, locked until the transaction ends, and its new state.

    Forbidden if the act is not the actor's to take, NotFound if there is no such declaration, IllegalDecision if the
    life cycle has no such step from its state. An act of the owner's moves the date from which silence is counted.
    """
    if actor.role not in MAY[act]:
        raise Forbidden(f"the role {actor.role} does not take '{act}'")
    row = tx.execute(text(_LOCK), {"id": id}).mappings().one_or_none()
    if row is None:
        raise NotFound("there is no such declaration")
    state = NEXT.get((row["state"], act))
    if state is None:
        raise IllegalDecision(f"a declaration that is {row['state']} does not take '{act}'")
    if state != "erased":
        values = {"id": id, "state": state, "now": now, "owner": actor.role == "resident", "town": act in _DECIDED}
        tx.execute(text(_MOVE), values)
        note(tx, id, act, actor=actor, reason=reason, now=now)
    return row, state


def note(tx: Connection, id: UUID, act: str, *, actor: Actor, now: datetime, reason: str | None = None) -> None:
    """Write one line of the audit trail."""
    tx.execute(
        text("""insert into register.audit (declaration, act, actor, reason, at)
                values (:id, :act, :actor, :reason, :now)"""),
        {"id": id, "act": act, "actor": actor.name, "reason": reason, "now": now},
    )


_DECIDED = ("approve", "reject", "return", "hide", "keep", "approve_amendment", "reject_amendment")

_LOCK = "select * from register.declarations where id = :id for update"

_MOVE = """
update register.declarations set state = :state,
  decided_at = case when :town then :now else decided_at end,
  acted_at = case when :owner then :now else acted_at end,
  asked_at = case when :owner then null else asked_at end
where id = :id
"""
