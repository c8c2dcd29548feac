"""How tiles are asked: one statement each, from the key's index where points are counted, from the geometry's where shapes are cut."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Connection

from geo import tiles
from geo.collections import Collection
from geo.curve import Tile
from tests.conftest import Territory, clone
from tests.geo.tiling import EVERYTHING, Spot, collection, put, tile_of

PLACE = (2.79, 50.45)
SHAPE = {
    "areas": "ST_Multi(ST_Expand(p, 0.0005))",
    "paths": "ST_Multi(ST_MakeLine(p, ST_Translate(p, 0.001, 0.0005)))",
}


@pytest.fixture(scope="module")
def full(admin_url: str, migrated: str) -> Iterator[Territory]:
    """20,000 installations, areas and paths, as a database that has seen a vacuum knows them."""
    with clone(admin_url, migrated) as territory:
        put(territory, [Spot(2.74, 50.4, 20_000, 0.12), Spot(2.7, 50.4, 300, 0.2, 200)])
        with territory.superuser() as connection:
            for kind, category in (("areas", "park"), ("paths", "footpath")):
                connection.execute(
                    f"insert into territory.{kind} (source_key, name, category, source, licence, position, geom) "
                    f"select n, 'n', '{category}', 's', 'l', 'surveyed', {SHAPE[kind]} from generate_series(1, 20000) n, "
                    "lateral (select ST_SetSRID(ST_MakePoint(1 + n % 200 * 0.015, 49 + n / 200 * 0.03), 4326) as p) q".encode()
                )
            connection.execute("vacuum analyze territory.installations")
            connection.execute("vacuum analyze")
        yield territory


def asked(tx: Connection, of: Collection, where: Tile) -> list[tuple[str, Any]]:
    """The statements that a tile asks."""
    heard: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        heard.append((statement, values))

    event.listen(tx, "before_cursor_execute", hear)
    tiles.tile([(of, EVERYTHING)], where, lang=None).asked(tx)
    event.remove(tx, "before_cursor_execute", hear)
    return heard


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All steps of a plan that ran."""
    if plan.get("Actual Loops"):
        yield plan
        for part in plan.get("Plans", ()):
            yield from nodes(part)


def ran(territory: Territory, of: Collection, z: int, *, setting: str = "") -> list[tuple[str, str, str]]:
    """What the steps that touched a table did: (node type, table or none, index or none)."""
    with territory.db.read() as tx:
        if setting:
            tx.exec_driver_sql(f"set local {setting}")
        ((statement, values),) = asked(tx, of, tile_of(*PLACE, z))
        row = tx.exec_driver_sql(f"explain (analyze, format json) {statement}", values).scalar_one()
    plan = json.loads(row) if isinstance(row, str) else row
    found = [
        (node["Node Type"], node.get("Relation Name", ""), node.get("Index Name", ""))
        for node in nodes(plan[0]["Plan"])
    ]
    return [one for one in found if (one[1] or one[2]) and one[1] != "version"]


@pytest.mark.parametrize("z", range(0, 23, 2))
@pytest.mark.parametrize("kind", ["installations", "areas", "paths"])
def test_a_tile_is_one_statement(full, kind: str, z: int) -> None:
    """Whatever its zoom."""
    with full.db.read() as tx:
        assert len(asked(tx, collection(kind), tile_of(*PLACE, z))) == 1


def test_several_collections_are_one_statement(full) -> None:
    """Each is a layer; none asks for itself."""
    heard: list[str] = []
    with full.db.read() as tx:
        event.listen(tx, "before_cursor_execute", lambda _c, _u, statement, *_: heard.append(statement))
        several = [(collection(kind), EVERYTHING) for kind in ("areas", "installations", "paths", "places")]
        tiles.tile(several, tile_of(*PLACE, 12), lang="de").asked(tx)
    assert len(heard) == 1


@pytest.mark.parametrize("z", [0, 3, 5, 7, 8, 9])
def test_low_zooms_read_the_roll_ups_and_not_the_table(full, z: int) -> None:
    """Beyond the short count that tells a crowd, which is made from the index alone."""
    for _, table, index in ran(full, collection(), z):
        assert table.startswith("installations_cells") or index == "installations_key22_idx", (table, index)
    kinds = {kind for kind, table, _ in ran(full, collection(), z) if table == "installations"}
    assert kinds <= {"Index Only Scan"}


def test_cells_are_counted_from_the_index_alone(full) -> None:
    """Where no roll-up is fine enough: classes and sums ride in the index. Of few rows a bitmap is as quick."""
    for of in (collection(), collection(technology="wind")):
        steps = {
            kind
            for kind, _, index in ran(full, of, 11, setting="enable_bitmapscan = off")
            if index == "installations_key22_idx"
        }
        assert steps == {"Index Only Scan"}


@pytest.mark.parametrize("z", [12, 14, 18])
def test_points_and_squares_come_from_their_indexes(full, z: int) -> None:
    """The key's for points, the squares' own for homes; never the whole table."""
    steps = ran(full, collection(), z)
    assert {"installations_key22_idx"} < {index for _, _, index in steps}
    assert not [one for one in steps if one[0] == "Seq Scan"]


@pytest.mark.parametrize("z", [10, 12, 14, 18])
@pytest.mark.parametrize("kind", ["areas", "paths"])
def test_shapes_come_from_the_index_of_their_mercator_geometry(full, kind: str, z: int) -> None:
    """No ST_Transform of a row, no walk through the table."""
    steps = ran(full, collection(kind), z)
    assert {index for _, _, index in steps if index} == {f"{kind}_geom_3857_idx"}
    assert not [one for one in steps if one[0] == "Seq Scan"]
