"""Boxes along the z-order curve: the stretches cover them, and pages along the curve show each item of a box once."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geo.collections import Collection, reach
from geo.curve import CELLS, Tile, spread, stretches
from geo.errors import BadQuery
from geo.features import COUNTED, page, page_sql
from geo.filters import Question
from geo.space import Bbox
from tests.conftest import PATIENT, Territory, clone
from tests.geo.tiling import Spot, collection, put, tile_of

longitudes = st.floats(-180, 180) | st.sampled_from([-180.0, 0.0, 180.0, 2.79, 1e-310])
latitudes = st.floats(-90, 90) | st.sampled_from([-90.0, -85.06, 0.0, 50.44, 85.0511287, 85.06, 90.0])


@st.composite
def boxes(draw: st.DrawFn) -> Bbox:
    """Any box that the service takes, also across the antimeridian, and without width or height."""
    south, north = sorted((draw(latitudes), draw(latitudes)))
    return Bbox(draw(longitudes), south, draw(longitudes), north)


def key_of(lon: float, lat: float) -> int:
    """The key of a place, by the formula of web mercator."""
    tile = tile_of(lon, lat, 22)
    return spread(tile.x) | spread(tile.y) << 1


def holds(box: Bbox, lon: float, lat: float) -> bool:
    """Whether a place lies in a box, by its degrees."""
    return any(part.west <= lon <= part.east and part.south <= lat <= part.north for part in box.parts())


@settings(max_examples=300)
@given(box=boxes(), places=st.lists(st.tuples(longitudes, st.floats(-85.06, 85.06)), max_size=40))
@example(box=Bbox(10, -5, 9, 5), places=[(9.5, 0.0), (-180.0, 0.0), (180.0, 0.0)])
@example(box=Bbox(177, 65, -177, 70), places=[(179.0, 66.0), (-179.0, 66.0), (0.0, 66.0)])
def test_stretches_hold_what_lies_in_the_box(box: Bbox, places: list[tuple[float, float]]) -> None:
    """In the curve's order, none twice; those that say `inside` hold nothing else."""
    found = stretches(box)
    assert 0 < len(found) <= CELLS
    assert all(one.lo < one.hi for one in found)
    assert all(before.hi <= after.lo for before, after in pairwise(found))
    for lon, lat in places:
        met = [one for one in found if one.lo <= key_of(lon, lat) < one.hi]
        if holds(box, lon, lat):
            assert len(met) == 1
        elif met:
            assert not met[0].inside


def test_stretches_of_a_wide_box_need_no_look_at_most_places() -> None:
    """Else each place would be fetched to be counted."""
    found = stretches(Bbox(-1.9, 43.2, 5.6, 49.1))
    sure = sum(one.hi - one.lo for one in found if one.inside)
    assert sure > 0.4 * sum(one.hi - one.lo for one in found)


@given(z=st.integers(0, 22), data=st.data())
def test_a_tile_is_one_stretch(z: int, data: st.DataObject) -> None:
    """A tile's keys are those of the places in it."""
    x, y = (data.draw(st.integers(0, (1 << z) - 1)) for _ in "xy")
    lo, hi = Tile(z=z, x=x, y=y).keys()
    assert hi - lo == 1 << 2 * (22 - z)
    west, north = x / (1 << z) * 360 - 180, y
    assert lo <= key_of(west + 180 / (1 << z), _latitude(north + 0.5, z)) < hi


def _latitude(row: float, z: int) -> float:
    from math import atan, degrees, pi, sinh

    return degrees(atan(sinh(pi * (1 - 2 * row / (1 << z)))))


SPOTS = [
    Spot(2.79, 50.44, copies=90, spread=0.4),
    Spot(2.79, 50.44, copies=40, cell=200),  # homes that share a place, and so a key
    Spot(179.9, 10.0, copies=20, spread=0.2),
    Spot(-179.9, 10.0, copies=20, spread=0.05),
    Spot(0.0, 0.0, copies=3),
    Spot(-180.0, -85.06),
    Spot(180.0, 85.06),
]


@pytest.fixture(scope="module")
def scattered(admin_url: str, migrated: str) -> Iterator[Territory]:
    """Installations in crowds, in one place, on both sides of the antimeridian and at the ends of the world."""
    with clone(admin_url, migrated) as territory:
        put(territory, SPOTS)
        yield territory


def walked(
    territory: Territory, of: Collection, box: Bbox, limit: int, equals: dict[str, str]
) -> tuple[list[int], set]:
    """The ids of all pages, in their order, and every numberMatched that was said."""
    ids: list[int] = []
    said, after = set(), ()
    with territory.db.read() as tx:
        whole = reach(tx, of)
        while True:
            question = Question(limit=limit, bbox=box, after=after, equals=equals)
            shown = page(of, question, reach=whole).asked(tx)
            said.add(shown.matched)
            ids += [int(part.split(",")[0]) for part in shown.features.split('{"type":"Feature","id":')[1:]]
            if shown.next_after is None:
                return ids, said
            after = shown.next_after


@settings(max_examples=60, deadline=None, suppress_health_check=PATIENT)
@given(box=boxes(), limit=st.integers(1, 70), wind=st.booleans())
@example(box=Bbox(2.5, 50, 3.5, 51), limit=7, wind=False)
@example(box=Bbox(179, 9, -179, 11), limit=3, wind=True)
@example(box=Bbox(-180, -90, 180, 90), limit=11, wind=False)
def test_pages_of_a_box_show_each_of_its_items_once(scattered: Territory, box: Bbox, limit: int, wind: bool) -> None:
    """And each page says how many there are; the conditions beside the box hold too."""
    equals = {"technology": "wind"} if wind else {}
    ids, said = walked(scattered, collection(), box, limit, equals)
    with scattered.superuser() as connection:
        rows = connection.execute(
            "select id, technology, ST_X(geom), ST_Y(geom) from territory.installations"
        ).fetchall()
    wanted = {id for id, technology, x, y in rows if holds(box, x, y) and (not wind or technology == "wind")}
    assert len(ids) == len(set(ids))
    assert set(ids) == wanted
    assert said == {len(wanted)}


def test_the_count_stops(database: Territory) -> None:
    """Above COUNTED nothing is said; up to it the number is exact, wherever in the box the items lie."""
    put(database, [Spot(2.5, 50.5, copies=COUNTED - 3, spread=0.5), Spot(2.0, 50.0, copies=3)])
    box = Bbox(2.0, 50.0, 3.0, 51.0)
    for more, matched in ((0, COUNTED), (1, None)):
        put(database, [Spot(3.0, 51.0, copies=more)], mark="more")
        with database.db.read() as tx:
            question = Question(limit=5, bbox=box)
            assert page(collection(), question, reach=reach(tx, collection())).asked(tx).matched == matched


@pytest.mark.parametrize(("bbox", "after"), [(Bbox(2, 50, 3, 51), (7,)), (None, (7, 8))])
def test_a_cursor_of_another_question_is_refused(
    scattered: Territory, bbox: Bbox | None, after: tuple[int, ...]
) -> None:
    """A page by id cannot begin at a place on the curve, nor the other way round."""
    with scattered.db.read() as tx, pytest.raises(BadQuery) as refused:
        page_sql(collection(), Question(limit=5, bbox=bbox, after=after), reach=reach(tx, collection()))
    assert [problem.parameter for problem in refused.value.problems] == ["cursor"]
