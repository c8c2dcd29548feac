"""`gohelle staff`, as an operator types it."""

import re
import subprocess
import sys
from pathlib import Path

from tests.api.conftest import client_of
from tests.api.test_versions import gohelle
from tests.conftest import ROOT, Territory


def refused(loos: Territory, *arguments: str) -> str:
    """What the command says when it does not do as it was told."""
    env = {
        "GOHELLE_DATABASE_URL": loos.settings.database_url.render_as_string(hide_password=False),
        "PATH": "/usr/bin:/bin",
    }
    program = Path(sys.executable).with_name("gohelle")
    done = subprocess.run(
        [program, "staff", *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    return done.stderr


def test_people_come_get_keys_and_go(loos):
    """A key is shown once, opens what its owner may see, and nothing once it is revoked or its owner is out."""
    assert "marie@loos.example is moderator" in gohelle(
        loos, "staff", "add", "Marie@loos.example", "--role", "moderator"
    )
    assert "marie@loos.example is admin" in gohelle(loos, "staff", "add", "marie@loos.example", "--role", "admin")
    first, second = (
        gohelle(loos, "staff", "key", "marie@loos.example", "--name", name).strip() for name in ("QGIS", "report")
    )
    assert re.fullmatch(r"gohelle_[\w-]{43}", first)
    listed = gohelle(loos, "staff", "list")
    assert first not in listed
    assert "1 people, 2 keys" in listed
    with client_of(loos) as client:

        def status(key: str) -> int:
            return client.get("/register/tally", headers={"Authorization": f"Bearer {key}"}).status_code

        assert (status(first), status(second)) == (200, 200)
        number = re.search(r"([0-9a-f-]{36})[^0-9a-f]+QGIS", listed)
        assert number
        gohelle(loos, "staff", "revoke", number[1])
        assert (status(first), status(second)) == (401, 200)
        gohelle(loos, "staff", "remove", "MARIE@loos.example")
        assert status(second) == 401
    assert loos.scalar("select count(*) from register.staff s where s::text like '%marie%'") == 0


def test_what_the_command_refuses(loos):
    """One sentence that names the matter; nothing is changed."""
    assert "mail address" in refused(loos, "add", "marie", "--role", "admin")
    assert "--role" in refused(loos, "add", "marie@loos.example", "--role", "king")
    assert "--language" in refused(loos, "add", "marie@loos.example", "--role", "admin", "--language", "it")
    for command in (
        ("remove", "marie@loos.example"),
        ("key", "marie@loos.example"),
        ("revoke", "00000000-0000-0000-0000-000000000000"),
    ):
        assert "gohelle:" in refused(loos, *command)
    assert loos.scalar("select count(*) from register.staff") == 0
