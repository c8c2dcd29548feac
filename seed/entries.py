"""What every feature and every line must be by itself: columns, dates, position, translations."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from geo.columns import Column
from geo.kinds import Kind
from seed.findings import Entry, Pack
from seed.values import INSEE, fault_of, is_day, storable

FILLED = {"source_key", "date"}
"""Columns that the tables want filled although no question is asked of them; `date` is a milestone's."""

CODES = {"commune", "insee"}


def check_entry(pack: Pack, entry: Entry) -> None:
    """Find all that is wrong with a feature or a line by itself."""
    for message in (
        *_columns(entry),
        *_codes(pack, entry),
        *_dates(entry.kind, entry.row),
        *_position(entry.kind, entry.row),
        *_translations(entry, pack.languages),
    ):
        pack.wrong_in(entry, message)


def required(column: Column) -> bool:
    """Whether every entry must fill this column."""
    return column.required or column.name in FILLED


def _columns(entry: Entry) -> Iterator[str]:
    for column in entry.kind.columns:
        value = entry.row.get(column.name)
        if not column.public:
            continue
        if value is None:
            if required(column):
                yield f"{column.name} is missing"
        elif (fault := fault_of(column, value)) is not None:
            yield f"{column.name} {fault}"


def _codes(pack: Pack, entry: Entry) -> Iterator[str]:
    """Where the territory has INSEE codes, its features' communes have, too."""
    for name in CODES & entry.row.keys() if pack.about.get("communes") else ():
        value = entry.row[name]
        if isinstance(value, str) and value and not INSEE.fullmatch(value):
            yield f"{name} must be an INSEE code such as 62528 (a postcode is something else)"


def _dates(kind: Kind, row: dict[str, Any]) -> Iterator[str]:
    start, end = kind.interval
    both = is_day(row.get(start)) and is_day(row.get(end))
    if both and date.fromisoformat(row[start]) > date.fromisoformat(row[end]):
        yield f"{end} is before {start}"
    for column in kind.columns:
        of = column.name.removesuffix("_precision")
        if of != column.name and row.get(column.name) is not None and row.get(of) is None:
            yield f"{column.name} is given, but {of} is not"


def _position(kind: Kind, row: dict[str, Any]) -> Iterator[str]:
    if row.get("position") in ("approximate", "schematic") and row.get("position_accuracy_m") is None:
        yield "position_accuracy_m is missing, which approximate and schematic positions must state"
    by_cell = any(column.name == "cell" for column in kind.columns)
    if by_cell and (row.get("position") == "cell") != (row.get("cell") is not None):
        yield "position is cell where, and only where, cell names the square"


def _translations(entry: Entry, languages: list[str]) -> Iterator[str]:
    found = entry.row.get("translations", {})
    if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
        yield 'translations must be texts by language, as in {"en": {"name": "…"}}'
        return
    translated = [column.name for column in entry.kind.columns if column.translated]
    for lang, texts in found.items():
        if languages and lang not in languages[1:]:
            why = "is the language of the texts themselves" if lang == languages[0] else "is not among the languages"
            yield f"translations: “{lang}” {why}"
        for name, text in texts.items():
            if name not in translated:
                yield f"translations, {lang}: {name} has no translations"
            elif not isinstance(text, str) or not text.strip() or not storable(text):
                yield f"translations, {lang}: {name} must be a text"
    for lang in languages[1:]:
        for name in translated:
            if isinstance(entry.row.get(name), str) and name not in found.get(lang, {}):
                yield f"{name} lacks its translation in “{lang}”"
