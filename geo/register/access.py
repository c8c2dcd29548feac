"""How the town hall's people come in: a browser's session, a program's key. Both are random and kept as hashes."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection

from geo.errors import BadInput, BadKey, NotFound, Problem, Unauthenticated
from geo.register import keys
from geo.register.staff import Member

IDLE = timedelta(hours=2)
"""A session that nobody uses ends after this."""

LONGEST = timedelta(hours=12)
"""A session ends after this, however busy."""

SEEN_EVERY = timedelta(minutes=1)
"""How exactly the last use is known: not every page of a busy hour writes a row."""

KEY_SIGN = "gohelle_"
"""What every key begins with, so that programs that look for leaked secrets know ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What may be told of a key; the key itself is known to its owner alone."""

    id: UUID
    email: str
    name: str
    made_at: datetime
    ends_at: datetime
    used_at: datetime | None


def open_session(tx: Connection, staff: UUID, *, now: datetime) -> str:
    """The cookie of a new session of this member; Unauthenticated if the member is gone."""
    secret = secrets.token_urlsafe(32)
    values = {"hash": _hash(secret), "staff": staff, "now": now}
    if tx.execute(text(_OPEN), values).rowcount != 1:
        raise Unauthenticated(WHO)
    return secret


def enter(tx: Connection, key: str, *, now: datetime) -> tuple[str, Member]:
    """Open a session with the key of a mailed link: its cookie, and whose it is; BadKey if the key opens nothing."""
    staff = keys.redeem(tx, "staff_login", key, now=now, once=True)
    try:
        secret = open_session(tx, staff, now=now)
        return secret, of_session(tx, secret, now=now)
    except Unauthenticated:
        raise BadKey from None


def of_session(tx: Connection, secret: str, *, now: datetime) -> Member:
    """Whose session that is; Unauthenticated where there is none, or none any more."""
    return _member(tx, _OF_SESSION, secret, now)


def close_session(tx: Connection, secret: str) -> None:
    """End a session; nothing happens where there is none."""
    tx.execute(text("delete from register.sessions where hash = :hash"), {"hash": _hash(secret)})


def proof(secret: str) -> str:
    """What a session's forms carry: only who reads our pages can know it, and it opens nothing by itself."""
    return hashlib.sha256(b"form " + _octets(secret)).hexdigest()


def make_key(tx: Connection, staff: UUID, *, name: str, lifetime: timedelta, now: datetime) -> str:
    """A new key of this member, told this once."""
    if not 1 <= len(name.strip()) <= 100 or not name.isprintable():
        raise BadInput(Problem(pointer="/name", message="must have 1 to 100 printable characters"))
    secret = KEY_SIGN + secrets.token_urlsafe(32)
    values = {"hash": _hash(secret), "staff": staff, "name": name.strip(), "now": now, "ends": now + lifetime}
    tx.execute(text(_MAKE), values)
    return secret


def of_key(tx: Connection, secret: str, *, now: datetime) -> Member:
    """Whose key that is; Unauthenticated where there is none, or none any more."""
    return _member(tx, _OF_KEY, secret, now)


def api_keys(tx: Connection) -> Sequence[ApiKey]:
    """Every key, by its owner and age."""
    return [ApiKey(**row) for row in tx.execute(text(_KEYS)).mappings()]


def revoke_key(tx: Connection, id: UUID) -> None:
    """End a key at once; NotFound if there is none of that number."""
    if tx.execute(text("delete from register.api_keys where id = :id"), {"id": id}).rowcount != 1:
        raise NotFound("there is no such key")


def forget_ended(tx: Connection, *, now: datetime) -> int:
    """Delete what opens nothing any more; how much that was."""
    values = {"now": now, "idle": now - IDLE, "longest": now - LONGEST}
    gone = tx.execute(text(_ENDED), values).rowcount
    return gone + tx.execute(text("delete from register.api_keys where ends_at <= :now"), {"now": now}).rowcount


def _member(tx: Connection, question: str, secret: str, now: datetime) -> Member:
    values = {
        "hash": _hash(secret),
        "now": now,
        "idle": now - IDLE,
        "longest": now - LONGEST,
        "stale": now - SEEN_EVERY,
    }
    row = tx.execute(text(question), values).mappings().one_or_none()
    if row is None:
        raise Unauthenticated(WHO)
    return Member(**row)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(_octets(secret)).digest()


def _octets(secret: str) -> bytes:
    """Cookies and headers may hold anything."""
    return secret.encode("utf-8", "surrogatepass")


WHO = "say who you are: log in at /townhall/login, or send a key as `Authorization: Bearer`"

_OPEN = """
insert into register.sessions (hash, staff, opened_at, seen_at)
select :hash, s.id, :now, :now from register.staff s where s.id = :staff and s.removed_at is null
"""

_OF_SESSION = """
with seen as (
  update register.sessions set seen_at = :now
  where hash = :hash and seen_at > :idle and opened_at > :longest and seen_at <= :stale)
select s.id, s.email, s.role, s.language
from register.sessions o join register.staff s on s.id = o.staff
where o.hash = :hash and o.seen_at > :idle and o.opened_at > :longest and s.removed_at is null
"""

_MAKE = """
insert into register.api_keys (hash, staff, name, made_at, ends_at) values (:hash, :staff, :name, :now, :ends)
"""

_OF_KEY = """
with seen as (
  update register.api_keys set used_at = :now
  where hash = :hash and ends_at > :now and (used_at is null or used_at <= :stale))
select s.id, s.email, s.role, s.language
from register.api_keys k join register.staff s on s.id = k.staff
where k.hash = :hash and k.ends_at > :now and s.removed_at is null
"""

_KEYS = """
select k.id, s.email, k.name, k.made_at, k.ends_at, k.used_at
from register.api_keys k join register.staff s on s.id = k.staff order by s.email, k.made_at
"""

_ENDED = "delete from register.sessions where seen_at <= :idle or opened_at <= :longest"
