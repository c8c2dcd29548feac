"""Network against networkx and pyproj: random streets at any latitude, their parts, dead ends, ways and gaps; and the real ones."""
# pyright: reportArgumentType=false, reportCallIssue=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false

import itertools

import geopandas
import networkx
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, Point, mapping

from geo.errors import BadInput
from tests.conftest import PATIENT, SHARED
from tests.geo.planned import ask, put

GEOD = pyproj.Geod(ellps="WGS84")
HARD = settings(max_examples=25, deadline=None, suppress_health_check=PATIENT, database=None)
corner = st.tuples(st.integers(0, 6), st.integers(0, 6))
streets = st.sets(
    st.tuples(corner, st.sampled_from([(0, 1), (1, 0)])).map(lambda s: (s[0], (s[0][0] + s[1][0], s[0][1] + s[1][1]))),
    min_size=1,
    max_size=40,
)


def laid(centre, step=300.0):
    """Where the corners of a chequerboard lie: `step` metres apart around a centre."""
    lon, lat = centre

    def corner(at):
        x, y = at
        up = GEOD.fwd(lon, lat, 0, y * step)
        return GEOD.fwd(up[0], up[1], 90, x * step)[:2]

    return corner


def drawn(graph):
    """A networkx graph of streets, each as long as it is on the ellipsoid."""
    for one, other, data in graph.edges(data=True):
        a, b = graph.nodes[one]["at"], graph.nodes[other]["at"]
        data["metres"] = GEOD.line_length([a[0], b[0]], [a[1], b[1]])
    return graph


def town(streets, place):
    """Streets as networkx knows them."""
    graph = networkx.Graph()
    for one, other in streets:
        graph.add_node(one, at=place(one))
        graph.add_node(other, at=place(other))
        graph.add_edge(one, other)
    return drawn(graph)


def test_parts_dead_ends_and_ways_are_those_of_networkx(database):
    """On random chequerboards between 80 degrees south and north."""

    @given(streets=streets, centre=st.tuples(st.floats(-170, 170), st.floats(-80, 80)), data=st.data())
    @HARD
    def tried(streets, centre, data):
        graph = town(streets, laid(centre))
        put(
            database,
            "paths",
            [LineString([graph.nodes[a]["at"], graph.nodes[b]["at"]]) for a, b in graph.edges],
            accuracy=1,
        )
        answer = ask(database, "network", collection="paths", gap=250.0)
        found = answer["network"]
        parts = [
            sum(d["metres"] for _, _, d in graph.subgraph(one).edges(data=True))
            for one in networkx.connected_components(graph)
        ]
        assert found["parts"] == len(parts)
        assert found["part_lengths_m"] == pytest.approx(sorted(parts, reverse=True), rel=1e-3)
        assert found["length_m"] == pytest.approx(sum(parts), rel=1e-3)
        assert found["dead_ends"] == sum(degree == 1 for _, degree in graph.degree)
        start, end = data.draw(st.tuples(*[st.sampled_from(sorted(graph.nodes))] * 2))
        way = ask(database, "network", collection="paths", start=_point(graph, start), end=_point(graph, end))[
            "network"
        ]["way"]
        if networkx.has_path(graph, start, end):
            expected = networkx.shortest_path_length(graph, start, end, weight="metres")
            assert way["metres"] == pytest.approx(expected, rel=1e-3, abs=0.1)
        else:
            assert way is None

    tried()


def _point(graph, node):
    return mapping(Point(graph.nodes[node]["at"]))


def test_the_gap_that_joins_most_comes_first(database):
    """The wider gap to the longer part goes before the narrower one to the shorter; both are as wide as pyproj says."""
    place = laid((2.79, 50.44), step=100)
    put(
        database,
        "paths",
        [LineString([place((a, 0)), place((b, 0))]) for a, b in ((0, 10), (11, 14), (-7.5, -1.5))],
        accuracy=2,
    )
    answer = ask(database, "network", collection="paths", gap=300.0)
    gaps = [one["properties"] for one in answer["features"] if one["properties"]["what"] == "gap"]
    assert [one["metres"] for one in gaps] == pytest.approx([150, 100], rel=1e-3)
    assert [one["joins_m"] for one in gaps] == pytest.approx([600, 300], rel=1e-3)
    narrow = ask(database, "network", collection="paths", gap=90.0)
    assert not [one for one in narrow["features"] if one["properties"]["what"] == "gap"]


def test_ways_that_cross_or_end_upon_each_other_are_joined(database):
    """A cross and a T; and a T that fails to touch by less than its data are exact."""
    place = laid((2.79, 50.44), step=100)
    cross = [LineString([place((0, 1)), place((2, 1))]), LineString([place((1, 0)), place((1, 2))])]
    nearly = LineString([place((1.5, 1.02)), place((1.5, 2))])
    put(database, "paths", [*cross, nearly], accuracy=5)
    found = ask(database, "network", collection="paths")["network"]
    assert (found["parts"], found["dead_ends"]) == (1, 5)
    put(database, "paths", [*cross, nearly], accuracy=1)
    apart = ask(database, "network", collection="paths")["network"]
    assert (apart["parts"], apart["dead_ends"]) == (2, 6)


def test_a_network_finer_than_its_data_is_refused(database):
    """The error says how exact the paths are; schematic ones are no network at all unless asked for."""
    place = laid((2.79, 50.44))
    put(database, "paths", [LineString([place((0, 0)), place((1, 0))])], accuracy=20)
    with pytest.raises(BadInput, match="must be at least 20"):
        ask(database, "network", collection="paths", tolerance=5.0)
    assert ask(database, "network", collection="paths", tolerance=25.0)["network"]["tolerance_m"] == 25
    put(database, "paths", [LineString([place((0, 0)), place((1, 0))])], accuracy=600, position="schematic")
    found = ask(database, "network", collection="paths")
    assert (found["network"]["length_m"], found["features"]) == (0, [])
    assert ask(database, "network", collection="paths", schematic=True)["network"]["accuracy_m"] == 600


def test_the_real_mine_railways(database):
    """The disused railways of the World Heritage, as lines: parts and gaps against shapely and networkx."""
    file = SHARED / "loos" / "unesco_cavaliers.geojson"
    if not file.exists():
        pytest.skip("the open data of Loos is not here")
    frame = geopandas.read_file(file).to_crs(4326)
    lines = [part for one in frame.geometry.force_2d().boundary for part in shapely.get_parts(shapely.line_merge(one))]
    lines = [one for one in lines if one.geom_type == "LineString"][:120]
    put(database, "paths", lines, accuracy=1)
    plane = geopandas.GeoSeries(lines, crs=4326).to_crs(frame.estimate_utm_crs())
    graph = networkx.Graph()
    graph.add_nodes_from(range(len(lines)))
    graph.add_edges_from(
        (a, b) for a, b in itertools.combinations(range(len(lines)), 2) if plane[a].distance(plane[b]) <= 1
    )
    found = ask(database, "network", collection="paths")["network"]
    assert found["parts"] == networkx.number_connected_components(graph)
    assert found["length_m"] == pytest.approx(sum(GEOD.geometry_length(one) for one in lines), rel=1e-3)
