"""The outbox: a letter is there if its reason is, is sent once it can be, and leaves no more behind than it must."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from geo.errors import NotFound
from geo.register import jobs, outbox
from tests.conftest import Territory

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
JEANNE = "jeanne@example.fr"


def post(territory: Territory, letter: str = "confirm", **given) -> UUID:
    """A letter in the outbox."""
    with territory.db.write() as tx:
        return outbox.post(tx, letter, **{"address": JEANNE, "subject": uuid4(), "now": NOW, **given})


def take(territory: Territory, id: UUID, now: datetime = NOW) -> outbox.Outgoing | None:
    """Begin to send it."""
    with territory.db.write() as tx:
        return outbox.take(tx, id, domain="example.fr", now=now)


def row(territory: Territory, id: UUID) -> dict | None:
    """All that is kept of a letter."""
    return territory.scalar("select to_jsonb(o) from register.outbox o where id = %s", id)


def queued(territory: Territory) -> list[dict]:
    """The jobs in the queue."""
    return territory.scalar("select coalesce(jsonb_agg(to_jsonb(j) order by id), '[]') from jobs.procrastinate_jobs j")


def test_letter_and_job_are_there_if_the_reason_is(database: Territory):
    """One transaction holds all three: rolled back, nothing is left; committed, nothing is missing."""

    def fails() -> None:
        with database.db.write() as tx:
            outbox.post(tx, "confirm", address=JEANNE, subject=uuid4(), now=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert (database.scalar("select count(*) from register.outbox"), queued(database)) == (0, [])
    id = post(database)
    [job] = queued(database)
    assert (job["task_name"], job["args"], job["status"]) == ("mail", {"letter": str(id)}, "todo")


def test_a_job_knows_ids_and_nothing_else(database: Territory):
    """Whoever reads the queue learns nobody's address, reason or key."""
    id = post(database, "returned", details={"technology": "heat_pump", "reason": "Un visage"})
    outgoing = take(database, id)
    assert outgoing
    assert outgoing.token
    kept = json.dumps(queued(database))
    assert not [word for word in (JEANNE, "visage", outgoing.token) if word in kept]


def test_no_key_lies_in_any_table(database: Territory):
    """It is made when the letter is sent; what stays of it is a hash."""
    outgoing = take(database, post(database))
    assert outgoing
    assert outgoing.token
    everything = database.scalar("select jsonb_agg(to_jsonb(o))::text from register.outbox o") + database.scalar(
        "select jsonb_agg(to_jsonb(t))::text from register.tokens t"
    )
    assert outgoing.token not in everything


def test_what_is_sent_keeps_no_address(database: Territory):
    """Only that it was sent, and when."""
    id = post(database, "returned", details={"reason": "Un visage"})
    take(database, id)
    with database.db.write() as tx:
        outbox.sent(tx, id, now=NOW)
    kept = row(database, id)
    assert kept
    assert (kept["state"], kept["address"], kept["details"]) == ("sent", None, {})
    assert take(database, id) is None


def test_an_interrupted_letter_is_sent_again_under_its_message_id(database: Territory):
    """Its server may have taken it before the crash: whoever gets it twice can tell."""
    id = post(database)
    first, second = take(database, id), take(database, id)
    assert first
    assert second
    assert first.message_id == second.message_id == f"<{id}@example.fr>"
    assert first.token != second.token


def test_waits_grow_until_a_letter_is_given_up(database: Territory):
    """From seconds to a quarter of an hour; after five days it is the operator's."""
    id, now, waits = post(database), NOW, []
    while take(database, id, now):
        with database.db.write() as tx:
            wait = outbox.postponed(tx, id, failure="450 4.2.0", now=now)
        if wait is None:
            break
        waits.append(wait)
        now += wait
    assert waits[:4] == [timedelta(seconds=seconds) for seconds in (5, 10, 20, 40)]
    assert max(waits) == outbox.LONGEST_WAIT
    assert timedelta(days=5) < now - NOW < timedelta(days=5, hours=1)
    [entry] = database_entries(database)
    assert (entry.state, entry.failure, entry.domain) == ("failed", "450 4.2.0", "example.fr")


def test_an_operator_tries_again_or_drops(database: Territory):
    """A failed letter gets a new job; what is not there is said."""
    id = refused(database)
    with database.db.write() as tx:
        assert outbox.tally(tx) == outbox.Tally(waiting=0, failed=1, oldest=None)
        assert outbox.retry(tx, id, now=NOW) == 1
    assert take(database, id)
    assert len(queued(database)) == 2
    refuse(database, id)
    with database.db.write() as tx:
        assert outbox.retry(tx, None, now=NOW) == 1
        outbox.drop(tx, id)
    assert row(database, id) is None
    for call in (lambda tx: outbox.retry(tx, id, now=NOW), lambda tx: outbox.drop(tx, id)):
        with pytest.raises(NotFound), database.db.write() as tx:
            call(tx)


def test_the_letter_that_says_all_is_erased_leaves_no_row(database: Territory):
    """Sent or refused, it was the last that knew the address."""
    for end in (outbox.sent, outbox.refused):
        id = post(database, "erased", subject=None)
        take(database, id)
        with database.db.write() as tx:
            end(tx, id, now=NOW, **({"failure": "550"} if end is outbox.refused else {}))
        assert row(database, id) is None


def test_letters_go_with_their_declaration(database: Territory):
    """Sent or not; a job deletes the files that they may have become."""
    with database.superuser() as connection:
        connection.execute(DECLARATION)
    declaration = database.scalar("select id from register.declarations")
    id = post(database, declaration=declaration)
    with database.db.write() as tx:
        outbox.forget(tx, declaration)
    assert row(database, id) is None
    assert take(database, id) is None
    assert queued(database)[-1]["args"] == {"letters": [str(id)]}
    with database.db.write() as tx:
        outbox.forget(tx, declaration)
    assert len(queued(database)) == 2


def test_a_letter_goes_to_the_address_that_holds_at_sending(database: Territory):
    """A contributor's own, looked up then; and where there is none any more, nothing is sent."""
    with database.superuser() as connection:
        connection.execute(DECLARATION)
        connection.execute(
            "insert into register.contributors (email, language, created_at) values ('a@b.fr', 'fr', now())"
        )
        connection.execute("update register.declarations set contributor = (select id from register.contributors)")
    declaration = database.scalar("select id from register.declarations")
    id = post(database, address=None, declaration=declaration, subject=None)
    found = take(database, id)
    assert found
    assert found.address == "a@b.fr"
    with database.superuser() as connection:
        connection.execute("delete from register.contributors")
    assert take(database, id) is None
    assert row(database, id) is None


def test_urgent_letters_overtake_the_yearly_ones(database: Territory):
    """Somebody waits for a login; nobody for a question once a year."""
    post(database, "still_right")
    post(database, "staff_login")
    assert [job["priority"] for job in queued(database)] == [0, 10]


def test_a_letter_without_a_job_gets_one(database: Territory):
    """After a hand in the tables; those that have one get no second."""
    stray, kept = post(database), post(database)
    with database.superuser() as connection:
        connection.execute("delete from jobs.procrastinate_jobs where args ->> 'letter' = %s", [str(stray)])
    with database.db.write() as tx:
        assert outbox.hand_over_strays(tx) == 1
        assert outbox.hand_over_strays(tx) == 0
    assert {job["args"]["letter"] for job in queued(database)} == {str(stray), str(kept)}


def test_old_letters_are_forgotten(database: Territory):
    """After thirty days; what waits is never dropped."""
    failed, waiting = refused(database), post(database)
    with database.db.write() as tx:
        outbox.clear(tx, now=NOW + outbox.KEPT)
        assert len(outbox.entries(tx)) == 2
        outbox.clear(tx, now=NOW + outbox.KEPT + timedelta(seconds=1))
    assert row(database, failed) is None
    assert row(database, waiting)


def test_only_letters_that_exist_are_posted(database: Territory):
    """A typing error of ours is told at once, not by the worker."""
    with pytest.raises(ValueError, match="no letter"):
        post(database, "good_morning")


def test_a_worker_that_is_silent_counts_as_none(database: Territory):
    """What the health page tells."""
    with database.db.write() as tx:
        assert not jobs.alive(tx)
    with database.superuser() as connection:
        connection.execute("insert into jobs.procrastinate_workers (last_heartbeat) values (now() - interval '1 hour')")
    with database.db.write() as tx:
        assert not jobs.alive(tx)
    with database.superuser() as connection:
        connection.execute("update jobs.procrastinate_workers set last_heartbeat = now()")
    with database.db.write() as tx:
        assert jobs.alive(tx)


def test_the_reader_sees_neither_letters_nor_jobs(database: Territory):
    """Not even that they exist."""
    post(database)
    for table in ("register.outbox", "register.spent", "register.salts", "jobs.procrastinate_jobs"):
        assert not database.scalar("select has_table_privilege('gohelle_reader', %s, 'select')", table)
        assert not database.scalar("select has_schema_privilege('gohelle_reader', %s, 'usage')", table.split(".")[0])


DECLARATION = """
insert into register.declarations (state, technology, owner_kind, location, precision, language, received_at, acted_at)
values ('draft', 'heat_pump', 'private_person', ST_SetSRID(ST_MakePoint(2.79, 50.45), 4326), 'cell_200m', 'fr', now(), now())
"""


def refuse(territory: Territory, id: UUID) -> None:
    """The server said no."""
    with territory.db.write() as tx:
        outbox.refused(tx, id, failure="550 5.1.1", now=NOW)


def refused(territory: Territory) -> UUID:
    """A letter that the server did not take."""
    id = post(territory)
    take(territory, id)
    refuse(territory, id)
    return id


def database_entries(territory: Territory) -> list[outbox.Entry]:
    """What `gohelle outbox list` shows."""
    with territory.db.write() as tx:
        return list(outbox.entries(tx))
