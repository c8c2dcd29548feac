"""The kinds as tables of SQLAlchemy and GeoAlchemy2, and the few other tables that geo's rooms share."""

from collections.abc import Iterator

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Date,
    DateTime,
    Double,
    Identity,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.expression import FromClause
from sqlalchemy.types import TypeEngine

from geo import columns
from geo.kinds import KINDS, Kind
from geo.space import MERCATOR, WGS84

metadata = MetaData()

TYPES: dict[columns.Type, type[TypeEngine]] = {
    "text": Text,
    "choice": Text,
    "url": Text,
    "integer": Integer,
    "number": Double,
    "boolean": Boolean,
    "date": Date,
    "timestamp": DateTime,
    "references": JSONB,
}
NOT_NULL = {"source_key", "name", "source", "licence", "position", "date", "about", "updated_at"}


def _column(column: columns.Column) -> Column:
    kind = DateTime(timezone=True) if column.type == "timestamp" else TYPES[column.type]()
    return Column(column.name, kind, nullable=not (column.required or column.name in NOT_NULL))


def _table(kind: Kind) -> Table:
    own = [_column(column) for column in kind.columns]
    common = [
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("translations", JSONB, nullable=False),
    ]
    return Table(kind.id, metadata, *own, *common, *_located(kind), schema="territory")


def _located(kind: Kind) -> Iterator[Column]:
    if kind.geometry is None:
        return
    yield Column("commune_derived", Boolean, nullable=False)
    yield Column("geom", Geometry(kind.geometry, WGS84, spatial_index=False), nullable=False)
    transformed = Computed("st_transform(geom, 3857)", persisted=True)
    yield Column("geom_3857", Geometry(kind.geometry, MERCATOR, spatial_index=False), transformed)
    if kind.geometry == "Point":
        yield Column("key22", BigInteger, Computed("territory.key22(geom)", persisted=True))


TABLES: dict[str, Table] = {kind.id: _table(kind) for kind in KINDS.values()}
"""The table of each kind, by the kind's id."""

_ROWS = {id: table.alias("f") for id, table in TABLES.items()}


def rows(kind: Kind) -> FromClause:
    """The rows of a kind under the name `f`, by which all conditions and all SQL texts of geo know them."""
    return _ROWS[kind.id]


ABOUT = Table(
    "about",
    metadata,
    Column("only_row", Boolean, primary_key=True, server_default=text("true")),
    Column("pack", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    schema="territory",
)
COLLECTIONS = Table(
    "collections",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("filter", JSONB, nullable=False),
    Column("title", JSONB, nullable=False),
    Column("description", JSONB, nullable=False),
    Column("colour", Text, nullable=False),
    Column("visible", Boolean, nullable=False),
    Column("rank", Integer, nullable=False),
    schema="territory",
)
VERSION = Table(
    "version",
    metadata,
    Column("collection", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    schema="territory",
)
