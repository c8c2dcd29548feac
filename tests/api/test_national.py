"""Files after the national schema of cycle facilities: valid throughout, and nothing is left out without a word."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from starlette.testclient import TestClient

from geo.cycling import AMENAGEMENTS_CYCLABLES as SCHEME
from geo.files import ImportRequest, run_import
from tests.api.conftest import client_of, heard
from tests.api.test_export import run
from tests.conftest import Territory, clone

ITEMS = "/collections/soft-mobility/items"
LINE = [[2.7801234, 50.4401234], [2.7811234, 50.4412345]]
# As schema 0.3.4 has them, and as published files hold them: every field, then only those that are required.
WHOLE = {
    "id_local": "62528AC001", "reseau_loc": "Structurant", "nom_loc": ["V1", "V31"], "id_osm": "7746952719", "num_iti": "0001:0006:",
    "code_com_d": "62528", "ame_d": "VOIE VERTE", "regime_d": "EN AGGLOMERATION", "sens_d": "BIDIRECTIONNEL", "largeur_d": 3, "local_d": "TROTTOIR", "statut_d": "EN SERVICE", "revet_d": "LISSE",
    "code_com_g": "62510", "ame_g": "AUCUN", "regime_g": "ZONE 30", "sens_g": "UNIDIRECTIONNEL", "largeur_g": 1.5, "local_g": "CHAUSSEE", "statut_g": "PROVISOIRE", "revet_g": "MEUBLE",
    "access_ame": "VTT", "date_maj": "2024-08-15", "trafic_vit": 30, "lumiere": False, "d_service": 2015, "comm": "Forte pente ; « déviation »",
}  # fmt: skip
LEAST = {"id_local": "2", "code_com_d": "2A004", "code_com_g": "62528", "ame_d": "PISTE CYCLABLE", "ame_g": "AUTRE"}


def national(*features: tuple[dict[str, Any], Any]) -> str:
    """A file as a town publishes it."""
    made = [{"type": "Feature", "properties": properties, "geometry": shape} for properties, shape in features]
    return json.dumps({"type": "FeatureCollection", "features": made})


def line(*parts: Any) -> dict[str, Any]:
    """A geometry of one line or of several."""
    if len(parts) == 1:
        return {"type": "LineString", "coordinates": parts[0]}
    return {"type": "MultiLineString", "coordinates": [*parts]}


def imported(territory: Territory, file: Path) -> None:
    """The file, by the mapping that comes with the software."""
    asked = ImportRequest(file=file, kind="paths", mapping="cycle-paths")
    report = run_import(territory.settings, asked)
    assert not report.refused, report


def fetched(client: TestClient, **params: Any) -> Any:
    """The file, once it is valid against the schema and says what its headers say."""
    answer = client.get(ITEMS, params={"f": SCHEME.id, **params})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == SCHEME.media_type
    document = answer.json()
    jsonschema.validate(document, SCHEME.schema, format_checker=jsonschema.FormatChecker())
    told = document["conformity"]
    assert told["written"] == len(document["features"]) == int(answer.headers["ogc-numberreturned"])
    assert len({one["id"] for one in told["misfits"] if one["whole"]}) == told["left_out"]
    assert told["written"] + told["left_out"] == int(answer.headers["ogc-numbermatched"])
    return document


@pytest.fixture(scope="module")
def town(admin_url: str, seeded: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Territory]:
    """Loos with a published file of two facilities imported into it."""
    with clone(admin_url, seeded) as territory:
        file = tmp_path_factory.mktemp("national") / "amenagements-cyclables.geojson"
        file.write_text(national((WHOLE, line(LINE)), (LEAST, line(LINE, [[2.79, 50.45], [2.8, 50.46]]))))
        imported(territory, file)
        yield territory


def test_what_was_published_comes_back_whole(town: Territory):
    """Every field of the schema that has a column, in its type; one line stays one line."""
    with client_of(town) as client:
        document = fetched(client)
    one, other = document["features"]
    assert one["properties"].pop("source").startswith("Base nationale")
    assert one == {"type": "Feature", "properties": WHOLE, "geometry": line(LINE)}
    assert other["properties"].items() >= LEAST.items()
    assert other["geometry"]["type"] == "MultiLineString"


def test_lines_of_the_pack_are_named_and_not_passed_off_as_surveyed(town: Territory):
    """The pack's lines are sketches that say nothing of their surface: each is in the report, by field and reason."""
    with client_of(town) as client:
        drawn = client.get(ITEMS, params={"filter": "position = 'schematic'", "limit": 1000}).json()["features"]
        misfits = fetched(client)["conformity"]["misfits"]
    assert drawn
    for one in drawn:
        mine = {misfit["field"]: misfit for misfit in misfits if misfit["id"] == one["id"]}
        assert mine.keys() >= {"geometry", "ame_d", "ame_g"}
        assert "schematic" in mine["geometry"]["reason"]
        assert {misfit["source_key"] for misfit in mine.values()} == {one["properties"]["source_key"]}


def test_a_file_that_comes_back_changes_nothing(town: Territory, tmp_path: Path):
    """Written, read again over the same rows and written once more, it is the same file."""
    with client_of(town) as client:
        before = fetched(client)
        file = tmp_path / "again.geojson"
        file.write_text(json.dumps(before))
        imported(town, file)
        heard(client, town)
        after = fetched(client)
    assert after == before


@pytest.mark.parametrize(
    ("column", "value", "field", "whole"),
    [
        ("regime_d", "N'IMPORTE QUOI", "regime_d", False),
        ("local_g", "trottoir", "local_g", False),
        ("access_ame", "TRACTEUR", "access_ame", False),
        ("reseau_loc", "structurant", "reseau_loc", False),
        ("code_com_d", "99", "code_com_d", True),
        ("ame_g", None, "ame_g", True),
        ("position", "approximate", "geometry", True),
    ],
)
def test_what_is_not_valid_is_left_out_and_said(loos: Territory, tmp_path: Path, column, value, field, whole):
    """An optional field alone; the whole feature where the field is required, or its place is not measured."""
    file = tmp_path / "one.geojson"
    file.write_text(national((WHOLE, line(LINE))))
    imported(loos, file)
    loos_sql = f"update territory.paths set {column} = %s where source_key = 'ame-62528AC001'"
    with loos.superuser() as connection:
        connection.execute(loos_sql, [value])  # pyright: ignore[reportArgumentType] (names of ours)
    with client_of(loos) as client:
        document = fetched(client, filter="source_key = 'ame-62528AC001'")
    (misfit,) = document["conformity"]["misfits"]
    assert (misfit["field"], misfit["whole"]) == (field, whole)
    assert str(value) not in misfit["reason"] or column == "position"
    assert len(document["features"]) == (not whole)
    assert not whole or field == "geometry" or document["features"] == []
    assert all(field not in one["properties"] for one in document["features"])


def test_the_commune_of_a_line_is_that_of_its_sides(loos: Territory, tmp_path: Path):
    """Where no source says more: the only thing that is filled in."""
    file = tmp_path / "one.geojson"
    file.write_text(national((WHOLE, line(LINE))))
    imported(loos, file)
    with loos.superuser() as connection:
        connection.execute("update territory.paths set code_com_d = null, code_com_g = null where ame_d is not null")
    with client_of(loos) as client:
        (feature,) = fetched(client)["features"]
    assert feature["properties"]["code_com_d"] == feature["properties"]["code_com_g"] == "62528"


def test_pages_and_filters_hold(town: Territory):
    """As for any file; `properties`, another system and no geometry do not suit it."""
    with client_of(town) as client:
        assert [one["properties"]["id_local"] for one in fetched(client, filter="trafic_vit = 30")["features"]] == [
            WHOLE["id_local"]
        ]
        wrong = {"properties": "name", "skipGeometry": "true", "crs": "http://www.opengis.net/def/crs/EPSG/0/2154"}
        answer = client.get(ITEMS, params={"f": SCHEME.id, **wrong})
        assert answer.status_code == 400
        assert {one["parameter"] for one in answer.json()["errors"]} == wrong.keys()
        answer = client.get("/collections/green-belt/items", params={"f": SCHEME.id})
        assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, "f")


def test_the_profile_chooses_it(town: Territory):
    """Plain GeoJSON stays what it is, from memory too; a profile that nobody knows is no matter."""
    other = 'application/geo+json;profile="https://example.org/other"'
    with client_of(town) as client:
        for accept, type_ in (
            ("application/geo+json", "application/geo+json"),
            (SCHEME.media_type, SCHEME.media_type),
            (other, "application/geo+json"),
            (f"{SCHEME.media_type}, */*;q=0.1", SCHEME.media_type),
            ("*/*", "application/geo+json"),
        ):
            assert client.get(ITEMS, headers={"Accept": accept}).headers["content-type"] == type_, accept
        links = client.get("/collections/soft-mobility").json()["links"]
    assert [one["href"] for one in links if one["type"] == SCHEME.media_type and one["rel"] == "enclosure"]


def test_the_command_line_says_what_is_left_out(town: Territory, tmp_path: Path):
    """A sentence a field and reason, with the items' numbers and keys."""
    file = tmp_path / "out.amenagements-cyclables.geojson"
    done = run(town, "soft-mobility", str(file))
    assert done.returncode == 0, done.stderr
    jsonschema.validate(json.loads(file.read_text()), SCHEME.schema)
    first, *lacks = done.stdout.splitlines()
    assert first.startswith("2 items written")
    assert any(one.startswith("geometry is schematic") and "green-belt-route" in one for one in lacks)
    assert any(one.startswith("ame_d is not known") for one in lacks)


def test_the_schema_refuses_what_it_should():
    """Else a file that is valid would prove nothing."""
    for broken in (
        {"ame_d": "PISTE"},
        {"largeur_d": "3"},
        {"code_com_g": "628"},
        {"nom_loc": "V1"},
        {"date_maj": "15/08/2024"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(
                json.loads(national(({**WHOLE, **broken}, line(LINE)))),
                SCHEME.schema,
                format_checker=jsonschema.FormatChecker(),
            )
    for field in LEAST:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(
                json.loads(national(({name: LEAST[name] for name in LEAST if name != field}, line(LINE)))),
                SCHEME.schema,
            )
