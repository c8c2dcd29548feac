"""What anybody reports of a public entry: raised with a mail address, counted once confirmed, looked at by the town.

Five confirmed reports from different blocks of addresses hide an entry until somebody of the town has looked, save those
of public owners and those that a moderator chose to keep.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection

from geo.errors import BadInput, NotFound, Problem
from geo.register import keys, lifecycle, limits, outbox, publishing
from geo.register.draft import EMAIL
from geo.register.findings import writable

Reason = Literal["gone", "wrong", "person", "offensive", "other"]
REASONS: tuple[Reason, ...] = get_args(Reason)

LONGEST_WORDS = 500
"""Characters that a report may say beside its reason."""

ENOUGH = 5
"""Confirmed reports from as many blocks of addresses hide an entry."""

PUBLIC_OWNERS = frozenset({"municipality"})
"""What belongs to the public is never hidden by reports alone."""

CONFIRM = timedelta(days=7)
"""How long a report waits for the click in its mail."""

KEPT = timedelta(days=90)
"""How long a report is kept after somebody has looked at it."""

PER_BLOCK, PER_MAILBOX = 10, 5
"""Reports that one block of addresses may send in an hour, and one mailbox in a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One confirmed report, as the town hall reads it. Nothing says who sent it."""

    reason: str
    words: str | None
    confirmed_at: datetime
    settled_at: datetime | None


def named(tx: Connection, entry: UUID) -> Mapping[str, str]:
    """The names of a public entry in its languages, by its public key; NotFound where nothing of it is public."""
    row = tx.execute(text(_NAMED), {"key": f"declaration:{entry}"}).one_or_none()
    if row is None:
        raise NotFound("there is no such public entry")
    return {"name": row.name, **{lang: told["name"] for lang, told in row.translations.items() if "name" in told}}


def report(
    tx: Connection,
    entry: UUID,
    *,
    reason: str,
    words: str,
    email: str,
    address: str | None,
    language: str,
    now: datetime,
) -> None:
    """Keep a report and mail the link that confirms it; NotFound where nothing of the entry is public.

    `email` and the network address it comes from are kept as hashes under the entry's own salt; TooOften limits both.
    BadInput lists what is wrong with the report.
    """
    _check(reason, words, email)
    block, mailbox = limits.block(address), limits.mailbox(email)
    limits.spend(tx, "flag", block, most=PER_BLOCK, per=timedelta(hours=1), now=now)
    limits.spend(tx, "flag by mail", mailbox, most=PER_MAILBOX, per=timedelta(days=1), now=now)
    declaration = tx.scalar(text(_PUBLIC), {"key": entry})
    if declaration is None:
        raise NotFound("there is no such public entry")
    tx.execute(text(_SALT), {"id": declaration, "salt": secrets.token_bytes(16)})
    salt = bytes(
        tx.execute(text("select salt from register.flagged where declaration = :id"), {"id": declaration}).scalar_one()
    )
    values = {
        "id": declaration,
        "reason": reason,
        "words": words.strip() or None,
        "block": _hashed(salt, block),
        "sender": _hashed(salt, mailbox),
        "now": now,
    }
    flag: UUID = tx.execute(text(_RAISE), values).scalar_one()
    outbox.post(
        tx, "flag_confirm", declaration=declaration, subject=flag, address=email.strip(), language=language, now=now
    )


def confirm(tx: Connection, token: str, *, now: datetime) -> None:
    """Count the report that the mailed key is for, and hide its entry where that is enough; BadKey for any other key.

    Whoever reports an entry twice counts once.
    """
    flag = keys.redeem(tx, "flag_confirm", token, now=now, once=True)
    declaration = tx.execute(text(_OF), {"id": flag}).scalar_one_or_none()
    if declaration is None:  # the entry, or the report, is gone since
        return
    # The declaration first, as every decision does: whoever confirms meanwhile waits, so that the fifth is seen to be the fifth.
    tx.execute(text("select from register.declarations where id = :id for update"), {"id": declaration})
    kept = tx.execute(text(_OPEN), {"id": declaration, "now": now}).scalar_one()
    if tx.execute(text(_CONFIRM), {"id": flag, "now": now}).rowcount and kept is None:
        _hide(tx, declaration, now)


def settle(tx: Connection, declaration: UUID, *, keep: bool, now: datetime) -> None:
    """Somebody of the town has looked: the reports so far are done with; to `keep` is for ever."""
    tx.execute(text(_SETTLE), {"id": declaration, "now": now})
    tx.execute(text(_LOOKED), {"id": declaration, "now": now, "keep": keep, "salt": secrets.token_bytes(16)})


def reports(tx: Connection, declaration: UUID) -> Sequence[Report]:
    """The confirmed reports of an entry, the newest first, fifty at most."""
    return [Report(**row) for row in tx.execute(text(_REPORTS), {"id": declaration}).mappings()]


def forget_old(tx: Connection, *, now: datetime) -> int:
    """Delete reports that were never confirmed, and those that were looked at long ago; how many."""
    return tx.execute(text(_OLD), {"unconfirmed": now - CONFIRM, "settled": now - KEPT}).rowcount


def _check(reason: str, words: str, email: str) -> None:
    problems = []
    if reason not in REASONS:
        problems.append(Problem(pointer="/reason", message=f"must be one of: {', '.join(REASONS)}"))
    if len(words) > LONGEST_WORDS or not writable(words):
        message = f"must have at most {LONGEST_WORDS} characters, and no control characters"
        problems.append(Problem(pointer="/words", message=message))
    if len(email) > 254 or not EMAIL.fullmatch(email.strip()):
        problems.append(Problem(pointer="/email", message="must be a mail address"))
    if problems:
        raise BadInput(*problems)


def _hide(tx: Connection, declaration: UUID, now: datetime) -> None:
    row = tx.execute(text(_WEIGHT), {"id": declaration}).one()
    if row.blocks < ENOUGH or row.state != "published" or row.owner_kind in PUBLIC_OWNERS:
        return
    lifecycle.step(tx, declaration, "hide", actor=lifecycle.PUBLIC, now=now)
    publishing.unpublish(tx, declaration, for_good=False)


def _hashed(salt: bytes, value: str) -> bytes:
    return hashlib.sha256(salt + value.encode("utf-8", "surrogatepass")).digest()


_NAMED = "select name, translations from territory.installations where source_key = :key"

_PUBLIC = (
    "select id from register.declarations where public_key = :key and state = 'published' and precision <> 'statistics'"
)

_SALT = """
insert into register.flagged (declaration, salt) values (:id, :salt) on conflict (declaration) do nothing
"""

_RAISE = """
insert into register.flags (declaration, reason, words, block, sender, raised_at)
values (:id, :reason, :words, :block, :sender, :now) returning id
"""

_OF = "select declaration from register.flags where id = :id"

_OPEN = """
update register.flagged set open_since = coalesce(open_since, :now) where declaration = :id returning kept_at
"""

_CONFIRM = """
update register.flags f set confirmed_at = :now
where f.id = :id and f.confirmed_at is null and not exists (
  select from register.flags o where o.declaration = f.declaration and o.sender = f.sender
  and o.confirmed_at is not null and o.settled_at is null)
"""

_WEIGHT = """
select d.state, d.owner_kind,
  (select count(distinct f.block) from register.flags f
   where f.declaration = d.id and f.confirmed_at is not null and f.settled_at is null) as blocks
from register.declarations d where d.id = :id
"""

_SETTLE = """
update register.flags set settled_at = :now
where declaration = :id and confirmed_at is not null and settled_at is null
"""

_LOOKED = """
insert into register.flagged (declaration, salt, kept_at) values (:id, :salt, case when :keep then cast(:now as timestamptz) end)
on conflict (declaration) do update set open_since = null, kept_at = coalesce(excluded.kept_at, flagged.kept_at)
"""

_REPORTS = """
select reason, words, confirmed_at, settled_at from register.flags
where declaration = :id and confirmed_at is not null order by confirmed_at desc limit 50
"""

_OLD = """
delete from register.flags where (confirmed_at is null and raised_at <= :unconfirmed) or settled_at <= :settled
"""
