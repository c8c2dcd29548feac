"""Wherever in its cell a home stands, every public byte is the same, headers and tags included: tried by moving it."""

import math
import os
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from geo.errors import BadInput
from geo.register import sums
from tests.api.conftest import application, client_of
from tests.conftest import PATIENT, Territory, clone
from tests.declaring import NOW, published

MIDDLE = (3810200, 3063600)
"""Lower left corner of a 200 m square in the middle of Loos, in EPSG:3035."""

EXAMPLES = 40 if os.environ.get("GOHELLE_LONG") else 4
NUMBER = 1_000_000
"""The item's number while answers are compared."""

PAGES = (
    "/?f=json",
    "/?f=html",
    "/collections",
    "/collections/installations",
    "/collections/installations?f=html",
    "/collections/installations/items?limit=1000",
    "/collections/installations/items?limit=1000&f=html",
    "/collections/installations/items?bbox=2.794,50.457,2.796,50.459",
    "/collections/installations/items?technology=heat_pump&limit=1000",
    f"/collections/installations/items/{NUMBER}",
    f"/collections/installations/items/{NUMBER}?f=html",
    "/collections/installations/queryables",
    "/collections/installations/schema",
    "/collections/installations/tiles/WebMercatorQuad",
    "/collections/solar/items?limit=1000",
    "/styles/territory",
    "/declared-sums",
    "/declared-sums?f=html",
    "/collections/installations/new",
    "/collections/installations/changes",
    "/collections/installations/items?sortby=-updated_at&limit=1000",
    "/collections/installations/items?filter=updated_at%20%3D%20TIMESTAMP('2026-05-01T00:00:00Z')",
    "/processes/nearby/execution?collections=installations&lon=2.79421&lat=50.45832&distance=150",
    "/processes/nearby/execution?collections=installations&lon=2.79421&lat=50.45832&distance=2000",
)


def place(loos: Territory, x: float, y: float) -> list[float]:
    """The longitude and latitude of a point of EPSG:3035."""
    with loos.superuser() as connection:
        sql = "select ST_X(g), ST_Y(g) from ST_Transform(ST_SetSRID(ST_MakePoint(%s, %s), 3035), 4326) g"
        return list(connection.execute(sql, [x, y]).fetchone() or [])


def tiles(loos: Territory, corner: tuple[int, int]) -> Iterator[str]:
    """The tiles of every zoom that hold the square's middle, and near ground those of its corners."""
    spots = [(zoom, 100, 100) for zoom in range(20)] + [(zoom, dx, dx) for zoom in (17, 19) for dx in (1, 199)]
    for zoom, dx, dy in spots:
        lon, lat = place(loos, corner[0] + dx, corner[1] + dy)
        column = int((lon + 180) / 360 * 2**zoom)
        row = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**zoom)
        yield f"/collections/installations/tiles/WebMercatorQuad/{zoom}/{row}/{column}"
        if zoom in (0, 10, 16):
            yield f"/tiles/WebMercatorQuad/{zoom}/{row}/{column}"


def answers(loos: Territory, paths: tuple[str, ...], precision: str, at: list[float]) -> dict[str, object]:
    """Every public answer once a home at this point is declared, approved and counted; then all of it is taken away."""
    clear(loos)
    published(loos, at=at, precision=precision, power_kw=8.4, year=2021, words="Venez voir", address="12 rue X")
    with loos.db.write() as tx:
        sums.refresh(tx, now=NOW)
    freeze(loos)
    with client_of(loos) as client:
        application(client).state.house.build = "one"  # whatever happens to the files meanwhile
        return {path: told(client.get(path)) for path in paths}


def clear(loos: Territory) -> None:
    """Everything that the declaration of before left."""
    with loos.superuser() as connection:
        connection.execute("delete from territory.installations where dataset = 'register' and source_key <> 'fixed'")
        connection.execute(
            "delete from register.declarations where contributor in "
            "(select id from register.contributors where email = 'resident@example.org')"
        )
        connection.execute("delete from register.sums_told")
        connection.execute("delete from territory.tombstones")


def freeze(loos: Territory) -> None:
    """What differs between two declarations whoever makes them: number, key, day and versions, made equal here.

    The time of the day stays what it was: where it were public, two runs of a test would differ.
    """
    with loos.superuser() as connection:
        connection.execute("alter table territory.installations disable trigger stamp")
        connection.execute(
            "update territory.installations set source_key = 'declaration:x', "
            "updated_at = timestamptz '2026-05-01Z' + (updated_at - date_trunc('day', updated_at, 'UTC')) "
            "where source_key like 'declaration:%'"
        )
        connection.execute("alter table territory.installations alter id restart with 1000000")  # NUMBER
        connection.execute("update territory.installations set id = default where source_key = 'declaration:x'")
        connection.execute(
            "update territory.version set version = 1, "
            "changed_at = timestamptz '2026-05-01Z' + (changed_at - date_trunc('day', changed_at, 'UTC'))"
        )


def told(answer) -> tuple[object, ...]:
    """Status, body and every header, the tag among them; only the request's own number and date are left out."""
    number = answer.headers["x-request-id"].encode()
    body = answer.content.replace(number, b"")
    own = ("date", "x-request-id", "content-length" if number in answer.content else "")
    return answer.status_code, body, *((name, value) for name, value in answer.headers.items() if name not in own)


@pytest.fixture(scope="module")
def still(admin_url: str, seeded: str) -> Iterator[Territory]:
    """Loos, where four others are counted and not shown, so that a fifth makes a sum."""
    with clone(admin_url, seeded) as loos:
        for n in range(4):
            published(loos, precision="statistics", power_kw=8.4, email=f"r{n}@example.org")
        yield loos


def on_the_border(loos: Territory) -> tuple[int, int]:
    """Lower left corner of a square that the commune's outline cuts."""
    sql = """
        select floor(ST_X(p) / 200) * 200, floor(ST_Y(p) / 200) * 200
        from (select ST_Transform(ST_StartPoint(ST_ExteriorRing(ST_GeometryN(geom, 1))), 3035) as p
              from territory.communes where insee = '62528') q"""
    with loos.superuser() as connection:
        x, y = connection.execute(sql).fetchone() or (0, 0)
    return int(x), int(y)


@pytest.mark.parametrize(
    ("precision", "where"),
    [
        ("cell_200m", "middle"),
        ("cell_1km", "middle"),
        ("statistics", "middle"),
        ("cell_200m", "border"),
        ("statistics", "border"),
    ],
)
def test_moving_a_home_in_its_cell_changes_no_public_byte(still, precision, where):
    """Items, item, pages, tiles at every zoom, boxes, distances, extents, sums: the same for every point of the square."""
    corner = MIDDLE if where == "middle" else on_the_border(still)
    paths = (*PAGES, *tiles(still, corner))
    reference: dict[str, object] = {}

    inside = st.floats(0.01, 199.99)

    @given(dx=inside, dy=inside)
    @settings(
        max_examples=EXAMPLES, deadline=None, suppress_health_check=PATIENT, database=None, phases=[Phase.generate]
    )
    def moved(dx: float, dy: float):
        try:
            found = answers(still, paths, precision, place(still, corner[0] + dx, corner[1] + dy))
        except BadInput:  # beyond what the outline is sure of, a declaration is refused
            assume(False)
            return
        reference.update(found if not reference else {})
        assert {path for path in paths if found[path] != reference[path]} == set()

    moved()
    item = f"/collections/installations/items/{NUMBER}"
    assert reference[item][0] == (404 if precision == "statistics" else 200)  # pyright: ignore[reportIndexIssue]
    assert (b'"count":5' in reference["/declared-sums"][1]) == (precision == "statistics")  # pyright: ignore[reportIndexIssue]


def test_the_test_can_tell(still):
    """Were the exact point shown, or another square, the same comparison would see it: in items and in tiles."""
    paths = (*PAGES, *tiles(still, MIDDLE))
    spots = [place(still, MIDDLE[0] + dx, MIDDLE[1] + 100) for dx in (100, 300)]
    one, other = (answers(still, paths, "cell_200m", at) for at in spots)
    changed = {path for path in paths if one[path] != other[path]}
    assert "/collections/installations/items?limit=1000" in changed
    assert any("/tiles/WebMercatorQuad/16/" in path for path in changed)


def test_the_reader_has_no_way_into_the_register(shown):
    """PostgreSQL itself refuses the public's login: every table, every function."""
    with shown.superuser() as connection:
        tables = connection.execute("select tablename from pg_tables where schemaname = 'register'").fetchall()
    assert len(tables) > 10
    url = shown.settings.reader_url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as reader:
        for sql in (
            *(f"select * from register.{table}" for (table,) in tables),
            "select register.cell_name('SRID=4326;POINT(2.79 50.45)', 200)",
            "set role gohelle",
            "create table territory.x ()",
        ):
            with pytest.raises(psycopg.Error):
                reader.execute(sql)  # pyright: ignore[reportArgumentType, reportCallIssue]
