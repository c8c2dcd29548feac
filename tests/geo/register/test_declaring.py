"""The owner's side in the database: corrections, withdrawal, what is held, and erasing that leaves nothing."""

from datetime import timedelta

import pytest

from geo import register
from geo.collections import territory
from geo.errors import BadKey, IllegalDecision
from geo.register import entries, keys, photos
from geo.register.photos import Photo
from tests.conftest import Territory
from tests.declaring import MAILBOX, NOW, body, decided, declared, published

SHOT = Photo(large=b"large", small=b"small", width=16, height=12)
WORDS = {"words": "Une phrase", "address": "12 rue Zéphyrine", "power_kw": 8.4}


def amended(loos: Territory, key: str, **members):
    """A correction by the key's holder; the act that it came to."""
    with loos.db.write() as tx:
        town = territory(tx)
        given = {
            name: value for name, value in body(**members).items() if name not in ("email", "consent", "owner_agrees")
        }
        draft = register.check(tx, given, territory=town, now=NOW, known=True)
        return register.amend(tx, key, draft, territory=town, now=NOW)


def shown(loos: Territory, column: str):
    """A column of the one public row of the register, or None."""
    return loos.scalar(f"select {column} from territory.installations where dataset = 'register'")


def letters(loos: Territory) -> list[str]:
    """The letters that were written, in order."""
    return loos.scalar("select array_agg(letter order by queued_at, id) from register.outbox") or []


def test_a_correction_waits_beside_the_public_row(loos):
    """The public row stays as it was until the town decides; a refusal changes nothing."""
    id, key = published(loos, power_kw=8.4)
    number = shown(loos, "id")
    assert amended(loos, key, power_kw=12) == "amend"
    assert shown(loos, "power_kw") == 8
    decided(loos, id, "reject_amendment", "la puissance d’avant était juste")
    assert shown(loos, "power_kw") == 8
    with pytest.raises(IllegalDecision):
        decided(loos, id, "approve_amendment")
    amended(loos, key, power_kw=12)
    amended(loos, key, power_kw=14)
    assert decided(loos, id, "approve_amendment") == "published"
    assert (shown(loos, "power_kw"), shown(loos, "id")) == (14, number)
    assert sorted(letters(loos)) == ["amendment_approved", "amendment_rejected", "confirm", "published"]


def test_before_anything_is_public_a_correction_is_taken_at_once(loos):
    """Waiting, it is corrected; returned or rejected, it is sent again."""
    id, key = declared(loos, power_kw=8)
    assert amended(loos, key, power_kw=9) == "correct"
    decided(loos, id, "return", "quelle année ?")
    assert amended(loos, key, power_kw=9, year=2020) == "resubmit"
    assert (
        loos.scalar("select state || ' ' || power_kw || ' ' || year from register.declarations") == "confirmed 9 2020"
    )
    decided(loos, id, "reject", "hors sujet")
    assert amended(loos, key, power_kw=9) == "resubmit"
    assert shown(loos, "id") is None


def test_being_shown_less_precisely_is_no_question_to_the_town(loos):
    """Taking the consent to the exact point back works at once, and is kept with the consent."""
    exact = {"precision": "exact", "exact_consent": True}
    _, key = published(loos, **exact)
    assert shown(loos, "position") == "digitised"
    amended(loos, key, precision="cell_1km")
    assert (shown(loos, "position"), shown(loos, "left(cell, 15)")) == ("cell", "CRS3035RES1000m")
    assert loos.scalar("select revoked_at is not null from register.consents where purpose = 'exact'")
    amended(loos, key, **exact)
    assert shown(loos, "position") == "cell"
    amended(loos, key, precision="statistics")
    assert shown(loos, "id") is None
    assert loos.scalar("select count(*) from territory.tombstones") == 1


def test_withdrawing_works_at_once_and_buries_the_number(loos):
    """Nothing public stays but the number; what is withdrawn is not corrected any more."""
    _, key = published(loos, power_kw=8)
    number = shown(loos, "id")
    with loos.db.write() as tx:
        register.withdraw(tx, key, now=NOW)
    assert shown(loos, "id") is None
    assert loos.scalar("select id from territory.tombstones") == number
    with pytest.raises(IllegalDecision):
        amended(loos, key, power_kw=9)


def test_hiding_keeps_the_number(loos):
    """What comes back is the same item; no tombstone was told meanwhile."""
    id, _ = published(loos)
    number = shown(loos, "id")
    decided(loos, id, "hide", "à vérifier")
    assert shown(loos, "id") is None
    assert loos.scalar("select count(*) from territory.tombstones") == 0
    decided(loos, id, "keep")
    assert shown(loos, "id") == number


def test_the_photo_goes_with_its_row(loos):
    """A correction's photo waits with it; withdrawn, none is public."""
    id, key = declared(loos)
    with loos.db.write() as tx:
        photos.keep(tx, id, SHOT, waiting=False, now=NOW)
    decided(loos, id)
    first = shown(loos, "photo")
    assert first
    amended(loos, key, power_kw=7)
    with loos.db.write() as tx:
        photos.keep(tx, id, SHOT, waiting=True, now=NOW)
    assert shown(loos, "photo") == first
    decided(loos, id, "approve_amendment")
    assert shown(loos, "photo") not in (None, first)
    assert (
        loos.scalar("select count(*) from territory.photos") == loos.scalar("select count(*) from register.photos") == 1
    )
    with loos.db.write() as tx:
        photos.remove(tx, id)
    assert shown(loos, "photo") is None
    assert loos.scalar("select count(*) from territory.photos") == 0


def test_all_that_is_held_is_told(loos):
    """Address, point, words, consents with their texts, and the trail; staff by role alone."""
    _, key = published(loos, **WORDS)
    with loos.db.write() as tx:
        held = register.held(tx, key, now=NOW)
    assert held["email"] == MAILBOX
    assert held["declaration"]["address"] == "12 rue Zéphyrine"
    assert held["declaration"]["location"]["coordinates"] == [2.794213, 50.458317]
    assert [one["act"] for one in held["trail"]] == ["declare", "confirm", "approve"]
    (consent,) = held["consents"]
    assert consent["purpose"] == "publication"
    assert consent["texts"]["fr"].startswith("J’accepte que la commune publie")
    assert len(consent["version"]) == 16


def test_a_lost_link_tells_nobody_anything(loos):
    """One letter a declaration for an address that declared; none, and no other answer, for one that did not."""
    declared(loos)
    with loos.db.write() as tx:
        assert register.ask_again(tx, "nobody@example.org", now=NOW) is None
        assert register.ask_again(tx, f" {MAILBOX.upper()} ", now=NOW) is None
        assert register.ask_again(tx, "\x00' or true", now=NOW) is None
    assert sorted(letters(loos)) == ["confirm", "lost_link"]


def test_erasing_leaves_a_number_and_nothing_else(loos):
    """No table holds the address, the mail, the point, the words or even the old number of the declaration."""
    id, key = published(loos, **WORDS)
    amended(loos, key, **WORDS, year=2020)
    with loos.db.write() as tx:
        photos.keep(tx, id, SHOT, waiting=True, now=NOW)
        register.ask_again(tx, MAILBOX, now=NOW)
    assert any(has(loos, word) for word in (MAILBOX, "Zéphyrine", "2.794213", "Une phrase"))
    with loos.db.write() as tx:
        register.erase(tx, key, now=NOW)
    for word in (MAILBOX, "Zéphyrine", "2.794213", "50.458317", "Une phrase", str(id)):
        assert not has(loos, word, but="jobs"), word
    # The job that deletes the letters' files names letters alone.
    assert not has(loos, MAILBOX)
    assert loos.scalar("select count(*) from territory.tombstones") == 1
    with loos.db.write() as tx, pytest.raises(BadKey):
        register.owned(tx, key, now=NOW)


def test_the_person_stays_while_something_is_theirs(loos):
    """Erasing one of two declarations keeps the address for the other."""
    _, first = declared(loos)
    declared(loos)
    with loos.db.write() as tx:
        register.erase(tx, first, now=NOW)
    assert loos.scalar("select count(*) from register.contributors") == 1
    assert loos.scalar("select count(*) from register.declarations") == 1


def test_confirming_twice_is_a_link_that_does_not_work(loos):
    """Also by a second letter's key: the first click used them all up."""
    with loos.db.write() as tx:
        draft = register.check(tx, body(), territory=territory(tx), now=NOW)
        id = register.submit(tx, draft, now=NOW).id
        one, other = (keys.issue(tx, "confirm", id, now=NOW) for _ in "12")
        register.confirm(tx, one, now=NOW)
    for token in (one, other):
        with loos.db.write() as tx, pytest.raises(BadKey):
            register.confirm(tx, token, now=NOW + timedelta(minutes=1))


def test_what_is_read_back_is_what_was_declared(loos):
    """Facts of every kind survive the table."""
    facts = {"heat_pump_kind": "air_water", "power_kw": 8.4, "cop": 3.9}
    given = body(**facts, year=2021, month=3, gain="moins de gaz", visitors_welcome=True, owner_kind="association")
    with loos.db.write() as tx:
        draft = register.check(tx, given, territory=territory(tx), now=NOW)
        _, again = entries.read(tx, register.submit(tx, draft, now=NOW).id)
    assert again.as_json() == draft.as_json()
    assert again.facts == facts


def has(loos: Territory, word: str, but: str = "") -> bool:
    """Whether any row of any table of ours holds these characters, geometries told as text."""
    with loos.superuser() as connection:
        tables = connection.execute(
            "select schemaname, tablename from pg_tables where schemaname in ('register', 'territory', 'jobs')"
        ).fetchall()
        for schema, table in tables:
            if schema == but:
                continue
            columns = connection.execute(
                "select column_name, udt_name from information_schema.columns where table_schema = %s and table_name = %s",
                [schema, table],
            ).fetchall()
            told = ", ".join(f"ST_AsText({name})" if kind == "geometry" else f"{name}::text" for name, kind in columns)
            sql = f"select exists (select from {schema}.{table} where concat_ws(' ', {told}) like %s)"
            if (connection.execute(sql, [f"%{word}%"]).fetchone() or [False])[0]:  # pyright: ignore[reportArgumentType, reportCallIssue]
                return True
    return False
