"""Which filters are answered from an index: those of ids, communes, keys and places, and words. The rest read the table."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from geo import cql2
from geo.collections import Reach
from geo.crs import named
from geo.features import page_sql
from geo.filters import Question
from geo.kinds import KINDS
from geo.space import Bbox
from tests.conftest import Territory, clone
from tests.geo.tiling import Spot, collection, put

EXTENT = Reach(count=20_000, bbox=Bbox(2.7, 50.4, 2.9, 50.6), since=None, until=None)


@pytest.fixture(scope="module")
def full(admin_url: str, migrated: str) -> Iterator[Territory]:
    """20,000 installations, as a database that has seen a vacuum knows them."""
    with clone(admin_url, migrated) as territory:
        put(territory, [Spot(2.74, 50.4, 20_000, 0.12)])
        with territory.superuser() as connection:
            connection.execute("update territory.installations set name = 'roof ' || id, commune = 62000 + id % 900")
            connection.execute("vacuum full analyze territory.installations")
        yield territory


def used(territory: Territory, question: Question) -> set[str]:
    """The indexes that a page of the answer reads, where the table itself is dear."""
    sql, values = page_sql(collection(), question, reach=EXTENT)
    with territory.db.read() as tx:
        tx.exec_driver_sql("set local enable_seqscan = off")
        plan = tx.exec_driver_sql(f"explain (format json) {sql}", values).scalar_one()
    return set(_indexes(json.loads(plan) if isinstance(plan, str) else plan))


def _indexes(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "Index Name" in node:
            yield node["Index Name"]
        for part in node.values():
            yield from _indexes(part)
    elif isinstance(node, list):
        for part in node:
            yield from _indexes(part)


def filtered(text: str, crs: str = "http://www.opengis.net/def/crs/OGC/1.3/CRS84") -> Question:
    """The question that a filter asks."""
    system = named(crs)
    assert system
    return Question(limit=10, filters=(cql2.read(text, KINDS["installations"], crs=system),))


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("id = 500", "installations_pkey"),
        ("id IN (1, 500, 900)", "installations_pkey"),
        ("id BETWEEN 100 AND 105", "installations_pkey"),
        ("commune = '62028'", "installations_commune_idx"),
        ("commune IN ('62028', '62029')", "installations_commune_idx"),
        ("source_key = '1-5'", "installations_source_key_key"),
        ("S_INTERSECTS(geometry, BBOX(2.75, 50.45, 2.751, 50.451))", "installations_geom_idx"),
        ("S_WITHIN(geometry, POLYGON((2.75 50.45, 2.751 50.45, 2.751 50.451, 2.75 50.45)))", "installations_geom_idx"),
        ("S_EQUALS(geometry, POINT(2.75 50.45))", "installations_geom_idx"),
        ("S_CONTAINS(BBOX(2.75, 50.45, 2.751, 50.451), geometry)", "installations_geom_idx"),
        ("S_TOUCHES(geometry, LINESTRING(2.75 50.45, 2.751 50.451))", "installations_geom_idx"),
        ("S_CROSSES(geometry, LINESTRING(2.75 50.45, 2.751 50.451))", "installations_geom_idx"),
        ("S_OVERLAPS(geometry, POINT(2.75 50.45))", "installations_geom_idx"),
        ("commune = '62028' AND power_kw * 2 > 3 AND CASEI(name) LIKE 'roof%'", "installations_commune_idx"),
    ],
)
def test_a_filter_reads_its_index(full, text, index):
    """Each operator that an index serves, on the side of the column, whatever is beside it."""
    assert index in used(full, filtered(text))


def test_a_geometry_in_another_system_still_finds_the_index(full):
    """It is the literal that travels, not the column."""
    lambert = "http://www.opengis.net/def/crs/EPSG/0/2154"
    question = filtered("S_INTERSECTS(geometry, BBOX(684900, 7038400, 685100, 7038500))", lambert)
    assert "installations_geom_idx" in used(full, question)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_an_index_of_words(full, kind):
    """`q` asks any collection."""
    found = full.scalar(
        "select count(*) from pg_indexes where schemaname = 'territory' and indexname = %s", f"{kind}_words_idx"
    )
    assert found == 1


def test_words_read_their_index(full):
    """Names and descriptions in all languages are one index."""
    assert "installations_words_idx" in used(full, Question(limit=10, words="roof 123"))


@pytest.mark.parametrize(
    "text",
    [
        "power_kw > 3",
        "CASEI(name) = 'x'",
        "name LIKE 'roof%'",
        "S_DISJOINT(geometry, POINT(2 50))",
        "since > DATE('2010-01-01')",
    ],
)
def test_what_has_no_index_reads_the_table_or_walks_by_id(full, text):
    """Said here, so that it is known: an index for each would cost every import."""
    selective = {f"installations_{name}" for name in ("geom_idx", "words_idx", "commune_idx", "source_key_key")}
    assert used(full, filtered(text)).isdisjoint(selective)
