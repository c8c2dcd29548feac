"""A change, made in any way, changes the tags of exactly the collections concerned; all others answer 304."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.conftest import client_of, heard
from tests.conftest import ROOT
from tests.declaring import body, confirmed

PLACE = (
    "insert into territory.places (source_key, name, category, site, source, licence, position, geom) "
    "values ('new', 'new', %s, %s, 's', 'l', 'surveyed', 'SRID=4326;POINT(2.79 50.45)')"
)


def tags(client):
    """The tag of each collection's items."""
    ids = [one["id"] for one in client.get("/collections").json()["collections"]]
    return {id: client.get(f"/collections/{id}/items").headers["etag"] for id in ids}


def changed(client, before, territory):
    """Which collections no longer answer 304 to the tags of before; those that do send no body."""
    heard(client, territory)
    gone = set()
    for id, tag in before.items():
        answer = client.get(f"/collections/{id}/items", headers={"If-None-Match": tag})
        assert answer.status_code in (200, 304)
        if answer.status_code == 200:
            assert answer.headers["etag"] != tag
            gone.add(id)
        else:
            assert answer.content == b""
            assert answer.headers["etag"] == tag
    return gone


@pytest.mark.parametrize(
    ("sql", "values", "concerned"),
    [
        (PLACE, ("shared_garden", None), {"gardens"}),
        (PLACE, ("headframe", "11/19"), {"mine-shafts", "base-11-19"}),
        (PLACE, ("monument", None), {"landmarks"}),
        (
            "update territory.places set category = 'cemetery' where category = 'shared_garden'",
            (),
            {"gardens", "memory"},
        ),
        ("update territory.places set name = name where false", (), set()),
        ("delete from territory.installations where technology = 'photovoltaic'", (), {"installations", "solar"}),
        ("delete from territory.installations where technology = 'heat_pump'", (), {"installations"}),
        ("truncate territory.milestones", (), {"milestones"}),
        ("update territory.collections set title = '{}' where id = 'memory'", (), {"memory"}),
    ],
)
def test_psql(loos, sql, values, concerned):
    """Whoever writes, the triggers see it."""
    with client_of(loos) as client:
        before = tags(client)
        assert changed(client, before, loos) == set()
        with loos.superuser() as connection:
            connection.execute(sql, values or None)
        assert changed(client, before, loos) == concerned


def test_a_rolled_back_change_is_none(loos):
    """Versions move at commit."""
    with client_of(loos) as client:
        before = tags(client)
        with loos.superuser() as connection:
            connection.execute("begin")
            connection.execute("delete from territory.places")
            connection.execute("rollback")
        assert changed(client, before, loos) == set()


def test_approval(loos):
    """A declaration changes nothing public; its approval changes the collections that it joins."""
    draft = body("solar_thermal")
    with client_of(loos) as client:
        before = tags(client)
        id = client.post("/installations", json=draft).json()["id"]
        confirmed(loos, id)
        assert changed(client, before, loos) == set()
        gohelle(loos, "register", "approve", id)
        assert changed(client, before, loos) == {"installations", "solar"}


def test_import(loos, tmp_path: Path):
    """An import changes its kind's collections; the same file again, or a dry run, changes none."""
    file = tmp_path / "jardins.geojson"
    feature = {
        "type": "Feature",
        "properties": {"id": "g1", "nom": "Jardin"},
        "geometry": {"type": "Point", "coordinates": [2.79, 50.45]},
    }
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    mapping = tmp_path / "jardins.toml"
    mapping.write_text(MAPPING)
    arguments = ("import", file, "--kind", "places", "--mapping", mapping)
    with client_of(loos) as client:
        before = tags(client)
        gohelle(loos, *arguments, "--dry-run")
        assert changed(client, before, loos) == set()
        gohelle(loos, *arguments)
        assert changed(client, before, loos) == {"gardens"}
        before = tags(client)
        gohelle(loos, *arguments)
        assert changed(client, before, loos) == set()


def test_seeding_again_changes_nothing(loos):
    """The same pack leaves ids, versions and rows as they are."""
    with client_of(loos) as client:
        before = tags(client)
        gohelle(loos, "seed")
        assert changed(client, before, loos) == set()


def test_pages_follow_the_catalogue(loos):
    """A page shows the territory's name and its collections around whatever it is about."""
    with client_of(loos) as client:
        page = {"f": "html"}
        tag = client.get("/collections/gardens/items", params=page).headers["etag"]
        with loos.superuser() as connection:
            connection.execute("update territory.collections set title = '{\"fr\": \"Autre\"}' where id = 'memory'")
        heard(client, loos)
        answer = client.get("/collections/gardens/items", params=page, headers={"If-None-Match": tag})
        assert answer.status_code == 200


def test_writers_of_two_collections_never_wait_for_each_other(loos):
    """Versions are raised at commit: a long import does not hold up a declaration, nor do two orders deadlock."""
    with loos.superuser() as one, loos.superuser() as other:
        one.execute("begin")
        one.execute("update territory.places set name = name || '!'")
        other.execute("set lock_timeout = '2s'")
        other.execute("begin")
        other.execute(PLACE, ("shared_garden", None))
        other.execute("update territory.installations set name = name || '!'")
        other.execute("commit")
        one.execute("update territory.detections set name = name || '!'")
        one.execute("commit")


MAPPING = """
title = "Jardins"
kind = "places"
source = "Ville"
licence = "etalab-2.0"
attribution = "Ville"
source_key = "garden-{id}"
position = "digitised"

[columns]
name = "nom"
category = { value = "shared_garden" }
"""


def gohelle(territory, *arguments):
    """The command line over the territory's database."""
    settings = territory.settings
    env = {
        "GOHELLE_DATABASE_URL": settings.database_url.render_as_string(hide_password=False),
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
    }
    command = [Path(sys.executable).with_name("gohelle"), *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
