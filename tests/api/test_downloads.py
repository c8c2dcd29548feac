"""Items as files: each format read back by others' readers holds the same rows, values and places as the GeoJSON."""

import asyncio
import csv
import io
import json
import math
import zipfile
from datetime import date, datetime
from typing import Any

import geopandas
import numpy
import pandas
import pyogrio
import pytest
import shapely
from shapely.geometry import shape

from api.memory import Memory
from tests.api.conftest import client_of, heard
from tests.api.test_asking import EPSG
from tests.api.test_contract import walk

COLLECTIONS = {
    "Point": "installations",
    "MultiLineString": "soft-mobility",
    "MultiPolygon": "green-belt",
    None: "figures",
}
TYPES = {
    "csv": "text/csv",
    "geojsonseq": "application/geo+json-seq",
    "flatgeobuf": "application/flatgeobuf",
    "gpkg": "application/geopackage+sqlite3",
    "geoparquet": "application/vnd.apache.parquet",
    "kml": "application/vnd.google-earth.kml+xml",
    "gpx": "application/gpx+xml",
    "shapefile": "application/zip",
}
SUFFIXES = {
    "flatgeobuf": ".fgb",
    "gpkg": ".gpkg",
    "geoparquet": ".parquet",
    "kml": ".kml",
    "gpx": ".gpx",
    "shapefile": ".zip",
}
TYPED = ("flatgeobuf", "gpkg", "geoparquet")


def items(collection):
    """The address of a collection's items."""
    return f"/collections/{collection}/items"


def fetched(looker, collection, f, **params):
    """The file, after a look at its headers."""
    answer = looker.get(items(collection), params={"f": f, **params})
    assert answer.status_code == 200, answer.text[:500]
    assert answer.headers["content-type"].split(";")[0] == TYPES[f]
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert f"{collection}." in answer.headers["content-disposition"]
    return answer


def frame(answer, f, tmp_path):
    """The file as GDAL, or geopandas where it is GeoParquet, reads it."""
    path = tmp_path / f"read{SUFFIXES[f]}"
    path.write_bytes(answer.content)
    if f == "geoparquet":
        return geopandas.read_parquet(path)
    return pyogrio.read_dataframe(path, layer="tracks" if f == "gpx" else None)


def plain(value: Any, format_: str | None) -> Any:
    """A value of any reader as GeoJSON has it."""
    if value is None or pandas.isna(value):
        return None
    if isinstance(value, datetime):
        return value.date().isoformat() if format_ == "date" else value.timestamp()
    if isinstance(value, date):
        return value.isoformat()
    return value.item() if isinstance(value, numpy.generic) else value


def expected(value: Any, format_: str | None) -> Any:
    """A value of GeoJSON as a file holds it: moments to the millisecond, arrays as text."""
    if format_ == "date-time":
        return math.floor(datetime.fromisoformat(value).timestamp() * 1000) / 1000
    return value


@pytest.mark.parametrize("kind", ["Point", "MultiLineString", "MultiPolygon"])
@pytest.mark.parametrize("f", TYPED)
def test_rows_types_and_places_come_back(looker, tmp_path, f, kind):
    """Every value of every column, of its own type; every geometry where it was."""
    collection = COLLECTIONS[kind]
    wanted = walk(looker, items(collection), limit=1000)
    formats = looker.get(f"/collections/{collection}/schema").json()["properties"]
    read = frame(fetched(looker, collection, f), f, tmp_path).sort_values("id").reset_index(drop=True)
    assert read["id"].tolist() == [one["id"] for one in wanted]
    assert read.crs.to_epsg() in (4326, None) or read.crs.to_authority() == ("OGC", "CRS84")
    for n, one in enumerate(wanted):
        # GeoJSON is rounded to 6 decimals
        assert read.geometry[n].distance(shape(one["geometry"])) < 2e-6
        assert read.geometry[n].geom_type == kind
        for name, value in one["properties"].items():
            format_ = formats[name].get("format")
            assert plain(read[name][n], format_) == expected(value, format_), (name, n)


@pytest.mark.parametrize("kind", ["Point", "MultiLineString", "MultiPolygon"])
@pytest.mark.parametrize("f", ["kml", "shapefile"])
def test_simpler_formats_come_back(looker, tmp_path, f, kind):
    """The same rows, names and places; what the format cannot say of types and long names is its own."""
    collection = COLLECTIONS[kind]
    wanted = {one["id"]: one for one in walk(looker, items(collection), limit=1000)}
    read = frame(fetched(looker, collection, f), f, tmp_path)
    numbers = read["id" if f == "shapefile" else "feature_id"].astype(int)
    assert {*numbers} == wanted.keys()
    for (_, row), number in zip(read.iterrows(), numbers, strict=True):
        one = wanted[number]
        assert shapely.force_2d(row.geometry).hausdorff_distance(shape(one["geometry"])) < 2e-6
        assert (row["name"] if f == "shapefile" else row["Name"]) == one["properties"]["name"]


def test_tracks_come_back(looker, tmp_path):
    """GPX of lines, which GPS devices read."""
    wanted = walk(looker, items("soft-mobility"), limit=1000)
    read = frame(fetched(looker, "soft-mobility", "gpx"), "gpx", tmp_path)
    assert len(read) == len(wanted)
    assert read["name"].tolist() == [one["properties"]["name"] for one in wanted]
    for line, one in zip(read.geometry, wanted, strict=True):
        assert shapely.force_2d(line).hausdorff_distance(shape(one["geometry"])) < 2e-6


@pytest.mark.parametrize("kind", COLLECTIONS)
def test_a_text_sequence_is_the_features(looker, kind):
    """A record separator before each, a line feed after it, and between them what GeoJSON has."""
    collection = COLLECTIONS[kind]
    answer = fetched(looker, collection, "geojsonseq")
    records = answer.text.split("\x1e")
    assert records[0] == ""
    assert all(one.endswith("\n") for one in records[1:])
    assert [json.loads(one) for one in records[1:]] == walk(looker, items(collection), limit=1000)
    assert answer.headers["ogc-numberreturned"] == str(len(records) - 1)


@pytest.mark.parametrize("kind", COLLECTIONS)
def test_a_table_holds_every_value(looker, kind):
    """As text; nothing is a formula."""
    collection = COLLECTIONS[kind]
    read = list(csv.DictReader(io.StringIO(fetched(looker, collection, "csv").text)))
    for row, one in zip(read, walk(looker, items(collection), limit=1000), strict=True):
        assert row["id"] == str(one["id"])
        for name, value in one["properties"].items():
            if isinstance(value, str) and "T" not in value[10:11]:
                assert row[name].removeprefix("'") == value
            if isinstance(value, float | int) and not isinstance(value, bool):
                assert float(row[name]) == value
            if value is None:
                assert row[name] == ""
        if kind == "Point":
            assert [float(row["longitude"]), float(row["latitude"])] == one["geometry"]["coordinates"]
        elif kind:
            assert shapely.from_wkt(row["geometry"]).distance(shape(one["geometry"])) < 2e-6


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"]


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_is_a_formula(loos, formula):
    """A text that a spreadsheet would run gets an apostrophe; quotes, commas and line ends stay what they are."""
    name = formula + ',";\nx'
    with client_of(loos) as client, loos.superuser() as connection:
        connection.execute("update territory.places set name = %s, source = 'a\"b' where category = 'station'", [name])
        heard(client, loos)
        text = client.get(items("landmarks"), params={"f": "csv", "filter": "category = 'station'"}).text
    row = next(csv.DictReader(io.StringIO(text, newline="")))
    assert row["name"] == "'" + name
    assert row["source"] == 'a"b'


def test_negative_numbers_stay_numbers(looker):
    """They begin with a minus, too."""
    text = fetched(looker, "installations", "csv", crs=EPSG + "2154", limit=1).text
    row = next(csv.DictReader(io.StringIO(text)))
    assert float(row["x"]) > 600_000
    assert float(row["y"]) > 7_000_000


@pytest.mark.parametrize("f", [*TYPED, "shapefile"])
def test_files_in_lambert_93(looker, tmp_path, f):
    """The system is in the file, and easting comes first in a file even where its authority has northing first."""
    for code, low, high in ((2154, (6e5, 7e6), (8e5, 7.2e6)), (3035, (3.7e6, 3e6), (3.9e6, 3.2e6))):
        answer = fetched(looker, "mine-shafts", f, crs=f"{EPSG}{code}")
        assert answer.headers["content-crs"] == f"<{EPSG}{code}>"
        read = frame(answer, f, tmp_path)
        assert read.crs is not None
        assert read.crs.to_epsg() == code
        west, south, east, north = read.total_bounds
        assert low[0] < west <= east < high[0]
        assert low[1] < south <= north < high[1]


@pytest.mark.parametrize("f", ["csv", "geojsonseq", "gpkg"])
def test_files_are_of_what_was_asked_for(looker, tmp_path, f):
    """Filter, words, order, columns, language and paging hold for files, too; headers lead to the next page."""
    asked = {"filter": "year > 1990", "sortby": "-year,id", "properties": "year,name"}
    whole = looker.get(items("installations"), params={**asked, "limit": 1000}).json()["features"]

    def found(answer):
        if f == "csv":
            return [int(row["id"]) for row in csv.DictReader(io.StringIO(answer.text))]
        if f == "geojsonseq":
            return [json.loads(one)["id"] for one in answer.text.split("\x1e")[1:]]
        return frame(answer, f, tmp_path)["id"].tolist()

    assert found(fetched(looker, "installations", f, **asked)) == [one["id"] for one in whole]
    seen, answer = [], fetched(looker, "installations", f, **asked, limit=4)
    while True:
        seen += found(answer)
        assert answer.headers["ogc-numbermatched"] == str(len(whole))
        if "link" not in answer.headers:
            break
        answer = looker.get(answer.headers["link"].split(">")[0][1:])
    assert seen == [one["id"] for one in whole]


@pytest.mark.parametrize(
    ("collection", "params", "wrong"),
    [
        ("figures", {"f": "kml"}, "f"),
        ("figures", {"f": "shapefile"}, "f"),
        ("installations", {"f": "gpx"}, "f"),
        ("soft-mobility", {"f": "gpx", "crs": EPSG + "2154"}, "crs"),
        ("soft-mobility", {"f": "kml", "crs": EPSG + "3857"}, "crs"),
        ("installations", {"f": "shapefile", "skipGeometry": "true"}, "skipGeometry"),
        ("installations", {"f": "gpkg", "nonsense": "1"}, "nonsense"),
        ("installations", {"f": "gpkg", "filter": "x"}, "filter"),
        ("installations", {"f": "dxf"}, "f"),
    ],
)
def test_what_a_format_cannot_hold_is_said(looker, collection, params, wrong):
    """By the parameter's name."""
    answer = looker.get(items(collection), params=params)
    assert answer.status_code == 400
    assert wrong in [one["parameter"] for one in answer.json()["errors"]]


@pytest.mark.parametrize("f", [*TYPED, "csv", "geojsonseq", "kml", "shapefile"])
def test_a_file_of_nothing_is_a_file(looker, tmp_path, f):
    """Zero rows, in a file that opens."""
    answer = fetched(looker, "installations", f, filter="FALSE")
    assert answer.headers["ogc-numberreturned"] == "0"
    if f in SUFFIXES and f != "kml":
        assert len(frame(answer, f, tmp_path)) == 0


def test_formats_by_accept(looker):
    """As by `f`; a browser still gets a page, and everybody else GeoJSON."""
    for f, media_type in TYPES.items():
        answer = looker.get(items("soft-mobility"), headers={"Accept": media_type})
        assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, media_type), f


def test_a_zip_holds_one_shapefile(looker):
    """Its parts bear the collection's name, with their system and encoding."""
    parts = zipfile.ZipFile(io.BytesIO(fetched(looker, "mine-shafts", "shapefile").content)).namelist()
    assert {f"mine-shafts.{suffix}" for suffix in ("shp", "shx", "dbf", "prj", "cpg")} <= set(parts)


def test_figures_without_places(looker, tmp_path):
    """Tables without geometry come as files, too."""
    path = tmp_path / "figures.gpkg"
    path.write_bytes(fetched(looker, "figures", "gpkg").content)
    read = pyogrio.read_dataframe(path)
    assert len(read) == looker.get(items("figures")).json()["numberMatched"]
    assert json.loads(read["about"].dropna().iloc[0])


def test_nothing_is_left_behind(looker, tmp_path, monkeypatch):
    """Neither a folder nor a file, whatever format."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for f in ("csv", "gpkg", "shapefile"):
        fetched(looker, "mine-shafts", f)
    assert list(tmp_path.iterdir()) == []


def test_a_download_keeps_nobody_waiting():
    """Who asks for the same file while it is being sent is served beside it, and memory keeps none of it."""
    started, let_go = asyncio.Event(), asyncio.Event()

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        scope.setdefault("state", {})["versions"] = {"a": 1}
        await send({"type": "http.response.start", "status": 200, "headers": [(b"etag", b'"x"')]})
        await send({"type": "http.response.body", "body": b"1", "more_body": True})
        if not started.is_set():
            started.set()
            await let_go.wait()
        await send({"type": "http.response.body", "body": b"2"})

    memory = Memory(app, lambda: {"a": 1})

    async def ask() -> bytes:
        heard: list[bytes] = []

        async def send(message: Any) -> None:
            heard.append(message.get("body", b""))

        async def receive() -> Any:
            return {"type": "http.request"}

        scope = {"type": "http", "method": "GET", "path": "/x", "query_string": b"f=csv", "headers": []}
        await memory(scope, receive, send)
        return b"".join(heard)

    async def both() -> list[bytes]:
        first = asyncio.create_task(ask())
        await started.wait()
        second = await asyncio.wait_for(ask(), 5)
        let_go.set()
        return [second, await first]

    assert asyncio.run(both()) == [b"12", b"12"]
    assert memory.size == 0
