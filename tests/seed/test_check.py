"""One fault, one finding: each names its file and its place, in words for whoever writes the pack."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.command import app
from seed import pack
from tests.conftest import LOOS
from tests.seed.conftest import FIGURES, TERRITORY, Files, Write, feature, files, point


def text(name: str, old: str, new: str) -> Callable[[Files], None]:
    """A fault put into a text file."""

    def change(content: Files) -> None:
        assert old in content[name]
        content[name] = content[name].replace(old, new, 1)

    return change


def set_to(name: str, number: int, **properties: Any) -> Callable[[Files], None]:
    """A fault put into the properties of a feature; None takes the property away."""

    def change(content: Files) -> None:
        found = content[name]["features"][number - 1]["properties"]
        found.update(properties)
        for key in [key for key, value in properties.items() if value is None]:
            del found[key]

    return change


def drawn(name: str, number: int, geometry: Any) -> Callable[[Files], None]:
    """A fault put into the geometry of a feature."""
    return lambda content: content[name]["features"][number - 1].update(geometry=geometry)


def polygon(*positions: tuple[float, float]) -> dict[str, Any]:
    """A GeoJSON polygon of one ring."""
    return {"type": "Polygon", "coordinates": [[list(one) for one in positions]]}


def replaced(name: str, value: Any) -> Callable[[Files], None]:
    """Another file in the place of this one, or one more."""
    return lambda content: content.update({name: value})


def described(change: Callable[[Files], Any]) -> Callable[[Files], None]:
    """A fault put into the descriptor."""

    def apply(content: Files) -> None:
        change(content["datapackage.json"])

    return apply


def twice(content: Files) -> None:
    content["places.geojson"]["features"][1]["properties"]["source_key"] = "north"
    content["milestones.csv"] = content["milestones.csv"].replace(" gardens:south", "")


def encoded(name: str, encoding: str) -> Callable[[Files], None]:
    return lambda content: content.update({name: content[name].encode(encoding)})


def cut(content: Files) -> None:
    content["places.geojson"] = json.dumps(content["places.geojson"], indent=1)[:400]


def exchanged(content: Files) -> None:
    ring = content["areas.geojson"]["features"][0]["geometry"]["coordinates"][0]
    content["areas.geojson"]["features"][0]["geometry"]["coordinates"] = [[[y, x] for x, y in ring]]


BOWTIE = polygon((2.78, 50.44), (2.80, 50.46), (2.80, 50.44), (2.78, 50.46), (2.78, 50.44))
HALF = polygon((2.78, 50.44), (2.80, 50.44), (2.80, 50.46), (2.78, 50.46))
LAMBERT = point(684953.1, 7038433.0)
QUARTER = [
    [[2.78, 50.44], [2.79, 50.44], [2.79, 50.45], [2.78, 50.44]],
    [[2.7, 50.4], [2.71, 50.4], [2.7, 50.41], [2.7, 50.4]],
]
HOLE_OUTSIDE = {"type": "Polygon", "coordinates": QUARTER}

BROKEN: dict[str, tuple[Callable[[Files], Any], str, str, str]] = {
    # territory.toml
    "TOML cut": (text("territory.toml", '["fr", "en"]', '["fr", "en"'), "territory.toml", "line 4", "not valid TOML"),
    "an unknown entry": (text("territory.toml", "attribution", "atribution = 'x'\nattribution"), "territory.toml", "line 5", "attribution meant"),
    "a postcode for an INSEE code": (text("territory.toml", '"62528"', '"2528"'), "territory.toml", "line 2, communes", "INSEE code"),
    "no translation of a title": (text("territory.toml", ', en = "Belt"', ""), "territory.toml", "line 23, collection 2, title", "“en”"),
    "bounds of three numbers": (text("territory.toml", "2.86, 50.50", "2.86"), "territory.toml", "line 8, bounds", "west, south, east, north"),
    "a filter that the kind has not": (text("territory.toml", "where = { category", "where = { kategory"), "territory.toml", "line 16, collection 1, where", "cannot be filtered by kategory"),
    "a filter's value that does not exist": (text("territory.toml", '"shared_garden"', '"garden"'), "territory.toml", "line 16, collection 1, where", "one of: site, tenant"),
    "an unknown kind": (text("territory.toml", 'kind = "paths"', 'kind = "roads"'), "territory.toml", "line 27, collection 3, kind", "one of: communes"),
    "a collection twice": (text("territory.toml", 'id = "walks"', 'id = "belt"'), "territory.toml", "line 26, collection 3, id", "belt already"),
    "a colour by name": (text("territory.toml", '"#117733"', '"green"'), "territory.toml", "line 18, collection 1, colour", "#1f7a4d"),
    "a page without a text": (text("territory.toml", '\nen = "The commune."', ""), "territory.toml", "line 44, page 1, text", "“en”"),
    # GeoJSON
    "GeoJSON cut in half": (cut, "places.geojson", "line 21", "not valid JSON"),
    "no FeatureCollection": (replaced("paths.geojson", {"type": "Feature"}), "paths.geojson", "", "FeatureCollection"),
    "another coordinate system": (lambda c: c["places.geojson"].update(crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2154"}}), "places.geojson", "crs", "WGS 84"),
    "metres for degrees": (drawn("places.geojson", 1, LAMBERT), "places.geojson", "feature 1 (north), line 4", "metres"),
    "latitude first": (drawn("places.geojson", 2, point(50.44, 2.79)), "places.geojson", "feature 2 (south), line 28", "longitude first"),
    "an area with latitude first": (exchanged, "areas.geojson", "feature 1 (ring), line 4", "longitude first"),
    "outside the bounds": (drawn("places.geojson", 2, point(2.35, 48.85)), "places.geojson", "feature 2 (south), line 28", "outside the bounds"),
    "a position far away": (drawn("paths.geojson", 1, {"type": "LineString", "coordinates": [[2.78, 50.44], [27.8, 50.44]]}), "paths.geojson", "feature 1 (walk), line 4", "far outside"),
    "an outline that crosses itself": (drawn("areas.geojson", 1, BOWTIE), "areas.geojson", "feature 1 (ring), line 4", "crosses itself, near 2.79, 50.45"),
    "an outline that is not closed": (drawn("areas.geojson", 1, HALF), "areas.geojson", "feature 1 (ring), line 4", "not closed"),
    "a hole outside": (drawn("areas.geojson", 1, HOLE_OUTSIDE), "areas.geojson", "feature 1 (ring), line 4", "a hole that lies outside"),
    "a line where points belong": (drawn("places.geojson", 1, {"type": "LineString", "coordinates": [[2.78, 50.44], [2.79, 50.44]]}), "places.geojson", "feature 1 (north), line 4", "takes Point"),
    "no geometry": (drawn("places.geojson", 1, None), "places.geojson", "feature 1 (north), line 4", "no geometry"),
    "no source": (set_to("places.geojson", 1, source=None), "places.geojson", "feature 1 (north), line 4", "source is missing"),
    "no key": (set_to("places.geojson", 1, source_key=None), "places.geojson", "feature 1 (Jardin du nord), line 4", "source_key is missing"),
    "a key twice": (twice, "places.geojson", "feature 2 (north), line 28", "stands already in feature 1"),
    "a mistyped column": (set_to("places.geojson", 1, licence=None, license="etalab-2.0"), "places.geojson", "feature 1 (north), line 4", "licence meant"),
    "an unknown column": (set_to("places.geojson", 1, mood="good"), "places.geojson", "feature 1 (north), line 4", "mood is not a column"),
    "an enumeration": (set_to("places.geojson", 1, category="jardin"), "places.geojson", "feature 1 (north), line 4", "category must be one of"),
    "a text for a number": (set_to("areas.geojson", 1, area_ha="12,5 ha"), "areas.geojson", "feature 1 (ring), line 4", "area_ha must be a number"),
    "approximate without accuracy": (set_to("places.geojson", 1, position="approximate"), "places.geojson", "feature 1 (north), line 4", "position_accuracy_m"),
    "until before since": (set_to("places.geojson", 1, until="1990-01-01"), "places.geojson", "feature 1 (north), line 4", "until is before since"),
    "precision without a date": (set_to("places.geojson", 1, until_precision="year"), "places.geojson", "feature 1 (north), line 4", "until is not"),
    "no translation of a name": (set_to("places.geojson", 1, translations=None), "places.geojson", "feature 1 (north), line 4", "name lacks its translation in “en”"),
    "an undeclared language": (set_to("places.geojson", 1, translations={"en": {"name": "x"}, "nl": {"name": "x"}}), "places.geojson", "feature 1 (north), line 4", "“nl” is not among"),
    "a place that no collection shows": (lambda c: c["places.geojson"]["features"].append(feature("hall", "Mairie", point(2.79, 50.45), category="other")), "places.geojson", "feature 3 (hall), line 51", "no collection"),
    # CSV
    "semicolons": (lambda c: c.update({"milestones.csv": c["milestones.csv"].replace(",", ";")}), "milestones.csv", "line 1", "semicolons"),
    "Windows encoding": (lambda c: c.update({"milestones.csv": c["milestones.csv"].replace("enfin", "à la fin").encode("cp1252")}), "milestones.csv", "line 3", "UTF-8"),
    "UTF-16": (encoded("figures.csv", "utf-16"), "figures.csv", "", "UTF-16"),
    "nothing in it": (replaced("figures.csv", ""), "figures.csv", "", "empty"),
    "a comma without quotation marks": (text("milestones.csv", '"La ceinture, enfin"', "La ceinture, enfin"), "milestones.csv", "line 3", "has 9 fields where the header has 8"),
    "a quotation mark too many": (text("milestones.csv", "Le premier jardin", '"Le premier jardin'), "milestones.csv", "line 2", "quotation mark"),
    "an unknown CSV column": (lambda c: c.update({"milestones.csv": "\n".join(f"{line},{'mood' if n == 0 else 'x'}" for n, line in enumerate(c["milestones.csv"].splitlines()))}), "milestones.csv", "line 1", "“mood” is not a column"),
    "a mistyped CSV column": (text("figures.csv", ",licence\n", ",license\n"), "figures.csv", "line 1", "licence meant"),
    "a decimal comma": (text("figures.csv", ",6855,", ',"6855,5",'), "figures.csv", "line 2", "value must be a number written with a point"),
    "a French date": (text("milestones.csv", "1997-05-02", "02/05/1997"), "milestones.csv", "line 3", "date must be a date that exists"),
    "a day that never was": (text("milestones.csv", "1997-05-02", "1997-02-30"), "milestones.csv", "line 3", "date must be a date that exists"),
    "no date": (text("milestones.csv", "1997-05-02,day", ","), "milestones.csv", "line 3", "date is missing"),
    "two retained values": (text("figures.csv", "contested", "retained"), "figures.csv", "line 4", "already, in line 3"),
    "contested values only": (lambda c: c.update({"figures.csv": FIGURES.replace("retained", "contested", 1).replace("inhabitants-2018,inhabitants", "births,births")}), "figures.csv", "line 2", "births has contested values only"),
    "about nothing": (text("milestones.csv", "gardens:south", "gardens:west"), "milestones.csv", "line 2", "the pack has no gardens:west"),
    "about an unknown collection": (text("milestones.csv", "gardens:south", "parks:south"), "milestones.csv", "line 2", "no collection “parks”"),
    "about without a collection": (text("milestones.csv", "gardens:south", "south"), "milestones.csv", "line 2", "collection:source_key"),
    "a licence in words": (text("milestones.csv", "etalab-2.0\nbelt", "Licence Ouverte 2.0\nbelt"), "milestones.csv", "line 2", "SPDX"),
    # datapackage.json and the folder
    "JSON with a comma too many": (lambda c: c.update({"datapackage.json": '{\n"name": "essai",\n}'}), "datapackage.json", "line 3", "not valid JSON"),
    "no licence of the package": (described(lambda d: d.pop("licenses")), "datapackage.json", "licenses", "at least one licence"),
    "a file that is not listed": (described(lambda d: d["resources"].pop(1)), "datapackage.json", "resources", "does not list places.geojson"),
    "a file that is not there": (described(lambda d: d["resources"].append({"name": "plan", "path": "plan.geojson"})), "datapackage.json", "resource plan", "not in the folder"),
    "a path that leaves the folder": (described(lambda d: d["resources"].append({"name": "plan", "path": "../plan.geojson"})), "datapackage.json", "resource plan", "stay in the pack"),
    "a field of the wrong type": (described(lambda d: d["resources"][4]["schema"]["fields"][4].update(type="date")), "datapackage.json", "resource figures, schema", "value must have the type number"),
    "a field that is not described": (described(lambda d: d["resources"][4]["schema"]["fields"].pop(5)), "datapackage.json", "resource figures, schema", "lacks the field unit"),
    "a promise that is not kept": (described(lambda d: d["resources"][4]["schema"]["fields"][10].update(constraints={"required": True})), "figures.csv", "line 4", "about must not be empty, as datapackage.json promises"),
    "no descriptor": (lambda c: c.pop("datapackage.json"), "datapackage.json", "", "is missing"),
    "no territory.toml": (lambda c: (c.pop("territory.toml"), c["datapackage.json"]["resources"].pop(0)), "territory.toml", "", "is missing"),
    "a capital letter": (lambda c: c.update({"Buildings.geojson": "{}"}), "Buildings.geojson", "", "buildings.geojson meant"),
    "a spreadsheet": (replaced("figures.xlsx", b"PK"), "figures.xlsx", "", "figures.csv meant"),
    "a dataset of no kind": (replaced("datasets/roofs.toml", 'title = "Roofs"\n'), "datasets/roofs.toml", "kind", "must be one of"),
}  # fmt: skip


def test_the_small_pack_has_no_fault(write: Write):
    """What the faults are put into is without one."""
    assert pack.read(write(files())).findings == []


@pytest.mark.parametrize(("fault", "file", "where", "words"), BROKEN.values(), ids=BROKEN)
def test_one_fault_is_one_finding(write: Write, fault: Callable[[Files], Any], file: str, where: str, words: str):
    """It names the file and the place and says what is wrong, and nothing follows from it."""
    content = files()
    fault(content)
    found = [str(one) for one in pack.read(write(content)).findings]
    assert len(found) == 1, "\n".join(found)
    assert found[0].startswith(file), found[0]
    assert where in found[0], found[0]
    assert words in found[0], found[0]


def test_loos_has_no_fault():
    """The first pack is an example to follow."""
    found = pack.read(LOOS)
    assert found.findings == []
    assert len(found.entries) > 200


def test_all_faults_are_told_at_once(write: Write):
    """A fault hides no other."""
    content = files()
    for name in (
        "a colour by name",
        "no source",
        "an outline that crosses itself",
        "a French date",
        "two retained values",
    ):
        BROKEN[name][0](content)
    assert len(pack.read(write(content)).findings) == 5


def test_a_fault_of_every_line_is_told_once(write: Write):
    """A column that is left out is one mistake, not one a line."""
    content = files()
    content["figures.csv"] = "\n".join(line.rpartition(",")[0] for line in FIGURES.splitlines())
    content["datapackage.json"]["resources"][4]["schema"]["fields"].pop()
    assert [str(one) for one in pack.read(write(content)).findings] == ["figures.csv, all 3 lines: licence is missing"]


def test_bounds_that_are_exchanged_are_told_at_the_bounds(write: Write):
    """Where nothing lies within the bounds but everything would, the bounds are the likely mistake."""
    content = files()
    content["territory.toml"] = TERRITORY.replace("[2.74, 50.42, 2.86, 50.50]", "[50.42, 2.74, 50.50, 2.86]")
    found = pack.read(write(content)).findings
    assert [one.file for one in found] == ["territory.toml"]
    assert "exchanged" in found[0].message


@pytest.mark.parametrize("name", ["territory.toml", "places.geojson", "figures.csv", "datapackage.json"])
def test_a_byte_order_mark_does_no_harm(write: Write, name: str):
    """Spreadsheets and editors of Windows write one."""
    content = files()
    value = content[name] if isinstance(content[name], str) else json.dumps(content[name])
    content[name] = b"\xef\xbb\xbf" + value.encode()
    assert pack.read(write(content)).findings == []


@pytest.mark.parametrize("value", ["NaN", "1e999", "9" * 5000, '"\\ud800"', "[" * 3000 + "]" * 3000])
def test_hostile_values_are_findings(write: Write, value: str):
    """Numbers that no column holds, half characters, towers of brackets: told, never a traceback."""
    content = files()
    written = json.dumps(content["areas.geojson"], indent=1).replace("12.5", value)
    content["areas.geojson"] = written
    assert [one.file for one in pack.read(write(content)).findings] == ["areas.geojson"]


def test_the_command_says_what_is_wrong(write: Write, tmp_path: Path):
    """Exit code 1 and one line a finding; 0 and a word where nothing is wrong."""
    content = files()
    good = CliRunner().invoke(app, ["check-pack", str(write(content))])
    assert good.exit_code == 0
    assert "nothing is wrong" in good.stdout
    (tmp_path / "pack" / "territory.toml").write_text(TERRITORY.replace("#117733", "green"))
    bad = CliRunner().invoke(app, ["check-pack", str(tmp_path / "pack")])
    assert bad.exit_code == 1
    assert bad.stdout.splitlines()[0].startswith("territory.toml, line 18, collection 1, colour: must be written as")
