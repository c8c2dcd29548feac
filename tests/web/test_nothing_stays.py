"""After erasing, nothing holds the address, the mail or the point: the dump, the service's log and the letters' folder are searched."""

import subprocess
from pathlib import Path

import httpx2 as httpx

from tests.conftest import Territory, running
from tests.declaring import HOME, body, confirmed, decided
from tests.mailbox import files
from tests.script.conftest import wait_until

SECRETS = ("zoe.quetzal", "quetzal@", "rue Quetzal", str(HOME[0]), str(HOME[1]), "2.7942", "50.4583")


def dump(territory: Territory) -> str:
    """The whole database as pg_dump writes it, points as text beside it."""
    url = territory.admin.replace("postgresql+psycopg", "postgresql")
    done = subprocess.run(["pg_dump", "--inserts", url], capture_output=True, text=True, check=True)
    points = territory.scalar("select string_agg(ST_AsText(location), ' ') from register.declarations")
    return done.stdout + (points or "")


def test_after_erasing_nothing_stays(loos: Territory, tmp_path: Path, capfd):
    """Declared, confirmed, published, corrected, erased: with the real service and its worker, letters as files."""
    with running(loos, GOHELLE_JOBS="on", GOHELLE_DATA=str(tmp_path)) as service:
        given = body(
            email="zoe.quetzal@example.org", address="3 rue Quetzal", power_kw=8.4, words="Bonjour du 3 rue Quetzal"
        )
        id = httpx.post(f"{service.url}/installations", json=given).json()["id"]
        folder = tmp_path / "mail"
        wait_until(lambda: len(files(folder)) == 1, seconds=20)
        bytes_of_home = loos.scalar("select encode(ST_AsBinary(location), 'hex') from register.declarations")
        key = confirmed(loos, id)
        decided(loos, id)
        wait_until(lambda: len(files(folder)) == 2, seconds=20)
        for path in ("/mine", "/mine/edit", "/mine/export"):
            assert httpx.post(f"{service.url}{path}", data={"token": key}).status_code == 200
        assert all(secret in dump(loos) for secret in ("zoe.quetzal", "rue Quetzal", str(HOME[0])))
        answer = httpx.post(f"{service.url}/mine/erase", data={"token": key, "sure": "1"})
        assert answer.status_code == 200
        wait_until(lambda: files(folder) == [], seconds=20)
    held = dump(loos)
    logged = "".join(capfd.readouterr())
    assert "/mine/erase" in logged
    for secret in (*SECRETS, key, bytes_of_home[10:]):
        assert secret.lower() not in held.lower(), secret
        assert secret.lower() not in logged.lower(), secret
    assert id not in held
    left = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert not any(secret.encode() in file.read_bytes() for file in left for secret in SECRETS)
    assert loos.scalar("select count(*) from territory.tombstones") == 1
