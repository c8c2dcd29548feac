"""Who works at the town hall, and what each role may see; what it may decide is the life cycle's. How they come in: access.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.engine import Connection

from geo.errors import BadInput, Forbidden, NotFound, Problem
from geo.register import keys, limits, outbox
from geo.register.draft import EMAIL
from geo.register.lifecycle import MAY

Role = Literal["moderator", "planner", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

SEE: Mapping[str, frozenset[Role]] = {
    "look": frozenset({"moderator", "admin"}),
    "count": frozenset({"admin"}),
    "plan": frozenset({"moderator", "planner", "admin"}),
}
"""Which roles may see what: the queue and its entries, the figures of who watches over the service, their own jobs."""

PER_BLOCK, PER_MAILBOX = 30, 5
"""Links that may be asked for in an hour from one block of addresses, and for one mailbox."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One person of the town hall."""

    id: UUID
    email: str
    role: Role
    language: str

    def may(self, act: str) -> bool:
        """Whether the role allows the act, be it to see or to decide. What stands in neither table is nobody's."""
        return self.role in {**MAY, **SEE}.get(act, frozenset())


def authorise(member: Member, act: str) -> None:
    """Forbidden unless the member's role allows the act."""
    if not member.may(act):
        raise Forbidden(f"this is not for the role {member.role}")


def add(tx: Connection, email: str, role: Role, *, language: str, now: datetime) -> Member:
    """Let somebody in, or change the role of somebody who is; BadInput if that is no mail address."""
    values = {"email": _address(email), "role": role, "language": language, "now": now}
    return Member(**tx.execute(text(_ADD), values).mappings().one())


def invite(tx: Connection, email: str, *, address: str | None, language: str, now: datetime) -> None:
    """Mail a link that opens a session, if the address is one of staff; BadInput if it is no address, TooOften if many ask.

    Whoever asks learns nothing: for a stranger the same is written, and the letter, to nobody, ends at its sending.
    """
    mailbox = limits.mailbox(_address(email))
    limits.spend(tx, "login", limits.block(address), most=PER_BLOCK, per=timedelta(hours=1), now=now)
    limits.spend(tx, "login by mail", mailbox, most=PER_MAILBOX, per=timedelta(hours=1), now=now)
    member = find(tx, email)
    outbox.post(tx, "staff_login", staff=member.id if member else uuid4(), language=language, now=now)


def remove(tx: Connection, email: str, *, now: datetime) -> UUID:
    """Let somebody out, at once and everywhere; NotFound if nobody has that address. The last admin may go too."""
    found = tx.execute(text(_REMOVE), {"email": email.strip().lower(), "now": now}).scalar_one_or_none()
    if found is None:
        raise NotFound("nobody of that address works here")
    keys.revoke(tx, found)
    tx.execute(text("delete from register.sessions where staff = :id"), {"id": found})
    tx.execute(text("delete from register.api_keys where staff = :id"), {"id": found})
    return found


def find(tx: Connection, email: str) -> Member | None:
    """The member of that address, if there is one."""
    row = tx.execute(text(f"{_MEMBER} where s.email = :email"), {"email": email.strip().lower()}).mappings()
    return Member(**found) if (found := row.one_or_none()) else None


def members(tx: Connection) -> Sequence[Member]:
    """Everybody who works here, by address."""
    rows = tx.execute(text(f"{_MEMBER} where s.removed_at is null order by s.email")).mappings()
    return [Member(**row) for row in rows]


def _address(email: str) -> str:
    """The address as it is compared; BadInput if mail cannot go there."""
    lowered = email.strip().lower()
    if len(lowered) > 254 or not EMAIL.fullmatch(lowered):
        raise BadInput(Problem(pointer="/email", message="must be a mail address"))
    return lowered


_MEMBER = "select s.id, s.email, s.role, s.language from register.staff s"

_ADD = """
insert into register.staff (email, role, language, added_at) values (:email, :role, :language, :now)
on conflict (email) do update set role = excluded.role, language = excluded.language
returning id, email, role, language
"""

_REMOVE = """
update register.staff set email = null, removed_at = :now where email = :email returning id
"""
