"""Real open data, whole: how many rows are read, written, repaired and refused. Skipped where the data is not there."""

import pytest

from geo.files import ImportRequest, Report, mapping, run_import
from tests.conftest import LOOS, SHARED, Territory

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


@pytest.mark.parametrize(("name", "dataset", "read", "repaired", "refused"), FILES, ids=[row[0] for row in FILES])
def test_a_file_loads_whole(
    database: Territory, name: str, dataset: str, read: int, repaired: int, refused: int
) -> None:
    """Into an empty database, in less memory than an import may take."""
    report = load(database, name, dataset)
    assert (report.read, report.repaired_count, report.refused_count) == (read, repaired, refused)
    assert report.inserted == read - refused
    assert report.peak_mb < 300


def test_the_outlines_of_all_french_communes(database: Territory) -> None:
    """35,357 of them, the invalid one repaired, in bounded memory; a second time nothing changes."""
    report = load(database, "load/fr_communes_2018.geojsonl.gz", "communes")
    assert (report.read, report.inserted, report.refused_count) == (35_357, 35_357, 0)
    assert [(note.source_key, note.reason) for note in report.repaired] == [("14174", "Ring Self-intersection")]
    assert report.peak_mb < 300
    again = load(database, "load/fr_communes_2018.geojsonl.gz", "communes")
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


def test_official_geometry_replaces_the_packs_sketches(loos: Territory) -> None:
    """The commune, the twin tips, the pits: same ids, real outlines, the pack's words."""
    before = loos.scalar("select id from territory.communes where insee = '62528'")
    report = load(loos, "loos/communes.geojson", "communes-bassin-minier")
    assert [note.source_key for note in report.replaced] == ["62528"]
    assert loos.scalar("select id from territory.communes where insee = '62528'") == before
    assert loos.scalar("select ST_NPoints(geom) from territory.communes where insee = '62528'") == 76
    tips = load(loos, "loos/unesco_terrils.geojson", "spoil-tips-listed")
    assert {note.source_key for note in tips.replaced} == {"T074", "T074a"}
    told = loos.scalar("select description from territory.areas where source_key = 'T074'")
    shafts = load(loos, "loos/puits_de_mines.geojson", "mine-shafts")
    assert (shafts.inserted, shafts.updated) == (36, 9)
    assert told
    assert not told.startswith("Terril du patrimoine mondial")
