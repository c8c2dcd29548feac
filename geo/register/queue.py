"""The queue as a list: what is declared and in which state, oldest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """One entry of the queue, as the town hall sees it."""

    id: UUID
    state: str
    technology: str
    power_kw: float | None
    year: int | None
    owner_kind: str
    precision: str
    address: str | None
    words: str | None
    received_at: datetime


def queue(tx: Connection, *, state: str | None = "confirmed", limit: int = 1000) -> Sequence[Declaration]:
    """The declarations in a state, or in any, oldest first."""
    rows = tx.execute(text(_QUEUE), {"state": state, "limit": limit}).mappings()
    return [Declaration(**row) for row in rows]


_QUEUE = """
select id, state, technology, power_kw, year, owner_kind, precision, address, words, received_at
from register.declarations where (cast(:state as text) is null or state = :state) order by received_at, id limit :limit
"""
