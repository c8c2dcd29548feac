"""Keys that are mailed: random, kept as hashes, bound to one purpose and one subject. What a key opens is not here."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection

from geo.errors import BadKey

LIFETIMES: Mapping[str, timedelta | None] = {
    "confirm": timedelta(days=30),
    "owner": None,  # as long as the entry
    "staff_login": timedelta(minutes=15),
    "flag_confirm": timedelta(days=7),
}
"""What keys are for, and how long each lasts."""


def issue(tx: Connection, purpose: str, subject: UUID, *, now: datetime) -> str:
    """A new key: 43 letters, digits, - and _. Only its hash is kept."""
    token = secrets.token_urlsafe(32)
    lifetime = LIFETIMES[purpose]
    expires = lifetime and now + lifetime
    tx.execute(
        text("""insert into register.tokens (hash, purpose, subject, issued_at, expires_at)
                values (:hash, :purpose, :subject, :now, :expires)"""),
        {"hash": _hash(token), "purpose": purpose, "subject": subject, "now": now, "expires": expires},
    )
    return token


def redeem(tx: Connection, purpose: str, token: str, *, now: datetime, once: bool) -> UUID:
    """The subject of a key. One same BadKey whether it is unknown, expired, used up, cut off or of another purpose.

    A key that counts `once` is used up by this, if the transaction commits; two at once: one gets it.
    """
    found = tx.execute(
        text(_REDEEM if once else _LOOK), {"hash": _hash(token), "purpose": purpose, "now": now}
    ).scalar_one_or_none()
    if found is None:
        raise BadKey
    return found


def revoke(tx: Connection, subject: UUID, purpose: str | None = None) -> None:
    """Forget the keys of a subject, of one purpose or all."""
    tx.execute(
        text("delete from register.tokens where subject = :subject and purpose = coalesce(:purpose, purpose)"),
        {"subject": subject, "purpose": purpose},
    )


def forget_expired(tx: Connection, *, now: datetime) -> int:
    """Drop the keys that open nothing any more; how many."""
    return tx.execute(
        text("delete from register.tokens where expires_at <= :now or used_at is not null"), {"now": now}
    ).rowcount


_VALID = "hash = :hash and purpose = :purpose and used_at is null and (expires_at is null or expires_at > :now)"
_LOOK = f"select subject from register.tokens where {_VALID}"
_REDEEM = f"update register.tokens set used_at = :now where {_VALID} returning subject"


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
