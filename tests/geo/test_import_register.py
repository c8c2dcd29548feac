"""The national register: a CSV without coordinates, imported in one command, of the communes that are ours."""

import pytest

from geo.errors import BadInput
from geo.files import ImportRequest, run_import
from tests.geo.importing import AREAS, Desk, collection, feature, square

HEAD = (
    "nominstallation;codeinseecommune;codefiliere;technologie;puismaxinstallee;datemiseenservice;regime;nbinstallations"
)
ROWS = """
Agrégation des installations de moins de 36KW;62528;SOLAI;Photovoltaïque;131,5;2024-11-30;En service;27
Toiture de la halle;62528;SOLAI;Photovoltaïque;99.9;2021-05-04;En service;1
Confidentiel;62528;BIOEN;;250;;En service;1
Parc des Essais;62528;EOLIE;Terrestre;2000;2016-09-01;En service;1
Ailleurs;62498;SOLAI;Photovoltaïque;12;2020-01-01;En service;3
Faute;62528;SOLAI;Photovoltaïque;douze;2020-01-01;En service;1
Zéro;62528;HYDLQ;;5;2020-01-01;En service;0
"""


def imported(desk: Desk, rows: str = ROWS, **how):
    """By the mapping that comes with Gohelle."""
    file = desk.file("registre.csv", HEAD + rows)
    return run_import(
        desk.territory.settings, ImportRequest(file=file, kind="registrations", mapping="national-register", **how)
    )


@pytest.fixture
def desk(loos, tmp_path):
    """Loos, whose only commune is its own."""
    return Desk(loos, tmp_path)


def test_rows_without_a_place_are_imported(desk):
    """Those of our communes, each once; a wrong number and a count of zero are refused by name, a neighbour is skipped."""
    report = imported(desk)
    assert (report.read, report.skipped, report.inserted, report.refused_count) == (7, 1, 4, 2)
    assert {note.row for note in report.refused} == {6, 7}
    with desk.territory.superuser() as connection:
        found = connection.execute(
            "select technology, count, power_kw, commissioned_on::text, commissioned_on_precision, name, source"
            " from territory.registrations order by power_kw"
        ).fetchall()
    assert [row[:5] for row in found] == [
        ("photovoltaic", 1, 99.9, "2021-05-04", "day"),
        ("photovoltaic", 27, 131.5, "2024-11-30", "day"),
        ("biomass", 1, 250, None, None),
        ("wind", 1, 2000, "2016-09-01", "day"),
    ]
    assert all("ODRÉ" in row[6] for row in found)


def test_the_next_file_replaces_it(desk):
    """The same changes nothing, not even a version; with --replace what is gone there is gone here."""
    imported(desk)
    version = "select version from territory.version where collection = 'registrations'"
    before = desk.territory.scalar(version)
    again = imported(desk)
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, 4)
    assert desk.territory.scalar(version) == before
    less = imported(desk, "\n".join(ROWS.split("\n")[:3]), mode="replace")
    assert (less.unchanged, less.deleted) == (2, 2)
    assert desk.territory.scalar(version) > before


def test_a_kind_without_places_takes_no_measure_and_no_position(desk):
    """The mapping says so by name, before the file is opened."""
    mapping = """
title = "t"
attribution = "t"
licence = "etalab-2.0"
kind = "registrations"
source_key = "{id}"
position = "surveyed"
[columns]
name = "{nom}"
commune = "62528"
technology = "wind"
count = 1
power_kw = { measure = "area_ha" }
"""
    with pytest.raises(BadInput) as refused:
        desk.run(desk.file("x.csv", "id;nom\n1;n"), mapping)
    assert {problem.pointer for problem in refused.value.problems} == {"/position", "/columns.power_kw"}


def test_a_kind_with_places_still_needs_them(desk):
    """A CSV without coordinates is refused, and a feature without a geometry is."""
    with pytest.raises(BadInput, match="no columns of longitude and latitude"):
        desk.run(desk.file("x.csv", "id;nom\n1;n"))
    given = collection(feature(1, "Polygon", square(2.79, 50.45)), feature(2, None, None))
    assert desk.run(desk.file("x.geojson", given), AREAS).refused_count == 1
