"""One import is one transaction: what it writes, what it leaves alone, and what becomes of it when it is killed."""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import shapely

from geo.errors import BadInput
from geo.files import ImportDied, ImportRequest, run_import
from tests.conftest import Territory
from tests.geo.importing import AREAS, PLACES, Desk, collection, feature, square

BOW_TIE = [[[3, 51], [3.01, 51.01], [3.01, 51], [3, 51.01], [3, 51]]]
COMMUNE = """insert into territory.communes (insee, source_key, name, source, licence, position, geom)
values ('{0}', '{0}', 'C', 's', 'l', '{1}', ST_Multi(ST_GeomFromText('{2}', 4326)))"""


@pytest.fixture
def desk(database: Territory, tmp_path: Path) -> Desk:
    """An empty database and an empty folder."""
    return Desk(database, tmp_path)


def table(desk: Desk, name: str, *features: dict) -> Path:
    """The features as a CSV with WKT: the format is not the point, and CSV is read without GDAL."""
    shapes = [each["geometry"] and shapely.from_geojson(json.dumps(each["geometry"])).wkt for each in features]
    names = list(dict.fromkeys(name for each in features for name in each["properties"]))
    lines = [";".join(["wkt", *names])]
    for each, shape in zip(features, shapes, strict=True):
        lines.append(";".join([shape or "", *(str(each["properties"].get(name, "")) for name in names)]))
    return desk.file(name, "\n".join(lines) + "\n")


def two(desk: Desk, *more) -> Path:
    """A file with two squares, and more."""
    squares = feature(1, "Polygon", square(2.8, 50.4)), feature(2, "Polygon", square(2.9, 50.5))
    return table(desk, "two.csv", *squares, *more)


def versions(desk: Desk) -> list:
    """The versions of all collections."""
    with desk.territory.superuser() as connection:
        return connection.execute("select collection, version from territory.version order by 1").fetchall()


def follow_parks(desk: Desk) -> None:
    """A collection, so that there is a version to raise."""
    desk.sql("insert into territory.collections (id, kind, title) values ('parks', 'areas', '{}')")


def test_the_service_imports_no_format_library() -> None:
    """The door is light: GDAL, Arrow and shapely are loaded by the child alone."""
    heavy = "{'pyogrio', 'pyarrow', 'shapely', 'geopandas', 'pyproj', 'numpy'}"
    code = f"import sys, geo.files; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_rows_are_written_with_what_the_mapping_says(desk: Desk) -> None:
    """Origin, measure, name and dataset come from the mapping; the report counts."""
    report = desk.run(two(desk))
    assert (report.read, report.inserted, report.written, report.refused_count) == (2, 2, 2, 0)
    assert [row[0] for row in desk.rows()] == ["a-1", "a-2"]
    with desk.territory.superuser() as connection:
        row = connection.execute(
            "select name, source, licence, source_date::text, dataset, area_ha, position from territory.areas "
            "order by source_key"
        ).fetchone()
    assert row == ("No. 1", "The tests", "etalab-2.0", "2026-01-02", "small", pytest.approx(79, abs=1), "digitised")


def test_the_same_file_twice_changes_no_id_and_no_version(desk: Desk) -> None:
    """What is there already is not touched."""
    follow_parks(desk)
    desk.run(two(desk))
    before, numbers = desk.rows(), versions(desk)
    report = desk.run(two(desk))
    assert (report.inserted, report.updated, report.unchanged) == (0, 0, 2)
    assert (desk.rows(), versions(desk)) == (before, numbers)


def test_a_changed_row_keeps_its_id(desk: Desk) -> None:
    """Only the row that differs is written, under the id that permalinks know."""
    desk.run(two(desk))
    before = desk.rows()
    changed = feature(1, "Polygon", square(2.8, 50.4)), feature(2, "Polygon", square(2.9, 50.6))
    report = desk.run(table(desk, "two.csv", *changed))
    assert (report.updated, report.unchanged) == (1, 1)
    after = desk.rows()
    assert after[0] == before[0]
    assert after[1][1] == before[1][1]
    assert after[1][4] != before[1][4]


def test_a_dry_run_changes_nothing(desk: Desk) -> None:
    """It reports what would be, versions and ids stay."""
    follow_parks(desk)
    desk.run(two(desk))
    before, numbers = desk.rows(), versions(desk)
    other = table(desk, "other.csv", feature(3, "Polygon", square(2.7, 50.4)))
    report = desk.run(other, mode="replace", dry_run=True)
    assert (report.inserted, report.deleted, report.dry_run) == (1, 2, True)
    assert (desk.rows(), versions(desk)) == (before, numbers)


def test_replace_deletes_what_the_dataset_no_longer_has_and_nothing_else(desk: Desk) -> None:
    """Rows of the pack and of other datasets stay; so does a row whose new version is refused."""
    desk.run(two(desk, feature(3, "Polygon", square(2.7, 50.4))))
    desk.sql(
        "insert into territory.areas (source_key, name, category, source, licence, position, geom) select 'pack', 'P', "
        "'park', 's', 'l', 'digitised', geom from territory.areas limit 1"
    )
    file = table(desk, "new.csv", feature(1, "Polygon", square(2.8, 50.4)), feature(3, None, None))
    report = desk.run(file, mode="replace")
    assert (report.deleted, report.refused_count) == (1, 1)
    assert [row[0] for row in desk.rows()] == ["a-1", "a-3", "pack"]


def test_replace_by_a_file_of_which_nothing_can_be_written_is_refused(desk: Desk) -> None:
    """A broken delivery does not empty the map."""
    desk.run(two(desk))
    with pytest.raises(BadInput, match="nothing to replace"):
        desk.run(table(desk, "bad.csv", feature(9, None, None)), mode="replace")
    assert len(desk.rows()) == 2


def test_append_leaves_known_rows_as_they_are(desk: Desk) -> None:
    """Only new keys are written."""
    desk.run(two(desk))
    before = desk.rows()
    file = table(desk, "more.csv", feature(1, "Polygon", square(2.1, 50.1)), feature(4, "Polygon", square(2.2, 50.2)))
    report = desk.run(file, mode="append")
    assert (report.inserted, report.updated, report.unchanged) == (1, 0, 1)
    assert desk.rows()[:2] == before


def test_a_key_that_comes_twice_is_said(desk: Desk) -> None:
    """The first row stays."""
    report = desk.run(two(desk, feature(1, "Polygon", square(2.1, 50.1))))
    assert (report.inserted, report.refused_count) == (2, 1)
    (note,) = report.refused
    assert (note.row, note.source_key, note.reason) == (3, "a-1", "the key appears already in row 1")


def test_an_invalid_polygon_is_repaired_and_a_missing_one_refused(desk: Desk) -> None:
    """Both with row, key and reason; the repair with its place."""
    report = desk.run(two(desk, feature(3, "Polygon", BOW_TIE), feature(4, None, None)))
    assert (report.read, report.written, report.repaired_count) == (4, 3, 1)
    assert [(note.row, note.source_key, note.reason) for note in report.refused] == [(4, "a-4", "there is no geometry")]
    (repaired,) = report.repaired
    assert (repaired.row, repaired.reason) == (3, "Self-intersection")
    assert repaired.place == pytest.approx((3.005, 51.005))
    assert desk.territory.scalar("select bool_and(ST_IsValid(geom)) from territory.areas")


def test_rejected_rows_are_written_to_a_file(desk: Desk) -> None:
    """A CSV beside the report: why, and the row's own fields, none of which a spreadsheet takes for a formula."""
    rejected = desk.folder / "rejected.csv"
    features = feature(1, "Polygon", square(2.8, 50.4)), feature(1, "Polygon", BOW_TIE, nom="=1+1")
    features += (feature("@4", None, None, nom="-2, “oui”", row="\t+x"),)
    desk.run(desk.file("x.geojson", collection(*features)), AREAS.replace("a-{id}", "{id}"), rejected=rejected)
    with rejected.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    twice = "the key appears already in row 1"
    assert rows == [
        {"row": "2", "source_key": "1", "reason": twice, "id": "1", "nom": "'=1+1", "file.row": ""},
        {
            "row": "3",
            "source_key": "'@4",
            "reason": "there is no geometry",
            "id": "'@4",
            "nom": "'-2, “oui”",
            "file.row": "'+x",
        },
    ]
    desk.run(table(desk, "x.csv", features[0], feature(3, None, None)), rejected=rejected)
    assert rejected.read_text("utf-8").splitlines() == [
        "row,source_key,reason,wkt,id,nom",
        "2,a-3,there is no geometry,,3,No. 3",
    ]
    with pytest.raises(BadInput, match="cannot be written there"):
        desk.run(two(desk), rejected=desk.folder / "no folder" / "x.csv")


def test_what_the_tables_constraints_refuse_costs_one_row(desk: Desk) -> None:
    """The others are written."""
    mapping = PLACES + 'since = "{from}"\nuntil = "{to}"\n'
    good = feature(1, "Point", [2.8, 50.4], **{"from": "1900", "to": "1950"})
    bad = feature(2, "Point", [2.8, 50.4], **{"from": "1950", "to": "1900"})
    report = desk.run(table(desk, "p.csv", good, bad), mapping)
    assert (report.written, [note.reason for note in report.refused]) == (1, ["until is before since"])
    said = "select since || ' ' || since_precision || ' ' || until_precision from territory.places"
    assert desk.territory.scalar(said) == "1900-01-01 year year"


def test_communes_are_found_and_a_stated_one_outlives_them(desk: Desk) -> None:
    """By a point on the surface, surveyed outlines before schematic ones; outside all, none."""
    desk.sql(COMMUNE.format("62001", "schematic", "POLYGON((2 50,3 50,3 51,2 51,2 50))"))
    desk.sql(COMMUNE.format("62002", "digitised", "POLYGON((2.85 50,3 50,3 51,2.85 51,2.85 50))"))
    desk.run(two(desk, feature(3, "Polygon", square(5, 45))))
    assert [row[5] for row in desk.rows()] == ["62001", "62002", None]
    assert desk.territory.scalar("select bool_and(commune_derived) from territory.areas")
    desk.sql("update territory.areas set commune = '62999', commune_derived = false where source_key = 'a-1'")
    desk.run(two(desk, feature(3, "Polygon", square(5, 45))))
    assert [row[5] for row in desk.rows()] == ["62999", "62002", None]


def test_an_official_outline_takes_the_place_of_the_packs_sketch(desk: Desk) -> None:
    """Same key, same id; the report says what was replaced, and `keep` keeps the pack's words."""
    desk.run(two(desk))
    desk.sql(
        "update territory.areas set position = 'schematic', name = 'Ours', dataset = null, translations = "
        '\'{"en": {"name": "Our own"}}\' where source_key = \'a-1\''
    )
    before = desk.rows()
    mapping = AREAS.replace('position = "digitised"', 'position = "digitised"\nkeep = ["name"]') + 'name_en = "{nom}"\n'
    file = table(desk, "new.csv", feature(1, "Polygon", square(2.81, 50.4)))
    report = desk.run(file, mapping)
    assert [note.source_key for note in report.replaced] == ["a-1"]
    after = desk.rows()
    assert (after[0][1], after[0][2]) == (before[0][1], "Ours")
    said = "select translations->'en'->>'name' from territory.areas where source_key = 'a-1'"
    assert desk.territory.scalar(said) == "Our own"


def test_no_file_writes_over_what_residents_declared(desk: Desk) -> None:
    """Their keys are out of reach."""
    mapping = PLACES.replace('"p-{id}"', '"{id}"')
    file = table(desk, "p.csv", feature("declaration:1", "Point", [2.8, 50.4]))
    report = desk.run(file, mapping)
    assert "belong to residents" in report.refused[0].reason


def test_rows_outside_the_box_are_left_out(desk: Desk) -> None:
    """They are skipped, not refused."""
    report = desk.run(two(desk), bbox=(2.85, 50.0, 3.0, 51.0))
    assert (report.read, report.skipped, report.written) == (2, 1, 1)


def many(desk: Desk, count: int) -> Path:
    """A CSV of scattered points."""
    draw = random.Random(7)
    lines = [f"{n},N{n},{draw.uniform(2, 3):.5f},{draw.uniform(50, 51):.5f}" for n in range(count)]
    return desk.file("many.csv", "id,nom,lon,lat\n" + "\n".join(lines))


def test_an_import_killed_at_any_moment_changes_nothing(desk: Desk) -> None:
    """20 random kills: rows and versions stay, the error says so, and the next import works."""
    desk.sql("insert into territory.collections (id, kind, title) values ('spots', 'places', '{}')")
    desk.run(many(desk, 10), PLACES)
    before, numbers = desk.rows("places"), versions(desk)
    file, draw = many(desk, 60_000), random.Random(1)
    request = ImportRequest(file=file, kind="places", mapping=str(desk.file("small.toml", PLACES)))
    for _ in range(20):
        _import_killed_after(desk, request, draw.uniform(0.05, 1.5))
        assert (desk.rows("places"), versions(desk)) == (before, numbers)
    report = desk.run(file, PLACES)
    assert report.written == 60_000
    assert report.peak_mb < 150  # memory is bounded, whatever the number of rows


def _import_killed_after(desk: Desk, request: ImportRequest, seconds: float) -> None:
    with pytest.raises(ImportDied, match=r"signal 9.*nothing was changed"):
        _interrupted(desk, request, seconds, signal.SIGKILL)


def _interrupted(desk: Desk, request: ImportRequest, seconds: float, how: signal.Signals) -> None:
    def kill() -> None:
        time.sleep(seconds)
        for child in _children():
            os.kill(child, how)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        run_import(desk.territory.settings, request)
    finally:
        killer.join()


def test_a_file_that_takes_too_much_computing_is_said(desk: Desk) -> None:
    """As the system says it, when the limit of the process is passed."""
    request = ImportRequest(file=many(desk, 60_000), kind="places", mapping=str(desk.file("small.toml", PLACES)))
    with pytest.raises(ImportDied, match=r"more computing than is allowed.*nothing was changed"):
        _interrupted(desk, request, 0.4, signal.SIGXCPU)


def _children() -> list[int]:
    """Our own children that read files."""
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit() and _reads_for_us(each)]


def _reads_for_us(folder: Path) -> bool:
    try:
        parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
        return parent == os.getpid() and b"geo.files.reader" in (folder / "cmdline").read_bytes()
    except (OSError, IndexError):
        return False


def test_a_database_that_is_not_there_is_said(desk: Desk) -> None:
    """In one word of the domain."""
    from geo.errors import Unavailable

    gone = desk.territory.settings.database_url.set(database="no_such_database")
    settings = type(desk.territory.settings)(database_url=gone, reader_url=gone)
    file = two(desk)
    toml = str(desk.file("small.toml", AREAS))
    with pytest.raises(Unavailable, match="cannot be reached"):
        run_import(settings, ImportRequest(file=file, kind="areas", mapping=toml))
