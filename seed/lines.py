"""Reads a pack's CSV files: records with the line on which each begins, and typed values."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from geo.columns import Column
from geo.kinds import Kind
from seed.features import close_to
from seed.findings import Entry, Pack, file_of
from seed.folder import text_of
from seed.values import typed

REFERENCE = re.compile(r"([a-z0-9][a-z0-9-]*):(\S+)")
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def read_lines(pack: Pack, folder: Path, kind: Kind) -> None:
    """Read the kind's file into `pack.entries`."""
    text = text_of(pack, folder, file_of(kind))
    if text is None:
        if (folder / file_of(kind)).exists():
            pack.vague.add(kind.id)
        return
    before = len(pack.findings)
    _read(pack, kind, text)
    if len(pack.findings) > before:
        pack.vague.add(kind.id)


def _read(pack: Pack, kind: Kind, text: str) -> None:
    file = file_of(kind)
    records = _records(pack, file, text)
    _, header = next(records, (1, []))
    for sign, word in SEPARATORS.items():
        if len(header) == 1 and sign in header[0]:
            pack.wrong(file, "line 1", f"separates its fields by {word}; save it with commas")
            return
    names = list(_columns(pack, kind, header))
    pack.headers[kind.id] = [name for name in names if name]
    for line, record in records:
        if len(record) != len(header):
            message = f"has {len(record)} fields where the header has {len(header)}; a text with a comma needs quotation marks"
            pack.wrong(file, f"line {line}", message)
            continue
        cells = {name: value for name, value in zip(names, record, strict=True) if name and value != ""}
        row = _row(pack, kind, f"line {line}", cells)
        pack.entries.append(Entry(kind=kind, where=f"line {line}", row=row, cells=cells))


def _records(pack: Pack, file: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Each record that is not empty, with the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begins = 1
    try:
        for record in reader:
            if any(record):
                yield begins, record
            begins = reader.line_num + 1
    except csv.Error as error:
        pack.wrong(
            file, f"line {begins}", f"cannot be read from here on: a quotation mark is missing or too many ({error})"
        )


def _columns(pack: Pack, kind: Kind, header: list[str]) -> Iterator[str | None]:
    """The columns that the header names, None for one that the kind does not have."""
    file = file_of(kind)
    known = [column.name for column in kind.columns if column.public]
    others = [f"{name}_{lang}" for name in _translated(kind) for lang in pack.languages[1:]]
    if not pack.languages:  # territory.toml could not be read: any language may be meant
        others = [name for name in header if name.rpartition("_")[0] in _translated(kind)]
    seen: set[str] = set()
    for name in header:
        meant = name if name in known or name in others else close_to(name, [*known, *others], header)
        if name in seen:
            pack.wrong(file, "line 1", f"the column {name} stands twice")
        elif meant != name:
            pack.wrong(
                file, "line 1", f"{_unknown(kind, name, pack.languages)}{f'; is {meant} meant?' if meant else ''}"
            )
        yield None if name in seen else meant
        seen.add(name)


def _unknown(kind: Kind, name: str, languages: list[str]) -> str:
    stem, _, lang = name.rpartition("_")
    if stem in _translated(kind) and len(lang) in (2, 3):
        if languages and lang == languages[0]:
            return f"{name} is not needed: {stem} is the text in “{lang}”"
        return f"{name}: “{lang}” is not among the languages of the territory"
    return f"“{name}” is not a column of {kind.id}" if name.strip() else "a column has no name"


def _translated(kind: Kind) -> set[str]:
    return {column.name for column in kind.columns if column.translated}


def _row(pack: Pack, kind: Kind, where: str, cells: dict[str, str]) -> dict[str, Any]:
    """The record with typed values; `name_en` goes into the translations."""
    row: dict[str, Any] = {}
    translations: dict[str, dict[str, str]] = {}
    columns: dict[str, Column] = {column.name: column for column in kind.columns}
    for name, value in cells.items():
        if name in columns:
            row[name] = typed(columns[name], value)
        else:
            base, _, lang = name.rpartition("_")
            translations.setdefault(lang, {})[base] = value
    if isinstance(row.get("about"), str):
        row["about"] = list(_references(pack, file_of(kind), where, row["about"]))
    return row | ({"translations": translations} if translations else {})


def _references(pack: Pack, file: str, where: str, text: str) -> Iterator[dict[str, str]]:
    for part in text.split():
        found = REFERENCE.fullmatch(part)
        if found is None:
            pack.wrong(file, where, "about must list collection:source_key, separated by spaces")
        else:
            yield {"collection": found[1], "source_key": found[2]}
