"""Anybody may report a public entry; five whom it can be believed that they are five hide it until somebody has looked."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest

from geo.collections import territory
from geo.errors import BadInput, BadKey, NotFound, TooOften
from geo.register import dossier, flags, keys, moderation, outbox, staff, worklist
from tests.declaring import NOW, declared, published
from tests.geo.register.test_moderation import everything
from tests.script.conftest import wait_until


@pytest.fixture
def marie(loos):
    """A moderator."""
    with loos.db.write() as tx:
        return staff.add(tx, "marie@loos.example", "moderator", language="fr", now=NOW)


def public_key(loos, id):
    """What the public entry is named by."""
    return loos.scalar("select public_key from register.declarations where id = %s", id)


def report(loos, id, number=1, address=None, now=NOW, **said):
    """Somebody reports; the key that their mail brings."""
    said = {"reason": "gone", "words": "", "email": f"neighbour{number}@example.org", **said}
    with loos.db.write() as tx:
        flags.report(tx, public_key(loos, id), **said, address=address or f"192.0.{number}.7", language="fr", now=now)
    letter = loos.scalar(
        "select id from register.outbox where letter = 'flag_confirm' order by queued_at desc, id limit 1"
    )
    with loos.db.write() as tx:
        outgoing = outbox.take(tx, letter, domain="test", now=now)
        outbox.sent(tx, letter, now=now)
    assert outgoing is not None
    assert outgoing.token is not None
    assert outgoing.address == said["email"]
    loos.scalar("delete from register.outbox where id = %s returning 1", letter)
    return outgoing.token


def confirm(loos, token, now=NOW):
    """They follow the link in their mail."""
    with loos.db.write() as tx:
        flags.confirm(tx, token, now=now)


def reported(loos, id, numbers, **how):
    """Some report and confirm; the entry's state."""
    for number in numbers:
        confirm(loos, report(loos, id, number, **how))
    return loos.scalar("select state from register.declarations where id = %s", id)


def shown(loos, id):
    """Whether anybody sees the entry."""
    return loos.scalar(
        "select count(*) from territory.installations where source_key = %s", f"declaration:{public_key(loos, id)}"
    )


def settle(loos, id, act, marie):
    """Somebody of the town looks."""
    with loos.db.write() as tx:
        moderation.decide(tx, id, act, member=marie, territory=territory(tx), now=NOW, reason="Vu.")


def test_five_hide_an_entry_until_it_is_looked_at(loos, marie):
    """Four do not; the fifth does; to keep it shows it again, at the same number, and no report hides it any more."""
    id, _ = published(loos)
    number = loos.scalar("select public_id from register.declarations where id = %s", id)
    assert reported(loos, id, range(1, 5)) == "published"
    assert shown(loos, id)
    assert reported(loos, id, [5]) == "hidden"
    assert not shown(loos, id)
    with loos.db.write() as tx:
        assert worklist.counts(tx)["flagged"] == 1
        found = dossier.read(tx, id)
    assert len(found.reports) == 5
    assert (found.trail[-1].act, found.trail[-1].actor) == ("hide", "public")

    settle(loos, id, "keep", marie)
    assert shown(loos, id)
    assert loos.scalar("select public_id from register.declarations where id = %s", id) == number
    assert reported(loos, id, range(11, 18)) == "published"
    with loos.db.write() as tx:
        assert worklist.counts(tx)["flagged"] == 1  # reported all the same, for the town to see
        assert dossier.read(tx, id).kept_at == NOW


def test_to_hide_settles_the_reports_too(loos, marie):
    """A moderator who hides has looked; what was kept later needs no five new ones to be looked at."""
    id, _ = published(loos)
    reported(loos, id, range(1, 3))
    settle(loos, id, "hide", marie)
    assert not shown(loos, id)
    with loos.db.write() as tx:
        assert worklist.counts(tx)["flagged"] == 0
        assert all(one.settled_at == NOW for one in dossier.read(tx, id).reports)


def test_the_same_block_or_mailbox_counts_once(loos):
    """Twenty from one /24 or one /48, and one mailbox under twenty tags, are one."""
    id, _ = published(loos)
    assert reported(loos, id, range(1, 10), address="192.0.2.1") == "published"
    assert reported(loos, id, range(20, 29), address="2001:db8:1:ffff::1") == "published"
    other, _ = published(loos, email="second@example.org")
    for number in range(5):
        assert reported(loos, other, [40 + number], email=f"One+{number}@example.org") == "published"
    assert (
        loos.scalar("select count(*) from register.flags where declaration = %s and confirmed_at is not null", other)
        == 1
    )


def test_a_public_owner_is_never_hidden(loos):
    """However many: it is looked at, and stays."""
    id, _ = published(loos, owner_kind="municipality")
    assert reported(loos, id, range(1, 8)) == "published"
    with loos.db.write() as tx:
        assert worklist.counts(tx)["flagged"] == 1


def test_only_what_is_confirmed_counts(loos):
    """Once, within a week, with the right key; a scanner that opens the page confirms nothing."""
    id, _ = published(loos)
    tokens = [report(loos, id, number) for number in range(1, 6)]
    assert shown(loos, id)
    for token in tokens[:4]:
        confirm(loos, token)
    late = NOW + timedelta(days=8)
    with loos.db.write() as tx:
        foreign = keys.issue(tx, "owner", id, now=NOW)
    for token, when in [(tokens[0], NOW), (tokens[4], late), (tokens[4][:-1], NOW), ("", NOW), (foreign, NOW)]:
        before = everything(loos)
        with pytest.raises(BadKey) as refusal:
            confirm(loos, token, when)
        assert str(refusal.value) == str(BadKey())
        assert everything(loos) == before
    assert shown(loos, id)


def test_the_last_two_at_once(loos):
    """The fifth is the fifth, whoever waits for whom."""
    for _ in range(3):
        id, _ = published(loos)
        reported(loos, id, range(1, 4))
        tokens = [report(loos, id, number) for number in (4, 5)]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda token: confirm(loos, token), tokens))
        assert loos.scalar("select state from register.declarations where id = %s", id) == "hidden"
        assert loos.scalar("select count(*) from register.audit where declaration = %s and act = 'hide'", id) == 1


def test_a_report_and_a_decision_at_once(loos, marie):
    """The decision holds the declaration; the report waits for it, holding nothing that the decision needs."""
    id, _ = published(loos)
    reported(loos, id, range(1, 5))
    token = report(loos, id, 5)
    waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as pool:
        with loos.db.write() as tx:
            tx.exec_driver_sql("select from register.declarations for update")
            confirming = pool.submit(confirm, loos, token)
            wait_until(lambda: loos.scalar(waiting) == 1)
            moderation.decide(tx, id, "keep", member=marie, territory=territory(tx), now=NOW)
        confirming.result(20)
    assert loos.scalar("select state from register.declarations where id = %s", id) == "published"
    with loos.db.write() as tx:
        assert [one.settled_at is None for one in dossier.read(tx, id).reports].count(True) == 1


def test_what_is_not_public_cannot_be_reported(loos):
    """Nothing tells a private entry from none: waiting, hidden, for statistics only, or never declared."""
    waiting, _ = declared(loos)
    quiet, _ = published(loos, precision="statistics")
    hidden, _ = published(loos)
    reported(loos, hidden, range(1, 6))
    named = [public_key(loos, id) for id in (waiting, quiet, hidden)]
    before = everything(loos)
    for key in (*named, uuid4()):
        with loos.db.write() as tx, pytest.raises(NotFound) as refusal:
            flags.report(
                tx, key, reason="gone", words="", email="a@example.org", address="203.0.113.1", language="fr", now=NOW
            )
        assert str(refusal.value) == "there is no such public entry"
    assert everything(loos) == before


def test_all_that_is_wrong_at_once(loos):
    """Reason, words and address; nothing is kept, and nothing is echoed."""
    id, _ = published(loos)
    with loos.db.write() as tx, pytest.raises(BadInput) as refusal:
        flags.report(
            tx,
            public_key(loos, id),
            reason="ugly",
            words="\x00" * 600,
            email="nobody",
            address=None,
            language="fr",
            now=NOW,
        )
    assert [one.pointer for one in refusal.value.problems] == ["/reason", "/words", "/email"]
    assert not any(word in str(refusal.value) for word in ("ugly", "nobody", "\x00"))
    assert loos.scalar("select count(*) from register.flags") == 0


def test_nobody_reports_without_end(loos):
    """Ten an hour from one block, five a day from one mailbox."""
    id, _ = published(loos)
    for _ in range(flags.PER_MAILBOX):
        report(loos, id, 1)
    with pytest.raises(TooOften):
        report(loos, id, 1, address="198.51.100.9")
    for number in range(flags.PER_BLOCK - flags.PER_MAILBOX):
        report(loos, id, 50 + number, address="192.0.1.99")
    with pytest.raises(TooOften):
        report(loos, id, 70, address="192.0.1.1")


def test_what_a_report_leaves(loos, marie):
    """No address of mail or network at rest; unconfirmed ones go after a week, settled ones after ninety days."""
    id, _ = published(loos)
    reported(loos, id, [1], words="Il n’y a rien ici.")
    report(loos, id, 2)
    kept = loos.scalar("select string_agg(f::text, '') from register.flags f") + loos.scalar(
        "select string_agg(o::text, '') from register.outbox o"
    )
    assert "neighbour" not in kept
    assert "192.0" not in kept
    with loos.db.write() as tx:
        assert flags.forget_old(tx, now=NOW + timedelta(days=6)) == 0
        assert flags.forget_old(tx, now=NOW + timedelta(days=7)) == 1
    settle(loos, id, "keep", marie)
    with loos.db.write() as tx:
        assert dossier.read(tx, id).reports[0].words == "Il n’y a rien ici."
        assert flags.forget_old(tx, now=NOW + timedelta(days=90)) == 1


def test_an_entry_that_goes_takes_its_reports_along(loos, marie):
    """Erased, and a confirmation that comes later opens nothing and breaks nothing."""
    from geo import register

    id, key = published(loos)
    reported(loos, id, [1])
    token = report(loos, id, 2)
    settle(loos, id, "hide", marie)
    settle(loos, id, "keep", marie)
    with loos.db.write() as tx:
        register.erase(tx, key, now=NOW)
    assert loos.scalar("select count(*) from register.flags") == 0
    assert loos.scalar("select count(*) from register.flagged") == 0
    confirm(loos, token)
