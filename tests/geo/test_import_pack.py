"""`gohelle import --pack`: all datasets of a pack with one command, and what the command line asks of one file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from geo.errors import GohelleError
from seed import opendata
from tests.conftest import LOOS, SHARED, Territory
from tests.geo.importing import AREAS, PLACES, collection, feature, square

GOHELLE = Path(sys.executable).with_name("gohelle")
PACK = """
id = "small"
bounds = [2.7, 50.4, 2.9, 50.5]
datasets = [{datasets}]
"""
COMMUNES = """
title = "Outlines"
attribution = "The tests"
licence = "etalab-2.0"
kind = "communes"
source_key = "{id}"
position = "digitised"

[file]
name = "outlines.geojson"

[columns]
name = "{nom}"
insee = "{id}"
"""


def gohelle(territory: Territory, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command line as an operator does, from another folder."""
    url = territory.settings.database_url.render_as_string(hide_password=False)
    env = os.environ | {"GOHELLE_DATABASE_URL": url, "GOHELLE_PACK": str(LOOS)}
    return subprocess.run([GOHELLE, "import", *words], cwd="/", env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A pack of three datasets, and their files in `files/`."""
    (tmp_path / "datasets").mkdir()
    (tmp_path / "files").mkdir()
    (tmp_path / "territory.toml").write_text(PACK.format(datasets='"monuments"'), "utf-8")
    parks = AREAS + '\n[file]\nname = ["parks.geojson", "p.geojson"]\n'
    for name, text in (("a-parks", parks), ("outlines", COMMUNES), ("z-wide", PLACES + '[file]\nname = "w.csv"\n')):
        whole = "whole = true\n" if name == "z-wide" else ""
        (tmp_path / "datasets" / f"{name}.toml").write_text(whole + text, "utf-8")
    inside, outside = feature(1, "Polygon", square(2.8, 50.45)), feature(2, "Polygon", square(5, 45))
    (tmp_path / "files" / "p.geojson").write_text(collection(inside, outside))
    (tmp_path / "files" / "outlines.geojson").write_text(
        collection(feature("62001", "Polygon", square(2.7, 50.4, 0.2)))
    )
    (tmp_path / "files" / "w.csv").write_text("id,nom,lon,lat\n1,a,2.8,50.45\n2,b,5,45\n")
    (tmp_path / "files" / "monuments_historiques_fr.csv").write_text("ref,nom,datation,lon,lat\nPA1,M,,2.8,50.45\n")
    return tmp_path


def test_which_datasets_a_pack_has_and_in_which_order(pack: Path) -> None:
    """Communes first, then those for any town, then its own; cut to its bounds unless a mapping says `whole`."""
    found = opendata.errands(pack, pack / "files")
    assert [one.name for one in found] == ["outlines", "monuments", "a-parks", "z-wide"]
    assert all(one.request for one in found)
    boxes = [one.request.bbox for one in found if one.request]
    assert boxes == [(2.7, 50.4, 2.9, 50.5)] * 3 + [None]
    missing = {one.name: one.missing for one in opendata.errands(pack)}
    assert missing["monuments"] == "its file has no address of its own: give it by --from"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PACK.format(datasets='"no-such"'), "datasets: must list datasets that come with Gohelle"),
        (PACK.format(datasets='"monuments", "monuments"'), "names a dataset twice"),
        ("bounds = [1, 2]", "bounds: must be"),
        ("bounds = [", "is not valid TOML"),
    ],
)
def test_a_pack_whose_datasets_cannot_be_listed(tmp_path: Path, text: str, said: str) -> None:
    """Said before anything is imported."""
    (tmp_path / "territory.toml").write_text(text, "utf-8")
    with pytest.raises(GohelleError, match=said):
        opendata.errands(tmp_path)
    with pytest.raises(GohelleError, match=r"no territory\.toml"):
        opendata.errands(tmp_path / "elsewhere")


def test_one_that_fails_does_not_stop_the_others(database: Territory, pack: Path) -> None:
    """A missing file and a broken one are named, and the exit code says so; a dry run leaves nothing behind."""
    dry = gohelle(database, "--pack", pack, "--from", pack / "files", "--dry-run")
    assert (dry.returncode, dry.stderr) == (0, "")
    assert database.scalar("select count(*) from territory.communes") == 0
    (pack / "files" / "monuments_historiques_fr.csv").unlink()
    (pack / "files" / "p.geojson").write_text("{")
    done = gohelle(database, "--pack", pack, "--from", pack / "files")
    assert done.returncode == 1
    assert "2 of 4 datasets are not there: monuments, a-parks" in done.stderr
    assert "monuments: the folder has no file monuments_historiques.geojson or" in done.stdout
    assert database.scalar("select string_agg(commune, ',') from territory.places") == "62001"
    assert database.scalar("select count(*) from territory.places") == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "an import needs FILE, --kind, --mapping; or --pack"),
        (["x.csv", "--kind", "places"], "an import needs --mapping"),
        (["x.csv", "--kind", "rockets", "--mapping", "m"], "must be one of: communes"),
        (["x.csv", "--kind", "places", "--mapping", "m", "--from", "."], "goes with --pack only"),
        (["--pack", "--kind", "places"], "is for one file, and goes without --pack"),
        (["--pack", "--append", "--replace"], "goes without --append"),
        (["--pack", "/no/such/folder"], "there is no pack in that folder"),
    ],
)
def test_what_the_command_needs_is_said(shown: Territory, words: list[str], said: str) -> None:
    """In a sentence, whichever it is."""
    done = gohelle(shown, *words)
    assert done.returncode in (1, 2)
    assert said in " ".join(done.stderr.replace("│", " ").split())


@pytest.mark.skipif(not SHARED.is_dir(), reason="the open data is not beside the repository")
def test_the_whole_pack_of_loos(loos: Territory, tmp_path: Path) -> None:
    """19 datasets; official geometry takes the place of sketches under the same ids, and the pack's words stay."""
    ids = "select id from territory.communes where insee = '62528'"
    before = loos.scalar(ids)
    for file in (*(SHARED / "loos").iterdir(), SHARED / "bassin_minier" / "bassin_minier.geojson.gz"):
        (tmp_path / file.name).symlink_to(file)
    told = "select description from territory.areas where source_key = 'T074'"
    words = loos.scalar(told)
    done = gohelle(loos, "--pack", "--from", tmp_path)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert done.stdout.count("refused 0") == 19
    for said in ("communes-bassin-minier drew what was only sketched: communes 62528", "areas T074, T074a"):
        assert said in done.stdout
    assert loos.scalar(ids) == before
    assert loos.scalar("select ST_NPoints(geom) from territory.communes where insee = '62528'") == 76
    assert loos.scalar(told) == words
    assert "esquisse" not in words
    railways = loos.scalar("select count(*) from territory.paths where dataset = 'mine-railways'")
    assert 0 < railways <= 108  # what the bounds touch
    shafts = "select count(*) from territory.places where left(source_key, 4) = 'pit-' and dataset = 'mine-shafts'"
    assert loos.scalar(shafts) == 9
