"""What the worker does by the clock, and at once for those who want to be forgotten."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from api import work
from api.work import CHORES, Workshop
from geo import register
from geo.errors import Unavailable
from geo.register import outbox
from tests.conftest import Territory
from tests.declaring import MAILBOX, body, confirmed
from tests.mailbox import files

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def workshop(loos: Territory, tmp_path: Path) -> Iterator[Workshop]:
    """The worker's tasks, done here, with letters as files."""
    made = Workshop(replace(loos.settings, data=tmp_path), clock=lambda: NOW)
    yield made
    made.db.close()


def worked_off(loos: Territory, workshop: Workshop) -> None:
    """All jobs of the queue, as the worker does them."""
    while job := loos.scalar("select jsonb_build_array(id, task_name, args) from jobs.procrastinate_jobs order by id"):
        id, name, args = job
        assert workshop.tasks[name](**args) is None
        loos.scalar("delete from jobs.procrastinate_jobs where id = %s returning id", id)


def declared(loos: Territory) -> Any:
    """A declaration that nobody confirmed yet."""
    with loos.db.write() as tx:
        draft = register.check(tx, body(), territory=work.read_territory(tx), now=NOW)
        return register.submit(tx, draft, now=NOW).id


def test_every_chore_fits_the_tables(loos: Territory, workshop: Workshop):
    """None fails on a house that is lived in."""
    declared(loos)
    with capture_logs() as logs:
        workshop.tidy()
    assert logs == []


def test_a_chore_that_fails_keeps_none_back(workshop: Workshop, monkeypatch: pytest.MonkeyPatch):
    """The others are done, and the failure is told without a value."""
    done: list[datetime] = []

    def fails(tx: Any, now: datetime) -> None:
        raise RuntimeError

    chores = {"first": fails, "second": lambda tx, now: done.append(now)}
    monkeypatch.setattr(work, "CHORES", chores)
    with capture_logs() as logs:
        workshop.tidy()
    assert (done, [(log["event"], log["chore"]) for log in logs]) == ([NOW], [("chore failed", "first")])


def test_drafts_that_nobody_confirmed_are_forgotten(loos: Territory, workshop: Workshop):
    """After thirty days, with the address; the letter's file went after seven."""
    declared(loos)
    worked_off(loos, workshop)
    later = Workshop(workshop.settings, clock=lambda: NOW + timedelta(days=31))
    later.tidy()
    worked_off(loos, later)
    later.db.close()
    assert loos.scalar("select count(*) from register.declarations") == 0
    assert loos.scalar("select count(*) from register.contributors") == 0
    assert loos.scalar("select count(*) from register.outbox") == 0


def test_who_is_erased_is_in_no_file_and_in_no_letter(loos: Territory, workshop: Workshop):
    """The letter that says so goes to a mail server only; without one there is none."""
    id = declared(loos)
    worked_off(loos, workshop)
    assert len(files(workshop.settings.data / "mail")) == 1
    key = confirmed(loos, id, NOW)
    with loos.db.write() as tx:
        register.erase(tx, key, now=NOW)
    worked_off(loos, workshop)
    assert files(workshop.settings.data / "mail") == []
    assert MAILBOX not in loos.scalar("select coalesce(jsonb_agg(to_jsonb(o))::text, '') from register.outbox o")


def test_who_is_erased_while_their_letter_is_written_is_in_no_file(
    loos: Territory, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
):
    """The job that deletes files may come before the file does."""
    id, deliver = declared(loos), work.mailing.deliver
    key = confirmed(loos, id, NOW)

    def erased_first(message: Any, **how: Any) -> None:
        monkeypatch.setattr(work.mailing, "deliver", deliver)
        with loos.db.write() as tx:
            register.erase(tx, key, now=NOW)
        deliver(message, **how)

    monkeypatch.setattr(work.mailing, "deliver", erased_first)
    worked_off(loos, workshop)
    assert files(workshop.settings.data / "mail") == []


def test_the_worker_tries_to_say_that_a_letter_is_sent(
    loos: Territory, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
):
    """A database that is away for a moment after the server's "250" must not make a second letter."""
    declared(loos)
    sent, attempts = outbox.sent, []

    def late(tx: Any, id: Any, *, now: datetime) -> bool:
        attempts.append(id)
        if len(attempts) < 3:
            raise Unavailable("away")
        return sent(tx, id, now=now)

    monkeypatch.setattr(outbox, "sent", late)
    monkeypatch.setattr(work.time, "sleep", lambda _: None)
    worked_off(loos, workshop)
    assert len(attempts) == 3
    assert loos.scalar("select state from register.outbox") == "sent"


def test_a_fault_of_ours_is_told_and_tried_again(loos: Territory, workshop: Workshop, monkeypatch: pytest.MonkeyPatch):
    """Without the letter's words or address; the letter stays."""
    declared(loos)

    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(work.letters, "write", fails)
    job = loos.scalar("select args from jobs.procrastinate_jobs")
    with capture_logs() as logs:
        assert workshop.tasks["mail"](**job) == work.AFTER_A_FAULT
    assert [log["event"] for log in logs] == ["job failed"]
    assert MAILBOX not in repr(logs)
    assert loos.scalar("select state from register.outbox") == "sending"


def test_the_hour_s_work_has_names():
    """What an operator reads in the log."""
    assert {"limits", "letters", "keys", "drafts", "past", "silent", "owners", "sums"} <= CHORES.keys()
