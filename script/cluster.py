#!/usr/bin/python3
"""
The PostgreSQL of this clone: private, without a TCP port, never run as root, startable again after any crash.

    script/cluster.py [--test] start [--for PID]    start it, making it first where it is missing; prints the service's URL
    script/cluster.py [--test] stop [--for PID]     stop it; with --for, only when no other process that asked for it lives
    script/cluster.py [--test] status               say whether it runs, and where its data are
    script/cluster.py [--test] url [ROLE]           the URL of gohelle (default), gohelle_reader or postgres
    script/cluster.py [--test] psql [ARGUMENT ...]  a session as gohelle
    script/cluster.py programs                      the folder of PostgreSQL's programs, if PostGIS is there too

Data: GOHELLE_DATA, else `.data` in the clone, else, for root, /var/lib/gohelle/<hash of the clone's path>, because PostgreSQL runs
as `postgres` then and cannot enter a home. `--test` is a second cluster, quick and forgetful: in memory (/dev/shm) where the machine
has room there and GOHELLE_DATA names no folder, else in the folder `test` of the first.
Runs before anything is installed: Python's standard library alone, from 3.9 on (macOS).
"""
# ruff: noqa: S603, T201 -- it runs PostgreSQL's programs and talks to a terminal: that is all it does

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
ROLES = ("gohelle", "gohelle_reader", "postgres")
AS_ROOT = os.geteuid() == 0
PROC = Path("/proc/self/stat").exists()
SOCKET = ".s.PGSQL.5432"
LONGEST_SOCKET_FOLDER = 103 - len("/" + SOCKET)  # bytes; macOS allows 103 in a socket's path, Linux 107
PATIENCE = {"mute": 60, "disowned": 90, "replaying": 3600}  # seconds: a postmaster that lives is waited for, not killed

SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{socket}'
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 256MB
work_mem = 16MB
maintenance_work_mem = 128MB
max_wal_size = 2GB
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
# a failed CHECK or a bad parameter would otherwise print a resident's row into the log
log_error_verbosity = terse
log_min_error_statement = panic
log_parameter_max_length_on_error = 0
"""
FORGETFUL = """
fsync = off
synchronous_commit = off
full_page_writes = off
max_wal_size = 256MB
"""
MEMORY = Path("/dev/shm")  # noqa: S108 -- the folder made there is private
ROOM = 2 << 30  # bytes that the tests' cluster never fills: a template, some twenty clones of it, and what they write


class Trouble(Exception):
    """One sentence for the person at the terminal: what cannot be had, and what to do."""


def say(words: str) -> None:
    """Tell the person; standard output is kept for URLs."""
    print(f"cluster: {words}", file=sys.stderr, flush=True)


def short_hash(path: Path) -> str:
    """Tell two folders apart in a few characters."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


# ---- PostgreSQL's programs --------------------------------------------------------------------------------------------------------


def program_folders() -> list[Path]:
    """Where PostgreSQL may be, newest first: Debian's folders, Homebrew's, then the path."""
    globs = ("/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin")
    found = [Path("/", folder) for pattern in globs for folder in Path("/").glob(pattern[1:])]
    found.sort(key=lambda folder: int(re.sub(r"\D", "", folder.parent.name) or 0), reverse=True)
    on_path = shutil.which("pg_ctl")
    return [*found, *([Path(on_path).resolve().parent] if on_path else [])]


def has_postgis(programs: Path) -> bool:
    """Whether the extension lies beside these programs, as they themselves say."""
    try:
        share = subprocess.run([programs / "pg_config", "--sharedir"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return (programs / "initdb").exists() and Path(share.stdout.strip(), "extension", "postgis.control").exists()


def major_version(programs: Path) -> str:
    """'15' for PostgreSQL 15.18."""
    said = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"(\d+)", said).group(1)  # type: ignore[union-attr]


@lru_cache
def find_programs(version: str | None = None) -> Path:
    """Give the newest PostgreSQL with PostGIS, or the one of this major version."""
    folders = [folder for folder in program_folders() if has_postgis(folder)]
    if not folders:
        raise Trouble("there is no PostgreSQL with PostGIS on this machine; `script/bootstrap` installs it")
    if version is None:
        return folders[0]
    for folder in folders:
        if major_version(folder) == version:
            return folder
    raise Trouble("")


def memory_has_room() -> bool:
    """Whether tests may keep their databases in memory: a clone of one costs a tenth there; a container's /dev/shm is often too small."""
    try:
        free = os.statvfs(MEMORY)
        available = re.search(r"^MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    except OSError:
        return False
    return free.f_bavail * free.f_frsize >= ROOM and available is not None and int(available[1]) << 10 >= 2 * ROOM


def server_account() -> int:
    """Give the account that PostgreSQL runs under: ours, or `postgres` when we are root."""
    try:
        return pwd.getpwnam("postgres").pw_uid if AS_ROOT else os.getuid()
    except KeyError:
        raise Trouble(
            "this machine has no account `postgres`; `script/bootstrap` installs PostgreSQL with it"
        ) from None


# ---- processes --------------------------------------------------------------------------------------------------------------------


def birth(pid: int) -> str | None:
    """When a process began, so that a number used again is not taken for it; None when it is gone or only waits to be reaped."""
    if not PROC:
        ps = subprocess.run(["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return ps.stdout.strip() or None
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def stands_in(pid: int, folder: os.stat_result) -> bool:
    """Whether this process is a PostgreSQL whose working folder is that one."""
    try:
        program = Path(f"/proc/{pid}/exe").readlink().name.split(" ")[0]  # "postgres (deleted)" after an upgrade
        return program == "postgres" and os.path.samestat(Path(f"/proc/{pid}/cwd").stat(), folder) and bool(birth(pid))
    except OSError:
        return False


def postgres_processes(data: Path) -> dict[int, bool]:
    """Process number -> whether it is the postmaster, for every PostgreSQL that works in the data folder."""
    if not PROC:
        ps = subprocess.run(["/bin/ps", "-axo", "pid=,command="], capture_output=True, text=True, check=False)
        return {int(line.split()[0]): True for line in ps.stdout.splitlines() if f"postgres -D {data}" in line}
    try:
        folder = data.stat()
    except FileNotFoundError:
        return {}
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return {pid: not command(pid).startswith(b"postgres:") for pid in pids if stands_in(pid, folder)}


def command(pid: int) -> bytes:
    """Give the command line; PostgreSQL writes `postgres: ...` over that of every process but the postmaster."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def end_orphans(pids: list[int]) -> None:
    """End backends that outlived their postmaster: they hold its shared memory and nobody will ever answer them."""
    for sign, patience in ((signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
        births = {pid: birth(pid) for pid in pids}
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, sign)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            pids = [pid for pid in pids if births[pid] and birth(pid) == births[pid]]
            if not pids:
                return
            time.sleep(0.02)


# ---- the cluster ------------------------------------------------------------------------------------------------------------------


class Cluster:
    """One data folder with its socket, its log and the list of the processes that asked for it."""

    def __init__(self, *, test: bool) -> None:
        self.test = test
        chosen = os.environ.get("GOHELLE_DATA")
        self.is_default = not chosen
        if chosen:
            base = Path(os.path.realpath(ROOT / Path(chosen).expanduser()))
        else:
            base = Path("/var/lib/gohelle", short_hash(ROOT)) if AS_ROOT else ROOT / ".data"
        self.base = base
        self.home = base / "test" if test else base
        self.in_memory = test and self.is_default and self.fits_in_memory()
        if self.in_memory:
            self.home = self.memory
        self.data = self.home / "pg"
        self.new = self.home / "pg.new"
        self.log = self.home / "pg.log"

    # -- where things are --

    @property
    def memory(self) -> Path:
        """The folder of this clone's tests in memory."""
        return MEMORY / f"gohelle-{os.getuid()}-{short_hash(ROOT)}"

    def fits_in_memory(self) -> bool:
        """Whether it is there, or may go there: one that was begun stays, for the room may be gone when it is to be stopped."""
        return self.memory.exists() or (not (self.home / "pg" / "postmaster.pid").exists() and memory_has_room())

    @property
    def socket(self) -> Path:
        """The folder of the socket: beside the data if the path is short and plain, else one of our own under /run or /tmp."""
        beside = self.home / "socket"
        if re.fullmatch(r"[\w./@+-]+", str(beside), re.ASCII) and len(os.fsencode(beside)) <= LONGEST_SOCKET_FOLDER:
            return beside
        name = short_hash(self.home)
        return Path("/run", f"gohelle-{name}") if AS_ROOT else Path("/tmp", f"gohelle-{os.getuid()}-{name}")  # noqa: S108

    def url(self, role: str = "gohelle") -> str:
        """Where a client finds the database; `postgres` gets the maintenance database."""
        if role not in ROLES:
            raise Trouble(f"there is no role {role}; say one of {', '.join(ROLES)}")
        return f"postgresql://{role}@/{'postgres' if role == 'postgres' else 'gohelle'}?host={self.socket}"

    def programs(self) -> Path:
        """PostgreSQL's programs of the version that wrote the data."""
        if not self.data.exists():
            return find_programs()
        try:
            written_by = (self.data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            raise Trouble(f"{self.data} is no data folder of PostgreSQL; move it away and start again") from None
        try:
            return find_programs(written_by)
        except Trouble:
            raise Trouble(
                f"{self.data} was written by PostgreSQL {written_by}, which this machine does not have (with PostGIS); install it to"
                f" dump the data, or move the folder away to begin anew. Nothing was touched"
            ) from None

    # -- running programs --

    def run(self, program: str, *arguments: str | Path, **options: object) -> subprocess.CompletedProcess:
        """Run one of PostgreSQL's programs with nothing of the caller's settings, input or terminal."""
        return self.call([self.programs() / program, *arguments], **options)

    def run_as_server(self, program: str, *arguments: str | Path, **options: object) -> subprocess.CompletedProcess:
        """Run one of them as PostgreSQL's own account, when we are root."""
        account = ["/usr/sbin/runuser", "-u", "postgres", "--"] if AS_ROOT else []
        return self.call([*account, self.programs() / program, *arguments], **options)

    @staticmethod
    def call(line: list[str | Path], **options: object) -> subprocess.CompletedProcess:
        """Run a command from `/`, for PostgreSQL's account may not enter where we are; Ctrl-C is for us alone."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        quiet: dict = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        defaults: dict = {"cwd": "/", "env": {**clean, "LC_ALL": "C"}, "text": True, "start_new_session": True}
        return subprocess.run(line, check=False, **{**quiet, **defaults, **options})

    def psql(self, role: str, database: str, *arguments: str | Path, **options: object) -> subprocess.CompletedProcess:
        """Run psql on this cluster; a client may be root."""
        return self.run("psql", "-X", "-h", self.socket, "-U", role, "-d", database, *arguments, **options)

    # -- folders --

    @contextmanager
    def locked(self) -> Iterator[TextIO]:
        """Let one starter or stopper in at a time; the kernel drops the lock of one that is killed."""
        self.make_home()
        with (self.home / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("another start or stop is under way; waiting for it")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield lock

    def make_home(self) -> None:
        """Make the folders that PostgreSQL's account must enter, and the pointer to them."""
        if self.in_memory:
            self.make_private(self.home)
            return
        if AS_ROOT and self.is_default:
            Path("/var/lib/gohelle").mkdir(exist_ok=True)
            Path("/var/lib/gohelle").chmod(0o711)
        for folder in (self.base, self.home):
            if not folder.exists():
                folder.mkdir(mode=0o700, parents=True)
            if self.is_default or not any(folder.iterdir()):
                self.give(folder)
        if AS_ROOT and self.is_default:
            self.point()

    def point(self) -> None:
        """Leave `.data/cluster`, a link to where root's data are; it is read by people, never by us, for copies carry it along."""
        pointer = ROOT / ".data" / "cluster"
        if pointer.is_symlink():
            before = pointer.readlink()
            if before == self.base:
                return
            say(f"this clone was elsewhere; the data of that place stay in {before}: GOHELLE_DATA={before} uses them")
            pointer.unlink()
        pointer.parent.mkdir(exist_ok=True)
        pointer.symlink_to(self.base)

    def give(self, path: Path) -> None:
        """Make PostgreSQL's account the owner, when we are root."""
        if AS_ROOT:
            os.chown(path, server_account(), -1, follow_symlinks=False)

    def make_private(self, folder: Path) -> None:
        """Make a folder, and see that it is ours: in /tmp and in memory anybody may have been there first."""
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        if folder.lstat().st_uid == os.getuid():
            self.give(folder)
        found = folder.lstat()
        private = stat.S_ISDIR(found.st_mode) and found.st_uid == server_account() and not found.st_mode & 0o077
        if not private:
            raise Trouble(f"{folder} is not a private folder of ours; remove it and start again")

    def check_entry(self) -> None:
        """Say so at once when `postgres` cannot get to the data, for example under a home that is closed to others."""
        if AS_ROOT and self.call(["/usr/sbin/runuser", "-u", "postgres", "--", "test", "-x", self.home]).returncode:
            raise Trouble(
                f"PostgreSQL's account `postgres` cannot enter {self.home}; set GOHELLE_DATA to a folder it can"
            )

    # -- making --

    def make(self, lock: TextIO) -> None:
        """Make the data folder beside its place, then rename: half of one is never taken for a whole."""
        if self.data.exists():
            return
        say(f"making a database in {self.home}")
        if self.new.exists():
            shutil.rmtree(self.new)
        self.new.mkdir(mode=0o700)
        self.give(self.new)
        locale = "C.UTF-8" if sys.platform == "linux" else "C"
        options = f"-U postgres -E UTF8 --locale={locale} --auth-local=peer --auth-host=reject".split()
        haste = ["--no-sync"] if self.test else []
        # initdb holds the lock too: were we killed, the next starter would wait for its end before clearing the folder
        shared = {"pass_fds": [lock.fileno()], "stderr": subprocess.PIPE}
        made = self.run_as_server("initdb", "-D", self.new, *options, *haste, **shared)
        if made.returncode:
            raise Trouble(f"PostgreSQL could not make its data folder: {' '.join(made.stderr.split())}")
        with (self.new / "postgresql.conf").open("a") as conf:
            conf.write("\ninclude = 'gohelle.conf'\n")
        self.new.rename(self.data)

    def configure(self) -> None:
        """Write what this clone decides, anew at each start: folders move and accounts change."""
        accounts = {"root", "postgres", pwd.getpwuid(os.getuid()).pw_name}
        lines = [f'gohelle "{account}" {role}\n' for account in sorted(accounts) for role in ROLES]
        self.write(self.data / "gohelle.conf", SETTINGS.format(socket=self.socket) + (FORGETFUL if self.test else ""))
        self.write(self.data / "pg_hba.conf", "local all all peer map=gohelle\n")
        self.write(self.data / "pg_ident.conf", "".join(lines))
        if self.log.exists() and self.log.stat().st_size > 10_000_000:
            self.log.replace(self.log.with_suffix(".log.old"))
        self.log.touch(mode=0o600)
        self.give(self.log)

    def write(self, path: Path, text: str) -> None:
        """Replace a file of PostgreSQL's whole; the folder is its account's, so root follows no link that lies there."""
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        self.give(new)
        new.replace(path)

    def provide(self) -> None:
        """Make the roles, the database and its extension where they are missing."""
        script = ["-q", "-v", "ON_ERROR_STOP=1", "-f", ROOT / "script" / "roles.sql"]
        done = self.psql("postgres", "postgres", *script, stderr=subprocess.PIPE)
        if done.returncode:
            raise Trouble(f"the database's roles could not be made: {done.stderr.strip()}")

    # -- starting and stopping --

    def named(self) -> int | None:
        """Give the process that the lock file names; the file may be missing, empty or stale."""
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None

    def postmaster(self) -> int | None:
        """Give the postmaster that lives in the data folder, if one does."""
        found = [pid for pid, is_postmaster in postgres_processes(self.data).items() if is_postmaster]
        return self.named() if self.named() in found else next(iter(found), None)

    def state(self) -> str:
        """`down`, `ready`, or why a live postmaster does not serve: `replaying`, `mute`, `disowned` (its lock file is not its own)."""
        living = self.postmaster()
        if living is None:
            return "down"
        if living != self.named():
            return "disowned"
        answer = self.run("pg_isready", "-h", self.socket, "-t", "3").returncode
        return {0: "ready", 1: "replaying"}.get(answer, "mute")

    def awaited(self) -> bool:
        """Whether it serves, after waiting for a postmaster that lives; False when there is none to wait for."""
        began, told, state = time.monotonic(), False, self.state()
        while state not in ("ready", "down"):
            waited = time.monotonic() - began
            if waited > PATIENCE[state]:
                raise Trouble(f"PostgreSQL, process {self.postmaster()}, does not answer; `{sys.argv[0]} stop` ends it")
            if waited > 3 and not told:
                say(f"PostgreSQL runs but does not serve yet ({state}); waiting for it")
                told = True
            time.sleep(0.05)
            state = self.state()
        return state == "ready"

    def clear(self) -> None:
        """Clear away what a crash left: backends without a postmaster, lock files that name nobody."""
        orphans = [pid for pid, is_postmaster in postgres_processes(self.data).items() if not is_postmaster]
        if orphans:
            end_orphans(orphans)
        for left in (self.data / "postmaster.pid", self.socket / SOCKET, self.socket / f"{SOCKET}.lock"):
            left.unlink(missing_ok=True)

    def start(self, user: int | None = None) -> None:
        """Serve, whatever happened before."""
        with self.locked() as lock:
            if user:
                self.note(user)
            if not self.awaited():
                self.programs()
                self.check_entry()
                self.make(lock)
                self.make_private(self.socket)
                self.bring_up()
            self.provide()

    def bring_up(self) -> None:
        """Start it; a postmaster that died a moment ago may still be in the way, so try a few times."""
        self.configure()
        for pause in (0.2, 0.5, 1, 2, 0):
            self.clear()
            self.pg_ctl("start", "-l", self.log, "-t", "600")
            if self.awaited():
                return
            time.sleep(pause)
        end = self.log.read_text(errors="replace").strip().splitlines()[-3:]
        raise Trouble(f"PostgreSQL does not start; its log, {self.log}, ends with:\n" + "\n".join(end))

    def stop(self, user: int | None = None) -> None:
        """Stop it, unless another process that asked for it still lives."""
        if not self.home.exists():
            return
        with self.locked():
            if user:
                (self.home / "users" / str(user)).unlink(missing_ok=True)
                if self.users():
                    return
            if self.postmaster() is None:
                return
            if self.pg_ctl("stop", "-m", "fast", "-t", "60") and self.pg_ctl("stop", "-m", "immediate", "-t", "10"):
                raise Trouble(f"PostgreSQL does not stop; its log is {self.log}")

    def pg_ctl(self, verb: str, *options: str | Path) -> int:
        """Start or stop the server and wait for it; 0 when it is done."""
        return self.run_as_server("pg_ctl", "-D", self.data, "-w", *options, verb).returncode

    def note(self, user: int) -> None:
        """Remember that this process needs the cluster."""
        (self.home / "users").mkdir(exist_ok=True)
        (self.home / "users" / str(user)).write_text(birth(user) or "")

    def users(self) -> list[int]:
        """Give the processes that asked for the cluster and live; the dead are forgotten."""
        living = []
        for entry in (self.home / "users").glob("*"):
            if entry.name.isdigit() and entry.read_text() and entry.read_text() == birth(int(entry.name)):
                living.append(int(entry.name))
            else:
                entry.unlink()
        return living

    def status(self) -> int:
        """Say whether it runs; exit status 3 when it does not, as service managers expect."""
        state = self.state() if self.data.exists() else "down"
        print(f"{state}\ndata   {self.data}\nsocket {self.socket}\nlog    {self.log}")
        return 0 if state == "ready" else 3


def main(arguments: list[str]) -> int:
    """Do what the command line says."""
    test = arguments[:1] == ["--test"]
    verb, *rest = arguments[test:] or ["--help"]
    user = int(rest[1]) if len(rest) == 2 and rest[0] == "--for" and rest[1].isdigit() else None
    cluster = Cluster(test=test)
    if verb == "start" and (user or not rest):
        cluster.start(user)
        print(cluster.url())
    elif verb == "stop" and (user or not rest):
        cluster.stop(user)
    elif verb == "status" and not rest:
        return cluster.status()
    elif verb == "url" and len(rest) < 2:
        print(cluster.url(*rest))
    elif verb == "psql":
        terminal = {"stdin": None, "stdout": None, "stderr": None, "start_new_session": False}
        return cluster.psql("gohelle", "gohelle", *rest, **terminal).returncode
    elif verb == "programs" and not rest:
        print(find_programs())
    else:
        print((__doc__ or "").strip())
        return 0 if verb in ("-h", "--help") else 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Trouble as trouble:
        say(f"{trouble}.")
    except OSError as error:
        say(f"{error.filename or 'the system'}: {error.strerror}.")
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(1)
