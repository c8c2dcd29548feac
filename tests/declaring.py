"""Declarations for tests that are about something else: a body that is complete, and the steps up to the map."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from geo import register
from geo.collections import territory
from geo.register import keys
from geo.register.lifecycle import Act, Actor
from tests.conftest import Territory

NOW = datetime(2026, 5, 1, tzinfo=UTC)
HOME = [2.794213, 50.458317]
MAILBOX = "resident@example.org"
DECIDER = Actor("test", "moderator")


def body(technology: str = "heat_pump", at: list[float] = HOME, **members: Any) -> dict[str, Any]:
    """What a client sends: complete, and nothing wrong with it."""
    needed = {"email": MAILBOX, "owner_agrees": True, "consent": True}
    return {"technology": technology, "location": {"type": "Point", "coordinates": at}, **needed, **members}


def confirmed(db: Territory, id: str | UUID, now: datetime = NOW) -> str:
    """The owner follows the link in the mail; the key to the declaration from then on."""
    with db.db.write() as tx:
        return register.confirm(tx, keys.issue(tx, "confirm", UUID(str(id)), now=now), now=now)[1]


def decided(db: Territory, id: str | UUID, act: Act = "approve", reason: str | None = None, now: datetime = NOW) -> str:
    """The town's decision; the new state."""
    with db.db.write() as tx:
        town = territory(tx)
        return register.decide(tx, UUID(str(id)), act, territory=town, actor=DECIDER, now=now, reason=reason)


def declared(db: Territory, now: datetime = NOW, **members: Any) -> tuple[UUID, str]:
    """A declaration that its owner has confirmed: its number, and the owner's key."""
    with db.db.write() as tx:
        draft = register.check(tx, body(**members), territory=territory(tx), now=now)
        id = register.submit(tx, draft, now=now).id
    return id, confirmed(db, id, now)


def published(db: Territory, now: datetime = NOW, **members: Any) -> tuple[UUID, str]:
    """A declaration on the map: its number, and the owner's key."""
    id, key = declared(db, now, **members)
    decided(db, id, now=now)
    return id, key
