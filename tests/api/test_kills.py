"""Service, worker and mail server are killed at random while residents declare: nothing that was promised is lost.

Each resident declares, confirms from the mail, is approved, and withdraws by the key in the second mail. Whoever gets no
answer asks again, as people and browsers do. Five kills in the usual run, fifty with GOHELLE_LONG=1.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from geo.register import access, staff
from tests.conftest import ROOT, Territory, free_port
from tests.declaring import body
from tests.mailbox import parsed, text
from tests.script.conftest import wait_until

LONG = os.environ.get("GOHELLE_LONG") == "1"
JSON = "application/json"
PATIENCE = 120
"""Seconds after which whatever has not come is lost."""


class Ground:
    """A service and a mail server, each on a port of its own, that come back after they were killed."""

    def __init__(self, territory: Territory, folder: Path) -> None:
        self.territory = territory
        self.mail = folder / "mail"
        self.mail.mkdir()
        self.log = (folder / "log").open("wb")
        self.ports = {"service": free_port(), "mail server": free_port()}
        self.url = f"http://127.0.0.1:{self.ports['service']}"
        self.env = {
            **os.environ,
            "GOHELLE_DATABASE_URL": territory.settings.database_url.render_as_string(hide_password=False),
            "GOHELLE_PORT": str(self.ports["service"]),
            "GOHELLE_WORKERS": "1",
            "GOHELLE_SMTP_URL": f"smtp://127.0.0.1:{self.ports['mail server']}",
            "GOHELLE_DECLARATIONS_A_DAY": "0",
        }
        self.key = moderator(territory)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.read: dict[Path, EmailMessage] = {}
        self.reading = threading.Lock()
        for name in self.ports:
            self.start(name)

    def start(self, name: str) -> None:
        """Start one of the two; both write into one log."""
        command = [sys.executable, "-m", "tests.mailserver", str(self.ports["mail server"]), str(self.mail)]
        if name == "service":
            command = [str(Path(sys.executable).with_name("gohelle")), "serve"]
        self.processes[name] = subprocess.Popen(command, cwd=ROOT, env=self.env, stderr=self.log, stdout=self.log)

    def kill(self, name: str) -> None:
        """End it as a power cut does, and start it again; the worker is the service's to start again."""
        for pid in self.workers() if name != "mail server" else ():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if name != "worker":
            self.processes[name].kill()
            self.processes[name].wait()
            self.start(name)

    def workers(self) -> list[int]:
        """The service's worker, while it has one."""
        try:
            tasks = Path(f"/proc/{self.processes['service'].pid}/task").glob("*/children")
            return [int(pid) for file in tasks for pid in file.read_text().split()]
        except OSError:
            return []

    def end(self) -> None:
        """Both, for good."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(30)
        self.log.close()

    def letters(self, address: str) -> list[EmailMessage]:
        """What the mail server took for an address, in order."""
        with self.reading:
            for file in set(self.mail.glob("*.eml")) - self.read.keys():
                self.read[file] = parsed(file.read_bytes())
            found = [(file.stat().st_mtime_ns, one) for file, one in self.read.items() if one["To"] == address]
        return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def moderator(territory: Territory) -> str:
    """A moderator's key, as `gohelle staff key` makes it."""
    now = datetime.now(UTC)
    with territory.db.write() as tx:
        member = staff.add(tx, "moderator@example.fr", "moderator", language="fr", now=now)
        return access.make_key(tx, member.id, name="test", lifetime=timedelta(days=1), now=now)


@contextmanager
def ground(territory: Territory, folder: Path) -> Iterator[Ground]:
    """Service and mail server, ended with the block."""
    made = Ground(territory, folder)
    try:
        yield made
    finally:
        made.end()


class Resident(threading.Thread):
    """One who declares, confirms, is approved by the town hall, and withdraws; `lost` says what did not come."""

    def __init__(self, where: Ground, number: int) -> None:
        super().__init__(name=f"resident {number}", daemon=True)
        self.where = where
        self.address = f"resident{number}@example.fr"
        self.lost: BaseException | None = None

    def run(self) -> None:
        """The story, to its end or to what was lost."""
        try:
            data = json.dumps(body(email=self.address)).encode()
            told = self.ask("/installations", data, **{"Content-Type": JSON, "Idempotency-Key": self.address})
            self.push("/declare/confirm", self.token("/declare/confirm"))
            path = f"/register/declarations/{json.loads(told)['id']}/approve"
            self.ask(path, b"{}", **{"Content-Type": JSON, "Authorization": f"Bearer {self.where.key}"})
            self.push("/mine/withdraw", self.token("/mine"))
        except BaseException as error:  # noqa: BLE001 (told by the test, in its own thread)
            self.lost = error

    def push(self, page: str, token: str) -> None:
        """The button of a page that a letter leads to."""
        self.ask(page, f"token={token}".encode(), **{"Content-Type": "application/x-www-form-urlencoded"})

    def ask(self, path: str, data: bytes, **headers: str) -> bytes:
        """Ask until there is an answer. Where an earlier one was lost, a refusal may mean that it is done already."""
        deadline, lost = time.monotonic() + PATIENCE, 0
        while True:
            try:
                with urllib.request.urlopen(
                    urllib.request.Request(self.where.url + path, data, headers), timeout=10
                ) as answer:
                    return answer.read()
            except OSError as error:
                refused = isinstance(error, urllib.error.HTTPError) and error.code not in (502, 503)
                if refused and lost:
                    return b""
                if refused or time.monotonic() > deadline:
                    raise
                lost += 1
                time.sleep(0.1)

    def token(self, page: str) -> str:
        """The key in the letter that leads to this page, when it has come."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            words = " ".join(text(letter) for letter in self.where.letters(self.address)).split()
            for word in words:
                if page in word:
                    return word.partition("#")[2]
            time.sleep(0.3)
        raise AssertionError(f"no letter that leads to {page}")


@pytest.mark.long
@pytest.mark.parametrize(
    "kills", [5, pytest.param(50, marks=pytest.mark.skipif(not LONG, reason="GOHELLE_LONG=1 runs it"))]
)
def test_kills_lose_nothing(loos: Territory, tmp_path: Path, kills: int):
    """Every declaration that was answered is there, every letter comes, and no more repeats than there were kills."""
    dice = random.Random(kills)
    with ground(loos, tmp_path) as where:
        residents: list[Resident] = []
        for number in range(kills):
            residents += [Resident(where, 3 * number + extra) for extra in range(3)]
            for resident in residents[-3:]:
                resident.start()
            time.sleep(dice.uniform(0.2, 2.5))
            where.kill(dice.choice(("service", "worker", "mail server")))
        for resident in residents:
            resident.join(2 * PATIENCE)
        assert [(one.name, one.lost) for one in residents if one.lost or one.is_alive()] == []
        wait_until(lambda: not loos.scalar("select count(*) from register.outbox where state <> 'sent'"), PATIENCE)
        wait_until(lambda: not loos.scalar("select count(*) from jobs.procrastinate_jobs where task_name = 'mail'"))
        told = Counter(
            (one["To"], one["Message-ID"]) for resident in residents for one in where.letters(resident.address)
        )
    withdrawn = loos.scalar("select count(*) from register.declarations where state = 'withdrawn'")
    assert loos.scalar("select count(*) from register.declarations") == withdrawn == len(residents)
    letters = loos.scalar("select count(*) from register.outbox")
    assert len(told) == letters
    assert sum(told.values()) - letters <= kills
