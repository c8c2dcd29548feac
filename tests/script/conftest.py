"""A private cluster of its own for the tests of script/: made once a worker, crashed and mended many times."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
AS_ROOT = os.geteuid() == 0


def wait_until(what: Callable[[], object], seconds: float = 60, *, pause: float = 0.02) -> None:
    """Wait until something holds; fail when it never does."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(pause)


def as_server(*line: str | Path) -> list[str]:
    """Give a command line that runs as PostgreSQL's own account."""
    become = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if AS_ROOT else []
    return [*become, *map(str, line)]


@contextmanager
def ended_after(process: subprocess.Popen[Any]) -> Iterator[subprocess.Popen[Any]]:
    """Let a process run for the length of a block: a test that fails must not wait for it."""
    with process:
        try:
            yield process
        finally:
            process.kill()


def roomy() -> Path:
    """Where clusters of their own are made in a tenth of the time: in memory, unless it is as small as a container's."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 2 << 30 else Path("/tmp")


class Folder:
    """A data folder, within a new one that PostgreSQL's account can enter, and the script that keeps PostgreSQL there."""

    def __init__(self, within: str = "", *, test: bool = True) -> None:
        self.top = Path(tempfile.mkdtemp(prefix="gohelle-test-", dir=roomy()))
        self.top.chmod(0o711)
        self.path = path = self.top / within
        path.mkdir(mode=0o711, parents=True, exist_ok=True)
        self.words = ["--test"] if test else []
        self.home = path / "test" if test else path
        self.data = self.home / "pg"
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("GOHELLE_", "PG"))}
        self.environment = {**clean, "GOHELLE_DATA": str(path)}

    def line(self, *words: str) -> list[str]:
        """Give the command line of one verb."""
        return ["/usr/bin/python3", str(ROOT / "script" / "cluster.py"), *self.words, *words]

    def do(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one verb and hand back what it said."""
        return subprocess.run(
            self.line(*words), env=self.environment, capture_output=True, text=True, check=False, timeout=120
        )

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Begin one verb without waiting for it."""
        pipe = subprocess.PIPE
        return subprocess.Popen(self.line(*words), env=self.environment, stdout=pipe, stderr=pipe, text=True)

    def start(self, *words: str) -> None:
        """Start, and see that it serves."""
        started = self.do("start", *words)
        assert started.returncode == 0, started.stderr
        assert self.ask("select 1") == "1"

    def ask(self, sql: str, role: str = "gohelle", database: str = "gohelle") -> str:
        """Ask the database one question; an error is handed back as its own words."""
        socket = self.do("url", role).stdout.strip().partition("host=")[2]
        done = subprocess.run(
            ["psql", "-XAtqw", "-h", socket, "-U", role, "-d", database, "-c", sql],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return (done.stdout or done.stderr).strip()

    @property
    def pid(self) -> int:
        """The postmaster that the lock file names."""
        return int((self.data / "postmaster.pid").read_text().split("\n")[0])

    def processes(self) -> list[int]:
        """Every living process whose working folder is the data folder."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                here = entry.name.isdigit() and (entry / "cwd").samefile(self.data)
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0] if here else "Z"
            except OSError:
                continue
            if state not in "ZX":
                found.append(int(entry.name))
        return found

    def crash(self) -> None:
        """Kill the postmaster outright, as a full machine or a power switch would."""
        os.kill(self.pid, signal.SIGKILL)

    def gone(self) -> bool:
        """Whether nothing of it runs any more."""
        return not self.processes()


@pytest.fixture
def make_folder() -> Iterator[Callable[..., Folder]]:
    """Give new data folders, which PostgreSQL's account can enter; they are stopped and cleared away at the end."""
    made: list[Folder] = []

    def make(within: str = "", *, test: bool = True) -> Folder:
        made.append(Folder(within, test=test))
        return made[-1]

    yield make
    for folder in made:
        clear_away(folder)


@pytest.fixture(scope="session")
def kept_folder() -> Iterator[Folder]:
    """Give one cluster that many tests crash in turn; each leaves it as a start can mend it."""
    folder = Folder()
    yield folder
    clear_away(folder)


@pytest.fixture
def cluster(kept_folder: Folder) -> Folder:
    """Give a cluster that serves."""
    kept_folder.start()
    return kept_folder


def clear_away(folder: Folder) -> None:
    """Stop what runs there and remove it, with a socket folder elsewhere."""
    folder.do("stop")
    for pid in folder.processes():
        os.kill(pid, signal.SIGKILL)
    socket = Path(folder.do("url").stdout.strip().partition("host=")[2])
    if socket.name.startswith("gohelle-"):
        shutil.rmtree(socket, ignore_errors=True)
    shutil.rmtree(folder.top)
