"""PostgreSQL's own programs for backup and restore: which of them fit a server, and how dumps flow through them."""
# ruff: noqa: S603 -- it runs PostgreSQL's programs: that is all it does

import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from geo.errors import GohelleError
from geo.settings import Settings, conninfo

NAMES = ("pg_dump", "pg_restore", "psql")
FOLDERS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/*/bin", "usr/local/opt/*/bin")
CHUNK = 1 << 20


class BackupFailed(GohelleError):
    """A backup or a restore that was not done; the message says why, and that nothing was changed."""


def fitting(server: int, *, reads: int = 0) -> Path:
    """The folder of programs that fit the server: of its version, else the next newer one. `reads`: who made the dump."""
    folders = [folder for pattern in FOLDERS for folder in Path("/").glob(pattern)]
    on_path = shutil.which("pg_dump")
    folders += [Path(on_path).parent] if on_path else []
    whole = [folder for folder in folders if all((folder / name).exists() for name in NAMES)]
    # stable: Debian's wrappers on the path come last
    found = sorted(((version_of(folder / "pg_dump"), folder) for folder in whole), key=lambda one: one[0])
    usable = [folder for version, folder in found if version >= max(server, reads)]
    if usable:
        return usable[0]
    there = (
        f"this machine has those of {', '.join(str(version) for version, _ in found)}" if found else "there are none"
    )
    needed = max(server, reads)
    raise BackupFailed(
        f"this needs PostgreSQL's programs {', '.join(NAMES)} of version {needed} or newer, and {there}: "
        f"install postgresql-client-{needed}. Nothing was changed"
    )


def version_of(program: Path) -> int:
    """15 for PostgreSQL 15.18; 0 where it does not say."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    number = re.search(r"\d+", said)
    return int(number[0]) if number else 0


def _reached(settings: Settings) -> tuple[str, dict[str, str]]:
    """The database's address as an argument, and the password as environment: others can read arguments."""
    url = settings.database_url
    password = url.password or url.query.get("password")
    secret = {"PGPASSWORD": str(password)} if password else {}
    return conninfo(url, secret=False), {**os.environ, "PGCONNECT_TIMEOUT": "5", "PGAPPNAME": "gohelle", **secret}


def dump(settings: Settings, programs: Path, snapshot: str, schemas: Sequence[str], target: IO[bytes]) -> None:
    """Write these schemas, as of the snapshot, in pg_dump's custom format."""
    address, environment = _reached(settings)
    arguments = ["--format=custom", "--no-password", f"--snapshot={snapshot}", "--lock-wait-timeout=60s"]
    arguments += ["--no-unlogged-table-data"]
    arguments += [f'--schema="{name}"' for name in schemas]
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(
            [programs / "pg_dump", *arguments, f"--dbname={address}"],
            stdout=subprocess.PIPE,
            stderr=told,
            env=environment,
        )
        try:
            assert process.stdout  # noqa: S101 (opened as a pipe above)
            shutil.copyfileobj(process.stdout, target, CHUNK)
        except BaseException:
            process.kill()
            raise
        finally:
            code = _ended(process)
        if code:
            raise BackupFailed(f"pg_dump failed: {_last_words(told)}")


def _ended(process: "subprocess.Popen[bytes]") -> int:
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with suppress(OSError):
                pipe.close()
    return process.wait()


def _last_words(told: IO[bytes]) -> str:
    """The first error, without its details, which may quote a row."""
    told.seek(0)
    lines = told.read().decode("utf-8", "replace").splitlines()
    errors = [line for line in lines if re.search(r"(?i)error|fatal", line)]
    return (errors or lines or ["it said nothing"])[0]


def play(settings: Settings, programs: Path, dumped: IO[bytes], before: str, after: str) -> None:
    """Let psql run it all; `commit` is sent only after the whole dump, so that whatever ends early ends in nothing."""
    address, environment = _reached(settings)
    session = [programs / "psql", "-X", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-d", address, "-f", "-"]
    with tempfile.TemporaryFile() as told:
        psql = subprocess.Popen(session, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=told, env=environment)
        try:
            assert psql.stdin  # noqa: S101 (opened as a pipe above)
            psql.stdin.write(before.encode())
            _restored(programs, dumped, psql.stdin)
            psql.stdin.write(after.encode())
        except BrokenPipeError:
            """psql has refused a statement, and says which."""
        except BaseException:
            psql.kill()
            raise
        finally:
            code = _ended(psql)
        if code:
            raise BackupFailed(f"the restore failed and nothing was changed: {_last_words(told)}")


def _restored(programs: Path, dumped: IO[bytes], target: IO[bytes]) -> None:
    """The dump as SQL: ours whoever owned it, with the reader's grants."""
    command = [programs / "pg_restore", "--no-owner", "--no-tablespaces", "-f", "-"]
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=told)
        feeder = threading.Thread(target=_feed, args=(dumped, process.stdin), daemon=True)
        feeder.start()
        try:
            assert process.stdout  # noqa: S101 (opened as a pipe above)
            for line in process.stdout:
                if line.startswith(b"SET transaction_timeout"):  # of 17, which older servers do not know
                    continue
                target.write(line)
                if line.startswith(b"CREATE "):
                    break
            shutil.copyfileobj(process.stdout, target, CHUNK)
        except BaseException:
            process.kill()
            raise
        finally:
            feeder.join()
            code = _ended(process)
        if code:
            raise BackupFailed(f"the backup cannot be read, and nothing was changed: {_last_words(told)}")


def _feed(source: IO[bytes], target: IO[bytes]) -> None:
    with suppress(OSError):  # the reader ended; what it said is told by it
        shutil.copyfileobj(source, target, CHUNK)
    with suppress(OSError):
        target.close()
