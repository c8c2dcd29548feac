"""Tiles add up: at every zoom, over all tiles, the counts and sums are those of the collection, whatever happened to it."""

import random
import threading
from datetime import date

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import errors as pg

from geo.curve import TOP_ZOOM, Tile
from geo.filters import Question
from geo.tiles import CELL_BITS, SINGLE, gathered_fields
from tests.conftest import Territory, clone
from tests.geo.tiling import EVERYTHING, Spot, collection, layers, put, tile_of, totals, zoom

QUICK = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ALL = collection()
FILTERED = (
    collection(technology="photovoltaic"),
    collection(technology=["heat_pump", "wind"]),
    collection(owner_kind="company"),
    collection(owner_kind="company", technology=["wind"]),
)
QUESTIONS = (
    Question(limit=1, equals={"technology": "wind"}),
    Question(limit=1, equals={"owner_kind": "company", "year": 2001}),
    Question(limit=1, period=(date(2001, 1, 1), date(2002, 12, 31))),
    Question(limit=1, period=(None, date(2001, 12, 31)), equals={"technology": "photovoltaic"}),
)
CROWD = SINGLE + 1
MIXED = [
    Spot(2.78, 50.44, 4300, 1e-5),
    Spot(2.78, 50.44, 100, 0.02),
    Spot(2.79, 50.45, 60, 0.01, 200),
    Spot(100.0, -30.0, 5, 1.0),
]

lons = st.one_of(st.floats(-180, 180), st.sampled_from([-180.0, 180.0, 179.9999999, -179.9999999, 0.0, 2.79]))
lats = st.one_of(
    st.floats(-85, 85), st.sampled_from([0.0, 5e-324, -1e-12, 85.0, -85.0, 85.06, -85.06, 85.0511288, 50.44])
)
spreads = st.sampled_from([0.0, 1e-6, 1e-4, 0.01, 1.0])
spots = st.builds(Spot, lons, lats, st.sampled_from([1, 2, 9]), spreads)
crowds = st.builds(Spot, lons, lats, st.just(CROWD), spreads.filter(lambda spread: spread < 0.1))
# The European grid is a projection of Europe; names of cells elsewhere are no addresses of squares.
homes = st.builds(
    Spot, st.floats(-9, 29), st.floats(36, 70), st.sampled_from([1, 12]), st.just(0.0), st.sampled_from([200, 1000])
)
scenes = st.tuples(st.lists(st.one_of(spots, homes), max_size=4), st.lists(crowds, max_size=1)).map(
    lambda parts: [*parts[0], *parts[1]]
)


@pytest.fixture(scope="module")
def ground(admin_url: str, migrated: str):
    """One database for the module; each test begins by emptying it."""
    with clone(admin_url, migrated) as territory:
        yield territory


def emptied(territory: Territory) -> Territory:
    """The same without installations."""
    with territory.superuser() as connection:
        connection.execute("truncate territory.installations cascade")
    return territory


def assert_conserved(territory: Territory, zooms, *, of=ALL, question=EVERYTHING) -> None:
    """Every zoom adds up to the table, in one snapshot."""
    with territory.db.read() as tx:
        for z in zooms:
            assert zoom(tx, of, z, question) == totals(tx, of, question), f"zoom {z}"


# Keys


@given(points=st.lists(st.tuples(lons, lats), min_size=1, max_size=50))
@QUICK
def test_a_key_is_the_tile_of_the_web_mercator_formula(ground, points):
    """SQL's key against Python's formula, and at every zoom the key lies in the range of that tile alone."""
    with ground.superuser() as connection:
        keys = connection.execute(
            "select territory.key22(ST_SetSRID(ST_MakePoint(lon, lat), 4326)), territory.even_bits(territory.key22(ST_SetSRID(ST_MakePoint(lon, lat), 4326))) "
            "from unnest(%s::float8[], %s::float8[]) p (lon, lat)",
            [[lon for lon, _ in points], [lat for _, lat in points]],
        ).fetchall()
    for (lon, lat), (key, column) in zip(points, keys, strict=True):
        top = tile_of(lon, lat, TOP_ZOOM)
        assert top.keys() == (key, key + 1)
        assert top.x == column
        for z in range(TOP_ZOOM + 1):
            first, end = tile_of(lon, lat, z).keys()
            assert first <= key < end


@given(z=st.integers(0, TOP_ZOOM), data=st.data())
def test_the_keys_of_a_tile_are_those_of_its_quarters(z, data):
    """Ranges nest and leave no gap: a cell of any zoom belongs to one tile."""
    x, y = (data.draw(st.integers(0, (1 << z) - 1)) for _ in "xy")
    first, end = Tile(z=z, x=x, y=y).keys()
    assert end - first == 1 << 2 * (TOP_ZOOM - z)
    if z < TOP_ZOOM:
        quarters = [Tile(z=z + 1, x=2 * x + i, y=2 * y + j).keys() for j in (0, 1) for i in (0, 1)]
        assert [low for low, _ in quarters] + [end] == [first] + [high for _, high in quarters]


# Totals


@given(scene=scenes, zooms=st.sets(st.integers(0, TOP_ZOOM), min_size=2, max_size=4))
@example(scene=[Spot(25.66, 71.1, 3, 0.0, 1000), Spot(25.7, 70.99, 1, 0.0, 1000)], zooms={11, 14, 18, 22})
@example(scene=[Spot(180.0, -85.06, CROWD), Spot(-180.0, 85.06, CROWD)], zooms={0, 8, 22})
@example(scene=[Spot(2.79, 50.45, CROWD), Spot(2.79, 50.45, CROWD, 0.0, 200)], zooms={0, 5, 8, 9, 10, 11, 14, 22})
@QUICK
def test_at_every_zoom_the_tiles_add_up_to_the_collection(ground, scene, zooms):
    """Whatever the scene: nothing is dropped, nothing told twice."""
    put(emptied(ground), scene)
    assert_conserved(ground, zooms)


def test_all_zooms_add_up_for_a_crowd_a_line_and_homes(ground):
    """From the roll-ups of low zooms over cells counted from the index to single points and squares."""
    scene = [
        Spot(2.78, 50.44, 1500, 1e-5),
        Spot(2.78, 50.44, 40, 0.03),
        Spot(-180.0, 10.0, 3),
        Spot(179.99999, 10.0, 3),
        Spot(2.79, 50.45, 40, 0.01, 200),
    ]
    put(emptied(ground), scene)
    assert_conserved(ground, range(TOP_ZOOM + 1))


@pytest.mark.parametrize("of", FILTERED, ids=lambda one: repr(dict(one.filter)))
def test_a_collections_filter_holds_at_every_zoom(ground, of):
    """By what the roll-ups know, and by what they do not."""
    put(emptied(ground), MIXED)
    assert_conserved(ground, (0, 3, 5, 6, 8, 9, 11, 13, 22), of=of)


@pytest.mark.parametrize("question", QUESTIONS, ids=repr)
def test_a_question_holds_at_every_zoom(ground, question):
    """The filters of items, asked of tiles."""
    put(emptied(ground), MIXED)
    assert_conserved(ground, (0, 5, 8, 10, 12, 22), question=question)
    assert_conserved(ground, (0, 9), of=FILTERED[2], question=question)


def test_exactly_as_many_as_are_shown_singly(ground):
    """The last crowd of single points has ids and names, the first one more is cells."""
    with emptied(ground).db.read() as tx:
        assert layers(tx, ALL, Tile(z=0, x=0, y=0)) == {}
    put(ground, [Spot(2.78, 50.44, SINGLE, 0.02)])
    with ground.db.read() as tx:
        singles = layers(tx, ALL, Tile(z=0, x=0, y=0))["some"]
    assert len(singles.features) == len({one.id for one in singles.features}) == SINGLE
    assert all(one.properties["name"] == "n" and "point_count" not in one.properties for one in singles.features)
    put(ground, [Spot(2.78, 50.44)], "one more")
    with ground.db.read() as tx:
        cells = layers(tx, ALL, Tile(z=0, x=0, y=0))["some"]
    assert sum(one.properties["point_count"] for one in cells.features) == SINGLE + 1
    assert all(one.id is None for one in cells.features)
    assert {name for one in cells.features for name in one.properties} <= {*gathered_fields(ALL.kind)}
    assert (cells.version, cells.extent) == (2, 4096)


def test_a_cell_lies_where_its_points_are(ground):
    """The middle of a cell is within half a cell of the points that it stands for."""
    put(emptied(ground), [Spot(2.78, 50.44, CROWD)])
    with ground.db.read() as tx:
        for z in range(TOP_ZOOM + 1):
            where = tile_of(2.78, 50.44, z)
            (cell,) = layers(tx, ALL, where)["some"].features
            ((x, y),) = cell.parts[0]
            row = tx.exec_driver_sql(
                "select (ST_X(p.geom) - ST_XMin(t.box)) / ST_Area(t.box) ^ 0.5 * 4096 as x, (ST_YMax(t.box) - ST_Y(p.geom)) / ST_Area(t.box) ^ 0.5 * 4096 as y "
                "from (select ST_TileEnvelope(%s, %s, %s) as box) t, (select ST_Transform(ST_SetSRID(ST_MakePoint(2.78, 50.44), 4326), 3857) as geom) p",
                (z, where.x, where.y),
            ).one()
            half = max(4096 >> CELL_BITS, 4096 >> (TOP_ZOOM - z)) / 2 + 1
            assert abs(row.x - x) <= half
            assert abs(row.y - y) <= half


def test_totals_hold_after_update_delete_truncate_and_coming_back(ground):
    """Moved, re-classed, re-measured, deleted, emptied, filled again."""
    put(emptied(ground), [Spot(2.78, 50.44, 1800, 0.05), Spot(2.79, 50.45, 30, 0.01, 200), Spot(-60.0, -30.0, 40, 3.0)])
    zooms = (0, 5, 8, 9, 12)
    assert_conserved(ground, zooms)
    for change in (
        "update territory.installations set geom = ST_Translate(geom, 0.5, 0.5) where position <> 'cell' and id % 2 = 0",
        "update territory.installations set technology = 'wind', power_kw = power_kw + 1.234, area_m2 = null where id % 3 = 0",
        "update territory.installations set position = 'cell', cell = register.cell_name(geom, 1000), geom = register.cell_centre(geom, 1000) where ST_X(geom) > 0 and id % 7 = 0",
        "delete from territory.installations where id % 4 = 0",
        "insert into territory.installations (source_key, name, technology, power_kw, source, licence, position, geom) "
        "select source_key, name, technology, 7, source, licence, 'surveyed', geom from territory.installations "
        "on conflict (source_key) do update set power_kw = excluded.power_kw",
        "truncate territory.installations cascade",
    ):
        with ground.superuser() as connection:
            connection.execute(change.encode())
        assert_conserved(ground, zooms)
    put(ground, [Spot(2.78, 50.44, 1800, 0.05)])
    assert_conserved(ground, zooms)


# Roll-ups

KEPT = """
select cell, class, n, power_kw, area_m2, annual_mwh from territory.installations_cells{zoom} order by cell, class
"""
COUNTED = """
select key22 >> {shift}, technology, count(*), coalesce(sum(round(power_kw * 1000)::bigint), 0),
       coalesce(sum(round(area_m2 * 1000)::bigint), 0), coalesce(sum(round(annual_mwh * 1000)::bigint), 0)
from territory.installations group by 1, 2 order by 1, 2
"""


def assert_exact(territory: Territory) -> None:
    """What is kept is what counting anew gives, with no row for nothing."""
    with territory.superuser() as connection:
        for level in (11, 14):
            kept = connection.execute(KEPT.format(zoom=level).encode()).fetchall()
            assert kept == connection.execute(COUNTED.format(shift=2 * (22 - level)).encode()).fetchall()


moves = st.sampled_from(
    [
        "update territory.installations set geom = ST_SetSRID(ST_MakePoint(-ST_X(geom), -ST_Y(geom)), 4326) where position <> 'cell' and id % {k} = 0",
        "update territory.installations set technology = 'heat_pump' where id % {k} = 0",
        "update territory.installations set power_kw = null, area_m2 = id % 90 / 7.0 where id % {k} = 0",
        "update territory.installations set name = 'm' where id % {k} = 0",
        "delete from territory.installations where id % {k} = 0",
        "truncate territory.installations cascade",
        "begin; delete from territory.installations where id % {k} = 0; update territory.installations set power_kw = 1; rollback",
    ]
)


@given(scene=scenes, changes=st.lists(st.tuples(moves, st.integers(1, 5)), max_size=4), more=scenes)
@QUICK
def test_roll_ups_stay_exact_through_any_story(ground, scene, changes, more):
    """Insert, update, delete, truncate, roll back, insert."""
    put(emptied(ground), scene)
    for sql, k in changes:
        with ground.superuser() as connection:
            connection.execute(sql.format(k=k).encode())
        assert_exact(ground)
    put(ground, more, "more")
    assert_exact(ground)


CHANGES = (
    "delete from territory.installations where {mine} and id % 5 = {n}",
    "update territory.installations set technology = 'wind' where {mine}",
    "update territory.installations set technology = 'photovoltaic' where {mine}",
    "update territory.installations set geom = ST_SetSRID(ST_MakePoint(5.7 - ST_X(geom), ST_Y(geom)), 4326) where {mine}",
    "insert into territory.installations (source_key, name, technology, power_kw, source, licence, position, geom) "
    "select '{seed}-{n}-' || clock_timestamp() || i, 'n', 'photovoltaic', i, 's', 'l', 'surveyed', "
    "ST_SetSRID(ST_MakePoint(2.78 + i * 0.003, 50.44), 4326) from generate_series(1, 60) i",
)


def test_roll_ups_stay_exact_with_two_writers_at_once(ground):
    """Each changes rows of its own in cells that both share, and neither must step back for the other."""
    put(emptied(ground), [Spot(2.78, 50.44, 2000, 0.3)])
    together = threading.Barrier(2)
    stepped_back: list[str] = []

    def write(seed: int) -> None:
        dice = random.Random(seed)
        with ground.superuser() as connection:
            for n in range(60):
                together.wait(30)
                mine = f"(source_key like '{seed}-%' or source_key like '1-%' and id % 2 = {seed - 2})"
                # First one's old class is the other's new one, over and over; then whatever comes.
                change = CHANGES[1 + (n + seed) % 2] if n < 40 else dice.choice(CHANGES)
                change = change.format(mine=mine, seed=seed, n=dice.randrange(5))
                try:
                    connection.execute(change.encode())
                except pg.DeadlockDetected as error:
                    stepped_back.append(str(error))

    writers = [threading.Thread(target=write, args=(seed,)) for seed in (2, 3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert_exact(ground)
    assert_conserved(ground, (0, 8, 12))
    assert stepped_back == []
