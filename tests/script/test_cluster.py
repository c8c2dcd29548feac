"""The private cluster: it serves after any crash, lets one starter in at a time, and ends nobody that lives."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from .conftest import AS_ROOT, ROOT, Folder, as_server, ended_after, roomy, wait_until

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the staged crashes are told by /proc")
MakeFolder = Callable[..., Folder]


# ---- what it is ----


def test_it_has_no_tcp_port_and_three_roles(cluster: Folder) -> None:
    """The service is no superuser, and the reader cannot write even where it may read."""
    assert cluster.ask("show listen_addresses") == ""
    roles = "select rolname, rolsuper, rolcreaterole, rolcreatedb from pg_roles where rolname ~ '^gohelle' order by 1"
    assert cluster.ask(roles).splitlines() == ["gohelle|f|f|f", "gohelle_reader|f|f|f"]
    assert cluster.ask("show default_transaction_read_only", role="gohelle_reader") == "on"
    assert cluster.ask("show default_transaction_isolation", role="gohelle_reader") == "repeatable read"
    assert cluster.ask("show statement_timeout", role="gohelle_reader") == "30s"
    owner = "select pg_get_userbyid(datdba) from pg_database where datname = 'gohelle'"
    assert cluster.ask(owner) == "gohelle"
    assert cluster.ask("select 1 from pg_extension where extname = 'postgis'") == "1"


def test_it_never_runs_as_root(cluster: Folder) -> None:
    """PostgreSQL refuses root; its processes belong to its own account, or to the ordinary user who started it."""
    owners = {Path(f"/proc/{pid}").stat().st_uid for pid in cluster.processes()}
    assert owners
    assert 0 not in owners


@pytest.mark.skipif(not AS_ROOT, reason="only root can become another account")
def test_another_account_of_the_machine_cannot_enter(cluster: Folder) -> None:
    """The socket is for root, PostgreSQL's account and the person who runs it."""
    line = [
        "runuser",
        "-u",
        "nobody",
        "--",
        "psql",
        "-h",
        str(cluster.home / "socket"),
        "-U",
        "gohelle",
        "-c",
        "select 1",
        "gohelle",
    ]
    assert subprocess.run(line, capture_output=True, check=False, cwd="/").returncode != 0


def test_its_log_keeps_no_row_of_a_refused_write(cluster: Folder) -> None:
    """A failed CHECK would print the whole row: name, address and all."""
    cluster.ask(
        "create temp table t (name text check (name = '')); insert into t values ('a resident of the Rue Salengro')"
    )
    log = (cluster.home / "pg.log").read_text()
    assert "violates check constraint" in log
    assert "Salengro" not in log


# ---- crashes ----


def test_killed_and_left_alone(cluster: Folder) -> None:
    """A stale lock file names a process that is gone."""
    cluster.crash()
    wait_until(cluster.gone)
    cluster.start()


def test_killed_and_started_in_the_same_moment(cluster: Folder) -> None:
    """Its processes are still in the process table."""
    cluster.crash()
    cluster.start()


def test_killed_while_a_backend_works_on(cluster: Folder) -> None:
    """An orphaned backend holds the shared memory and would for as long as its question lasts."""
    socket = cluster.home / "socket"
    question = [
        "psql",
        "-Xw",
        "-h",
        str(socket),
        "-U",
        "gohelle",
        "-c",
        "select count(*) from generate_series(1, 1e12)",
    ]
    with ended_after(subprocess.Popen(question, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)):
        busy = "select count(*) from pg_stat_activity where query like '%1e12)' and state = 'active'"
        wait_until(lambda: cluster.ask(busy) == "1")
        cluster.crash()
        wait_until(lambda: len(cluster.processes()) == 1)
        cluster.start()


@pytest.mark.parametrize("content", ["", "\n", "not a number\n"], ids=["empty", "blank", "words"])
def test_killed_with_a_spoilt_lock_file(cluster: Folder, content: str) -> None:
    """A machine that stops while the file is written leaves it empty."""
    cluster.crash()
    wait_until(cluster.gone)
    (cluster.data / "postmaster.pid").write_text(content)
    cluster.start()


@pytest.mark.parametrize("where", ["elsewhere", "in the data folder"])
def test_killed_and_its_number_given_to_another_process(cluster: Folder, where: str) -> None:
    """After a restart of the machine the number may belong to anything of the same account; that process is left alone."""
    cluster.crash()
    wait_until(cluster.gone)
    old = (cluster.data / "postmaster.pid").read_text()
    place = cluster.data if where == "in the data folder" else "/"
    with ended_after(subprocess.Popen(as_server("sleep", "600"), cwd=place)) as stranger:
        wait_until(lambda: Path(f"/proc/{stranger.pid}/comm").read_text() == "sleep\n")
        (cluster.data / "postmaster.pid").write_text(old.replace(old.split("\n")[0], str(stranger.pid), 1))
        cluster.start()
        assert stranger.poll() is None


def test_one_that_replays_its_log_is_waited_for_and_never_killed(cluster: Folder) -> None:
    """A start that meets a postmaster at work waits: killing it would only begin the work again."""
    cluster.do("stop")
    (cluster.data / "standby.signal").touch(mode=0o644)
    shutil.copy(cluster.data / "postgresql.auto.conf", cluster.home / "auto.conf")
    with (cluster.data / "postgresql.auto.conf").open("a") as conf:
        conf.write("hot_standby = off\nrestore_command = 'false'\n")  # replays for ever, and lets nobody in
    with ended_after(cluster.begin("start")) as first:
        wait_until(
            lambda: (
                (cluster.data / "postmaster.pid").exists()
                and "standby" in (cluster.data / "postmaster.pid").read_text()
            )
        )
        first.kill()
        first.wait()
    replaying = cluster.pid
    with ended_after(cluster.begin("start")) as second:
        assert second.stderr
        assert "waiting for it" in second.stderr.readline()
        assert cluster.pid == replaying
        bin_folder = Path(cluster.do("programs").stdout.strip())
        subprocess.run(
            as_server(bin_folder / "pg_ctl", "-D", cluster.data, "promote"), cwd="/", check=True, capture_output=True
        )
        assert second.wait(timeout=60) == 0
    assert cluster.pid == replaying
    shutil.copy(cluster.home / "auto.conf", cluster.data / "postgresql.auto.conf")
    assert cluster.ask("select pg_is_in_recovery()") == "f"


def test_what_was_committed_outlives_a_crash(make_folder: MakeFolder) -> None:
    """The data, not only the server, come back; of a cluster for tests that is not promised."""
    folder = make_folder(test=False)
    folder.start()
    folder.ask("create table kept as select 42 as answer")
    folder.crash()
    folder.start()
    assert folder.ask("select answer from kept") == "42"


# ---- two at once, and halves ----


def test_a_second_start_finds_the_first(cluster: Folder) -> None:
    """Starting twice is not an error, and starts nothing."""
    before = cluster.pid
    cluster.start()
    assert cluster.pid == before


def test_two_starters_make_one_cluster(make_folder: MakeFolder) -> None:
    """At the first start of all, where each would make the data folder."""
    folder = make_folder()
    start_twice(folder)


def test_two_starters_mend_one_cluster(cluster: Folder) -> None:
    """After a crash, where each would clear the other's lock file away."""
    for _ in range(3):
        cluster.crash()
        start_twice(cluster)


def start_twice(folder: Folder) -> None:
    """Start from two processes at once; both must find it serving."""
    with ended_after(folder.begin("start")) as first, ended_after(folder.begin("start")) as second:
        said = first.communicate()[1] + second.communicate()[1]
    assert (first.returncode, second.returncode) == (0, 0), said
    assert folder.ask("select 1") == "1"


def test_a_half_made_folder_is_made_again(make_folder: MakeFolder) -> None:
    """What an interrupted first start left is never taken for a database."""
    folder = make_folder()
    (folder.home / "pg.new" / "base").mkdir(parents=True)
    (folder.home / "pg.new" / "PG_VERSION").write_text("15\n")
    folder.home.chmod(0o711)
    folder.start()
    assert not (folder.home / "pg.new").exists()


def test_killed_while_it_makes_the_folder(make_folder: MakeFolder) -> None:
    """The initdb of a killed starter still runs; the next starter waits for its end."""
    folder = make_folder()
    with ended_after(folder.begin("start")) as first:
        wait_until((folder.home / "pg.new" / "base").exists)
        first.kill()
        first.wait()
    assert not folder.data.exists()
    folder.start()


def test_data_of_another_version_are_left_alone(make_folder: MakeFolder) -> None:
    """One sentence says what to do, and nothing is touched."""
    folder = make_folder()
    folder.data.mkdir(parents=True)
    (folder.data / "PG_VERSION").write_text("9.6\n")
    said = folder.do("start")
    assert said.returncode == 1
    assert "written by PostgreSQL 9.6" in said.stderr
    assert [file.name for file in folder.data.iterdir()] == ["PG_VERSION"]


@pytest.mark.skipif(not AS_ROOT, reason="an ordinary user's PostgreSQL is the user")
def test_a_folder_that_postgresql_cannot_enter_is_named(make_folder: MakeFolder) -> None:
    """Root's own folders are closed to the account that PostgreSQL runs under."""
    folder = make_folder("within")
    folder.path.parent.chmod(0o700)
    said = folder.do("start")
    assert said.returncode == 1
    assert "cannot enter" in said.stderr
    assert "GOHELLE_DATA" in said.stderr


def test_a_long_path_gets_a_short_socket(make_folder: MakeFolder) -> None:
    """A socket's path is 107 bytes at most; a deep clone must not meet that."""
    folder = make_folder("a-folder-with-a-long-name/" * 5 + "and, a comma")
    folder.start()
    assert folder.do("stop").returncode == 0


# ---- who still needs it ----


def test_it_stops_when_the_last_that_asked_for_it_ends(cluster: Folder) -> None:
    """Two test runs of one clone share it; one that was killed does not hold it for ever."""
    with ended_after(sleeper()) as one, ended_after(sleeper()) as two, ended_after(sleeper()) as killed:
        for process in (one, two, killed):
            cluster.start("--for", str(process.pid))
        killed.kill()
        killed.wait()
        cluster.do("stop", "--for", str(one.pid))
        assert cluster.ask("select 1") == "1"
        cluster.do("stop", "--for", str(two.pid))
        assert cluster.do("status").returncode == 3


def sleeper() -> subprocess.Popen[bytes]:
    """Give a process that does nothing."""
    return subprocess.Popen(["sleep", "600"])


def test_two_clones_do_not_share(tmp_path: Path) -> None:
    """Data and sockets of two clones are apart, and so are those of a clone and its tests."""
    urls = set()
    for clone in ("one", "two"):
        shutil.copytree(ROOT / "script", tmp_path / clone / "script")
        for words in ([], ["--test"]):
            line = ["/usr/bin/python3", str(tmp_path / clone / "script" / "cluster.py"), *words, "url"]
            clean = {name: value for name, value in os.environ.items() if not name.startswith("GOHELLE_")}
            urls.add(subprocess.run(line, env=clean, capture_output=True, text=True, check=True).stdout)
    assert len(urls) == 4


@pytest.mark.skipif(roomy() == Path("/tmp"), reason="this machine's memory has no room for databases")
def test_a_folder_in_memory_is_ours_or_nobodys(tmp_path: Path) -> None:
    """Tests keep their databases in memory, where anybody may write: what lies there already is not taken over."""
    shutil.copytree(ROOT / "script", tmp_path / "script")
    line = ["/usr/bin/python3", str(tmp_path / "script" / "cluster.py"), "--test"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GOHELLE_")}
    run = partial(subprocess.run, env=clean, capture_output=True, text=True, check=False)
    home = Path(run([*line, "url"]).stdout.strip().partition("host=")[2]).parent
    assert home.parent == roomy()
    home.mkdir()
    home.chmod(0o777)
    try:
        started = run([*line, "start"])
        assert started.returncode == 1
        assert f"{home} is not a private folder of ours" in started.stderr
        assert list(home.iterdir()) == []
    finally:
        home.rmdir()
