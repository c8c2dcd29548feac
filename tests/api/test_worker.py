"""The worker as an operator runs it: beside the service, over a real mail server, and killed at the worst moments."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from geo.register import outbox
from tests.api.test_versions import gohelle
from tests.conftest import ROOT, Service, Territory, free_port, running
from tests.mailbox import Mailbox, files, serving, text
from tests.script.conftest import wait_until

JEANNE = "jeanne@example.fr"


def post(territory: Territory, letter: str = "confirm", address: str = JEANNE, **given: Any) -> UUID:
    """A letter in the outbox."""
    with territory.db.write() as tx:
        now = datetime.now(UTC)
        return outbox.post(tx, letter, **{"address": address, "subject": uuid4(), "now": now, **given})


def row(territory: Territory, id: UUID) -> dict[str, Any]:
    """All that is kept of a letter."""
    return territory.scalar("select to_jsonb(o) from register.outbox o where id = %s", id) or {}


@contextmanager
def working(territory: Territory, folder: Path, smtp: str = "") -> Iterator["subprocess.Popen[bytes]"]:
    """`gohelle work` by itself."""
    env = {
        **os.environ,
        "GOHELLE_DATABASE_URL": territory.settings.database_url.render_as_string(hide_password=False),
        "GOHELLE_DATA": str(folder),
        "GOHELLE_SMTP_URL": smtp,
    }
    process = subprocess.Popen([Path(sys.executable).with_name("gohelle"), "work"], cwd=ROOT, env=env)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def ready(service: Service) -> dict[str, Any]:
    """What the health page tells of the post."""
    with urllib.request.urlopen(f"{service.url}/readyz", timeout=10) as answer:
        return json.load(answer)["mail"]


def children(process: "subprocess.Popen[bytes]") -> list[int]:
    """The worker that a service keeps; none while it starts another."""
    found = Path(f"/proc/{process.pid}/task").glob("*/children")
    ids = [int(id) for file in found for id in file.read_text().split()]
    return [id for id in ids if b"--lifeline" in Path(f"/proc/{id}/cmdline").read_bytes()]


def lives(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_letters_leave_in_the_reader_s_language(loos: Territory, tmp_path: Path):
    """Three readers, three languages; each with the town hall's name and a link of their own."""
    with serving() as mailbox, running(loos, GOHELLE_JOBS="on", GOHELLE_SMTP_URL=mailbox.url) as service:
        for lang in ("fr", "en", "de"):
            post(loos, address=f"{lang}@example.fr", language=lang, details={"technology": "heat_pump"})
        wait_until(lambda: len(mailbox.messages) == 3)
        url = service.url
    for lang, word in (("fr", "pompe à chaleur"), ("en", "heat pump"), ("de", "Wärmepumpe")):
        [message] = mailbox.to(f"{lang}@example.fr")
        assert word in text(message)
        assert f"{url}/declare/confirm?lang={lang}#" in text(message)
        assert "Mairie de Loos-en-Gohelle" in str(message["From"])


def test_without_a_mail_server_the_file_opens_the_link(loos: Territory, tmp_path: Path):
    """The embedded default works: the letter is a file, its key is good."""
    with working(loos, tmp_path):
        id = post(loos)
        wait_until(lambda: row(loos, id).get("state") == "sent")
    [message] = files(tmp_path / "mail")
    token = text(message).partition("#")[2].split()[0]
    assert loos.scalar("select count(*) from register.tokens where hash = sha256(%s::bytea)", token) == 1


def test_a_dead_server_loses_no_letter(loos: Territory, tmp_path: Path):
    """It waits, the health page tells of it, and it leaves when the server is back."""
    port = free_port()
    with running(loos, GOHELLE_JOBS="on", GOHELLE_SMTP_URL=f"smtp://127.0.0.1:{port}") as service:
        id = post(loos)
        wait_until(lambda: row(loos, id)["failure"] == "connection refused")
        told = ready(service)
        assert (told["worker"], told["waiting"], told["failed"]) == ("running", 1, 0)
        with serving(port) as mailbox:
            wait_until(lambda: row(loos, id)["state"] == "sent")
        assert ready(service)["waiting"] == 0
    assert len(mailbox.messages) == 1


def test_a_server_that_says_later_is_asked_later(loos: Territory, tmp_path: Path):
    """Greylisting: the second attempt gets through."""
    with serving() as mailbox, working(loos, tmp_path, mailbox.url):
        answers = iter(["451 4.7.1 later", "250 OK"])
        mailbox.answer = lambda line: next(answers) if line.startswith("RCPT") else "250 OK"
        id = post(loos)
        wait_until(lambda: row(loos, id).get("state") == "sent")
    assert row(loos, id)["attempts"] == 2
    assert len(mailbox.messages) == 1


def test_a_refused_letter_is_the_operator_s(loos: Territory, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """It is listed with a code, without the address in any log, and sent when the operator says so."""
    with serving() as mailbox, working(loos, tmp_path, mailbox.url):
        mailbox.answer = lambda line: "550 5.1.1 no such user jeanne" if line.startswith("RCPT") else "250 OK"
        id = post(loos)
        wait_until(lambda: row(loos, id).get("state") == "failed")
        told = gohelle(loos, "outbox", "list")
        assert str(id) in told
        assert "550 5.1.1" in told
        assert "jeanne" not in told
        mailbox.answer = lambda _: "250 OK"
        gohelle(loos, "outbox", "retry", str(id))
        wait_until(lambda: row(loos, id)["state"] == "sent")
    assert len(mailbox.messages) == 1
    said = capfd.readouterr()
    assert "letter refused" in said.err
    assert "jeanne" not in said.err + said.out


def held_up(territory: Territory, mailbox: Mailbox) -> psycopg.Connection:
    """From the server's "250" on, the worker cannot note that the letter is sent: the row is locked until we let go."""
    connection = psycopg.connect(territory.admin)

    def answer(line: str) -> str:
        if line == "DATA":
            connection.execute("select from register.outbox for update")
        return "250 OK"

    mailbox.answer = answer
    return connection


def test_a_kill_between_250_and_commit_repeats_a_letter_once(loos: Territory, tmp_path: Path):
    """The server has it, we do not know: it is sent once more, under the same Message-ID, and then no more."""
    with serving() as mailbox:
        with held_up(loos, mailbox) as lock, working(loos, tmp_path, mailbox.url) as killed:
            id = post(loos)
            wait_until(lambda: mailbox.messages and blocked(loos))
            killed.kill()
            killed.wait()
            lock.rollback()
        assert row(loos, id)["state"] == "sending"
        mailbox.answer = lambda _: "250 OK"
        with working(loos, tmp_path, mailbox.url):
            wait_until(lambda: row(loos, id)["state"] == "sent")
            wait_until(lambda: not loos.scalar("select count(*) from jobs.procrastinate_jobs where task_name = 'mail'"))
    first, second = mailbox.messages
    assert first["Message-ID"] == second["Message-ID"] == f"<{id}@127.0.0.1>"


def blocked(territory: Territory) -> bool:
    """Whether somebody waits for a lock."""
    return territory.scalar(
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    )


def test_the_service_keeps_a_worker_and_ends_with_it(loos: Territory, tmp_path: Path):
    """A killed worker is replaced and its work done; told to end, the service ends it first."""
    with serving() as mailbox, running(loos, GOHELLE_JOBS="on", GOHELLE_SMTP_URL=mailbox.url) as service:
        wait_until(lambda: children(service.process))
        [first] = children(service.process)
        os.kill(first, signal.SIGKILL)
        post(loos)
        wait_until(lambda: mailbox.messages)
        [second] = children(service.process)
        assert second != first
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(20) == 128 + signal.SIGTERM
        assert not lives(second)
        assert (
            loos.scalar("select count(*) from jobs.procrastinate_workers") <= 1
        )  # the killed one's, till the next start


def test_a_worker_ends_by_itself_when_its_service_was_killed(loos: Territory):
    """Else each crash would leave one behind, and they would add up."""
    with running(loos, GOHELLE_JOBS="on") as service:
        wait_until(lambda: children(service.process))
        [worker] = children(service.process)
        service.process.kill()
        wait_until(lambda: not lives(worker), 20)


def test_a_worker_outlives_its_database_s_absence(loos: Territory, tmp_path: Path):
    """Every connection is cut, again and again; it comes back and works."""
    with serving() as mailbox, working(loos, tmp_path, mailbox.url) as worker:
        for number in range(3):
            post(loos, address=f"{number}@example.fr")
            wait_until(lambda number=number: mailbox.to(f"{number}@example.fr"))
            loos.db.close()
            loos.scalar(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity "
                "where datname = current_database() and usename = 'gohelle' and pid <> pg_backend_pid()"
            )
        post(loos, address="last@example.fr")
        wait_until(lambda: mailbox.to("last@example.fr"))
        assert worker.poll() is None


def test_two_workers_send_each_letter_once(loos: Territory, tmp_path: Path):
    """Forty letters, two processes, no copy."""
    with serving() as mailbox, working(loos, tmp_path, mailbox.url), working(loos, tmp_path, mailbox.url):
        for number in range(40):
            post(loos, address=f"{number}@example.fr")
        wait_until(lambda: loos.scalar("select count(*) from register.outbox where state = 'sent'") == 40)
    assert len({message["Message-ID"] for message in mailbox.messages}) == len(mailbox.messages) == 40
