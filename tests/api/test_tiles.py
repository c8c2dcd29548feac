"""OGC API - Tiles Part 1 as requests: matrix set, tilesets, limits, TileJSON, and tiles that hold what items hold."""

import pyogrio
import pytest

from tests.api.conftest import client_of
from tests.geo import mvt
from tests.geo.tiling import tile_of

SET = "WebMercatorQuad"
MVT = "application/vnd.mapbox-vector-tile"
PLACE = (2.79, 50.45)
TERRITORY = "/tiles/WebMercatorQuad"


def drawn(looker):
    """The collections that have a geometry."""
    return [one for one in looker.get("/collections").json()["collections"] if one["geometryType"]]


def paths(looker):
    """The tileset of the territory and those of its collections."""
    return [TERRITORY, *(f"/collections/{one['id']}/tiles/{SET}" for one in drawn(looker))]


def at(z: int) -> str:
    """The end of a tile's address: matrix, row, column."""
    where = tile_of(*PLACE, z)
    return f"{z}/{where.y}/{where.x}"


def held(answer):
    """The layers of an answer."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == MVT
    return mvt.read(answer.content)


def test_the_matrix_set_is_that_of_the_register(looker):
    """Known values of WebMercatorQuad, from OGC 17-083r4, annex D."""
    listed = looker.get("/tileMatrixSets").json()["tileMatrixSets"]
    assert [one["id"] for one in listed] == [SET]
    document = looker.get(listed[0]["links"][0]["href"]).json()
    assert document["uri"] == "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
    assert document["crs"] == "http://www.opengis.net/def/crs/EPSG/0/3857"
    matrices = document["tileMatrices"]
    assert [one["id"] for one in matrices] == [str(z) for z in range(23)]
    known = {
        0: (559082264.028717, 156543.033928041),
        10: (545978.773465544, 152.874056570353),
        22: (133.295598990612, 0.03732276771737),
    }
    for z, (scale, size) in known.items():
        assert matrices[z]["scaleDenominator"] == pytest.approx(scale, rel=1e-10)
        assert matrices[z]["cellSize"] == pytest.approx(size, rel=1e-10)
        assert matrices[z]["matrixWidth"] == matrices[z]["matrixHeight"] == 2**z
        assert matrices[z]["pointOfOrigin"] == pytest.approx([-20037508.3427892, 20037508.3427892])
        assert (matrices[z]["tileWidth"], matrices[z]["cornerOfOrigin"]) == (256, "topLeft")


def test_tilesets_lead_to_their_metadata_and_metadata_to_tiles(looker):
    """From the list to the tileset, and by the template to a tile, row before column."""
    for path in paths(looker):
        (summary,) = looker.get(path.removesuffix(f"/{SET}")).json()["tilesets"]
        (own,) = [link["href"] for link in summary["links"] if link["rel"] == "self"]
        document = looker.get(own).json()
        assert {**document, **summary} == document
        assert document["dataType"] == "vector"
        assert document["crs"].endswith("EPSG/0/3857")
        assert document["tileMatrixSetURI"].endswith("OGC/1.0/WebMercatorQuad")
        (template,) = [link for link in document["links"] if link["rel"] == "item"]
        assert template["templated"] is True
        assert template["type"] == MVT
        assert template["href"].endswith("/{tileMatrix}/{tileRow}/{tileCol}")
        limits = document["tileMatrixSetLimits"][14]
        filled = template["href"].format(tileMatrix=14, tileRow=limits["minTileRow"], tileCol=limits["minTileCol"])
        assert looker.get(filled).headers["content-type"] == MVT
        assert {layer["dataType"] for layer in document["layers"]} == {"vector"}


def test_within_the_limits_every_tile_is_there_and_beyond_none(looker):
    """An empty one within is a tile; MapLibre takes a 404 for a missing one."""
    for path in paths(looker):
        for limits in looker.get(path).json()["tileMatrixSetLimits"][::5]:
            z = limits["tileMatrix"]
            rows = {limits["minTileRow"], limits["maxTileRow"]}
            columns = {limits["minTileCol"], limits["maxTileCol"]}
            for row in rows:
                for column in columns:
                    held(looker.get(f"{path}/{z}/{row}/{column}"))
            if int(z) >= 10:
                for row, column in (
                    (min(rows) - 2, min(columns)),
                    (max(rows) + 2, max(columns)),
                    (max(rows), max(columns) + 2),
                    (0, 0),
                ):
                    assert looker.get(f"{path}/{z}/{row}/{column}").status_code == 404


def test_limits_hold_every_item(looker):
    """Each point of a collection lies in a tile within its limits, at every zoom."""
    for one in drawn(looker):
        west, south, east, north = one["extent"]["spatial"]["bbox"][0]
        for limits in looker.get(f"/collections/{one['id']}/tiles/{SET}").json()["tileMatrixSetLimits"]:
            first, last = (
                tile_of(west, north, int(limits["tileMatrix"])),
                tile_of(east, south, int(limits["tileMatrix"])),
            )
            assert limits["minTileRow"] <= first.y <= last.y <= limits["maxTileRow"]
            assert limits["minTileCol"] <= first.x <= last.x <= limits["maxTileCol"]


def test_tilejson_says_what_tiles_hold(looker):
    """TileJSON 3.0, and no layer or field of any tile that it does not name."""
    for path in paths(looker):
        answer = looker.get(path, params={"f": "tilejson"})
        document = answer.json()
        assert document["tilejson"] == "3.0.0"
        assert document["tiles"][0].endswith("/{z}/{y}/{x}")
        assert 0 == document["minzoom"] < document["maxzoom"] == 22
        west, south, east, north = document["bounds"]
        assert -180 <= west <= east <= 180
        assert -90 <= south <= north <= 90
        assert west <= document["center"][0] <= east
        assert document["attribution"]
        named = {layer["id"]: layer for layer in document["vector_layers"]}
        for z in (0, 9, 12, 14):
            where = tile_of((west + east) / 2, (south + north) / 2, z)
            for name, layer in held(looker.get(document["tiles"][0].format(z=z, y=where.y, x=where.x))).items():
                assert named[name]["minzoom"] <= z
                for feature in layer.features:
                    for field, value in feature.properties.items():
                        kind = {str: "String", bool: "Boolean"}.get(type(value), "Number")
                        assert named[name]["fields"][field] == kind, (name, field)


def test_squares_and_cells_are_named_in_tilejson_too(loos):
    """What a crowd and homes look like is told before they are there."""
    with loos.superuser() as connection:
        connection.execute(
            "insert into territory.installations (source_key, name, technology, power_kw, source, licence, position, cell, geom) "
            "select 'h' || n, 'n', 'wind', n, 's', 'l', case when n % 2 = 0 then 'cell' else 'surveyed' end, "
            "case when n % 2 = 0 then register.cell_name('SRID=4326;POINT(2.79 50.45)', 200) end, "
            "register.cell_centre('SRID=4326;POINT(2.79 50.45)', 200) from generate_series(1, 3000) n"
        )
    with client_of(loos) as client:
        test_tilejson_says_what_tiles_hold(client)
        layers = held(client.get(f"/collections/installations/tiles/{SET}/{at(14)}"))
        (square,) = layers["installations:squares"].features
        assert square.properties["point_count"] == 1500
        members = client.get("/collections/installations/items", params={"cell": square.properties["cell"], "limit": 1})
        assert members.json()["numberMatched"] == 1500


@pytest.mark.parametrize("z", [0, 8, 12, 15])
def test_tiles_hold_the_items_and_their_filters(looker, z):
    """All of a collection's items are in the tiles of its limits, and with a filter those that items give."""
    for path, narrowed in (
        ("/collections/mine-shafts", {}),
        ("/collections/memory", {}),
        ("/collections/landmarks", {"category": "culture"}),
        ("/collections/installations", {"technology": "heat_pump"}),
        ("/collections/installations", {"datetime": "../2012-12-31"}),
        ("/collections/green-belt", {"category": "spoil_tip"}),
    ):
        items = looker.get(f"{path}/items", params={"limit": 1000, **narrowed}).json()["features"]
        wanted = {one["id"] for one in items if one["properties"]["position"] != "cell" or z < 11}
        limits = looker.get(f"{path}/tiles/{SET}").json()["tileMatrixSetLimits"][z]
        found = {}
        for row in range(limits["minTileRow"], limits["maxTileRow"] + 1):
            for column in range(limits["minTileCol"], limits["maxTileCol"] + 1):
                layer = held(looker.get(f"{path}/tiles/{SET}/{z}/{row}/{column}", params=narrowed)).get(
                    path.split("/")[2]
                )
                found |= {feature.id: feature.properties["name"] for feature in (layer.features if layer else ())}
        assert found == {one["id"]: one["properties"]["name"] for one in items if one["id"] in wanted}


def test_several_collections_are_layers_of_one_tile(looker):
    """Those that are named, or all."""
    several = held(looker.get(f"{TERRITORY}/{at(12)}", params={"collections": "mine-shafts,green-belt"}))
    assert set(several) == {"mine-shafts", "green-belt"}
    everything = held(looker.get(f"{TERRITORY}/{at(0)}"))
    assert set(everything) == {one["id"] for one in drawn(looker) if one["itemCount"]}
    alone = held(looker.get(f"/collections/green-belt/tiles/{SET}/{at(12)}"))
    assert several["green-belt"] == alone["green-belt"]


def test_tiles_speak_languages_and_keep_them_apart(looker):
    """Names are translated, tags differ, and TileJSON hands the language on."""
    url = f"/collections/green-belt/tiles/{SET}/{at(10)}"
    answers = {lang: looker.get(url, params={"lang": lang}) for lang in ("fr", "en", "de")}
    names = {
        lang: {one.properties["name"] for one in held(answer)["green-belt"].features}
        for lang, answer in answers.items()
    }
    for lang, own in names.items():
        items = looker.get("/collections/green-belt/items", params={"lang": lang, "limit": 1000}).json()["features"]
        assert own <= {one["properties"]["name"] for one in items}
    assert names["fr"] != names["en"]
    assert len({answer.headers["etag"] for answer in answers.values()}) == 3
    template = looker.get(f"/collections/green-belt/tiles/{SET}", params={"f": "tilejson", "lang": "de"}).json()[
        "tiles"
    ][0]
    assert template.endswith("?lang=de")


def test_a_held_tile_is_not_sent_again_until_it_changes(loos):
    """304 with the same tag; after a change of the collection 200 with another."""
    url = f"/collections/installations/tiles/{SET}/{at(12)}"
    with client_of(loos) as client:
        first = client.get(url)
        again = client.get(url, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        with loos.db.write() as tx:
            tx.exec_driver_sql("update territory.installations set power_kw = 1234")
        deadline = 50
        while (
            now := client.get(url, headers={"If-None-Match": first.headers["etag"]})
        ).status_code == 304 and deadline:
            deadline -= 1
        assert held(now) != held(first)


def test_head_cors_and_compression(looker):
    """As every public answer."""
    url = f"{TERRITORY}/{at(12)}"
    assert looker.head(url).status_code == 200
    answer = looker.get(url, headers={"Accept-Encoding": "gzip", "Origin": "https://elsewhere.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-encoding"] == "gzip"
    assert held(answer)


@pytest.mark.parametrize(
    "end",
    [
        "-1/0/0", "0/0/1", "0/1/0", "23/0/0", "1/2/0", "1e0/0/0", "0x0/0/0", "0/0/0.5", "a/b/c", "١/0/0", "0/0/%00",
        "99999999999999999999/0/0", "4/%2e%2e/0", "0/0/' or 1=1", "0/0/%F0%9F%98%80", " 0/0/0", "+1/0/0", "0/0/0;",
    ],
)  # fmt: skip
def test_what_is_no_tile_is_not_found(looker, end):
    """And said as a problem, never a 500."""
    for path in (TERRITORY, f"/collections/solar/tiles/{SET}"):
        answer = looker.get(f"{path}/{end}")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path",
    [
        "/tiles/Other",
        "/tiles/Other/0/0/0",
        "/collections/solar/tiles/Other/0/0/0",
        "/collections/none/tiles",
        "/collections/figures/tiles",
        f"/collections/figures/tiles/{SET}/0/0/0",
        "/tileMatrixSets/x",
    ],
)
def test_what_has_no_tiles_is_not_found(looker, path):
    """No other set, no unknown collection, none without geometry."""
    assert looker.get(path).status_code == 404


@pytest.mark.parametrize(
    ("path", "params"),
    [
        (TERRITORY, {"collections": "solar,none"}),
        (TERRITORY, {"collections": "figures"}),
        (TERRITORY, {"collections": ""}),
        (TERRITORY, {"collections": ",".join(["solar"] * 51)}),
        (TERRITORY, {"collections": "solar' or 1=1 --"}),
        (TERRITORY, {"category": "park"}),
        (TERRITORY, {"what": "1"}),
        (TERRITORY, {"f": "png"}),
        ("/collections/solar/tiles/" + SET, {"technology": "' or 1=1"}),
        ("/collections/solar/tiles/" + SET, {"datetime": "yesterday"}),
        ("/collections/solar/tiles/" + SET, {"limit": "1"}),
        ("/collections/solar/tiles/" + SET, {"lang": "xx"}),
    ],
)
def test_what_a_tile_cannot_be_asked(looker, path, params):
    """400 with the parameter's name, and nothing of its value."""
    answer = looker.get(f"{path}/{at(12)}", params=params)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] in params
    assert "1=1" not in answer.text


def test_gdal_reads_a_tile(looker, tmp_path):
    """As an ordinary client of the format, points, lines and areas."""
    for id, kind in (("mine-shafts", "Point"), ("soft-mobility", "LineString"), ("green-belt", "Polygon")):
        answer = looker.get(f"/collections/{id}/tiles/{SET}/{at(12)}")
        file = tmp_path / "tile.mvt"
        file.write_bytes(answer.content)
        assert [name for name, _ in pyogrio.list_layers(f"MVT:{file}")] == [id]
        read = pyogrio.read_dataframe(f"MVT:{file}", layer=id, CLIP="NO")
        assert len(read) == len(held(answer)[id].features)
        assert {name.removeprefix("Multi") for name in read.geometry.geom_type} == {kind}
        assert set(read["name"]) == {one.properties["name"] for one in held(answer)[id].features}
