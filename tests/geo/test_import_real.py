"""Real open data, whole: how many rows are read, written, repaired and refused. Skipped where the data is not there.

The small files of the commune come by `gohelle import --pack` (test_import_pack.py); all files one by one, and the
largest, with GOHELLE_LONG=1.
"""

import os
from collections.abc import Iterator

import pytest

from geo.files import ImportRequest, Report, mapping, run_import
from tests.api.conftest import client_of
from tests.conftest import LOOS, SHARED, Territory, clone

LONG = pytest.mark.skipif(not os.environ.get("GOHELLE_LONG"), reason="every file one by one, with GOHELLE_LONG=1")
SHORT = {
    "bassin_minier/zt_cites_minieres.geojson.gz",
    "bassin_minier/puits_de_mines.geojson.gz",
    "load/friches_fr.csv.gz",
}
"""One of each sort: repaired, refused by its values, and a national table."""

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the open data is not beside the repository")

# file, mapping, read, repaired, refused
FILES = [
    ("loos/communes.geojson", "communes-bassin-minier", 40, 0, 0),
    ("loos/unesco_terrils.geojson", "spoil-tips-listed", 6, 0, 0),
    ("loos/zt_terrils.geojson", "spoil-tips-buffer", 14, 0, 0),
    ("loos/zt_parvis_agricoles.geojson", "protected-farmland", 11, 0, 0),
    ("loos/zt_cavaliers.geojson", "mine-railways", 108, 0, 0),
    ("loos/puits_de_mines.geojson", "mine-shafts", 45, 0, 0),
    ("loos/unesco_cavaliers.geojson", "mining-railways-listed", 4, 0, 0),
    ("loos/unesco_cites_minieres.geojson", "estates-listed", 23, 0, 0),
    ("loos/zt_cites_minieres.geojson", "estates-buffer", 31, 0, 0),
    ("loos/unesco_batis.geojson", "mining-buildings-listed", 36, 0, 0),
    ("loos/unesco_bien_inscrit.geojson", "world-heritage", 19, 0, 0),
    ("loos/unesco_zone_tampon.geojson", "world-heritage-buffer", 2, 0, 0),
    ("loos/unesco_espaces_neonaturels.geojson", "subsidence-ponds-listed", 1, 0, 0),
    ("loos/zt_espaces_neonaturels.geojson", "subsidence-ponds-buffer", 1, 0, 0),
    ("loos/monuments_historiques.geojson", "monuments", 20, 0, 0),
    ("loos/friches.geojson", "brownfields", 95, 0, 0),
    ("loos/covoiturage.geojson", "carpool", 15, 0, 0),
    ("loos/pv_communes.geojson", "detected-solar", 36, 0, 0),
    ("loos/pv_installations.csv", "detected-roofs", 605, 0, 0),
    ("bassin_minier/bassin_minier.geojson.gz", "mining-basin", 1, 0, 0),
    ("bassin_minier/communes_mbm.geojson.gz", "communes-bassin-minier", 330, 0, 0),
    ("bassin_minier/terrils.geojson.gz", "spoil-tips-listed", 51, 0, 0),
    ("bassin_minier/zt_terrils.geojson.gz", "spoil-tips-buffer", 111, 0, 0),
    ("bassin_minier/zt_parvis_agricoles.geojson.gz", "protected-farmland", 138, 0, 0),
    ("bassin_minier/zt_cavaliers.geojson.gz", "mine-railways", 1317, 0, 1),
    ("bassin_minier/puits_de_mines.geojson.gz", "mine-shafts", 636, 0, 2),
    ("bassin_minier/cavaliers.geojson.gz", "mining-railways-listed", 14, 0, 0),
    ("bassin_minier/cites_minieres.geojson.gz", "estates-listed", 159, 0, 0),
    ("bassin_minier/zt_cites_minieres.geojson.gz", "estates-buffer", 162, 1, 0),
    ("bassin_minier/batis.geojson.gz", "mining-buildings-listed", 159, 0, 0),
    ("bassin_minier/bien_inscrit.geojson.gz", "world-heritage", 109, 0, 0),
    ("bassin_minier/zone_tampon.geojson.gz", "world-heritage-buffer", 15, 0, 0),
    ("bassin_minier/espace_neonaturel.geojson.gz", "subsidence-ponds-listed", 5, 0, 0),
    ("bassin_minier/zt_espaces_neonaturels.geojson.gz", "subsidence-ponds-buffer", 7, 0, 0),
    ("load/pv_communes_fr.csv.gz", "detected-solar", 31_994, 0, 0),
    ("load/monuments_historiques_fr.csv.gz", "monuments", 44_480, 0, 0),
    ("load/friches_fr.csv.gz", "brownfields", 21_526, 0, 1),
    ("load/pv_installations_fr.csv.gz", "detected-roofs", 227_492, 0, 5),
]


def load(territory: Territory, name: str, dataset: str, **how) -> Report:
    """Import one of the files as an operator would."""
    kind = mapping.load(mapping.find(dataset, LOOS)).kind.id
    return run_import(territory.settings, ImportRequest(file=SHARED / name, kind=kind, mapping=dataset, **how))


@pytest.mark.parametrize(
    ("name", "dataset", "read", "repaired", "refused"),
    [pytest.param(*row, id=row[0], marks=[] if row[0] in SHORT else LONG) for row in FILES],
)
def test_a_file_loads_whole(
    database: Territory, name: str, dataset: str, read: int, repaired: int, refused: int
) -> None:
    """Into an empty database, in less memory than an import may take."""
    report = load(database, name, dataset)
    assert (report.read, report.repaired_count, report.refused_count) == (read, repaired, refused)
    assert report.inserted == read - refused
    assert report.peak_mb < 300


@pytest.fixture(scope="module")
def france(admin_url: str, migrated: str) -> Iterator[tuple[Territory, Report]]:
    """All French communes, and what was said when they came."""
    with clone(admin_url, migrated) as territory:
        yield territory, load(territory, "load/fr_communes_2018.geojsonl.gz", "communes")


def test_the_outlines_of_all_french_communes(france: tuple[Territory, Report]) -> None:
    """35,357 of them, the invalid one repaired, in bounded memory."""
    territory, report = france
    assert (report.read, report.inserted, report.refused_count) == (35_357, 35_357, 0)
    assert [(note.source_key, note.reason) for note in report.repaired] == [("14174", "Ring Self-intersection")]
    assert report.peak_mb < 500
    assert territory.scalar("select count(*) from territory.communes where ST_IsValid(geom)") == 35_357


def test_a_walk_through_all_communes_meets_each_once(france: tuple[Territory, Report]) -> None:
    """Page by page as a client goes, to the last one."""
    territory, _ = france
    with territory.superuser() as connection:
        connection.execute(
            """insert into territory.about (pack, body) values ('x', '{"title": {"fr": "F"}, "languages": ["fr"],
               "bounds": [-5, 41, 10, 51], "licence": "etalab-2.0", "attribution": "IGN"}') on conflict do nothing"""
        )
        connection.execute(
            "insert into territory.collections (id, kind, title) values ('communes', 'communes', '{\"fr\": \"C\"}')"
        )
    met: list[int] = []
    with client_of(territory) as client:
        url: str | None = "/collections/communes/items?limit=1000&f=json"
        while url:
            answer = client.get(url)
            assert answer.status_code == 200, answer.text[:300]
            page = answer.json()
            met += [each["id"] for each in page["features"]]
            url = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    assert (len(met), len(set(met))) == (35_357, 35_357)


@LONG
def test_all_communes_twice_change_nothing(france: tuple[Territory, Report]) -> None:
    """A second time every row is as it was."""
    again = load(france[0], "load/fr_communes_2018.geojsonl.gz", "communes")
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, 35_357)


def test_the_railway_without_geometry_is_named(database: Territory) -> None:
    """With its row and its reason; the others have a length on the ellipsoid, and claim no right of way."""
    report = load(database, "bassin_minier/zt_cavaliers.geojson.gz", "mine-railways")
    assert [(note.row, note.reason) for note in report.refused] == [(1317, "there is no geometry")]
    assert database.scalar("select count(*) from territory.paths where open_to is null and length_m > 0") == 1316
    longest = "select max(abs(length_m - ST_Length(geom::geography))) from territory.paths"
    assert database.scalar(longest) < 0.06


def test_the_ways_of_an_openstreetmap_extract(database: Territory) -> None:
    """As many as the extract is known to have: 96 cycleways, 249 footways and 171 paths."""
    extract = "load/liechtenstein-2013-08-03.osm.pbf"
    assert load(database, extract, "osm-paths").inserted == 1113
    with database.superuser() as connection:
        found = connection.execute(
            "select category, count(*)::int from territory.paths group by 1 order by 1"
        ).fetchall()
    assert found == [("cycleway", 96), ("footpath", 249 + 171), ("track", 597)]
    greenways = load(database, extract, "osm-greenways")
    assert (greenways.inserted, greenways.updated) == (0, 5)
    load(database, extract, "osm-paths")
    assert database.scalar("select count(*) from territory.paths where category = 'greenway'") == 5


def test_only_generators_that_stand_on_no_home(database: Territory) -> None:
    """The extract says of none of its solar generators that it stands on the ground."""
    report = load(database, "load/liechtenstein-2013-08-03.osm.pbf", "osm-generators")
    assert report.skipped == report.read - report.written
    assert database.scalar("select count(*) from territory.installations where technology = 'photovoltaic'") == 0
