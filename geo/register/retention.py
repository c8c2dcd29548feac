"""How long things are kept: what the scheduled jobs forget, and whom they ask first. Each call is one short transaction's work."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection

from geo.register import outbox
from geo.register.declaring import forget
from geo.register.lifecycle import SCHEDULE, step

AT_ONCE = 200
"""How many declarations one call looks at; the next hour's goes on."""


def forget_drafts(tx: Connection, *, now: datetime) -> int:
    """Erase what nobody confirmed within 30 days; how many."""
    return _forget(tx, _OLD_DRAFTS, now=now)


def forget_past(tx: Connection, *, now: datetime) -> int:
    """Erase what is not public and was last touched 12 months ago, its owner's address with it; how many."""
    return _forget(tx, _PAST, now=now)


def forget_silent(tx: Connection, *, now: datetime) -> int:
    """Take down and erase what its owner was asked about 30 days ago, without an answer; how many."""
    return _forget(tx, _SILENT, now=now)


def ask_owners(tx: Connection, *, now: datetime) -> int:
    """Ask the owners of public entries, 11 months after they last said anything, whether it is still right; how many."""
    found = tx.execute(text(_TO_ASK), {"now": now, "most": AT_ONCE}).mappings().all()
    for row in found:
        step(tx, row["id"], "ask", actor=SCHEDULE, now=now)
        tx.execute(
            text("update register.declarations set asked_at = :now where id = :id"), {"id": row["id"], "now": now}
        )
        details = {"technology": row["technology"]}
        outbox.post(tx, "still_right", declaration=row["id"], language=row["language"], details=details, now=now)
    return len(found)


def forget_receipts(tx: Connection, *, now: datetime) -> int:
    """Drop the Idempotency-Keys that are too old to matter; how many."""
    return tx.execute(
        text("delete from register.idempotency where at < :now - interval '2 days'"), {"now": now}
    ).rowcount


def _forget(tx: Connection, sql: str, *, now: datetime) -> int:
    found: list[UUID] = list(tx.execute(text(sql), {"now": now, "most": AT_ONCE}).scalars())
    for id in found:
        forget(tx, id, actor=SCHEDULE, now=now)
    return len(found)


_OLD_DRAFTS = """
select id from register.declarations where state = 'draft' and received_at <= :now - interval '30 days'
order by received_at limit :most for update skip locked
"""

_PAST = """
select id from register.declarations
where state in ('confirmed', 'returned', 'rejected', 'withdrawn') and acted_at <= :now - interval '12 months'
  and coalesce(decided_at, acted_at) <= :now - interval '12 months'
order by acted_at limit :most for update skip locked
"""

# Who was asked late, or not yet because no mail server took the letter, has not been silent. A letter that nobody takes
# is the operator's to try again for as long as the outbox keeps it.
_SILENT = """
select id from register.declarations d
where state in ('published', 'hidden') and asked_at <= :now - interval '30 days'
  and not exists (select from register.outbox o
                  where o.declaration = d.id and o.letter = 'still_right'
                    and (o.state <> 'sent' or o.sent_at > :now - interval '30 days'))
order by asked_at limit :most for update of d skip locked
"""

_TO_ASK = """
select id, technology, language from register.declarations
where state in ('published', 'hidden') and acted_at <= :now - interval '11 months' and asked_at is null
  and contributor is not null
order by acted_at limit :most for update skip locked
"""
