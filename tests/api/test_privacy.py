"""Wherever in its cell a home stands, every public byte is the same: tried by moving it."""

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.conftest import client_of
from tests.conftest import PATIENT, clone
from tests.declaring import published

CORNER = (3810200, 3063600)
"""Lower left corner of a 200 m square in the middle of Loos, in EPSG:3035."""

PUBLIC = (
    "/collections",
    "/collections/installations",
    "/collections/installations/items?limit=1000",
    "/collections/installations/items?limit=1000&f=html",
    "/collections/installations/items?bbox=2.794,50.457,2.796,50.459",
    "/collections/installations/queryables",
    "/processes/nearby/execution?collections=installations&lon=2.79421&lat=50.45832&distance=150",
)


def place(transaction, x, y):
    """The longitude and latitude of a point of EPSG:3035."""
    from sqlalchemy import text

    row = transaction.execute(
        text("select ST_X(g), ST_Y(g) from ST_Transform(ST_SetSRID(ST_MakePoint(:x, :y), 3035), 4326) g"),
        {"x": x, "y": y},
    ).one()
    return tuple(row)


def answers(loos, precision, dx, dy):
    """Every public answer after a home at this place of its cell was declared and approved, ids and times aside."""
    with loos.db.write() as tx:
        at = list(place(tx, CORNER[0] + dx, CORNER[1] + dy))
    published(loos, at=at, precision=precision, power_kw=8.4, year=2021)
    with loos.db.write() as tx:
        settle(tx)
    with client_of(loos) as client:
        found = {path: (client.get(path).content, *headers(client.get(path))) for path in PUBLIC}
    with loos.superuser() as connection:
        connection.execute("delete from territory.installations where source_key like 'declaration:%'")
        connection.execute("update register.declarations set public_id = null")
    return found


def settle(tx):
    """What differs between two declarations whoever makes them: number, key and moment, made equal here."""
    tx.exec_driver_sql("alter table territory.installations disable trigger stamp")
    tx.exec_driver_sql(
        "update territory.installations set id = default, updated_at = '2026-05-01', source_key = 'declaration:x' "
        "where source_key like 'declaration:%%'"
    )
    tx.exec_driver_sql("alter table territory.installations alter id restart with 1000")
    tx.exec_driver_sql("update territory.installations set id = default where source_key like 'declaration:%%'")


def headers(answer):
    """All headers that speak of the data."""
    return tuple(
        (name, value) for name, value in answer.headers.items() if name not in ("date", "x-request-id", "etag")
    )


@pytest.mark.parametrize("precision", ["cell_200m", "cell_1km", "statistics"])
def test_moving_a_home_in_its_cell_changes_no_public_byte(admin_url, seeded, precision):
    """Items, item, page, box, distance, queryables, extents: the same for every point of the square."""
    with clone(admin_url, seeded) as loos:
        reference = answers(loos, precision, 100, 100)
        inside = st.floats(0.01, 199.99)

        @given(dx=inside, dy=inside)
        @settings(max_examples=15, deadline=None, suppress_health_check=PATIENT, database=None)
        def moved(dx, dy):
            assert answers(loos, precision, dx, dy) == reference

        moved()


def test_the_test_can_tell(admin_url, seeded):
    """Were the exact point shown, the same comparison would see it."""
    with clone(admin_url, seeded) as loos:
        show = partial(answers, loos, "cell_200m")
        assert show(100, 100) != show(300, 100)
