"""The processes that are compared, each on loopback: the service, the peer, a bare ASGI answer; and what they cost."""

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.ground import ROOT, Ground

POOL = 10
"""Connections of each contender."""

PEER = ROOT / ".data" / "bench" / "peer"
HERTZ = os.sysconf("SC_CLK_TCK")
NOT_REPLAYED = {"date", "server", "connection", "transfer-encoding"}


@dataclass(frozen=True, slots=True)
class Server:
    """A process that answers HTTP, and its workers."""

    name: str
    url: str
    pid: int

    def cpu(self) -> float:
        """Seconds of CPU that it and its workers have used."""
        return sum(_cpu(pid) for pid in tree(self.pid))

    def held(self) -> dict[int, int]:
        """MB of each of its processes, by its number: memory of their own, not shared."""
        return {pid: _memory(pid, "RssAnon") for pid in tree(self.pid)}

    def memory(self, field: str = "VmHWM") -> int:
        """MB of the largest of its processes: VmHWM at its peak, VmRSS now."""
        return max(_memory(pid, field) for pid in tree(self.pid))


def database_cpu(base: Ground) -> float:
    """Seconds of CPU that PostgreSQL has used: its living processes, and those that it has seen end."""
    ended = sum(int(n) for n in _stat(base.postmaster)[13:15]) / HERTZ
    return ended + sum(_cpu(pid) for pid in tree(base.postmaster))


def tree(pid: int) -> list[int]:
    """A process and all that it started."""
    try:
        threads = list(Path(f"/proc/{pid}/task").glob("*/children"))  # any of its threads may have started one
        children = [child for file in threads for child in file.read_text().split()]
    except OSError:
        return []
    return [pid, *(one for child in children for one in tree(int(child)))] if threads else []


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["0"] * 20


def _cpu(pid: int) -> float:
    return sum(int(n) for n in _stat(pid)[11:13]) / HERTZ


def _memory(pid: int, field: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith(f"{field}:")), 0)


@contextmanager
def service(
    base: Ground, database: str, *, memory_mb: int, workers: int = 1, env: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """`gohelle serve`, without its worker unless `env` says GOHELLE_JOBS=on."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    own = {
        "GOHELLE_DATABASE_URL": base.url(database),
        "GOHELLE_READER_URL": base.url(database, "gohelle_reader"),
        "GOHELLE_PORT": str(port),
        "GOHELLE_PUBLIC_URL": url,
        "GOHELLE_WORKERS": str(workers),
        "GOHELLE_POOL_SIZE": str(POOL),
        "GOHELLE_MEMORY_MB": str(memory_mb),
        "GOHELLE_JOBS": "off",
    }
    with _running([sys.executable, "-m", "api.command", "serve"], {**own, **(env or {})}, f"{url}/healthz") as pid:
        yield Server("gohelle" if memory_mb == 0 else "gohelle, from memory", url, pid)


@contextmanager
def peer(base: Ground, database: str) -> Iterator[Server]:
    """`uvicorn tipg.main:app`."""
    port = free_port()
    env = {
        "DATABASE_URL": base.peer_url(database),
        "DB_MIN_CONN_SIZE": str(POOL),
        "DB_MAX_CONN_SIZE": str(POOL),
        "TIPG_DB_SCHEMAS": '["territory"]',
    }
    line = [PEER / "bin" / "uvicorn", "tipg.main:app", "--port", str(port), "--no-access-log", "--log-level", "error"]
    with _running(line, env, f"http://127.0.0.1:{port}/healthz") as pid:
        yield Server("tipg", f"http://127.0.0.1:{port}", pid)


@contextmanager
def bare(folder: Path, answers: Mapping[str, tuple[int, list[tuple[str, str]], bytes]]) -> Iterator[Server]:
    """bench/bare.py under the uvicorn that also runs the service."""
    port = free_port()
    file = folder / "bare.json"
    known = {
        path: (status, [one for one in headers if one[0].lower() not in NOT_REPLAYED], base64.b64encode(body).decode())
        for path, (status, headers, body) in answers.items()
    }
    file.write_text(json.dumps({**known, "/healthz": (204, [], "")}))
    line = [sys.executable, "-m", "uvicorn", "bench.bare:app", "--port", str(port), "--no-access-log"]
    line += ["--log-level", "error", "--no-server-header"]
    with _running(line, {"GOHELLE_BENCH_BARE": str(file)}, f"http://127.0.0.1:{port}/healthz") as pid:
        yield Server("bare ASGI", f"http://127.0.0.1:{port}", pid)


@contextmanager
def all_servers(base: Ground, database: str) -> Iterator[dict[str, Server]]:
    """Service without memory, service with it, peer."""
    with ExitStack() as stack:
        cold = stack.enter_context(service(base, database, memory_mb=0))
        kept = stack.enter_context(service(base, database, memory_mb=64))
        other = stack.enter_context(peer(base, database))
        yield {"cold": cold, "kept": kept, "peer": other}


@contextmanager
def _running(line: list, env: Mapping[str, str], ready: str) -> Iterator[int]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("GOHELLE_", "PG"))}
    # The access log is written, as an operator's is, and thrown away.
    log = PEER.parent / f"{ready.split(chr(58))[2].partition(chr(47))[0]}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as errors:
        process = subprocess.Popen(line, cwd=ROOT, env={**clean, **env}, stderr=errors, stdout=subprocess.DEVNULL)
    try:
        _wait_for(ready, process)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(url: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(
                f"bench: {process.args} ended at its start; its words are in {PEER.parent / 'servers.log'}"
            )
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"bench: {url} does not answer")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ready() -> str | None:
    """What is missing to run at all; None if nothing is."""
    if not shutil.which("wrk"):
        return "wrk is missing: apt-get install wrk"
    return None if (PEER / "bin" / "uvicorn").exists() else "the peer is missing: script/bench installs it"


def fetch(
    server: Server, path: str, headers: Mapping[str, str] | None = None
) -> tuple[int, list[tuple[str, str]], bytes]:
    """One answer: status, headers, body as it came."""
    asked = urllib.request.Request(server.url + path, headers=dict(headers or {}))
    try:
        with urllib.request.urlopen(asked, timeout=120) as answer:
            return answer.status, answer.getheaders(), answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, list(answer.headers.items()), answer.read()
