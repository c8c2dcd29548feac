"""The outbox: letters that somebody is to get, written with their reason and sent by a job afterwards.

A letter is waiting, sending, sent or failed. Its words, and the key in its link, are made at sending: neither lies in the
table. Between a mail server's "250" and our commit a crash leaves it `sending`, and it is sent again under the same
Message-ID; nothing else repeats it, and nothing loses it. What a server answered is kept as a code only, for its words
may quote an address.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection, RowMapping

from geo.errors import NotFound
from geo.register import jobs, keys

LETTERS: Mapping[str, str | None] = {
    "confirm": "confirm",
    "published": "owner",
    "rejected": "owner",
    "returned": "owner",
    "hidden": "owner",
    "amendment_approved": "owner",
    "amendment_rejected": "owner",
    "still_right": "owner",
    "lost_link": "owner",
    "staff_login": "staff_login",
    "flag_confirm": "flag_confirm",
    "withdrawn": None,
    "erased": None,
}
"""Every letter there is, and the purpose of the key in its link."""

URGENT = {"confirm", "lost_link", "staff_login", "flag_confirm"}
"""Somebody sits and waits for these: they overtake the others."""

TRACELESS = {"erased"}
"""Of these not even a row stays, whatever becomes of them."""

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=15)
GIVE_UP = timedelta(days=5)
"""How long a mail server may be away, or say "later", before a letter is given up."""

KEPT = timedelta(days=30)
"""How long it is remembered that a letter was sent; a failed one keeps its address as long, for another try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A letter at the moment of sending; `token` is the key for its link, and exists nowhere else."""

    id: UUID
    letter: str
    address: str
    language: str
    details: Mapping[str, Any]
    message_id: str
    token: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A letter as an operator sees it: of the address only where it goes to."""

    id: UUID
    letter: str
    state: str
    domain: str | None
    attempts: int
    failure: str | None
    queued_at: datetime
    tried_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How the post stands; `oldest` is when the longest waiting letter was written."""

    waiting: int
    failed: int
    oldest: datetime | None


def post(
    tx: Connection,
    letter: str,
    *,
    now: datetime,
    address: str | None = None,
    declaration: UUID | None = None,
    staff: UUID | None = None,
    subject: UUID | None = None,
    language: str = "fr",
    details: Mapping[str, Any] | None = None,
) -> UUID:
    """Write a letter into the outbox, to be sent once the caller's transaction is committed; the letter's id.

    Without an address it goes to the contributor of the declaration, or to the member of staff, as they are at sending.
    The key in its link is for `subject`, else for the declaration or the member of staff. `details` are what its words
    need to say: technology, reason, and so on; nothing that the reader should not see.
    """
    if letter not in LETTERS:
        raise ValueError(f"there is no letter {letter}")
    values = {
        "letter": letter,
        "declaration": declaration,
        "staff": staff,
        "subject": subject or declaration or staff,
        "address": address,
        "language": language,
        "details": json.dumps(dict(details or {})),
        "now": now,
    }
    id: UUID = tx.execute(text(_POST), values).scalar_one()
    _hand_over(tx, id, letter)
    return id


def take(tx: Connection, id: UUID, *, domain: str, now: datetime) -> Outgoing | None:
    """Begin to send a letter: it is `sending` from the commit on. None where there is nothing to send any more."""
    row = tx.execute(text(_LOCK), {"id": id}).mappings().one_or_none()
    if row is None:
        return None
    address = row["address"] or _address(tx, row)
    if address is None:
        tx.execute(text("delete from register.outbox where id = :id"), {"id": id})
        return None
    message_id = row["message_id"] or f"<{id}@{domain}>"
    tx.execute(text(_SENDING), {"id": id, "message_id": message_id, "now": now})
    purpose = LETTERS[row["letter"]]
    return Outgoing(
        id=id,
        letter=row["letter"],
        address=address,
        language=row["language"],
        details=row["details"],
        message_id=message_id,
        token=keys.issue(tx, purpose, row["subject"], now=now) if purpose else None,
    )


def sent(tx: Connection, id: UUID, *, now: datetime) -> bool:
    """The letter is delivered: all that stays is that it was sent, and when. False where it was erased meanwhile."""
    found = tx.execute(text(_SENT), {"id": id, "now": now}).rowcount > 0
    _leave_no_trace(tx, id)
    return found


def postponed(tx: Connection, id: UUID, *, failure: str, now: datetime) -> timedelta | None:
    """The letter could not be sent now. How long to wait before the next attempt; None where it is given up."""
    row = tx.execute(text(_POSTPONED), {"id": id, "failure": failure[:80], "now": now}).one_or_none()
    if row is None:
        return None
    if now - row.queued_at > GIVE_UP:
        refused(tx, id, failure=failure, now=now)
        return None
    return min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(row.attempts - 1, 20))


def refused(tx: Connection, id: UUID, *, failure: str, now: datetime) -> None:
    """The letter cannot be delivered: it waits for the operator, who may try again or drop it."""
    tx.execute(text(_FAILED), {"id": id, "failure": failure[:80], "now": now})
    _leave_no_trace(tx, id)


def forget(tx: Connection, declaration: UUID) -> None:
    """Delete all letters of a declaration, sent or not, and the files that they may have become."""
    ids = tx.execute(text("delete from register.outbox where declaration = :id returning id"), {"id": declaration})
    found = [str(id) for id in ids.scalars()]
    if found:
        jobs.defer(tx, "shred", letters=found)


def clear(tx: Connection, *, now: datetime) -> None:
    """Delete what was sent or given up long ago."""
    tx.execute(
        text("delete from register.outbox where state in ('sent', 'failed') and coalesce(tried_at, queued_at) < :then"),
        {"then": now - KEPT},
    )


def hand_over_strays(tx: Connection) -> int:
    """Letters that wait without a job, after a restore or a hand in the tables, get one; how many there were."""
    strays = tx.execute(text(_STRAYS)).all()
    for stray in strays:
        _hand_over(tx, stray.id, stray.letter)
    return len(strays)


# For operators


def tally(tx: Connection) -> Tally:
    """How many letters wait, how many failed, and how long the oldest has been waiting."""
    return Tally(**tx.execute(text(_TALLY)).mappings().one())


def entries(tx: Connection, *, state: str | None = None, limit: int = 200) -> Sequence[Entry]:
    """The letters in a state, or all that are not sent, oldest first."""
    rows = tx.execute(text(_ENTRIES), {"state": state, "limit": limit}).mappings()
    return [Entry(**row) for row in rows]


def retry(tx: Connection, id: UUID | None, *, now: datetime) -> int:
    """Try a failed letter again, or all of them; how many. NotFound where no letter of that id has failed."""
    found = tx.execute(text(_RETRY), {"id": id, "now": now}).all()
    if id is not None and not found:
        raise NotFound("no letter of that id has failed")
    for row in found:
        _hand_over(tx, row.id, row.letter)
    return len(found)


def drop(tx: Connection, id: UUID) -> None:
    """Delete a letter that is not sent. NotFound where there is none."""
    deleted = tx.execute(text("delete from register.outbox where id = :id and state <> 'sent'"), {"id": id})
    if not deleted.rowcount:
        raise NotFound("no letter of that id waits or has failed")


def _hand_over(tx: Connection, id: UUID, letter: str) -> None:
    jobs.defer(tx, "mail", priority=10 if letter in URGENT else 0, letter=str(id))


def _address(tx: Connection, row: RowMapping) -> str | None:
    if row["declaration"] is not None:
        return tx.scalar(text(_CONTRIBUTOR), {"id": row["declaration"]})
    return tx.scalar(text(_STAFF), {"id": row["staff"]}) if row["staff"] is not None else None


def _leave_no_trace(tx: Connection, id: UUID) -> None:
    tx.execute(
        text("delete from register.outbox where id = :id and letter = any (:letters) and state in ('sent', 'failed')"),
        {"id": id, "letters": list(TRACELESS)},
    )


_POST = """
insert into register.outbox (letter, declaration, staff, subject, address, language, details, queued_at)
values (:letter, :declaration, :staff, :subject, :address, :language, cast(:details as jsonb), :now)
returning id
"""

_LOCK = "select * from register.outbox where id = :id and state in ('waiting', 'sending') for update"

_CONTRIBUTOR = """
select c.email from register.declarations d join register.contributors c on c.id = d.contributor where d.id = :id
"""

_STAFF = "select email from register.staff where id = :id"

_SENDING = """
update register.outbox
set state = 'sending', message_id = :message_id, attempts = attempts + 1, tried_at = :now where id = :id
"""

_SENT = """
update register.outbox set state = 'sent', sent_at = :now, address = null, details = '{}', failure = null
where id = :id and state = 'sending'
"""

_POSTPONED = """
update register.outbox set state = 'waiting', failure = :failure, tried_at = :now where id = :id and state = 'sending'
returning queued_at, attempts
"""

_FAILED = """
update register.outbox set state = 'failed', failure = :failure, tried_at = :now
where id = :id and state in ('waiting', 'sending')
"""

_STRAYS = """
select o.id, o.letter from register.outbox o where o.state in ('waiting', 'sending') and not exists (
  select from jobs.procrastinate_jobs j
  where j.task_name = 'mail' and j.args ->> 'letter' = o.id::text and j.status in ('todo', 'doing'))
order by o.queued_at
"""

_TALLY = """
select count(*) filter (where state in ('waiting', 'sending')) as waiting,
       count(*) filter (where state = 'failed') as failed,
       min(queued_at) filter (where state in ('waiting', 'sending')) as oldest
from register.outbox where state <> 'sent'
"""

_ENTRIES = """
select id, letter, state, split_part(address, '@', 2) as domain, attempts, failure, queued_at, tried_at
from register.outbox where case when cast(:state as text) is null then state <> 'sent' else state = :state end
order by queued_at, id limit :limit
"""

_RETRY = """
update register.outbox set state = 'waiting', attempts = 0, queued_at = :now
where state = 'failed' and (cast(:id as uuid) is null or id = :id) returning id, letter
"""
