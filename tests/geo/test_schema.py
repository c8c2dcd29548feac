"""The migrated database and the registry of kinds say the same, and the database itself holds the rules."""

import re
from operator import attrgetter

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from geo import schema
from geo.kinds import KINDS, Kind
from geo.tables import metadata

kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=attrgetter("id"))
geometric = pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.geometry], ids=attrgetter("id"))


def test_the_tables_of_the_registry_are_those_of_the_database(database):
    """Alembic's comparison sees columns, types and nullability in both directions, for the tables that we describe."""
    engine = create_engine(database.settings.database_url)
    names = {table.name for table in metadata.tables.values()}
    schemas = {table.schema for table in metadata.tables.values()}

    def include(_object, _name, type_, _reflected, _compare_to):
        return type_ in ("table", "column")

    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "include_object": include,
                "include_name": lambda name, type_, _: (
                    name in schemas if type_ == "schema" else name in names if type_ == "table" else True
                ),
            },
        )
        found = compare_metadata(context, metadata)
    engine.dispose()
    assert found == []


@kinds
def test_every_closed_list_is_the_databases_too(database, kind: Kind):
    """A choice of the registry and the CHECK of its column list the same values."""
    with database.superuser() as connection:
        checks = " ".join(
            row[0]
            for row in connection.execute(
                "select pg_get_constraintdef(oid) from pg_constraint where conrelid = %s::regclass and contype = 'c'",
                [f"territory.{kind.id}"],
            )
        )
    for column in kind.columns:
        if column.choices:
            listed = re.search(rf"\(\"?{column.name}\"? = ANY \((?:\(?ARRAY)\[([^\]]*)\]", checks)
            assert listed, f"{kind.id}.{column.name} has no CHECK"
            assert set(re.findall(r"'([^']*)'", listed[1])) == set(column.choices)


@geometric
def test_every_geometry_has_its_indexes(database, kind: Kind):
    """Boxes in degrees, tiles in 3857 and distances on the ellipsoid are each answered from an index."""
    with database.superuser() as connection:
        definitions = [
            row[0]
            for row in connection.execute(
                "select indexdef from pg_indexes where schemaname = 'territory' and tablename = %s", [kind.id]
            )
        ]
    for wanted in ("gist (geom)", "gist (geom_3857)", "gist (((geom)::geography))"):
        assert any(wanted in one for one in definitions), (wanted, definitions)


def test_up_down_up(database):
    """A database that went down holds nothing of ours, and comes up again."""
    schema.downgrade(database.settings)
    assert database.scalar("select count(*) from pg_namespace where nspname in ('territory', 'register')") == 0
    schema.upgrade(database.settings)
    assert database.scalar("select version_num from gohelle_migrations") == schema.expected()


def test_migrating_twice_at_once_is_migrating_once(database):
    """Two starters: the second waits and finds nothing to do."""
    from concurrent.futures import ThreadPoolExecutor
    from subprocess import run
    from sys import executable

    schema.downgrade(database.settings)
    url = database.settings.database_url.render_as_string(hide_password=False)
    code = f"from geo.settings import Settings; from geo import schema; schema.upgrade(Settings.from_env({{'GOHELLE_DATABASE_URL': {url!r}}}))"
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda _: run([executable, "-c", code], check=False, capture_output=True), range(2)))
    assert [one.returncode for one in done] == [0, 0], [one.stderr[-500:] for one in done]


def test_the_reader_sees_the_territory_and_nothing_else(database):
    """The reader's own login: SELECT in `territory`, no write, no look into `register`, no other role."""
    url = database.settings.reader_url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as reader:
        assert reader.execute("select count(*) from territory.places").fetchone() == (0,)
        for refused in (
            "select count(*) from register.declarations",
            "select register.cell_name('SRID=4326;POINT(2 50)', 200)",
            "delete from territory.places",
            "begin; set transaction read write; insert into territory.version values ('x', 1, now())",
            "set role gohelle",
            "set session authorization gohelle",
            "create table territory.mine ()",
            "create table public.mine ()",
            "call territory.make_kind('places', 'Point')",
        ):
            with pytest.raises(psycopg.Error) as error:
                reader.execute(refused)
            assert error.value.sqlstate in ("42501", "25006"), (refused, error.value)
            reader.execute("rollback")
    roles = database.scalar("select rolsuper or rolcreaterole from pg_roles where rolname = 'gohelle'")
    assert roles is False


PLACE = "insert into territory.places (source_key, name, category, source, licence, position, geom) values ('k', 'n', 'other', 's', 'l', 'surveyed', {})"


@pytest.mark.parametrize(
    "geom",
    [
        "'SRID=4326;POINT EMPTY'",
        "'SRID=4326;POINT(181 50)'",
        "'SRID=4326;POINT(2 86)'",
        "'SRID=4326;POINT(NaN NaN)'",
        "'SRID=3857;POINT(2 50)'",
        "'SRID=4326;LINESTRING(2 50, 3 51)'",
        "null",
    ],
)
def test_no_geometry_that_is_no_place_on_earth(database, geom):
    """The constraint is the last validator, whoever writes."""
    with database.superuser() as connection, pytest.raises(psycopg.Error):
        connection.execute(PLACE.format(geom))


def test_no_polygon_that_crosses_itself(database):
    """A bow tie is refused by the table itself."""
    with database.superuser() as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(
            "insert into territory.areas (source_key, name, category, source, licence, position, geom) values "
            "('k', 'n', 'park', 's', 'l', 'surveyed', 'SRID=4326;MULTIPOLYGON(((0 0, 1 1, 1 0, 0 1, 0 0)))')"
        )
