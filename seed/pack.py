"""Reads a territory pack from its folder. All that is wrong is found in one pass, by file and by line or feature."""

import csv
import io
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from geo import packs
from geo.columns import Column
from geo.db import Database
from geo.errors import BadInput, GohelleError
from geo.kinds import KINDS, Kind
from geo.space import DEPTHS, checked_geometry

LARGEST_FILE = 50_000_000
REFERENCE = re.compile(r"([a-z0-9][a-z0-9-]*):(\S+)")
COLOUR = re.compile(r"#[0-9a-f]{6}")
COLLECTION_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong in a pack, in words for whoever writes it."""

    file: str
    where: str
    message: str

    def __str__(self) -> str:
        """The line that is printed."""
        return f"{self.file}{', ' + self.where if self.where else ''}: {self.message}"


class BadPack(GohelleError):
    """A pack that cannot be loaded, with everything that is wrong in it."""

    def __init__(self, findings: list[Finding]) -> None:
        """Keep the findings in the order of the files."""
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings


@dataclass(slots=True, kw_only=True)
class Pack:
    """What a folder holds, as the database takes it."""

    about: dict[str, Any] = field(default_factory=dict)
    collections: list[dict[str, Any]] = field(default_factory=list)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def wrong(self, file: str, where: str, message: str) -> None:
        """Note a finding."""
        self.findings.append(Finding(file=file, where=where, message=message))


def read(folder: Path) -> Pack:
    """The pack in the folder, with its findings."""
    pack = Pack()
    if not folder.is_dir():
        pack.wrong(str(folder), "", "there is no such folder")
        return pack
    _read_territory(pack, folder)
    for kind in KINDS.values():
        rows = _features(pack, folder, kind) if kind.geometry else _lines(pack, folder, kind)
        pack.rows[kind.id] = [row for where, row in rows if _sound(pack, _file(kind), where, row, kind)]
    _check_keys(pack)
    _check_references(pack)
    return pack


def load(db: Database, folder: Path, *, if_empty: bool = False) -> dict[str, packs.Written] | None:
    """Load the pack in one transaction; None if `if_empty` and a territory is there already. BadPack if it has faults."""
    with db.write() as tx:
        if if_empty and not packs.is_empty(tx):
            return None
    pack = read(folder)
    if pack.findings:
        raise BadPack(pack.findings)
    with db.write() as tx:
        return packs.load(tx, pack.about, pack.collections, pack.rows)


def _file(kind: Kind) -> str:
    return f"{kind.id}.geojson" if kind.geometry else f"{kind.id}.csv"


def _text(pack: Pack, folder: Path, name: str, *, needed: bool = False) -> str | None:
    path = folder / name
    if not path.is_file():
        if needed:
            pack.wrong(name, "", "is missing")
        return None
    if path.stat().st_size > LARGEST_FILE:
        pack.wrong(name, "", f"is larger than {LARGEST_FILE // 1_000_000} MB; import it as a dataset instead")
        return None
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        pack.wrong(name, f"byte {error.start}", "is not UTF-8 text")
        return None


# territory.toml

TERRITORY_WORDS = ("title", "description")


def _read_territory(pack: Pack, folder: Path) -> None:
    name = "territory.toml"
    text = _text(pack, folder, name, needed=True)
    if text is None:
        return
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        pack.wrong(name, "", f"is not valid TOML: {error}")
        return
    languages = found.get("languages")
    if not isinstance(languages, list) or not languages or not all(isinstance(one, str) for one in languages):
        pack.wrong(name, "languages", 'must list languages, the texts\' own first, as in ["fr", "en"]')
        found["languages"] = languages = ["fr"]
    for required in ("id", "licence", "attribution"):
        if not isinstance(found.get(required), str) or not found[required]:
            pack.wrong(name, required, "must be a text")
    for required in TERRITORY_WORDS:
        _check_words(pack, name, required, found.get(required), languages)
    if not _is_box(found.get("bounds")):
        pack.wrong(name, "bounds", "must be four numbers: west, south, east, north")
    listed = found.pop("collection", [])
    pack.about = {"communes": [], "contact": {}, **found, "pages": found.pop("page", [])}
    pack.about.pop("page", None)
    for number, one in enumerate(listed, 1):
        _read_collection(pack, name, f"collection {number}", one, languages)
    if not listed:
        pack.wrong(name, "", "names no collection, so nothing would be shown")
    for number, one in enumerate(pack.about["pages"], 1):
        for required in ("title", "text"):
            _check_words(pack, name, f"page {number}, {required}", one.get(required), languages)


def _read_collection(pack: Pack, file: str, where: str, one: Mapping[str, Any], languages: list[str]) -> None:
    id, kind = one.get("id"), KINDS.get(one.get("kind", ""))
    if not isinstance(id, str) or not COLLECTION_ID.fullmatch(id):
        pack.wrong(file, where, "needs an id of lower case letters, digits and hyphens")
        return
    where = f"collection {id}"
    if any(other["id"] == id for other in pack.collections):
        pack.wrong(file, where, "stands twice")
    if kind is None:
        pack.wrong(file, where, f"needs a kind, one of: {', '.join(KINDS)}")
        return
    _check_words(pack, file, f"{where}, title", one.get("title"), languages)
    colour = one.get("colour", "#555555")
    if not isinstance(colour, str) or not COLOUR.fullmatch(colour):
        pack.wrong(file, f"{where}, colour", "must be written as #1f7a4d, in lower case")
    for name, value in one.get("where", {}).items():
        _check_filter(pack, file, f"{where}, where", kind, name, value)
    pack.collections.append(
        {
            "id": id,
            "kind": kind.id,
            "filter": one.get("where", {}),
            "title": one.get("title", {}),
            "description": one.get("description", {}),
            "colour": colour,
            "visible": one.get("visible", True),
        }
    )


def _check_filter(pack: Pack, file: str, where: str, kind: Kind, name: str, value: Any) -> None:
    column = kind.queryables.get(name)
    if column is None:
        pack.wrong(file, where, f"{kind.id} cannot be filtered by {name}; it can by {', '.join(kind.queryables)}")
        return
    for one in value if isinstance(value, list) else [value]:
        if (fault := _fault(column, one)) is not None:
            pack.wrong(file, f"{where}, {name}", fault)


def _check_words(pack: Pack, file: str, where: str, value: Any, languages: list[str]) -> None:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        pack.wrong(file, where, 'must be a text by language, as in { fr = "…", en = "…" }')
        return
    for lang in languages:
        if not value.get(lang):
            pack.wrong(file, where, f"lacks its text in “{lang}”")


def _is_box(value: Any) -> bool:
    numbers = isinstance(value, list) and len(value) == 4 and all(isinstance(one, int | float) for one in value)
    return numbers and -180 <= value[0] < value[2] <= 180 and -85 <= value[1] < value[3] <= 85


# GeoJSON and CSV


def _features(pack: Pack, folder: Path, kind: Kind) -> Iterator[tuple[str, dict[str, Any]]]:
    name = _file(kind)
    text = _text(pack, folder, name)
    if text is None:
        return
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        pack.wrong(name, "", f"is not valid JSON: {error}")
        return
    features = found.get("features") if isinstance(found, dict) else None
    if not isinstance(features, list):
        pack.wrong(name, "", "is not a GeoJSON FeatureCollection")
        return
    for number, feature in enumerate(features, 1):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(properties, dict):
            pack.wrong(name, f"feature {number}", "has no properties")
            continue
        where = f"feature {number} ({properties.get('source_key') or properties.get('name') or 'without key'})"
        geometry = _geometry(pack, name, where, feature.get("geometry"), kind)
        if geometry is not None:
            yield where, {**properties, "geom": geometry}


def _geometry(pack: Pack, file: str, where: str, value: Any, kind: Kind) -> dict[str, Any] | None:
    try:
        geometry = checked_geometry(value, "geometry")
    except BadInput as error:
        for problem in error.problems:
            pack.wrong(file, where, f"the geometry {problem.message}")
        return None
    taken = {kind.geometry, (kind.geometry or "").removeprefix("Multi")}
    if geometry["type"] not in taken:
        pack.wrong(file, where, f"is a {geometry['type']} where {kind.id} takes {' or '.join(sorted(map(str, taken)))}")
        return None
    if not _closed(geometry):
        pack.wrong(file, where, "has a ring that is not closed, or has fewer than four positions")
        return None
    return geometry


def _closed(geometry: dict[str, Any]) -> bool:
    depth = DEPTHS[geometry["type"]]
    if "Polygon" not in geometry["type"]:
        lines = [geometry["coordinates"]] if depth == 1 else geometry["coordinates"] if depth == 2 else []
        return all(len(line) >= 2 for line in lines)
    polygons = [geometry["coordinates"]] if depth == 2 else geometry["coordinates"]
    return all(len(ring) >= 4 and ring[0] == ring[-1] for polygon in polygons for ring in polygon)


def _lines(pack: Pack, folder: Path, kind: Kind) -> Iterator[tuple[str, dict[str, Any]]]:
    name = _file(kind)
    text = _text(pack, folder, name)
    if text is None:
        return
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        for record in reader:
            where = f"line {reader.line_num}"
            if None in record or None in record.values():
                pack.wrong(name, where, f"does not have the {len(reader.fieldnames or ())} fields of the header")
                continue
            yield where, _row(pack, name, where, kind, {key: value for key, value in record.items() if value != ""})
    except csv.Error as error:
        pack.wrong(name, f"line {reader.line_num}", f"is not valid CSV: {error}")


def _row(pack: Pack, file: str, where: str, kind: Kind, record: dict[str, str]) -> dict[str, Any]:
    """The record with typed values; `name_en` goes into the translations."""
    row: dict[str, Any] = {}
    translations: dict[str, dict[str, str]] = {}
    columns = {column.name: column for column in kind.columns}
    for name, value in record.items():
        base, _, lang = name.rpartition("_")
        if name not in columns and base in columns and columns[base].translated:
            translations.setdefault(lang, {})[base] = value
        else:
            row[name] = _typed(columns.get(name), value)
    if isinstance(row.get("about"), str):
        row["about"] = list(_references(pack, file, where, row["about"]))
    return row | ({"translations": translations} if translations else {})


def _typed(column: Column | None, value: str) -> Any:
    """The value as JSON would have it; what does not fit stays a text and is found by the checks."""
    if column is not None and column.type in ("integer", "number"):
        try:
            return int(value) if column.type == "integer" else float(value)
        except ValueError:
            return value
    if column is not None and column.type == "boolean":
        return {"true": True, "false": False}.get(value, value)
    return value


def _references(pack: Pack, file: str, where: str, text: str) -> Iterator[dict[str, str]]:
    for part in text.split():
        found = REFERENCE.fullmatch(part)
        if found is None:
            pack.wrong(file, where, "about must list collection:source_key, separated by spaces")
        else:
            yield {"collection": found[1], "source_key": found[2]}


# What every row must be

EXTRA = {"translations", "geom"}
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _sound(pack: Pack, file: str, where: str, row: dict[str, Any], kind: Kind) -> bool:
    before = len(pack.findings)
    columns = {column.name: column for column in kind.columns if column.public}
    for name in row.keys() - columns.keys() - EXTRA:
        pack.wrong(file, where, f"{name} is not a column of {kind.id}")
    for column in columns.values():
        value = row.get(column.name)
        if value is None:
            if column.required or column.name == "source_key":
                pack.wrong(file, where, f"{column.name} is missing")
        elif (fault := _fault(column, value)) is not None:
            pack.wrong(file, where, f"{column.name} {fault}")
    if row.get("position") in ("approximate", "schematic") and row.get("position_accuracy_m") is None:
        pack.wrong(file, where, "position_accuracy_m is missing, which approximate and schematic positions must state")
    _check_translations(pack, file, where, row.get("translations", {}), columns)
    return len(pack.findings) == before


def _fault(column: Column, value: Any) -> str | None:
    """What is wrong with a value of this column, or None."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if column.choices is not None:
        return None if value in column.choices else f"must be one of: {', '.join(column.choices)}"
    if column.type in ("integer", "number"):
        if not number or (column.type == "integer" and not isinstance(value, int)) or value != value:
            return "must be a whole number" if column.type == "integer" else "must be a number"
        low, high = column.minimum, column.maximum
        if (low is not None and value < low) or (high is not None and value > high):
            return f"must lie between {low if low is not None else '-∞'} and {high if high is not None else '∞'}"
        return None
    if column.type == "boolean":
        return None if isinstance(value, bool) else "must be true or false"
    if column.type == "references":
        return None if isinstance(value, list) else "must be a list"
    if not isinstance(value, str) or "\x00" in value or not value.strip():
        return "must be a text that is not empty"
    if column.type == "url" and not re.match(r"https?://\S+$", value):
        return "must be an address that begins with https://"
    if column.type == "date" and not _is_day(value):
        return "must be a date as in 2013-03-08"
    return None


def _is_day(value: str) -> bool:
    try:
        return bool(DAY.fullmatch(value)) and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _check_translations(pack: Pack, file: str, where: str, value: Any, columns: Mapping[str, Column]) -> None:
    if not isinstance(value, dict) or not all(isinstance(one, dict) for one in value.values()):
        pack.wrong(file, where, 'translations must be texts by language, as in {"en": {"name": "…"}}')
        return
    for lang, texts in value.items():
        for name, text in texts.items():
            if name not in columns or not columns[name].translated:
                pack.wrong(file, where, f"translations, {lang}: {name} has no translations")
            elif not isinstance(text, str):
                pack.wrong(file, where, f"translations, {lang}: {name} must be a text")


def _check_keys(pack: Pack) -> None:
    for kind, rows in pack.rows.items():
        seen: set[str] = set()
        for row in rows:
            if row["source_key"] in seen:
                pack.wrong(_file(KINDS[kind]), row["source_key"], "source_key stands twice")
            seen.add(row["source_key"])


def _check_references(pack: Pack) -> None:
    kinds = {one["id"]: one["kind"] for one in pack.collections}
    keys = {kind: {row["source_key"] for row in rows} for kind, rows in pack.rows.items()}
    for kind, rows in pack.rows.items():
        for row in rows:
            for about in row.get("about", ()):
                known = about.get("collection") in kinds
                if not known or about.get("source_key") not in keys.get(kinds[about["collection"]], ()):
                    pack.wrong(_file(KINDS[kind]), row["source_key"], "is about something that the pack does not have")
