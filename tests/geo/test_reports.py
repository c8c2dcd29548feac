"""Reports' maps against pyproj and shapely, and the printer's walls."""
# pyright: reportArgumentType=false, reportCallIssue=false, reportAttributeAccessIssue=false

import json
import re
import socket
import threading

import pyproj
import pytest
import shapely
from shapely.geometry import LineString, Point, Polygon, mapping

from geo import errand
from geo.errors import TooSlow, Unavailable
from geo.files import printing
from geo.planning.question import Asked
from geo.planning.questions import question
from geo.planning.sheet import HEIGHT, WIDTH, sheet
from tests.geo.planned import WORLD, ask, put
from tests.papers import inflated

GEOD = pyproj.Geod(ellps="WGS84")
HERE = Point(2.79, 50.44)
LAMBERT = pyproj.Transformer.from_crs(4326, 2154, always_xy=True).transform


def flat(shape):
    """In Lambert-93."""
    return shapely.transform(shape, LAMBERT, interleaved=False)


def away(metres, azimuth=90.0, here=HERE):
    """A point so many metres from here."""
    return Point(GEOD.fwd(here.x, here.y, azimuth, metres)[:2])


def rings(path):
    """The corners of each part of an SVG path."""
    return [[tuple(map(float, pair.split())) for pair in re.findall(r"-?[\d.]+ -?[\d.]+", part)] for part in path.split("M")[1:]]  # fmt: skip


def reported(database, **inputs):
    """The report of a scenario, as a process makes it."""
    verb = question("scenario")
    asked = json.loads(json.dumps(inputs))
    answer = ask(database, "scenario", **asked)
    assert verb.report
    with database.db.read_long() as tx:
        return verb.report(Asked(tx=tx, territory=WORLD, lang=None), verb.read(asked), answer), answer["scenario"]


def test_the_sheet_is_lambert_93(database):
    """Every corner of a park stands where pyproj's EPSG:2154 has it, to a fifth of a unit; the whole lies in the frame."""
    park = HERE.buffer(0.004, quad_segs=4)
    with database.db.read() as tx:
        map = sheet(tx, json.dumps(mapping(park)), around=300)
        [ring] = rings(map.given(tx, "proposal", {}, [mapping(park)]).path)
    for x, y in ring:
        assert 0 < x < WIDTH
        assert 0 < y < HEIGHT
    drawn = Polygon([(map.left + x * map.metres / WIDTH, map.top - y * map.metres / WIDTH) for x, y in ring])
    assert drawn.hausdorff_distance(flat(park)) < 0.4 * map.metres / WIDTH
    assert map.north == pytest.approx(0.7256 * (2.79 - 3) * -1, abs=0.02)


@pytest.mark.parametrize(("lon", "lat"), [(55.5, -21.1), (-61.5, 16.2), (179.9, 10.0), (20.0, 84.0)])
def test_elsewhere_the_sheet_has_its_own_middle(database, lon, lat):
    """Overseas, and where no commune is: a line of a kilometre is a kilometre long on the map."""
    here = Point(lon, lat)
    line = LineString([here, away(1000, -60.0, here)])
    with database.db.read() as tx:
        map = sheet(tx, json.dumps(mapping(line)))
        [ends] = rings(map.given(tx, "proposal", {}, [mapping(line)]).path)
    assert LineString(ends).length * map.metres / WIDTH == pytest.approx(1000, rel=2e-3)


def test_what_a_park_gains_is_drawn_as_it_is_counted(database):
    """The zones against shapely, to a hundredth; as many points of each look as the answer counts, within the frame."""
    park, old = away(800).buffer(0.001, quad_segs=8), HERE.buffer(0.001, quad_segs=8)
    put(database, "areas", [old])
    put(database, "places", [away(160), away(200), away(760), away(1080), away(1400), away(-800)])
    report, told = reported(database, geometry=mapping(park), collections=["places"], covers="areas", covered="places", distance=300)  # fmt: skip
    layers = {one.look: one for one in report.drawing.layers}
    metres = report.drawing.metres
    reach = flat(old).buffer(300)
    whole = shapely.union_all([reach, flat(park).buffer(300)])
    [gained] = rings(layers["gained"].path)
    assert Polygon(gained).area * metres**2 == pytest.approx(whole.area - reach.area, rel=0.01)
    assert len(layers["before"].points) == told["coverage"]["before"]["covered"] == 2
    assert len(layers["after"].points) == told["coverage"]["after"]["covered"] - 2 == 2
    assert len(layers["never"].points) <= 2
    [(number, x, _)] = report.drawing.marks
    assert (number, 0 < x < WIDTH) == (1, True)


def test_tables_say_what_the_answer_says(database):
    """A bridge: before, after, and what changes; each collection once among the grounds."""
    put(database, "paths", [LineString([away(-1000), away(-100)]), LineString([away(100), away(1000)])], accuracy=2)
    bridge = LineString([away(-100), away(100)])
    report, told = reported(database, geometry=mapping(bridge), collections=["paths"], paths="paths", title="Le pont")
    [parts, longest, _] = report.tables[0].rows
    assert [cell.value for cell in parts[1:]] == [2, 1, -1]
    assert longest[2].value == told["connection"]["after"]["longest_m"] == pytest.approx(2000, rel=1e-3)
    assert (report.name, told["title"]) == ("Le pont", "Le pont")
    assert [one["collection"] for one in report.resting["grounds"]] == ["paths"]
    assert report.resting["accuracy_m"] == 2
    [origin] = report.origins
    assert (origin.source, origin.licence, origin.items) == ("s", "l", 2)


def test_nothing_is_fetched_for_paper():
    """Neither a file nor an address that the page names; the paper is PDF/UA all the same."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        page = f'<html lang="fr"><title>t</title><img alt="a" src="http://127.0.0.1:{port}/a.png"><link rel="stylesheet" href="http://127.0.0.1:{port}/a.css"><link rel="attachment" href="file:///etc/passwd"><p>bonjour'  # fmt: skip
        paper = printing.printed(page)
        with pytest.raises(TimeoutError):
            server.accept()
    whole = inflated(paper)
    assert b"pdfuaid" in whole
    assert b"root:" not in whole


def test_who_leaves_stops_the_press():
    """The child is killed within a second or two, however long the page is; what it lacks is told."""
    with errand.begin() as mine:
        threading.Timer(1, mine.abandon).start()
        with pytest.raises(TooSlow):
            printing.printed("<p>bonjour" * 200_000)
    with pytest.raises(Unavailable, match="Pango"):
        printing._whole(b"", printing.NO_PANGO)
    with pytest.raises(printing.PrintingDied):
        printing._whole(b"half", 0)
