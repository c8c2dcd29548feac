"""`gohelle export`: the files of the service, from the command line."""

import os
import subprocess
import sys
from pathlib import Path

import pyogrio
import pytest

from tests.conftest import Territory

EPSG = "http://www.opengis.net/def/crs/EPSG/0/"


def run(territory: Territory, *words: str) -> subprocess.CompletedProcess[str]:
    """The command as an operator runs it."""
    url = territory.settings.database_url.render_as_string(hide_password=False)
    return subprocess.run(
        [sys.executable, "-c", "from api.command import main; main()", "export", *words],
        env={**os.environ, "GOHELLE_DATABASE_URL": url},
        cwd=Path(__file__).parent.parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("suffix", [".fgb", ".gpkg", ".zip", ".kml"])
def test_a_collection_becomes_a_file(shown: Territory, tmp_path: Path, suffix: str):
    """Which another program opens."""
    file = tmp_path / f"out{suffix}"
    done = run(shown, "mine-shafts", str(file))
    assert done.returncode == 0, done.stderr
    assert len(pyogrio.read_dataframe(file)) == int(done.stdout.split()[0]) > 0
    assert [one.name for one in tmp_path.iterdir()] == [file.name]


def test_the_questions_of_the_address_hold(shown: Territory, tmp_path: Path):
    """Filter, system and properties; what stood there is replaced."""
    file = tmp_path / "out.gpkg"
    file.write_text("old")
    asked = ("filter=year > 2000", f"crs={EPSG}2154", "properties=year")
    done = run(shown, "installations", str(file), *(word for one in asked for word in ("--ask", one)))
    assert done.returncode == 0, done.stderr
    read = pyogrio.read_dataframe(file)
    assert read.crs is not None
    assert read.crs.to_epsg() == 2154
    assert [*read.columns] == ["id", "year", "geometry"]
    assert (read.year > 2000).all()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("mine-shafts", "out.dxf"), "must end in one of"),
        (("nothing", "out.gpkg"), "no such collection"),
        (("figures", "out.kml"), "must be one of"),
        (("mine-shafts", "out.gpkg", "--ask", "filter=x"), "filter asks for x"),
        (("mine-shafts", "out.gpkg", "--ask", "nonsense=1"), "nonsense is not a parameter"),
    ],
)
def test_what_is_wrong_is_one_sentence(shown: Territory, tmp_path: Path, words: tuple[str, ...], said: str):
    """Exit code 1, no traceback, no file."""
    collection, name, *more = words
    done = run(shown, collection, str(tmp_path / name), *more)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
