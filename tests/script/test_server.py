"""script/server: what it starts it also ends, and whatever kills it leaves nothing in the way of the next start.

It runs in a stand-in for a clone, whose service answers at once and forks a worker as the real one does.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from .conftest import ROOT, Folder, wait_until

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="what is left over is told by /proc"),
    pytest.mark.long,
]

COMMAND = """
import http.server, os, signal, socket, sys, time

def tell(words):
    with open(os.environ["STORY"], "a") as story:
        story.write(words + "\\n")

def main():
    if sys.argv[1] != "serve":
        tell(" ".join(sys.argv[1:]))
        sys.exit(0)
    listening = socket.create_server((os.environ["GOHELLE_HOST"], int(os.environ["GOHELLE_PORT"])))
    tell("serve " + os.environ["GOHELLE_DATABASE_URL"])
    worker = os.fork()
    if worker == 0:
        answer_with_the_parents_number(listening)
    def stop(*_):
        os.kill(worker, signal.SIGTERM)
        os.wait()
        sys.exit(0)
    signal.signal(signal.SIGTERM, stop)
    time.sleep(600)

def answer_with_the_parents_number(listening):
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(str(os.getppid()).encode())
    server = http.server.HTTPServer(("", 0), Answer, bind_and_activate=False)
    server.socket = listening
    server.serve_forever()
"""


class Clone:
    """A folder with the real scripts and a service of a few lines."""

    def __init__(self, path: Path, data: Folder) -> None:
        self.path = path
        self.data = data
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.story = path / "story"
        self.said = path / "said"
        self.running: list[subprocess.Popen[bytes]] = []
        for name in ("server", "gohelle", "cluster.py", "roles.sql"):
            (path / "script").mkdir(exist_ok=True)
            shutil.copy(ROOT / "script" / name, path / "script")
        self.program("script/bootstrap", "#!/bin/sh\n")
        self.program(".venv/bin/gohelle", f"#!{sys.executable}\nfrom api.command import main\nmain()\n")
        self.program("api/__init__.py", "")
        self.program("api/command.py", COMMAND)
        self.environment = {**data.environment, "STORY": str(self.story), "PYTHONPATH": str(path)}
        (path / ".venv" / "bin" / "python").symlink_to(sys.executable)

    def program(self, name: str, text: str) -> None:
        """Write a program."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def begin(self, **more: str) -> subprocess.Popen[bytes]:
        """Begin to serve."""
        environment = {**self.environment, "GOHELLE_PORT": str(self.port), **more}
        with self.said.open("w") as said:
            # Whoever runs the tests in the background, or under nohup, ignores these, and so would all that is started.
            line = ["env", "--default-signal=INT,HUP", "script/server"]
            nothing = subprocess.DEVNULL
            server = subprocess.Popen(line, cwd=self.path, env=environment, stdin=nothing, stdout=said, stderr=said)
        self.running.append(server)
        return server

    def serve(self, **more: str) -> subprocess.Popen[bytes]:
        """Begin to serve, and wait for its word that it does."""
        server = self.begin(**more)
        wait_until(lambda: server.poll() is not None or "Gohelle is at" in self.said.read_text())
        assert f"Gohelle is at http://127.0.0.1:{more.get('GOHELLE_PORT', self.port)};" in self.said.read_text()
        return server

    def service(self) -> int:
        """Give the number of the service that answers."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz") as answer:
            return int(answer.read())

    def serves(self) -> bool:
        """Whether anything listens at the port."""
        with socket.socket() as asking:
            return asking.connect_ex(("127.0.0.1", self.port)) == 0

    def is_clear(self) -> bool:
        """Whether neither the service nor PostgreSQL is left."""
        return not self.serves() and self.data.gone()


@pytest.fixture
def clone(make_folder: Callable[..., Folder]) -> Iterator[Clone]:
    """Give a clone whose data are empty, and leave nothing of it running."""
    data = make_folder(test=False)
    (data.path / "clone").mkdir()
    clone = Clone(data.path / "clone", data)
    yield clone
    for server in clone.running:
        server.terminate()
        server.wait(timeout=120)
    with suppress(OSError):
        os.kill(clone.service(), signal.SIGKILL)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_of_it(clone: Clone, sign: signal.Signals) -> None:
    """Ctrl-C, a service manager's word and a closed terminal: the service and PostgreSQL end with it."""
    server = clone.serve()
    assert clone.story.read_text().splitlines()[:2] == ["migrate", "seed --if-empty seed/loos-en-gohelle"]
    assert clone.serves()
    server.send_signal(sign)
    server.wait(timeout=120)
    assert server.returncode == 128 + sign
    assert clone.is_clear()


def test_killed_outright_it_starts_again(clone: Clone) -> None:
    """Its service ends with it; PostgreSQL is found running and used."""
    server = clone.serve()
    server.kill()
    server.wait()
    wait_until(lambda: not clone.serves())
    clone.serve()
    assert clone.serves()


def test_a_service_killed_outright_takes_the_rest_along(clone: Clone) -> None:
    """The worker that it forked would keep the port otherwise."""
    server = clone.serve()
    os.kill(clone.service(), signal.SIGKILL)
    server.wait(timeout=120)
    said = clone.said.read_text()
    assert server.returncode == 137
    assert "ended by itself" in said
    assert clone.is_clear()


def test_both_killed_outright_leave_a_worker_that_the_next_start_ends(clone: Clone) -> None:
    """Nobody is left who could end it, and it has the port."""
    server = clone.serve()
    service = clone.service()
    os.kill(server.pid, signal.SIGSTOP)
    os.kill(service, signal.SIGKILL)
    server.kill()
    server.wait()
    assert clone.serves()
    clone.serve()
    assert clone.service() != service


def test_a_taken_port_is_named(clone: Clone) -> None:
    """One sentence, with the variable that chooses another; nothing was started."""
    with socket.create_server(("127.0.0.1", clone.port)):
        server = clone.begin()
        server.wait(timeout=120)
    said = clone.said.read_text()
    assert server.returncode == 1
    assert len(said.splitlines()) == 1
    assert f"port {clone.port} is taken" in said
    assert "GOHELLE_PORT=" in said
    assert clone.data.gone()


def test_a_second_server_on_another_port_shares_the_database(clone: Clone) -> None:
    """The first to end leaves PostgreSQL to the other; neither ends the other's service."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        other = free.getsockname()[1]
    first, second = clone.serve(), clone.serve(GOHELLE_PORT=str(other))
    first.terminate()
    first.wait(timeout=60)
    assert not clone.data.gone()
    assert second.poll() is None
    second.terminate()
    second.wait(timeout=60)
    assert clone.is_clear()


def test_a_server_of_ones_own_is_used(clone: Clone) -> None:
    """With GOHELLE_DATABASE_URL no cluster is made."""
    clone.serve(GOHELLE_DATABASE_URL="postgresql://gohelle@db/gohelle")
    assert "serve postgresql://gohelle@db/gohelle" in clone.story.read_text()
    assert not clone.data.data.exists()


def test_a_migration_that_fails_ends_it(clone: Clone) -> None:
    """Its own words stand, and nothing is served."""
    clone.program("api/command.py", "def main():\n    raise SystemExit('no such revision')\n")
    server = clone.begin()
    server.wait(timeout=120)
    assert server.returncode == 1
    assert clone.said.read_text().splitlines()[-1] == "no such revision"
    assert clone.is_clear()


def test_the_command_line_finds_the_database(clone: Clone) -> None:
    """Beside a server that runs, and without one; it stops only what it started."""
    line = [clone.path / "script" / "gohelle", "register", "list"]
    subprocess.run(line, env=clone.environment, cwd="/", check=True)
    assert clone.story.read_text() == "register list\n"
    assert clone.data.gone()
    clone.serve()
    subprocess.run(line, env=clone.environment, cwd="/", check=True)
    assert not clone.data.gone()


def test_a_service_that_cannot_start_is_not_waited_for(clone: Clone) -> None:
    """Its own words stand, and all of it ends."""
    clone.program(".venv/bin/gohelle", "#!/bin/sh\necho no such setting\nexit 7\n")
    server = clone.begin()
    server.wait(timeout=120)
    said = clone.said.read_text()
    assert server.returncode == 7
    assert "no such setting" in said
    assert "Gohelle is at" not in said
    assert clone.is_clear()
