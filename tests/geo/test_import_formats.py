"""Every format that is read, and every hostile file that is not: each with a sentence that says what is wrong."""

import gzip
import json
import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path

import geopandas
import pytest
from shapely.geometry import Point

from geo.errors import BadInput, TooMuch
from geo.files.formats import prepare
from tests.conftest import Territory, clone
from tests.geo.importing import AREAS, PLACES, Desk, collection, feature, square

VRT = """<OGRVRTDataSource><OGRVRTLayer name="passwd"><SrcDataSource>/etc/passwd</SrcDataSource>
<SrcLayer>passwd</SrcLayer></OGRVRTLayer></OGRVRTDataSource>"""
ENTITIES = """<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>&b;</name></Placemark></Document></kml>"""


@pytest.fixture
def desk(database: Territory, tmp_path: Path) -> Desk:
    """An empty database and an empty folder."""
    return Desk(database, tmp_path)


@pytest.fixture(scope="module")
def untouched(admin_url: str, migrated: str) -> Iterator[Territory]:
    """An empty database for files of which nothing may be written."""
    with clone(admin_url, migrated) as territory:
        yield territory


@pytest.fixture
def looker(untouched: Territory, tmp_path: Path) -> Desk:
    """The same database for many tests, and a folder of the test's own."""
    return Desk(untouched, tmp_path)


def frame(crs: str = "EPSG:4326") -> geopandas.GeoDataFrame:
    """Two points as GDAL writes them."""
    points = geopandas.GeoDataFrame(
        {"id": ["1", "2"], "nom": ["Église", "Deux"]}, geometry=[Point(2.8, 50.4), Point(2.9, 50.5)], crs="EPSG:4326"
    )
    return points.to_crs(crs)


def written(desk: Desk) -> list[tuple]:
    """Key, name, longitude and latitude of what is in the table."""
    with desk.territory.superuser() as connection:
        return connection.execute(
            "select source_key, name, round(ST_X(geom)::numeric, 5)::float, round(ST_Y(geom)::numeric, 5)::float "
            "from territory.places order by 1"
        ).fetchall()


EXPECTED = [("p-1", "Église", 2.8, 50.4), ("p-2", "Deux", 2.9, 50.5)]


@pytest.mark.parametrize(
    ("name", "driver", "crs"),
    [
        ("x.geojson", "GeoJSON", "EPSG:2154"),
        ("x.geojsonl", "GeoJSONSeq", "EPSG:4326"),
        ("x.gpkg", "GPKG", "EPSG:4326"),
        ("x.gpkg", "GPKG", "EPSG:2154"),
        ("x.fgb", "FlatGeobuf", "EPSG:2154"),
    ],
)
def test_formats_of_gdal(desk: Desk, name: str, driver: str, crs: str) -> None:
    """Whatever the name says, the content decides; any coordinate system becomes WGS 84."""
    path = desk.folder / name
    frame(crs).to_file(path, driver=driver)
    assert desk.run(path.rename(desk.folder / "anything.bin"), PLACES).written == 2
    assert written(desk) == EXPECTED


def test_a_shapefile_in_a_zip(desk: Desk) -> None:
    """With its encoding and its coordinate system; names of members are never used as paths."""
    frame("EPSG:2154").to_file(desk.folder / "s.shp", encoding="ISO-8859-1")
    with zipfile.ZipFile(desk.folder / "s.zip", "w") as archive:
        for path in desk.folder.glob("s.*"):
            if path.suffix != ".zip":
                archive.write(path, f"../../{path.name}")
    assert desk.run(desk.folder / "s.zip", PLACES).written == 2
    assert written(desk) == EXPECTED


def test_a_shapefile_without_its_index_or_its_zip(looker: Desk) -> None:
    """It says what is missing."""
    frame().to_file(looker.folder / "s.shp")
    with zipfile.ZipFile(looker.folder / "s.zip", "w") as archive:
        archive.write(looker.folder / "s.shp", "s.shp")
    with pytest.raises(BadInput, match=r"lacks its \.shx and \.dbf"):
        looker.run(looker.folder / "s.zip", PLACES)
    with pytest.raises(BadInput, match="into one zip"):
        looker.run(looker.folder / "s.shp", PLACES)


def test_a_shapefile_without_a_coordinate_system_is_asked_for_it(desk: Desk) -> None:
    """Metres are not taken for degrees; the mapping may name the system."""
    frame("EPSG:2154").to_file(desk.folder / "s.shp")
    with zipfile.ZipFile(desk.folder / "s.zip", "w") as archive:
        for suffix in (".shp", ".shx", ".dbf", ".cpg"):
            archive.write(desk.folder / f"s{suffix}", f"s{suffix}")
    with pytest.raises(BadInput, match="coordinate system"):
        desk.run(desk.folder / "s.zip", PLACES)
    desk.run(desk.folder / "s.zip", PLACES + '[file]\ncrs = "EPSG:2154"\n')
    assert written(desk) == EXPECTED


def test_kml_and_gpx(desk: Desk) -> None:
    """Both by the name of each place."""
    mapping = PLACES.replace("p-{id}", "{Name}").replace("{nom}", "{Name}")
    kml = """<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>d</name><Placemark>
    <name>One</name><Point><coordinates>2.8,50.4,12</coordinates></Point></Placemark></Document></kml>"""
    assert desk.run(desk.file("x.kml", kml), mapping).written == 1
    gpx = '<?xml version="1.0"?><gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><wpt lat="50.4" lon="2.8">'
    gpx += "<name>Two</name></wpt></gpx>"
    assert desk.run(desk.file("x.gpx", gpx), mapping.replace("Name", "name")).written == 1
    assert [row[0] for row in written(desk)] == ["One", "Two"]


def test_gzip_and_geopackage_layers(desk: Desk) -> None:
    """A layer is asked for where there are several."""
    text = collection(feature(1, "Point", [2.8, 50.4]))
    assert desk.run(desk.file("x.geojson.gz", gzip.compress(text.encode())), PLACES).written == 1
    for layer in ("one", "two"):
        frame().to_file(desk.folder / "x.gpkg", driver="GPKG", layer=layer)
    with pytest.raises(BadInput, match="name one of one, two"):
        desk.run(desk.folder / "x.gpkg", PLACES)
    assert desk.run(desk.folder / "x.gpkg", PLACES, layer="two").written == 2


@pytest.mark.parametrize(
    "text",
    [
        "id,nom,lon,lat\n1,Église,2.8,50.4\n2,Deux,2.9,50.5\n",
        "id;nom;X;Y\n1;Église;2,8;50,4\n2;Deux;2,9;50,5\n",
        "\ufeffid\tnom\tlongitude\tlatitude\n1\tÉglise\t2.8\t50.4\n\n2\tDeux\t2.9\t50.5\n",
        'id,nom,WKT\n1,Église,"POINT (2.8 50.4)"\n2,Deux,SRID=4326;POINT Z (2.9 50.5 3)\n',
    ],
)
def test_csv_of_every_dress(desk: Desk, text: str) -> None:
    """Separators, decimal commas, a byte order mark, WKT."""
    assert desk.run(desk.file("x.csv", text), PLACES).refused == ()
    assert written(desk) == EXPECTED


def test_csv_in_metres_and_in_an_old_encoding(desk: Desk) -> None:
    """The mapping names both."""
    points = frame("EPSG:2154")
    lines = [f"{n};{nom};{at.x};{at.y}" for n, nom, at in zip(points.id, points.nom, points.geometry, strict=True)]
    file = desk.file("x.csv", "\n".join(["id;nom;est;nord", *lines]).encode("cp1252"))
    settled = '[file]\nencoding = "cp1252"\ncrs = "EPSG:2154"\nlongitude = "est"\nlatitude = "nord"\n'
    with pytest.raises(BadInput, match="not UTF-8"):
        desk.run(file, PLACES + settled.replace('encoding = "cp1252"\n', ""))
    desk.run(file, PLACES + settled)
    assert written(desk) == EXPECTED


def test_coordinates_that_are_none_cost_their_row(desk: Desk) -> None:
    """NaN, infinity, words, nothing, and other worlds."""
    lines = ["1,nan,50", "2,2.8,inf", "3,here,50", "4,,", "5,200,50", "6,2.8,86", "7,2.8,50.4"]
    report = desk.run(desk.file("x.csv", "\n".join(["id,lon,lat", *lines])), PLACES.replace("{nom}", "{id}"))
    assert [note.reason.split(":")[0] for note in report.refused] == [
        "a coordinate is no finite number",
        "a coordinate is no finite number",
        "a coordinate is no number",
        "there are no coordinates",
        "the geometry lies outside the world",
        "the geometry lies outside the world",
    ]
    assert report.written == 1


def test_not_a_number_in_geojson(desk: Desk) -> None:
    """NaN and Infinity are not JSON, but are written by some programs."""
    text = collection(feature(1, "Point", [float("nan"), 50]), feature(2, "Point", [float("inf"), 50]))
    text = text.replace("]}}]}", "]}}, " + json.dumps(feature(3, "Point", [2.8, 50.4])) + "]}")
    report = desk.run(desk.file("x.geojson", text), PLACES)
    assert [(note.source_key, note.reason) for note in report.refused] == [
        ("p-1", "the geometry is empty, or its coordinates are no numbers"),
        ("p-2", "a coordinate is no finite number"),
    ]


def test_the_wrong_type_costs_its_row(desk: Desk) -> None:
    """Collections give what fits; a single point of several is no guess."""
    mixed = {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [2.8, 50.4]}]}
    mixed["geometries"].append({"type": "Polygon", "coordinates": square(2.8, 50.4)})
    features = [
        feature(1, "Point", [2.8, 50.4]),
        feature(2, "LineString", [[2.8, 50.4], [2.9, 50.4]]),
        feature(3, "MultiPolygon", [square(2.8, 50.4)]),
        feature(4, "Polygon", square(2.8, 50.4)) | {"geometry": mixed},
        feature(5, "Polygon", []),
    ]
    report = desk.run(desk.file("x.geojson", collection(*features)))
    assert [note.source_key for note in report.refused] == ["a-1", "a-2", "a-5"]
    assert "made of points, and the kind holds polygons" in report.refused[0].reason
    assert report.written == 2


def test_rings_that_are_none_cost_their_row(desk: Desk) -> None:
    """Too few points, or not closed."""
    flat = feature(1, "Polygon", [[[2, 50], [2.1, 50], [2, 50]]])
    open_ring = feature(2, "Polygon", [[[2, 50], [2.1, 50], [2.1, 50.1]]])
    file = desk.file("x.geojson", collection(flat, open_ring, feature(3, "Polygon", square(2.8, 50.4))))
    report = desk.run(file)
    assert (report.written, report.refused_count) == (1, 2)
    assert report.refused[0].reason == "a ring of the polygon has fewer than four points"
    assert any("closed ring" in remark for remark in report.remarks)


def test_a_line_that_is_no_feature_is_said(desk: Desk) -> None:
    """GDAL passes over it; the report does not."""
    lines = [json.dumps(feature(1, "Point", [2.8, 50.4])), "{broken", json.dumps(feature(2, "Point", [2.8, 50.4]))]
    report = desk.run(desk.file("x.geojsonl", "\n".join(lines) + "\n"), PLACES)
    assert (report.read, report.remarks) == (2, ("3 lines look like features, but 2 could be read",))
    clean = desk.run(desk.file("x.geojsonl", "\n".join(lines[::2])), PLACES)
    assert clean.remarks == ()


def test_polygons_become_points_where_the_mapping_says_so(desk: Desk) -> None:
    """A point inside each."""
    file = desk.file("x.geojson", collection(feature(1, "Polygon", square(2.8, 50.4))))
    assert desk.run(file, PLACES).refused_count == 1
    assert desk.run(file, PLACES + "[file]\npoint = true\n").written == 1


def test_exchanged_latitude_and_longitude_are_said(desk: Desk) -> None:
    """Where exchanging them brings the features into the territory."""
    desk.sql("""insert into territory.about (pack, body) values ('x', '{"bounds": [2.7, 50.4, 2.9, 50.5]}')""")
    swapped = [feature(n, "Point", [50.45, 2.8]) for n in range(5)]
    with pytest.raises(BadInput, match=r"look exchanged: 0 features .* 5 when"):
        desk.run(desk.file("x.geojson", collection(*swapped)), PLACES)
    elsewhere = [feature(n, "Point", [5.4, 43.3]) for n in range(5)]
    assert desk.run(desk.file("y.geojson", collection(*elsewhere)), PLACES).written == 5


def test_a_polygon_of_a_million_vertices_costs_its_row(desk: Desk) -> None:
    """The others are written, within the memory that an import may take."""
    huge = feature(1, "Polygon", [["vertices", [2.8, 50.5], [2.8, 50.4]]])
    text = collection(huge, feature(2, "Polygon", square(2.8, 50.4)))
    report = desk.run(
        desk.file("x.geojson", text.replace('"vertices"', "[2.8,50.4],[2.9,50.4]," * 500_000 + "[2.9,50.5]"))
    )
    assert [note.reason for note in report.refused] == ["the geometry has more than 500000 vertices"]
    assert report.written == 1


HOSTILE = {
    "a VRT that calls itself GeoJSON": ("x.geojson", VRT, "neither KML nor GPX"),
    "XML entities": ("x.kml", ENTITIES, "entities"),
    "nothing": ("x.geojson", "", "0 bytes"),
    "an empty collection": ("x.geojson", collection(), "no (feature|geometry)"),
    "GeoJSON cut in half": ("x.geojson", collection(feature(1, "Point", [1, 2]))[:-30], "cannot be read as GeoJSON"),
    "not UTF-8": ("x.geojson", collection(feature(1, "Point", [1, 2])).encode().replace(b"No.", b"\xe9"), "not UTF-8"),
    "arrays in arrays": ("x.geojson", '{"type": "FeatureCollection", "features": ' + "[" * 100_000, "nested"),
    "a web page": ("x.geojson", "<html><body>404</body></html>", "a web page"),
    "UTF-16": ("x.geojson", collection(feature(1, "Point", [1, 2])).encode("utf-16"), "not UTF-8"),
    "a line without end": ("x.csv", "id,nom,lon,lat\n1," + "x" * 70_000_000, "line 2 of the CSV"),
    "TopoJSON": ("x.json", '{"type": "Topology", "objects": {}}', "TopoJSON"),
    "a picture": ("x.geojson", b"\x89PNG\r\n\x1a\n\0\0\0", "none of GeoJSON"),
    "a broken zip": ("x.zip", b"PK\x03\x04abcdef", "damaged"),
    "a broken gzip": ("x.gz", b"\x1f\x8babcdef", "damaged"),
    "a gzip of a gzip": ("x.gz", gzip.compress(gzip.compress(b"{}")), "packed twice"),
    "an address of GDAL": ("x.csv", "id,nom\n1,/vsicurl/http://example.org/x\n", "no columns of longitude"),
    "a field that is not there": ("x.csv", "id,lon,lat\n1,2,3\n", "no field nom"),
    "too many columns": ("x.csv", "id,nom,lon,lat" + ",x" * 2_000, "more than 2000 columns"),
    "two columns of one name": ("x.csv", "id,id,lon,lat\n1,1,2,3\n", "same name"),
}


@pytest.mark.parametrize(("name", "content", "said"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_files(looker: Desk, name: str, content: str | bytes, said: str) -> None:
    """One clear sentence each, without the path of any file."""
    with pytest.raises(BadInput, match=said) as caught:
        looker.run(looker.file(name, content), PLACES)
    assert "/tmp" not in str(caught.value)
    assert looker.territory.scalar("select count(*) from territory.places") == 0


WIDE = {f"f{n}": 1 for n in range(2_100)}
FIRST, SECOND = (dict(list(WIDE.items())[part]) for part in (slice(0, 1_100), slice(1_100, None)))


@pytest.mark.parametrize(
    "content",
    [
        collection(feature(1, "Point", [1, 2], **WIDE)),
        collection(feature(1, "Point", [1, 2], **FIRST), feature(2, "Point", [1, 2], **SECOND)),
        collection(feature(1, "Point", [1, 2], **{f"f{n}": "y" * 500 for n in range(10_000)})),
    ],
    ids=["GeoJSON", "feature by feature", "more than the look holds"],
)
def test_too_many_fields_are_refused_after_a_bounded_look(tmp_path: Path, content: str) -> None:
    """Before GDAL goes through the whole file to list them."""
    path = tmp_path / "wide"
    path.write_text(content)
    with pytest.raises(BadInput, match="more than 2000"):
        prepare(path, tmp_path)


def test_a_folder_and_a_missing_file(looker: Desk) -> None:
    """Said before anything starts."""
    with pytest.raises(BadInput, match="a folder"):
        looker.run(looker.folder)
    with pytest.raises(BadInput, match="no such file"):
        looker.run(Path("/vsicurl/http://127.0.0.1/x.geojson"))


def test_a_bomb_is_not_unpacked(looker: Desk) -> None:
    """Neither gzip nor zip."""
    with gzip.open(looker.folder / "bomb.gz", "wb") as stream:
        for _ in range(70):
            stream.write(bytes(1024**2))
    with zipfile.ZipFile(looker.folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.geojson", bytes(70 * 1024**2))
    for name in ("bomb.gz", "bomb.zip"):
        with pytest.raises(TooMuch, match="250 times"):
            looker.run(looker.folder / name)


def test_a_geopackage_that_reaches_for_other_files(desk: Desk) -> None:
    """Virtual tables are refused; so is a database that is no GeoPackage."""
    path = desk.folder / "x.gpkg"
    frame().to_file(path, driver="GPKG")
    assert desk.run(path, PLACES).written == 2
    with sqlite3.connect(path) as database:
        database.execute("pragma writable_schema = on")
        database.execute(
            "insert into sqlite_master values ('table', 'v', 'v', 0, 'create virtual table v using VirtualOGR(''/etc'')')"
        )
    with pytest.raises(BadInput, match="virtual tables"):
        desk.run(path, PLACES)
    with sqlite3.connect(desk.folder / "y.sqlite") as database:
        database.execute("create table t (x)")
    with pytest.raises(BadInput, match="no GeoPackage"):
        desk.run(desk.folder / "y.sqlite", PLACES)


def test_the_library_of_formats_knows_the_chosen_driver_alone() -> None:
    """So nothing inside a file can make it open another."""
    import subprocess
    import sys

    code = "from geo.files.layered import *; only('KML', all_drivers()); import pyogrio; print(list(pyogrio.list_drivers()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['KML']"


def test_areas_keep_their_holes(desk: Desk) -> None:
    """A polygon with a hole is measured without it."""
    whole, hole = square(2.8, 50.4)[0], square(2.803, 50.403, 0.004)[0]
    desk.run(desk.file("x.geojson", collection(feature(1, "Polygon", [whole, hole]))), AREAS)
    assert desk.territory.scalar("select ST_NumInteriorRings(ST_GeometryN(geom, 1)) from territory.areas") == 1
