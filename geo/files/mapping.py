"""A mapping: how the fields of an open dataset become the columns of a kind. Read from TOML, described in docs/import.md."""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter
from typing import Any
from urllib.parse import urlsplit

from geo.columns import LANGUAGES, Column
from geo.errors import BadInput, GohelleError, Problem
from geo.kinds import KINDS, Kind

SHARED = Path(__file__).parent.parent.parent / "seed" / "datasets"
MEASURES = {
    "area_m2": "ST_Area(geom::geography)",
    "area_ha": "ST_Area(geom::geography) / 10000",
    "area_km2": "ST_Area(geom::geography) / 1000000",
    "length_m": "ST_Length(geom::geography)",
}
"""What may be measured on the ellipsoid; the geometry is repaired by then."""

HEAD = ("source", "source_url", "source_date", "licence", "position", "position_accuracy_m")
"""Columns that may stand above the tables of the mapping, for they say the same of every row."""

Filter = Mapping[str, frozenset[str]]
"""The texts that fields may have; all of its fields must."""

FORBIDDEN = {"updated_at", "dataset", "source_key"}
OWN_KEYS = {
    "title", "address", "attribution", "kind", "source_key", "keep", "whole", "file", "where", "unless", "columns",
}  # fmt: skip
CELL_KEYS = {"field", "text", "value", "scale", "choices", "empty", "optional", "measure"}


@dataclass(frozen=True, slots=True)
class Template:
    """Words with fields in braces; empty as a whole where one of its fields is empty."""

    parts: tuple[tuple[str, str | None], ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that it names, in order."""
        return tuple(name for _, name in self.parts if name is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Where one column's value comes from: the first template that is not empty, a constant, or a measure."""

    templates: tuple[Template, ...] = ()
    constant: Any = None
    scale: float | None = None
    choices: Mapping[str, Any] | None = None
    empty: frozenset[str] = frozenset()
    optional: bool = False
    measure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How to read the file where it does not say so itself; what it is called, and how large it may be where fetched."""

    layer: str | None = None
    crs: str | None = None
    encoding: str | None = None
    separator: str | None = None
    longitude: str | None = None
    latitude: str | None = None
    wkt: str | None = None
    point: bool = False
    name: tuple[str, ...] = ()
    largest_mb: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One open dataset and how its fields map to a kind. `name` marks the rows that it brought."""

    name: str
    title: str
    address: str | None
    attribution: str
    kind: Kind
    key: Cell
    cells: Mapping[str, Cell]
    keep: frozenset[str]
    layout: Layout = field(default_factory=Layout)
    whole: bool = False
    where: tuple[Filter, ...] = ()
    unless: Filter = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """What the file is called in a folder of files: as the mapping says, else as at its address; also packed."""
        known = self.layout.name or ((urlsplit(self.address).path.rpartition("/")[2],) if self.address else ())
        return tuple(dict.fromkeys(one for name in known if name for one in (name, f"{name}.gz")))

    @property
    def licence(self) -> str:
        """The licence that all rows carry, or none where it differs by row."""
        return str(self.cells["licence"].constant or "")

    def fields(self) -> Iterator[tuple[str, bool]]:
        """Every field of the file that is asked for, and whether the file may lack it."""
        for cell in (self.key, *self.cells.values()):
            for template in cell.templates:
                yield from ((name, cell.optional) for name in template.fields)
        for rule in (*self.where, self.unless):
            yield from ((name, False) for name in rule)


def find(name: str, pack: Path) -> Path:
    """The mapping of that name: a TOML file's own path, else of the pack, else of those for any town."""
    if name.endswith(".toml"):
        return Path(name)
    folders = (pack / "datasets", SHARED)
    for folder in folders:
        if name in _names(folder):
            return folder / f"{name}.toml"
    known = sorted({known for folder in folders for known in _names(folder)})
    raise BadInput(Problem(parameter="mapping", message=f"no mapping has that name; there are: {', '.join(known)}"))


def outer(name: str, fields: Collection[str]) -> str:
    """The field that holds what is asked for: `tags.name` is `name` inside the JSON of `tags`, if there is no such field."""
    stem, dot, _ = name.partition(".")
    return stem if dot and name not in fields else name


def _names(folder: Path) -> list[str]:
    return [path.stem for path in folder.glob("*.toml")]


def load(path: Path, *, kind: str | None = None, key: str | None = None) -> Dataset:
    """Read a mapping; BadInput lists all that is wrong with it. `key` replaces its template of the source key."""
    try:
        body = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadInput(Problem(parameter="mapping", message="the mapping cannot be read")) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(Problem(parameter="mapping", message=f"the mapping is no TOML: {error}")) from error
    if key:
        body["source_key"] = key
    return _Checked(path.stem, body, kind).dataset()


class _Wrong(GohelleError):
    """One thing that is wrong with one entry of the mapping."""


class _Checked:
    """Turns the TOML's body into a Dataset and collects what is wrong on the way."""

    def __init__(self, name: str, body: dict[str, Any], kind: str | None) -> None:
        self.name, self.body, self.asked = name, body, kind
        self.problems: list[Problem] = []

    def dataset(self) -> Dataset:
        kind = self._kind()
        self._unknown(self.body, OWN_KEYS | set(HEAD), "")
        made = Dataset(
            name=self.name,
            title=self._text("title") or self.name,
            address=self._address(),
            attribution=self._text("attribution") or "",
            kind=kind,
            key=self._cell("source_key", self.body.get("source_key", "")),
            cells=self._cells(kind),
            keep=frozenset(self._keep(kind)),
            layout=self._layout(),
            whole=self.body.get("whole") is True,
            where=tuple(map(_filter, self._alternatives())),
            unless=_filter(self.body.get("unless", {})),
        )
        if not made.key.templates:
            self._wrong("source_key", "is required and names at least one field, such as “{id}”")
        if self.problems:
            raise BadInput(*self.problems)
        return made

    def _wrong(self, where: str, message: str) -> None:
        self.problems.append(Problem(pointer=f"/{where}", message=f"{self.name}.toml, {where}: {message}"))

    def _unknown(self, table: Mapping[str, Any], known: set[str], where: str) -> None:
        for name in sorted(set(table) - known):
            self._wrong(where + name, f"is not known here; known are {', '.join(sorted(known))}")

    def _kind(self) -> Kind:
        kind = KINDS.get(str(self.body.get("kind")))
        if kind is None:
            raise BadInput(
                Problem(pointer="/kind", message=f"{self.name}.toml, kind: must be one of {', '.join(KINDS)}")
            )
        if self.asked and self.asked != kind.id:
            message = f"the mapping {self.name} is for the kind {kind.id}"
            raise BadInput(Problem(parameter="kind", message=message))
        return kind

    def _text(self, name: str) -> str | None:
        value = self.body.get(name)
        if not isinstance(value, str) or not value.strip():
            self._wrong(name, "is required")
            return None
        return value

    def _keep(self, kind: Kind) -> Iterator[str]:
        columns = {column.name: column for column in kind.columns}
        for name in self.body.get("keep", []):
            if name not in columns:
                self._wrong("keep", f"the kind {kind.id} has no column “{name}”")
                continue
            yield name
            if columns[name].translated:
                yield "translations"  # a name that stays keeps its translations

    def _layout(self) -> Layout:
        table = self.body.get("file", {})
        self._unknown(table, set(Layout.__dataclass_fields__), "file.")
        known = {name: value for name, value in table.items() if name in Layout.__dataclass_fields__}
        names = known.get("name", [])
        names = names if isinstance(names, list) else [names]
        if any(not isinstance(name, str) or name != Path(name).name for name in names):
            self._wrong("file.name", "must be the name of a file, without a folder, or a list of such")
        return Layout(**dict(known, name=tuple(map(str, names))))

    def _address(self) -> str | None:
        found = self.body.get("address")
        if found is not None and not (isinstance(found, str) and found.startswith("https://")):
            self._wrong("address", "must be the https address of the file itself; leave it out where there is none")
        return found

    def _alternatives(self) -> list[dict[str, Any]]:
        found = self.body.get("where", {})
        return found if isinstance(found, list) else [found]

    def _cells(self, kind: Kind) -> dict[str, Cell]:
        head = {name: self.body[name] for name in HEAD if name in self.body}
        if kind.geometry is None:
            for name in ("position", "position_accuracy_m"):
                if head.pop(name, None) is not None:
                    self._wrong(name, f"the kind {kind.id} has no places")
        given = {"source": self.body.get("attribution"), **head, **self.body.get("columns", {})}
        cells = {name: self._cell(name, value) for name, value in given.items() if self._has(kind, name)}
        for column in kind.columns:
            if (column.required or column.name == "position") and column.name not in cells:
                self._wrong(f"columns.{column.name}", f"is required by the kind {kind.id}")
        self._measures(kind, cells)
        return cells

    def _measures(self, kind: Kind, cells: Mapping[str, Cell]) -> None:
        for name, cell in cells.items():
            if cell.measure and kind.geometry is None:
                self._wrong(f"columns.{name}", f"the kind {kind.id} has no geometry to measure")

    def _has(self, kind: Kind, name: str) -> bool:
        if name not in FORBIDDEN and target(kind, name):
            return True
        self._wrong(f"columns.{name}", f"is no column of the kind {kind.id} that an import may fill")
        return False

    def _cell(self, name: str, value: Any) -> Cell:
        try:
            return _cell(value)
        except _Wrong as wrong:
            self._wrong(name, str(wrong))
            return Cell()


def _filter(table: Mapping[str, Any]) -> Filter:
    """`true` and `false` are written as they are in the file."""
    found = {key: value if isinstance(value, list) else [value] for key, value in table.items()}
    return {
        key: frozenset(str(one).lower() if isinstance(one, bool) else str(one) for one in values)
        for key, values in found.items()
    }


def target(kind: Kind, name: str) -> tuple[Column, str | None] | None:
    """The column that an entry fills, and the language where it fills a translation (`name_en`)."""
    columns = {column.name: column for column in kind.columns}
    if name in columns:
        return columns[name], None
    stem, _, language = name.rpartition("_")
    if language in LANGUAGES and stem in columns and columns[stem].translated:
        return columns[stem], language
    return None


def _cell(value: Any) -> Cell:
    if not isinstance(value, dict):
        return _plain(value)
    if set(value) - CELL_KEYS:
        raise _Wrong(f"knows only {', '.join(sorted(CELL_KEYS))}")
    if len({"field", "text", "value", "measure"} & set(value)) != 1:
        raise _Wrong("needs exactly one of field, text, value, measure")
    if "measure" in value:
        return _measured(value["measure"])
    return _table(value)


def _table(value: dict[str, Any]) -> Cell:
    if "field" in value:
        plain = Cell(templates=(Template((("", str(value["field"])),)),))
    else:
        plain = _plain(value.get("text", value.get("value")))
    scale = value.get("scale")
    if scale is not None and not isinstance(scale, int | float):
        raise _Wrong("scale must be a number")
    return Cell(
        templates=plain.templates,
        constant=plain.constant,
        scale=scale,
        choices=value.get("choices"),
        empty=frozenset(map(str, value.get("empty", ()))),
        optional=bool(value.get("optional", False)),
    )


def _measured(name: Any) -> Cell:
    if name not in MEASURES:
        raise _Wrong(f"measure must be one of {', '.join(MEASURES)}")
    return Cell(measure=name)


def _plain(value: Any) -> Cell:
    """A text with braces is a template, a list of texts are alternatives, all else is a constant."""
    alternatives = value if isinstance(value, list) else [value]
    if any(isinstance(text, str) and ("{" in text or "}" in text) for text in alternatives):
        return Cell(templates=tuple(_template(str(text)) for text in alternatives))
    if isinstance(value, list):
        raise _Wrong("alternatives are texts with fields in braces")
    return Cell(constant=value)


def _template(text: str) -> Template:
    try:
        parsed = list(Formatter().parse(text))
    except ValueError as error:
        raise _Wrong("has a brace that is not closed") from error
    if any(name == "" or spec or conversion for _, name, spec, conversion in parsed):
        raise _Wrong("has braces that hold no plain name of a field")
    return Template(tuple((literal, name) for literal, name, _, _ in parsed))
