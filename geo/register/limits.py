"""Limits against abuse: how often one may do what, counted in PostgreSQL so that all workers count together.

Who asked is kept as a hash with a salt of the day, for a day: by the block of addresses that a connection comes from, or
by mail address. What is counted belongs to the caller's transaction: an act that is rolled back was not spent, and two
acts of one key at the same moment wait for each other, so that no burst gets past the limit.
"""

import hashlib
import ipaddress
import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.engine import Connection

from geo.errors import TooOften

DAY = timedelta(days=1)

# The row's lock makes the count right: whoever comes second waits for the first to commit, then sees its count.
_SPEND = """
insert into register.spent as s (what, who, until, times) values (:what, :who, :until, 1)
on conflict (what, who, until) do update set times = s.times + 1 where s.times < :most
returning times
"""


def spend(tx: Connection, what: str, key: str, *, most: int, per: timedelta, now: datetime) -> None:
    """Count one act of `key`; TooOften, with the seconds until it may be again, where it was done `most` times already.

    `per` is at most a day; its spans are counted from midnight UTC, so that all workers mean the same span.
    """
    until = _end_of_span(now, per)
    who = hashlib.sha256(_salt(tx, now) + f"{what}\0{key}".encode("utf-8", "replace")).digest()
    if tx.execute(text(_SPEND), {"what": what, "who": who, "until": until, "most": most}).one_or_none() is None:
        wait = max(1, int((until - now).total_seconds()) + 1)
        raise TooOften("this was done too often from here; try again later", retry_after=wait)


def block(address: str | None) -> str:
    """The block of addresses that one belongs to: /24 of IPv4, /48 of IPv6. What is no address is one block of its own."""
    try:
        found = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return "elsewhere"
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    size = 24 if found.version == 4 else 48
    return str(ipaddress.ip_network((found, size), strict=False))


def mailbox(address: str) -> str:
    """A mail address as its owner's one mailbox: whatever case, and whatever tag after a `+`."""
    local, _, domain = address.strip().casefold().rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


def forget(tx: Connection, *, now: datetime) -> None:
    """Delete what is over: counts at the end of their span, salts at the end of their day."""
    tx.execute(text("delete from register.spent where until <= :now"), {"now": now})
    tx.execute(text("delete from register.salts where day < :today"), {"today": now.astimezone(UTC).date()})


def _end_of_span(now: datetime, per: timedelta) -> datetime:
    if not timedelta(0) < per <= DAY:
        raise ValueError("a limit's span is at most a day")
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return min(midnight + DAY, midnight + per * ((now - midnight) // per + 1))


def _salt(tx: Connection, now: datetime) -> bytes:
    """The day's salt; the first who needs it makes it."""
    day = {"day": now.astimezone(UTC).date()}
    found = tx.scalar(text("select salt from register.salts where day = :day"), day)
    if found is None:
        made = {**day, "salt": secrets.token_bytes(32)}
        tx.execute(text("insert into register.salts values (:day, :salt) on conflict do nothing"), made)
        found = tx.scalar(text("select salt from register.salts where day = :day"), day)
    return bytes(found)
