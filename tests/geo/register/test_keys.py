"""Mailed keys: one same answer for every key that opens nothing, and each used once where it counts once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest

from geo.errors import BadKey
from geo.register import keys
from tests.declaring import NOW

SUBJECT = uuid4()


def test_a_key_opens_its_subject(loos):
    """A key that lasts opens again and again; only its hash is at rest."""
    with loos.db.write() as tx:
        token = keys.issue(tx, "owner", SUBJECT, now=NOW)
    for years in (0, 1, 30):
        with loos.db.write() as tx:
            assert keys.redeem(tx, "owner", token, now=NOW + timedelta(days=365 * years), once=False) == SUBJECT
    assert token not in loos.scalar("select string_agg(t::text, ' ') from register.tokens t")
    assert len(token) >= 43


def test_every_bad_key_is_answered_alike(loos):
    """Unknown, cut off, lengthened, of another purpose, expired, used, and what is no key at all."""
    with loos.db.write() as tx:
        good = keys.issue(tx, "confirm", SUBJECT, now=NOW)
        used = keys.issue(tx, "confirm", SUBJECT, now=NOW)
        other = keys.issue(tx, "owner", SUBJECT, now=NOW)
        assert keys.redeem(tx, "confirm", used, now=NOW, once=True) == SUBJECT
    late = NOW + timedelta(days=30)
    tried = [("", NOW), (good[:-1], NOW), (good + "a", NOW), (other, NOW), (good, late), (used, NOW), (good.swapcase(), NOW),
             ("\x00", NOW), ("\ud800", NOW), ("x" * 100_000, NOW), ("' or true --", NOW)]  # fmt: skip
    said = set()
    for token, now in tried:
        with loos.db.write() as tx, pytest.raises(BadKey) as caught:
            keys.redeem(tx, "confirm", token, now=now, once=True)
        said.add((type(caught.value), str(caught.value)))
    assert len(said) == 1
    with loos.db.write() as tx:
        assert keys.redeem(tx, "confirm", good, now=late - timedelta(seconds=1), once=True) == SUBJECT


def test_two_at_once_use_a_key_once(loos):
    """The row decides, over any number of connections."""
    with loos.db.write() as tx:
        token = keys.issue(tx, "confirm", SUBJECT, now=NOW)

    def use(_: int) -> bool:
        try:
            with loos.db.write() as tx:
                keys.redeem(tx, "confirm", token, now=NOW, once=True)
        except BadKey:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(use, range(8))) == [False] * 7 + [True]


def test_what_opens_nothing_is_dropped(loos):
    """Expired and used keys go, the others stay."""
    with loos.db.write() as tx:
        keys.issue(tx, "staff_login", SUBJECT, now=NOW)
        lasting = keys.issue(tx, "owner", SUBJECT, now=NOW)
        assert keys.forget_expired(tx, now=NOW + timedelta(minutes=15)) == 1
        assert keys.redeem(tx, "owner", lasting, now=NOW, once=False) == SUBJECT
        keys.revoke(tx, SUBJECT)
        with pytest.raises(BadKey):
            keys.redeem(tx, "owner", lasting, now=NOW, once=False)
