"""Uploaded drawings: what each format gives, and what hostile files get."""
# pyright: reportArgumentType=false, reportCallIssue=false

import io
import json
import tempfile
import zipfile
from pathlib import Path

import geopandas
import pytest
from shapely.geometry import Point, Polygon, shape

from geo.errors import BadInput, TooMuch
from geo.files import uploads

PARKS = geopandas.GeoDataFrame({"name": ["un", "deux"]}, geometry=[Point(2.79, 50.44).buffer(0.01), Point(2.8, 50.45).buffer(0.01)], crs=4326)  # fmt: skip
BOW = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])


def opened(data, **how):
    """The drawing in a file of these bytes."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, uploads.NAME).write_bytes(data)
        return uploads.opened(Path(folder), **how)


def written(folder, frame, driver, suffix):
    """The frame as a file's bytes."""
    file = folder / f"data{suffix}"
    frame.to_file(file, driver=driver)
    if suffix != ".shp":
        return file.read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for one in folder.glob("data.*"):
            archive.write(one, one.name)
    return packed.getvalue()


@pytest.mark.parametrize(("driver", "suffix"), [("GeoJSON", ".geojson"), ("GPKG", ".gpkg"), ("ESRI Shapefile", ".shp"), ("KML", ".kml")])  # fmt: skip
def test_each_format_gives_the_same_drawing(tmp_path, driver, suffix):
    """Names and outlines; from Lambert 93 as from degrees."""
    for crs in (4326, 2154) if driver in ("GPKG", "ESRI Shapefile") else (4326,):
        for old in tmp_path.glob("data*"):
            old.unlink()
        drawing = opened(written(tmp_path, PARKS.to_crs(crs), driver, suffix))
        assert [one["properties"]["name"] for one in drawing["features"]] == ["un", "deux"]
        for one, park in zip(drawing["features"], PARKS.geometry, strict=True):
            assert shape(one["geometry"]).symmetric_difference(park).area < 1e-9


def test_gpx(tmp_path):
    """Waypoints, as a device writes them."""
    data = b'<?xml version="1.0"?><gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1"><wpt lat="50.44" lon="2.79"><name>ici</name></wpt></gpx>'
    [feature] = opened(data)["features"]
    assert (feature["properties"]["name"], feature["geometry"]["coordinates"]) == ("ici", [2.79, 50.44])


def test_what_is_invalid_is_refused_with_its_place_or_repaired(tmp_path):
    """A polygon that crosses itself in the middle."""
    data = written(tmp_path, geopandas.GeoDataFrame(geometry=[BOW], crs=4326), "GeoJSON", ".geojson")
    with pytest.raises(BadInput, match=r"feature 1 is not valid: self-intersection at 0.5, 0.5"):
        opened(data)
    [feature] = opened(data, repair=True)["features"]
    assert shape(feature["geometry"]).is_valid
    assert shape(feature["geometry"]).area == pytest.approx(0.5)


def bomb():
    """Kilobytes that unpack to gigabytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.geojson", b"[" + b" " * 300_000_000)
    return packed.getvalue()


VRT = b'<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
LINK = b'<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><NetworkLink><Link><href>file:///etc/passwd</href></Link></NetworkLink></Document></kml>'
FAR = json.dumps({"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [650000, 7000000]}}]}).encode()  # fmt: skip
HUGE = json.dumps({"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": {"type": "LineString", "coordinates": [[n / 1e6, 50] for n in range(100_001)]}}]}).encode()  # fmt: skip
MANY = json.dumps({"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [2, 50]}}] * 10_001}).encode()  # fmt: skip


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (VRT, BadInput), (LINK, BadInput), (bomb, TooMuch), (FAR, BadInput), (HUGE, TooMuch), (MANY, TooMuch),
        (b"", BadInput), (b"\0" * 1000, BadInput), (b"/vsicurl/http://127.0.0.1/x", BadInput), (b"{" * 100_000, BadInput),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><kml>&a;</kml>', BadInput), (b"lon,lat\n2,50\n", BadInput),
        (b'{"type":"FeatureCollection","features":[]}', BadInput), (lambda: b"x" * 50_000_001, TooMuch),
    ],
    ids=["vrt", "network link", "bomb", "metres", "vertices", "features", "empty", "zeros", "vsi", "nested", "entities", "csv", "nothing", "large"],
)  # fmt: skip
def test_hostile_files_are_refused(data, kind):
    """With a sentence, and without the file's own words or any other file's."""
    with pytest.raises(kind) as refused:
        opened(data() if callable(data) else data)
    assert "root:" not in str(refused.value)
    assert "/etc/passwd" not in str(refused.value)
