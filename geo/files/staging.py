"""The way of rows into a kind's table: a temporary table, set-based checks, and one upsert. All SQL of an import."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, LiteralString, cast

from psycopg import Connection, Cursor, sql

from geo.files.mapping import MEASURES, Dataset
from geo.space import Bbox

DIMENSIONS = {"Point": 1, "MultiLineString": 2, "MultiPolygon": 3}
"""What ST_CollectionExtract calls them."""

DECIMALS = {"area_m2": 0, "area_ha": 2, "area_km2": 3, "length_m": 1}
STATED = "case when excluded.commune_derived and not t.commune_derived and t.commune is not null then t.{0} else excluded.{0} end"
"""A commune that somebody stated outlives one that was only found."""
SQL = sql.SQL
Name = sql.Identifier


class Staging:
    """One import's tables `pg_temp.incoming` (rows) and `pg_temp.told` (what is to be said of a row)."""

    def __init__(
        self, connection: Connection[Any], dataset: Dataset, columns: Sequence[str], types: Sequence[str]
    ) -> None:
        """Make both tables, with the columns of the kind's own and without its constraints."""
        self.connection, self.dataset, self.kind = connection, dataset, dataset.kind
        self.table = Name("territory", self.kind.id)
        self.columns = columns
        self.types = ["int8", "text", *types, "bytea"]
        measured = [name for name, cell in dataset.cells.items() if cell.measure]
        self.written = [*columns, *measured]
        self.run(
            """create temp table incoming on commit drop as
               select 0::bigint as row, translations, {all}, null::public.geometry as geom, null::public.geometry as at
               from {table} with no data""",
            all=SQL(", ").join(Name(column.name) for column in self.kind.columns if column.name != "updated_at"),
        )
        self.run(
            "create temp table told (row bigint, source_key text, sort text, reason text, brief text, at geometry) on commit drop"
        )

    def run(self, statement: LiteralString, **parts: sql.Composable) -> Cursor[Any]:
        """Run a statement in which `{table}` is the kind's table and other braces are `parts`."""
        return self.connection.execute(SQL(statement).format(table=self.table, **parts))

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """COPY rows: number, key, one value a column, the geometry as WKB."""
        names = SQL(", ").join(map(Name, ("row", "source_key", *self.columns, "geom")))
        statement = SQL("copy incoming ({}) from stdin (format binary)").format(names)
        with self.connection.cursor().copy(statement) as copy:
            copy.set_types(self.types)
            for row in rows:
                copy.write_row(row)

    def tell(self, notes: Iterable[tuple[int, str | None, str, str, str]]) -> None:
        """Remember what is said of rows that never reach the table: number, key, sort, reason, brief reason."""
        with self.connection.cursor().copy("copy told (row, source_key, sort, reason, brief) from stdin") as copy:
            for note in notes:
                copy.write_row(note)

    def remember(self, rows: Iterable[tuple[int, list[str]]]) -> None:
        """Keep the fields of rows as the file has them, for the file of rejected rows: which are, only the end tells."""
        self.run("create temp table if not exists read (row bigint, fields text[]) on commit drop")
        with self.connection.cursor().copy("copy read (row, fields) from stdin") as copy:
            for row in rows:
                copy.write_row(row)

    def rejected(self) -> Iterator[Sequence[Any]]:
        """Number, key, reason and remembered fields of each refused row."""
        statement = """select row, source_key, reason, fields from told left join read using (row)
                       where sort = 'refused' order by row"""
        for row, key, reason, values in self.connection.cursor().stream(statement):
            yield row, key, reason, *(values or ())

    def settle(self) -> None:
        """All that is decided about a row set by set: duplicates, repairs, measures, constraints, communes."""
        self._drop_duplicates()
        if self.kind.geometry:
            self._repair()
        self._measure()
        self._check_constraints()
        self._find_communes()

    def leave_strangers(self) -> int:
        """Leave out the rows of a kind without places that speak of other communes than ours; how many were left out."""
        if self.kind.geometry or all(column.name != "commune" for column in self.kind.columns):
            return 0
        return self._number(
            """with gone as (delete from incoming
                 where exists (select from territory.communes where insee is not null)
                   and commune not in (select insee from territory.communes where insee is not null) returning 1)
               select count(*) from gone"""
        )

    def _drop_duplicates(self) -> None:
        """The first row of a key stays; the others are refused."""
        self.run(
            """with counted as (select row, source_key, first_value(row) over keys as first from incoming
                                window keys as (partition by source_key order by row)),
               gone as (delete from incoming i using counted c where i.row = c.row and c.first < c.row
                        returning c.row, c.source_key, c.first)
               insert into told select row, source_key, 'refused', 'the key appears already in row ' || first,
                                       'the key appears twice in the file' from gone"""
        )

    def _repair(self) -> None:
        self.run(
            """with bad as materialized (
                 select row, source_key, geom, ST_IsValidDetail(geom) as detail from incoming where not ST_IsValid(geom)),
               fixed as materialized (
                 select row, source_key, (detail).reason as reason, (detail).location as at,
                        {multi}(ST_CollectionExtract(ST_MakeValid(geom), {dimension})) as geom from bad),
               kept as (update incoming i set geom = f.geom from fixed f where f.row = i.row)
               insert into told
               select row, source_key, case when ST_IsEmpty(geom) then 'refused' else 'repaired' end,
                      case when ST_IsEmpty(geom) then 'nothing is left of the geometry once it is repaired: ' else '' end
                        || reason, reason, ST_SetSRID(at, 4326) from fixed""",
            multi=SQL("" if self.kind.geometry == "Point" else "ST_Multi"),
            dimension=sql.Literal(DIMENSIONS[str(self.kind.geometry)]),
        )
        self.run("delete from incoming where ST_IsEmpty(geom)")

    def _measure(self) -> None:
        for name, cell in self.dataset.cells.items():
            if cell.measure:
                self.run(
                    "update incoming set {column} = round(({measure})::numeric, {decimals})",
                    column=Name(name),
                    measure=SQL(cast("LiteralString", MEASURES[cell.measure])),
                    decimals=sql.Literal(DECIMALS[cell.measure]),
                )

    def _check_constraints(self) -> None:
        """The table's own constraints, asked beforehand: a bad row then costs itself, not the whole import."""
        checks = self._constraints()
        if not checks:
            return
        cases = [SQL("when ({}) is false then {}").format(check, sql.Literal(reason)) for reason, check in checks]
        self.run(
            """with judged as (select row, source_key, case {cases} end as reason from incoming),
               gone as (delete from incoming i using judged j where j.row = i.row and j.reason is not null returning j.*)
               insert into told select row, source_key, 'refused', reason, reason from gone""",
            cases=SQL(" ").join(cases),
        )

    def _constraints(self) -> list[tuple[str, sql.SQL]]:
        """Reason and expression of each; validity is settled by now, and the dearest to ask."""
        found = self.connection.execute(
            """select conname, pg_get_expr(conbin, conrelid) from pg_constraint
               where conrelid = ('territory.' || quote_ident(%s))::regclass and contype = 'c'
                 and conname <> %s and not 'id' = any (
                   select attname from pg_attribute a where a.attrelid = conrelid and a.attnum = any (conkey))
               order by 1""",
            (self.kind.id, f"{self.kind.id}_geom_check"),
        ).fetchall()
        return [(_said(str(name)), SQL(cast("LiteralString", expression))) for name, expression in found]

    def _find_communes(self) -> None:
        """Commune by commune, not row by row: PostGIS then prepares each outline once. `offset 0` keeps that order."""
        self.run("create temp table found (row bigint primary key, found_commune text) on commit drop")
        if not self._located:
            return
        if self.kind.geometry != "Point":
            self.run("update incoming set at = ST_PointOnSurface(geom)")
        at = Name("geom" if self.kind.geometry == "Point" else "at")
        self.run("create index on incoming using gist ({at})", at=at)
        self.run("analyze incoming")
        self.run(
            """insert into found
               select distinct on (i.row) i.row, c.insee
               from territory.communes c cross join lateral (
                 select p.row from incoming p where p.commune is null and ST_Intersects(c.geom, p.{at}) offset 0) i
               where c.insee is not null
               order by i.row, (c.position = 'schematic'), c.insee""",
            at=at,
        )

    def count(self) -> int:
        """How many rows are ready to be written."""
        return self._number("select count(*) from incoming")

    def _number(self, statement: LiteralString, **parts: sql.Composable) -> int:
        row = self.run(statement, **parts).fetchone()
        return int(row[0]) if row else 0

    def begin_writing(self) -> None:
        """One import at a time into a kind, for two that meet in the same rows could wait for each other for ever."""
        self.connection.execute("select pg_advisory_xact_lock(hashtext('gohelle import ' || %s))", (self.kind.id,))
        self.connection.execute("set local gohelle.bulk = 'on'")

    def note_replaced(self) -> None:
        """Which rows of the pack were only sketched, and are now drawn as the source has them."""
        if not self.kind.geometry:
            return
        self.run(
            """insert into told
               select i.row, i.source_key, 'replaced', 'the schematic geometry gave way to the file''s',
                      'the schematic geometry gave way to the file''s', i.at
               from incoming i join {table} t using (source_key)
               where t.position = 'schematic' and i.position <> 'schematic'"""
        )

    def write(self, *, append: bool) -> tuple[int, int]:
        """Insert and update, in spatial order; how many of each. A row that is the same already is not touched."""
        columns = [*self.written, *(["geom"] if self.kind.geometry else [])]
        update = self._update([name for name in columns if name not in self.dataset.keep])
        told = self.run(
            """with written as (
                 insert into {table} as t (source_key, dataset, {columns} {derived})
                 select source_key, {dataset}, {columns} {found}
                 from incoming left join found using (row) order by geom, row
                 on conflict (source_key) do {conflict}
                 returning (xmax = 0) as new)
               select count(*) filter (where new), count(*) filter (where not new) from written""",
            columns=SQL(", ").join(Name(name) for name in columns if name != "commune" or not self._located),
            derived=SQL(", commune, commune_derived" if self._located else ""),
            found=SQL(", coalesce(commune, found_commune), commune is null" if self._located else ""),
            dataset=sql.Literal(self.dataset.name),
            conflict=SQL("nothing") if append else update,
        ).fetchone()
        return (int(told[0]), int(told[1])) if told else (0, 0)

    @property
    def _located(self) -> bool:
        """Whether a row's commune is found by where it lies."""
        return self.kind.geometry is not None and self.kind.id != "communes"

    def _update(self, columns: Sequence[str]) -> sql.Composed:
        """Only where something differs, so that an import of the same file changes no row and no version."""
        new = {name: SQL("excluded.{}").format(Name(name)) for name in (*columns, "dataset")}
        if self._located:
            new |= {name: SQL(STATED).format(Name(name)) for name in ("commune", "commune_derived")}
        return SQL("update set {sets} where ({old}) is distinct from ({new})").format(
            sets=SQL(", ").join(SQL("{} = {}").format(Name(name), value) for name, value in new.items()),
            old=SQL(", ").join(_compared(name, Name("t", name)) for name in new),
            new=SQL(", ").join(_compared(name, value) for name, value in new.items()),
        )

    def delete_others(self) -> int:
        """What this dataset brought before and its file no longer has; a row that is refused now stays as it was."""
        return self._number(
            """with gone as (
                 delete from {table} t where t.dataset = {dataset}
                   and not exists (select from incoming i where i.source_key = t.source_key)
                   and not exists (select from told n where n.source_key = t.source_key and n.sort = 'refused')
                 returning 1)
               select count(*) from gone""",
            dataset=sql.Literal(self.dataset.name),
        )

    def told(self, sort: str, most: int | None) -> list[tuple[int, str | None, str, float | None, float | None]]:
        """What was said of rows, in the file's order."""
        return self.connection.execute(
            "select row, source_key, reason, ST_X(at), ST_Y(at) from told where sort = %s order by row limit %s",
            (sort, most),
        ).fetchall()

    def counted(self, sort: str) -> dict[str, int]:
        """How often each reason was given, the most frequent first."""
        rows = self.connection.execute(
            "select brief, count(*) from told where sort = %s group by 1 order by 2 desc, 1", (sort,)
        ).fetchall()
        return {str(brief): int(number) for brief, number in rows}


def _compared(name: str, value: sql.Composable) -> sql.Composable:
    """Geometries are the same when their bytes are."""
    return SQL("({})::bytea").format(value) if name == "geom" else value


def _said(constraint: str) -> str:
    """What a constraint's name tells a reader who has not the table before him."""
    if constraint.endswith("_since_until_check"):
        return "until is before since"
    return f"a value is not what the table takes ({constraint})"


def territory_bounds(connection: Connection[Any]) -> Bbox | None:
    """What the pack says that the map opens on, else the extent of the communes, else nothing."""
    said = connection.execute("select body -> 'bounds' from territory.about").fetchone()
    if said and isinstance(said[0], list) and len(said[0]) == 4:
        return Bbox(*map(float, said[0]))
    return None
