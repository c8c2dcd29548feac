"""Writes a territory pack's rows: by source_key, so that ids and permalinks live, and only where something differs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Connection

from geo.errors import Conflict
from geo.kinds import KINDS, Kind
from geo.space import Bbox

Row = Mapping[str, Any]
"""One row: columns of its kind, `source_key`, `translations`, and `geom` as a GeoJSON geometry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a pack changed in one kind."""

    inserted: int
    updated: int
    deleted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommuneFound:
    """What an imported outline tells of a commune."""

    name: str
    box: Bbox


def commune(tx: Connection, insee: str) -> CommuneFound | None:
    """The commune of that INSEE code, if its outline was imported."""
    row = tx.execute(
        text("""
            select max(name) as name, min(ST_XMin(geom)) as west, min(ST_YMin(geom)) as south,
                   max(ST_XMax(geom)) as east, max(ST_YMax(geom)) as north
            from territory.communes where insee = :insee"""),
        {"insee": insee},
    ).one()
    return CommuneFound(name=row.name, box=Bbox(row.west, row.south, row.east, row.north)) if row.name else None


def is_empty(tx: Connection) -> bool:
    """Whether no pack was ever loaded."""
    return not tx.scalar(text("select exists (select from territory.about)"))


def load(
    tx: Connection,
    about: Row,
    collections: Sequence[Row],
    rows: Mapping[str, Sequence[Row]],
    *,
    replace: bool = False,
) -> dict[str, Written]:
    """Make the database show this pack: its description, its collections, its rows of each kind.

    Conflict where it shows another territory, unless that one is to be replaced; its pack's rows go then, too.

    Collections come first, for the versions of those that a row belongs to are raised with it. Rows that the pack
    no longer has go; rows whose geometry an import has replaced keep that geometry.
    """
    shown = tx.scalar(text("select pack from territory.about"))
    if shown not in (None, about["id"]) and not replace:
        raise Conflict(
            f"the database shows the territory {shown}; --replace shows {about['id']} instead, and what the pack of "
            f"{shown} had is gone then (declarations and imports stay)"
        )
    _describe(tx, about)
    _name_collections(tx, collections)
    dataset = f"pack:{about['id']}"
    return {kind.id: _write(tx, kind, rows.get(kind.id, ()), dataset) for kind in KINDS.values()}


def _describe(tx: Connection, about: Row) -> None:
    tx.execute(
        text("""
            insert into territory.about as a (pack, body) values (:pack, cast(:body as jsonb))
            on conflict (only_row) do update set pack = excluded.pack, body = excluded.body, updated_at = now()
            where (a.pack, a.body) is distinct from (excluded.pack, excluded.body)"""),
        {"pack": about["id"], "body": json.dumps(about)},
    )


def _name_collections(tx: Connection, collections: Sequence[Row]) -> None:
    values = {"rows": json.dumps([{**one, "rank": rank} for rank, one in enumerate(collections)])}
    columns = ("kind", "filter", "title", "description", "colour", "visible", "rank")
    tx.execute(text(_DROP_COLLECTIONS), values)
    tx.execute(
        text(f"""
            insert into territory.collections as c (id, {", ".join(columns)})
            select id, {", ".join(columns)} from jsonb_populate_recordset(null::territory.collections, cast(:rows as jsonb))
            on conflict (id) do update set {_set(columns)}
            where ({_of("c", columns)}) is distinct from ({_of("excluded", columns)})"""),
        values,
    )


_DROP_COLLECTIONS = """
delete from territory.collections
where id not in (select e ->> 'id' from jsonb_array_elements(cast(:rows as jsonb)) e)
"""


def _write(tx: Connection, kind: Kind, rows: Sequence[Row], dataset: str) -> Written:
    values = {"rows": json.dumps([{**row, "dataset": dataset} for row in rows]), "dataset": dataset}
    deleted = tx.execute(text(_delete(kind)), values).rowcount
    done = tx.execute(text(_upsert(kind)), values).one()
    return Written(inserted=done.inserted, updated=done.updated, deleted=deleted)


def _delete(kind: Kind) -> str:
    return f"""
        delete from territory.{kind.id} where dataset like 'pack:%' and dataset <> :dataset or dataset = :dataset
        and source_key not in (select e ->> 'source_key' from jsonb_array_elements(cast(:rows as jsonb)) e)"""


def _upsert(kind: Kind) -> str:
    own = [column.name for column in kind.columns if column.name not in ("updated_at", "source_key", "dataset")]
    geometric = ["geom"] if kind.geometry else []
    # GPS receivers and QGIS write heights, which the tables do not keep.
    geometry = ["ST_SetSRID(ST_Force2D(ST_GeomFromGeoJSON(e ->> 'geom')), 4326)"] if kind.geometry else []
    if kind.geometry and kind.geometry.startswith("Multi"):
        geometry = [f"ST_Multi({geometry[0]})"]
    kept = ["position", "position_accuracy_m", "geom", "source", "source_url", "source_date", "licence", "dataset"]
    # An imported row is better placed than the pack's: of it the pack says what it is, not where.
    described = [name for name in own if name not in kept and name != "commune"]
    columns = ["source_key", *own, "translations", "dataset", *geometric]
    values = [
        "r.source_key",
        *(_value(kind, name) for name in own),
        "coalesce(r.translations, '{}')",
        "r.dataset",
        *geometry,
    ]
    changes = [*own, "translations", "dataset", *geometric]
    return f"""
        with written as (
          insert into territory.{kind.id} as t ({", ".join(columns)})
          select {", ".join(values)} from jsonb_array_elements(cast(:rows as jsonb)) e,
            jsonb_populate_record(null::territory.{kind.id}, e - 'geom') r
          on conflict (source_key) do update set
            {", ".join(_change(name, described) for name in changes)}
          where t.dataset = excluded.dataset and ({_of("t", changes)}) is distinct from ({_of("excluded", changes)})
             or t.dataset is distinct from excluded.dataset
                and ({_of("t", [*described, "translations"])}) is distinct from ({_of("excluded", [*described, "translations"])})
          returning (xmax = 0) as fresh)
        select count(*) filter (where fresh) as inserted, count(*) filter (where not fresh) as updated from written"""


def _value(kind: Kind, name: str) -> str:
    return "coalesce(r.about, '[]')" if kind.column(name).type == "references" else f'r."{name}"'


def _change(name: str, described: Sequence[str]) -> str:
    if name in described or name == "translations":
        return f'"{name}" = excluded."{name}"'
    return f'"{name}" = case when t.dataset = excluded.dataset then excluded."{name}" else t."{name}" end'


def _set(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}" = excluded."{name}"' for name in columns)


def _of(table: str, columns: Sequence[str]) -> str:
    """The columns for comparison; geometries by their bytes, for `=` compares boxes' order only in part."""
    return ", ".join(f'{table}."{name}"' + ("::bytea" if name == "geom" else "") for name in columns)
