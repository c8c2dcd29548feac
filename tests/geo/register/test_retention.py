"""How long things are kept, day by day, and the sums of those who are only counted."""

from datetime import datetime, timedelta

import pytest

from geo import register
from geo.collections import territory
from geo.errors import BadKey
from geo.register import outbox, retention, sums
from tests.conftest import Territory
from tests.declaring import NOW, body, decided, declared, published

DAY = timedelta(days=1)
YEAR = 365 * DAY


def done(loos: Territory, chore, now: datetime) -> int:
    """What a chore did at that time."""
    with loos.db.write() as tx:
        return chore(tx, now=now)


def left(loos: Territory) -> tuple[int, int]:
    """How many declarations and how many persons are there."""
    return tuple(loos.scalar(f"select count(*) from register.{table}") for table in ("declarations", "contributors"))  # pyright: ignore[reportReturnType]


def letters(loos: Territory, letter: str) -> int:
    """How many letters of that kind were written."""
    return loos.scalar("select count(*) from register.outbox where letter = %s", letter)


def delivered(loos: Territory, letter: str, now: datetime) -> None:
    """Let the outbox send what it holds of that kind."""
    ids = loos.scalar("select array_agg(id) from register.outbox where letter = %s", letter)
    with loos.db.write() as tx:
        for id in ids:
            outbox.take(tx, id, domain="loos.example.org", now=now)
            assert outbox.sent(tx, id, now=now)


def test_an_unconfirmed_declaration_is_forgotten(loos):
    """After 30 days it keeps no e-mail address; a confirmed one stays."""
    declared(loos)
    with loos.db.write() as tx:
        draft = register.check(tx, body(email="other@example.org"), territory=territory(tx), now=NOW)
        register.submit(tx, draft, now=NOW)
    assert done(loos, retention.forget_drafts, NOW + 30 * DAY - timedelta(minutes=1)) == 0
    assert done(loos, retention.forget_drafts, NOW + 30 * DAY) == 1
    assert left(loos) == (1, 1)


def test_after_eleven_months_the_owner_is_asked_once(loos):
    """Silence for 30 days takes the entry down and forgets it; its number stays as a tombstone."""
    published(loos)
    assert done(loos, retention.ask_owners, NOW + 330 * DAY) == 0
    asked = NOW + 336 * DAY
    assert done(loos, retention.ask_owners, asked) == 1
    assert done(loos, retention.ask_owners, asked + DAY) == 0
    assert letters(loos, "still_right") == 1
    delivered(loos, "still_right", asked)
    assert done(loos, retention.forget_silent, asked + 29 * DAY) == 0
    assert loos.scalar("select count(*) from territory.installations where dataset = 'register'") == 1
    assert done(loos, retention.forget_silent, asked + 30 * DAY) == 1
    assert left(loos) == (0, 0)
    assert loos.scalar("select count(*) from territory.installations where dataset = 'register'") == 0
    assert loos.scalar("select count(*) from territory.tombstones") == 1


def test_nobody_is_silent_who_was_not_asked(loos):
    """While no mail server takes the letter the thirty days do not begin; they begin when one does."""
    published(loos)
    asked = NOW + 336 * DAY
    done(loos, retention.ask_owners, asked)
    assert done(loos, retention.forget_silent, asked + 45 * DAY) == 0
    delivered(loos, "still_right", asked + 45 * DAY)
    assert done(loos, retention.forget_silent, asked + 74 * DAY) == 0
    assert done(loos, retention.forget_silent, asked + 75 * DAY) == 1


def test_a_yes_renews_for_a_year(loos):
    """And so does a correction: any act of the owner's."""
    _, key = published(loos)
    asked = NOW + 336 * DAY
    done(loos, retention.ask_owners, asked)
    with loos.db.write() as tx:
        register.renew(tx, key, now=asked + DAY)
    assert done(loos, retention.forget_silent, asked + 60 * DAY) == 0
    assert done(loos, retention.ask_owners, asked + 330 * DAY) == 0
    assert done(loos, retention.ask_owners, asked + 340 * DAY) == 1


@pytest.mark.parametrize("act", ["reject", "return", "withdraw", None])
def test_twelve_months_after_the_last_act_the_address_is_gone(loos, act):
    """Rejected, returned, withdrawn or never looked at."""
    id, key = declared(loos)
    if act == "withdraw":
        with loos.db.write() as tx:
            register.withdraw(tx, key, now=NOW)
    elif act:
        decided(loos, id, act, "parce que", NOW + 10 * DAY)
    assert done(loos, retention.forget_past, NOW + YEAR - DAY) == 0
    assert done(loos, retention.forget_past, NOW + YEAR + 11 * DAY) == 1
    assert left(loos) == (0, 0)
    with loos.db.write() as tx, pytest.raises(BadKey):
        register.owned(tx, key, now=NOW)


def told(loos: Territory) -> dict[str, tuple[int, float | None]]:
    """The public sums, by technology."""
    with loos.db.read() as tx:
        return {one.technology: (one.count, one.power_kw) for one in sums.told(tx)}


def test_sums_say_nothing_of_fewer_than_five(loos):
    """Told monthly, from five on, and changed by five at least; below five they go."""
    months = [datetime(2026, month, 2, tzinfo=NOW.tzinfo) for month in range(6, 13)]
    members = [published(loos, precision="statistics", power_kw=8.4, email=f"r{n}@example.org") for n in range(4)]
    done(loos, sums.refresh, months[0])
    assert told(loos) == {}
    members += [published(loos, precision="statistics", power_kw=8.4, email=f"s{n}@example.org") for n in range(2)]
    assert done(loos, sums.refresh, months[0] + DAY) is False
    assert told(loos) == {}
    assert done(loos, sums.refresh, months[1]) is True
    assert told(loos) == {"heat_pump": (6, 48)}
    assert loos.scalar("select commune from territory.declared_sums") == "62528"
    # One joins and one leaves: nobody sees it.
    published(loos, precision="statistics", power_kw=8.4, email="t@example.org")
    leave(loos, members.pop()[1])
    done(loos, sums.refresh, months[2])
    assert told(loos) == {"heat_pump": (6, 48)}
    # Three more make five changes together.
    for n in range(3):
        published(loos, precision="statistics", power_kw=20, email=f"u{n}@example.org")
    done(loos, sums.refresh, months[3])
    assert told(loos) == {"heat_pump": (9, 108)}
    for _, key in members:
        leave(loos, key)
    done(loos, sums.refresh, months[4])
    assert told(loos) == {}


def leave(loos: Territory, key: str) -> None:
    """A member erases their declaration."""
    with loos.db.write() as tx:
        register.erase(tx, key, now=NOW)
