"""The queue's own tables: frozen in a migration, and what the installed library needs."""

from pathlib import Path

from procrastinate import PsycopgConnector
from procrastinate.schema import SchemaManager

from tests.conftest import ROOT, Territory

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
