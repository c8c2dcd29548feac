"""The operator's commands about letters."""

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

from tests.conftest import ROOT, Territory
from tests.geo.register.test_outbox import refused


def command(territory: Territory, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """`gohelle ...` as an operator types it."""
    url = territory.settings.database_url.render_as_string(hide_password=False)
    env = {**os.environ, "GOHELLE_DATABASE_URL": url, **environment}
    program = Path(sys.executable).with_name("gohelle")
    return subprocess.run([program, *words], cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_all_that_failed_is_tried_again(database: Territory):
    """By one word; which letter, or all, has to be said."""
    refused(database)
    refused(database)
    assert command(database, "outbox", "retry").returncode == 1
    assert "2 letters will be sent again" in command(database, "outbox", "retry", "--all").stdout
    told = command(database, "outbox", "list").stdout
    assert "2 wait, 0 failed; no worker runs" in told
    assert "jeanne" not in told


def test_a_letter_is_dropped(database: Territory):
    """What is not there is said, with the exit code of a refusal."""
    id: UUID = refused(database)
    assert command(database, "outbox", "drop", str(id)).returncode == 0
    again = command(database, "outbox", "drop", str(id))
    assert (again.returncode, again.stderr.strip()) == (1, "gohelle: no letter of that id waits or has failed")


def test_a_worker_waits_for_a_database_that_is_away():
    """It says so, again and again, in the log's own form; and ends when told."""
    gone = {"GOHELLE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nowhere", "GOHELLE_LOG_FORMAT": "json"}
    url = {**os.environ, **gone}
    program = [str(Path(sys.executable).with_name("gohelle")), "work"]
    with subprocess.Popen(program, cwd=ROOT, env=url, stderr=subprocess.PIPE, text=True) as worker:
        assert worker.stderr
        lines = [json.loads(worker.stderr.readline()) for _ in range(2)]
        worker.terminate()
        assert worker.wait(30) == 0
    assert [line["reason"] for line in lines] == ["the queue cannot be reached"] * 2
