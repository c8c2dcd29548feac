"""Checks datapackage.json: a Frictionless Data Package that tells the truth about the folder.

Our own check and not the library `frictionless`: that one stops at a descriptor's first fault, takes a GeoJSON file that
is cut in half, speaks to programmers, and would tell a second time what the CSV files' own check has told.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from geo.kinds import KINDS, Kind
from seed.entries import required
from seed.findings import Pack, file_of
from seed.folder import DESCRIPTOR, NAMES, text_of
from seed.values import WEB

NAME = re.compile(r"[-a-z0-9._/]+")
FIELD_TYPES = {
    "string", "number", "integer", "boolean", "object", "array", "list", "date", "time", "datetime", "year", "yearmonth",
    "duration", "geopoint", "geojson", "any",
}  # fmt: skip
AS = {
    "text": {"string", "any"},
    "choice": {"string", "any"},
    "url": {"string", "any"},
    "references": {"string", "any"},
    "date": {"date", "any"},
    "boolean": {"boolean", "any"},
    "integer": {"integer", "number", "any"},
    "number": {"number", "any"},
}
"""The field types under which each of our column types may be described."""


def check_descriptor(pack: Pack, folder: Path) -> None:
    """Find what is wrong with the descriptor by itself, against the folder's files, and against the CSV files' lines."""
    text = text_of(pack, folder, DESCRIPTOR, needed=True)
    if text is None:
        return
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        told = error.msg if isinstance(error, json.JSONDecodeError) else "it is nested too deep"
        pack.wrong(DESCRIPTOR, where, f"is not valid JSON here or just before: {told}")
        return
    if not isinstance(found, dict):
        pack.wrong(DESCRIPTOR, "", "must be a JSON object: { … }")
        return
    _Descriptor(pack, folder, found, text).check()


class _Descriptor:
    """One descriptor, beside the folder that it speaks of."""

    def __init__(self, pack: Pack, folder: Path, body: dict[str, Any], text: str) -> None:
        self.pack, self.folder, self.body, self.text = pack, folder, body, text

    def wrong(self, where: str, message: str, quoted: str | None = None) -> None:
        """Note a finding, at the first line that holds the words `quoted` in quotation marks."""
        at = self.text.find(f'"{quoted}"') if quoted else -1
        line = f"line {self.text.count(chr(10), 0, at) + 1}" if at >= 0 else ""
        self.pack.wrong(DESCRIPTOR, ", ".join(filter(None, (line, where))), message)

    def check(self) -> None:
        """Check all of it."""
        name = self.body.get("name")
        if name is not None and (not isinstance(name, str) or not NAME.fullmatch(name)):
            self.wrong("name", "must be of lower case letters, digits, hyphens and points", "name")
        self._check_licences(self.body.get("licenses"), "licenses", needed=True)
        for list_name in ("sources", "contributors"):
            self._check_titled(list_name)
        resources = self.body.get("resources")
        if not isinstance(resources, list) or not resources or not all(isinstance(one, dict) for one in resources):
            self.wrong("resources", "must list the files of the pack, each with a name and a path", "resources")
            return
        self._check_resources(resources)
        self._check_unlisted({str(one.get("path")) for one in resources})

    def _check_licences(self, found: Any, where: str, *, needed: bool = False) -> None:
        if found is None and not needed:
            return
        listed = found if isinstance(found, list) else []
        named = [isinstance(one, dict) and isinstance(one.get("name") or one.get("path"), str) for one in listed]
        if not named or not all(named):
            self.wrong(
                where, 'must list at least one licence with its name, as in [{ "name": "etalab-2.0" }]', "licenses"
            )

    def _check_titled(self, name: str) -> None:
        found = self.body.get(name, [])
        if not isinstance(found, list) or not all(isinstance(one, dict) and one.get("title") for one in found):
            self.wrong(name, "must be a list, and each of its entries needs a title", name)

    def _check_resources(self, resources: list[dict[str, Any]]) -> None:
        names: set[str] = set()
        paths: set[str] = set()
        for number, one in enumerate(resources, 1):
            name, path = one.get("name"), one.get("path")
            where = f"resource {name if isinstance(name, str) else number}"
            if not isinstance(name, str) or not NAME.fullmatch(name):
                self.wrong(where, "needs a name of lower case letters, digits, hyphens and points")
            elif name in names:
                self.wrong(where, "another resource has this name already", name)
            names.add(str(name))
            if not isinstance(path, str) or not path:
                self.wrong(where, "needs the path of its file", name if isinstance(name, str) else None)
                continue
            if path in paths:
                self.wrong(where, f"{path} is listed already", path)
            paths.add(path)
            self._check_resource(where, path, one)

    def _check_resource(self, where: str, path: str, one: dict[str, Any]) -> None:
        if WEB.fullmatch(path):
            return
        if path.startswith(("/", "~")) or ".." in Path(path).parts or "\\" in path:
            self.wrong(where, "its path must stay in the pack's folder", path)
            return
        if not _is_file(self.folder / path):
            self.wrong(where, f"{path} is not in the folder", path)
            return
        if str(one.get("encoding", "utf-8")).lower() not in ("utf-8", "utf8"):
            self.wrong(where, "the encoding of a pack's files is utf-8", path)
        self._check_licences(one.get("licenses"), f"{where}, licenses")
        kind = next((kind for kind in KINDS.values() if not kind.geometry and file_of(kind) == path), None)
        if kind is not None:
            self._check_table(where, path, one, kind)

    def _check_table(self, where: str, path: str, one: dict[str, Any], kind: Kind) -> None:
        dialect = one.get("dialect")
        if isinstance(dialect, dict) and dialect.get("delimiter", ",") != ",":
            self.wrong(f"{where}, dialect", "the fields of a pack's CSV files are separated by commas", path)
        schema = one.get("schema")
        fields = schema.get("fields") if isinstance(schema, dict) else None
        if not isinstance(fields, list) or not all(
            isinstance(f, dict) and isinstance(f.get("name"), str) for f in fields
        ):
            self.wrong(f"{where}, schema", f"must list the fields of {path}, each with its name and type", path)
            return
        self._check_fields(f"{where}, schema", path, fields, kind)
        self._check_key(f"{where}, schema", path, schema, fields)
        for field in fields:
            self._check_constraints(field, kind)

    def _check_fields(self, where: str, path: str, fields: list[dict[str, Any]], kind: Kind) -> None:
        columns = {column.name: column for column in kind.columns}
        listed, header = [field["name"] for field in fields], self.pack.headers.get(kind.id)
        for name in sorted({name for name in listed if listed.count(name) > 1}):
            self.wrong(where, f"the field {name} stands twice", path)
        for field in fields:
            name, said = field["name"], field.get("type", "string")
            wanted = AS.get(columns[name].type, FIELD_TYPES) if name in columns else {"string", "any"}
            if not isinstance(said, str) or said not in FIELD_TYPES:
                self.wrong(where, f"the field {name} has a type that Data Package does not know", path)
            elif said not in wanted:
                self.wrong(where, f"the field {name} must have the type {min(wanted - {'any'})}", path)
        if header is not None and not any(one.file == path and one.where == "line 1" for one in self.pack.findings):
            for name in [name for name in header if name not in listed]:
                self.wrong(where, f"lacks the field {name}, which {path} has", path)
            for name in [name for name in listed if name not in header]:
                self.wrong(where, f"lists the field {name}, which {path} does not have", path)

    def _check_key(self, where: str, path: str, schema: Any, fields: list[dict[str, Any]]) -> None:
        key = schema.get("primaryKey", [])
        for name in [key] if isinstance(key, str) else key if isinstance(key, list) else []:
            if not any(field["name"] == name for field in fields):
                self.wrong(f"{where}, primaryKey", f"{name} is not among the fields", path)

    def _check_constraints(self, field: Mapping[str, Any], kind: Kind) -> None:
        """What the descriptor promises of a column beyond what its kind does; a line with a finding has been told enough."""
        columns = {column.name: column for column in kind.columns}
        name, constraints = field["name"], field.get("constraints", {})
        if not isinstance(constraints, dict):
            self.wrong(f"field {name}", "its constraints must be an object", name)
            return
        told = {(one.file, one.where) for one in self.pack.findings}
        by_kind = name not in columns or required(columns[name])
        for entry in self.pack.entries:
            if entry.kind is kind and (entry.file, entry.where) not in told:
                for message in _broken(constraints, entry.cells.get(name), by_kind=by_kind):
                    self.pack.wrong_in(entry, f"{name} {message}, as {DESCRIPTOR} promises")

    def _check_unlisted(self, paths: set[str]) -> None:
        for name in NAMES:
            if name != DESCRIPTOR and name not in paths and (self.folder / name).is_file():
                self.wrong("resources", f"does not list {name}, which is in the folder", "resources")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that no file system takes
        return False


def _broken(constraints: Mapping[str, Any], cell: str | None, *, by_kind: bool) -> Iterator[str]:
    if cell is None:
        if constraints.get("required") is True and not by_kind:
            yield "must not be empty"
        return
    allowed, pattern = constraints.get("enum"), constraints.get("pattern")
    if isinstance(allowed, list) and cell not in map(str, allowed):
        yield f"must be one of: {', '.join(map(str, allowed))}"
    if isinstance(pattern, str) and _fails(pattern, cell):
        yield "must have the form"


def _fails(pattern: str, cell: str) -> bool:
    try:
        return not re.fullmatch(pattern, cell)
    except re.error:
        return False  # a pattern of XML Schema that Python does not read
