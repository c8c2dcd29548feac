"""The queue's own tables: frozen in a migration, and what the installed library needs."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from procrastinate import PsycopgConnector
from procrastinate.schema import SchemaManager

from geo import backup
from geo.register import outbox
from tests.conftest import ROOT, Territory, clone

FROZEN = ROOT / "migrations" / "versions" / "0004_procrastinate.sql"


def test_the_frozen_tables_are_those_of_the_installed_library():
    """An upgrade of procrastinate that brings others needs a migration of its own, and this test to know it."""
    needed = SchemaManager(PsycopgConnector()).get_schema()
    begin = "-- Enums"
    assert needed.partition(begin)[2] == Path(FROZEN).read_text("utf-8").partition(begin)[2]


def test_the_queue_s_triggers_find_their_tables_from_any_session(database: Territory):
    """An operator's psql, and a restore, have no `jobs` in their search path."""
    with database.superuser() as connection:
        connection.execute("set search_path = public")
        connection.execute("insert into jobs.procrastinate_jobs (queue_name, task_name) values ('mail', 'mail')")
        connection.execute("update jobs.procrastinate_jobs set status = 'doing'")
        connection.execute("delete from jobs.procrastinate_jobs")
    assert database.scalar("select count(*) from jobs.procrastinate_events") == 0


def test_letters_and_jobs_come_back_with_a_backup(database: Territory, admin_url: str, migrated: str, tmp_path: Path):
    """What waited is sent by the place that it was restored to, though another worker had its job in hand."""
    now = datetime(2026, 5, 1, tzinfo=UTC)
    with database.db.write() as tx:
        id = outbox.post(tx, "confirm", address="jeanne@example.fr", subject=uuid4(), now=now)
    with database.superuser() as connection:
        connection.execute("insert into jobs.procrastinate_workers (last_heartbeat) values (now())")
        connection.execute(
            "update jobs.procrastinate_jobs set status = 'doing', worker_id = (select max(id) from jobs.procrastinate_workers)"
        )
    backup.backup(database.settings, tmp_path / "file", now=now)
    with clone(admin_url, migrated) as other:
        backup.restore(other.settings, tmp_path / "file")
        assert other.scalar("select args ->> 'letter' from jobs.procrastinate_jobs where status = 'doing'") == str(id)
        assert not other.scalar("select has_schema_privilege('gohelle_reader', 'jobs', 'usage')")
        with other.db.write() as tx:
            assert outbox.hand_over_strays(tx) == 0
            outgoing = outbox.take(tx, id, domain="example.fr", now=now)
            outbox.post(tx, "confirm", address="jeanne@example.fr", subject=uuid4(), now=now)
        assert outgoing
        assert other.scalar("select count(*) from jobs.procrastinate_jobs") == 2
        assert other.scalar("select relpersistence from pg_class where oid = 'register.spent'::regclass") == "u"
