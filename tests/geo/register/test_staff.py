"""Who works at the town hall: members, their sessions and keys, and that strangers learn nothing."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from geo.errors import BadInput, BadKey, Forbidden, NotFound, TooOften, Unauthenticated
from geo.register import access, keys, staff
from geo.register.access import IDLE, LONGEST

NOW = datetime(2026, 5, 1, 9, tzinfo=UTC)
MARIE = "marie@loos.example"


@pytest.fixture
def tx(database):
    """A transaction of an empty register."""
    with database.db.write() as tx:
        yield tx


@pytest.fixture
def marie(tx):
    """A moderator."""
    return staff.add(tx, MARIE, "moderator", language="fr", now=NOW)


def test_somebody_comes_and_goes(tx, marie):
    """An address has one role; who leaves is out at once and everywhere, and their address is forgotten."""
    assert staff.find(tx, " Marie@Loos.example ") == marie
    assert staff.add(tx, MARIE.upper(), "admin", language="fr", now=NOW).id == marie.id
    session = access.open_session(tx, marie.id, now=NOW)
    key = access.make_key(tx, marie.id, name="QGIS", lifetime=timedelta(days=30), now=NOW)
    link = keys.issue(tx, "staff_login", marie.id, now=NOW)
    staff.remove(tx, MARIE, now=NOW)
    for ask in (lambda: access.of_session(tx, session, now=NOW), lambda: access.of_key(tx, key, now=NOW)):
        with pytest.raises(Unauthenticated):
            ask()
    with pytest.raises(BadKey):
        access.enter(tx, link, now=NOW)
    assert staff.members(tx) == []
    with pytest.raises(NotFound):
        staff.remove(tx, MARIE, now=NOW)
    again = staff.add(tx, MARIE, "planner", language="fr", now=NOW)
    assert again.id != marie.id


@pytest.mark.parametrize(
    "email", ["", "marie", "a@b", "a b@c.fr", "a@b.fr\nBcc: c@d.fr", f"{'a' * 250}@b.fr", "a@b..fr"]
)
def test_what_is_no_address(tx, email):
    """Nobody is added whom no mail reaches."""
    with pytest.raises(BadInput):
        staff.add(tx, email, "admin", language="fr", now=NOW)


@pytest.mark.parametrize(("role", "sees", "counts"), [("moderator", 1, 0), ("planner", 0, 0), ("admin", 1, 1)])
def test_the_table_of_roles(tx, role, sees, counts):
    """Planners see no declaration; figures for watching are the administrators'. What the table does not name is nobody's."""
    member = staff.add(tx, MARIE, role, language="fr", now=NOW)
    assert (member.may("look"), member.may("count"), member.may("everything")) == (sees, counts, False)
    if not sees:
        with pytest.raises(Forbidden):
            staff.authorise(member, "look")


def test_a_session_ends(tx, marie):
    """After two idle hours, after twelve hours however busy, or when it is closed."""
    secret = access.open_session(tx, marie.id, now=NOW)
    assert access.of_session(tx, secret, now=NOW + IDLE - timedelta(seconds=1)) == marie
    assert access.of_session(tx, secret, now=NOW + 2 * IDLE - timedelta(seconds=2)) == marie
    with pytest.raises(Unauthenticated):
        access.of_session(tx, secret, now=NOW + 3 * IDLE)

    busy = access.open_session(tx, marie.id, now=NOW)
    for hours in range(1, 12):
        access.of_session(tx, busy, now=NOW + timedelta(hours=hours))
    with pytest.raises(Unauthenticated):
        access.of_session(tx, busy, now=NOW + LONGEST)

    closed = access.open_session(tx, marie.id, now=NOW)
    access.close_session(tx, closed)
    with pytest.raises(Unauthenticated):
        access.of_session(tx, closed, now=NOW)


def test_secrets_are_not_at_rest(database):
    """Neither the cookie nor the key stands in any table; a guess, a part and a surrogate open nothing."""
    with database.db.write() as tx:
        member = staff.add(tx, MARIE, "admin", language="fr", now=NOW)
        session = access.open_session(tx, member.id, now=NOW)
        key = access.make_key(tx, member.id, name="QGIS", lifetime=timedelta(days=1), now=NOW)
    rows = database.scalar(
        "select (select string_agg(s::text, '') from register.sessions s) || (select string_agg(k::text, '') from register.api_keys k)"
    )
    assert session not in rows
    assert key not in rows
    with database.db.write() as tx:
        assert access.of_key(tx, key, now=NOW + timedelta(hours=23)) == member
        for wrong in (key[:-1], key + "a", "", "\ud800", session):
            with pytest.raises(Unauthenticated):
                access.of_key(tx, wrong, now=NOW)
        with pytest.raises(Unauthenticated):
            access.of_key(tx, key, now=NOW + timedelta(days=1))
        with pytest.raises(Unauthenticated):
            access.of_session(tx, key, now=NOW)


def test_keys_are_listed_and_revoked(tx, marie):
    """By name and dates, never by what they are."""
    secret = access.make_key(tx, marie.id, name=" QGIS ", lifetime=timedelta(days=1), now=NOW)
    access.of_key(tx, secret, now=NOW)
    (listed,) = access.api_keys(tx)
    assert (listed.email, listed.name, listed.used_at) == (MARIE, "QGIS", NOW)
    access.revoke_key(tx, listed.id)
    with pytest.raises(Unauthenticated):
        access.of_key(tx, secret, now=NOW)
    with pytest.raises(NotFound):
        access.revoke_key(tx, listed.id)
    with pytest.raises(BadInput):
        access.make_key(tx, marie.id, name="", lifetime=timedelta(days=1), now=NOW)


def test_what_ended_is_forgotten(tx, marie):
    """By the clean-up that runs every hour; what still opens something stays."""
    access.open_session(tx, marie.id, now=NOW)
    access.make_key(tx, marie.id, name="QGIS", lifetime=timedelta(days=1), now=NOW)
    assert access.forget_ended(tx, now=NOW + timedelta(hours=1)) == 0
    assert access.forget_ended(tx, now=NOW + timedelta(days=2)) == 2


def test_a_link_opens_one_session(tx, marie):
    """Once, within a quarter of an hour; keys of other purposes open none."""
    link = keys.issue(tx, "staff_login", marie.id, now=NOW)
    secret, member = access.enter(tx, link, now=NOW + timedelta(minutes=14))
    assert member == marie == access.of_session(tx, secret, now=NOW)
    late = keys.issue(tx, "staff_login", marie.id, now=NOW)
    for key, when in [
        (link, NOW),
        (late, NOW + timedelta(minutes=16)),
        (late[:-1], NOW),
        (keys.issue(tx, "owner", marie.id, now=NOW), NOW),
        (keys.issue(tx, "staff_login", uuid4(), now=NOW), NOW),
    ]:
        with pytest.raises(BadKey) as refusal:
            access.enter(tx, key, now=when)
        assert str(refusal.value) == str(BadKey())


def test_a_stranger_costs_what_a_member_does(database):
    """The same statements in the same order are run for both, and both leave one letter; the stranger's goes to nobody."""
    from sqlalchemy import event

    heard: dict[str, list[str]] = {}
    with database.db.write() as tx:
        staff.add(tx, MARIE, "admin", language="fr", now=NOW)
        staff.invite(tx, MARIE, address="192.0.2.1", language="fr", now=NOW)  # makes the day's salt
    for email in (MARIE, "stranger@example.org"):
        with database.db.write() as tx:
            said = heard[email] = []
            event.listen(tx, "before_cursor_execute", lambda *told, said=said: said.append(told[2]))
            staff.invite(tx, email, address="192.0.2.1", language="fr", now=NOW)
    assert heard[MARIE] == heard["stranger@example.org"] != []
    assert database.scalar("select count(*) from register.outbox where letter = 'staff_login'") == 3
    assert database.scalar("select count(*) from register.outbox o where o::text like '%stranger%'") == 0


def test_links_are_not_asked_for_without_end(database):
    """Five an hour for a mailbox, staff or not: nobody's letter box is flooded."""
    for email in (MARIE, "stranger@example.org"):
        for _ in range(staff.PER_MAILBOX):
            with database.db.write() as tx:
                staff.invite(tx, email, address="192.0.2.1", language="fr", now=NOW)
        with database.db.write() as tx, pytest.raises(TooOften):
            staff.invite(tx, email.upper(), address="198.51.100.1", language="fr", now=NOW)
