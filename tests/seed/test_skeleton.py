"""A new pack: filled from the database where it knows the commune, loaded and served as it stands."""

import csv
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.command import app
from geo.kinds import KINDS
from geo.packs import commune
from seed import pack, skeleton
from tests.api.conftest import client_of
from tests.conftest import Territory


def run(territory: Territory | None, *arguments: str):
    """The command, over the database of a test or over none."""
    settings = territory and territory.settings
    env = {
        "GOHELLE_DATABASE_URL": settings.database_url.render_as_string(hide_password=False)
        if settings
        else "postgresql://nobody@/nowhere?host=/nonexistent"
    }
    return CliRunner().invoke(app, ["new-pack", *arguments], env=env)


def test_a_new_pack_has_no_fault_and_can_be_served(database: Territory, tmp_path: Path):
    """It is loaded as it stands, and each of its collections answers."""
    done = run(database, "68343", str(tmp_path / "new"), "--language", "fr", "--language", "de")
    assert done.exit_code == 0, done.output
    assert pack.read(tmp_path / "new").findings == []
    pack.load(database.db, tmp_path / "new")
    with client_of(database) as client:
        listed = client.get("/collections", headers={"Accept": "application/json"}).json()["collections"]
        assert {one["id"] for one in listed} == {kind.id for kind in skeleton.WRITTEN} == set(KINDS) - {"registrations"}
        for one in listed:
            items = client.get(f"/collections/{one['id']}/items", headers={"Accept": "application/geo+json"})
            assert items.status_code == 200, one["id"]
            assert items.json()["features"] == []


def test_it_takes_name_and_bounds_from_an_imported_outline(loos: Territory, tmp_path: Path):
    """The outline itself stays with the import; the pack names the commune by its code."""
    assert run(loos, "62528", str(tmp_path / "new")).exit_code == 0
    found = pack.read(tmp_path / "new")
    with loos.db.read() as tx:
        known = commune(tx, "62528")
    assert known
    assert known.name in found.about["title"]["fr"]
    assert found.about["communes"] == ["62528"]
    west, south, east, north = found.about["bounds"]
    assert west < known.box.west < known.box.east < east
    assert south < known.box.south < known.box.north < north
    assert found.entries == []


@pytest.mark.parametrize("insee", ["2A004", "97411", "01004", "75056"])
def test_it_works_without_a_database(tmp_path: Path, insee: str):
    """Corsica and the overseas departments have codes and bounds, too."""
    done = run(None, insee, str(tmp_path / "new"))
    assert done.exit_code == 0, done.output
    assert "no outline" in done.stdout
    assert pack.read(tmp_path / "new").findings == []


@pytest.mark.parametrize("insee", ["6252", "2C004", "62 528", "625280", "../..", "99999999", "20004"])
def test_it_refuses_what_is_no_code(tmp_path: Path, insee: str):
    """Two digits, or 2A and 2B, then three; 20 was Corsica's before 1976."""
    with pytest.raises(skeleton.NoSkeleton, match="INSEE"):
        skeleton.write(tmp_path / "new", insee, ["fr"], None)
    assert list(tmp_path.iterdir()) == []


def test_it_never_overwrites(tmp_path: Path):
    """An empty folder is taken; one with anything in it is left alone."""
    (tmp_path / "empty").mkdir()
    skeleton.write(tmp_path / "empty", "68343", ["fr"], None)
    before = {path: path.read_bytes() for path in (tmp_path / "empty").glob("*.*")}
    with pytest.raises(skeleton.NoSkeleton, match="not empty"):
        skeleton.write(tmp_path / "empty", "62528", ["fr"], None)
    (tmp_path / "file").touch()
    with pytest.raises(skeleton.NoSkeleton, match="not empty"):
        skeleton.write(tmp_path / "file", "62528", ["fr"], None)
    assert {path: path.read_bytes() for path in (tmp_path / "empty").glob("*.*")} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "file"]


def test_tables_have_their_headers_and_every_entry_a_comment(tmp_path: Path):
    """What a clerk opens first says what goes where."""
    skeleton.write(tmp_path / "new", "68343", ["fr", "en"], None)
    header = next(csv.reader((tmp_path / "new" / "figures.csv").read_text("utf-8").splitlines()))
    assert header[:4] == ["source_key", "name", "name_en", "description"]
    assert "updated_at" not in header
    text = (tmp_path / "new" / "territory.toml").read_text("utf-8")
    assert all(f"# Fill {kind}." in text for kind in KINDS if KINDS[kind].by_hand)
    assert max(map(len, re.findall(r"(?m)^#.*", text))) <= 120
