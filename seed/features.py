"""Reads a pack's GeoJSON files: features with the line on which each begins, and geometries that PostGIS would take."""

import json
import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from geo.errors import BadInput
from geo.files.validity import faults
from geo.kinds import Kind
from geo.space import DEPTHS, checked_geometry
from seed.findings import Entry, Pack, file_of
from seed.folder import text_of

DECODER = json.JSONDecoder()
SPACE = re.compile(r"[ \t\r\n]*")
OURS = re.compile(r"CRS:?84|4326$")
EXTRA = ("translations",)


def read_features(pack: Pack, folder: Path, kind: Kind) -> None:
    """Read the kind's file into `pack.entries`."""
    text = text_of(pack, folder, file_of(kind))
    if text is None:
        if (folder / file_of(kind)).exists():
            pack.vague.add(kind.id)
        return
    before = len(pack.findings)
    try:
        members, features = _parts(text)
    except (ValueError, RecursionError) as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        pack.wrong(file_of(kind), where, f"is not valid JSON here or just before: {_told(error)}")
    else:
        _read(pack, kind, members, features)
    if len(pack.findings) > before:
        pack.vague.add(kind.id)


def _told(error: Exception) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else "it is nested too deep, or a number is too long"


def _parts(text: str) -> tuple[dict[str, Any], list[tuple[int, Any]] | None]:
    """The members of a FeatureCollection, and its features with their lines. One pass, as fast as `json.loads`."""
    members: dict[str, Any] = {}
    features = None
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        DECODER.decode(text)  # no object: valid or not
        return {}, None
    at = _skip(text, at + 1)
    while text[at : at + 1] != "}":
        key, at = DECODER.raw_decode(text, at)
        at = _expect(text, at, ":")
        if key == "features" and text[at : at + 1] == "[":
            features, at = _listed(text, at)
        else:
            members[str(key)], at = DECODER.raw_decode(text, at)
        at = _next(text, at, "}")
    at = _skip(text, at + 1)
    if at < len(text):
        raise json.JSONDecodeError("Extra data", text, at)
    return members, features


def _listed(text: str, at: int) -> tuple[list[tuple[int, Any]], int]:
    found: list[tuple[int, Any]] = []
    line, seen = 1, 0
    at = _skip(text, at + 1)
    while text[at : at + 1] != "]":
        line, seen = line + text.count("\n", seen, at), at
        feature, at = DECODER.raw_decode(text, at)
        found.append((line, feature))
        at = _next(text, at, "]")
    return found, at + 1


def _skip(text: str, at: int) -> int:
    space = SPACE.match(text, at)
    return space.end() if space else at


def _expect(text: str, at: int, sign: str) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != sign:
        raise json.JSONDecodeError(f"Expecting '{sign}'", text, at)
    return _skip(text, at + 1)


def _next(text: str, at: int, end: str) -> int:
    """The place of the next member, behind a comma, or of the end."""
    at = _skip(text, at)
    if text[at : at + 1] == end:
        return at
    at = _expect(text, at, ",")
    if text[at : at + 1] == end:
        raise json.JSONDecodeError("a comma stands before the end", text, at)
    return at


def _read(pack: Pack, kind: Kind, members: dict[str, Any], features: list[tuple[int, Any]] | None) -> None:
    if members.get("type") != "FeatureCollection" or features is None:
        pack.wrong(file_of(kind), "", "is not a GeoJSON FeatureCollection with a list of features")
        return
    named = json.dumps(members.get("crs")) if members.get("crs") is not None else "CRS84"
    foreign = not OURS.search(named.rstrip('"} '))
    if foreign:
        message = "says that it is in another coordinate system; export it as WGS 84 (EPSG:4326), longitude first"
        pack.wrong(file_of(kind), "crs", message)
    for number, (line, feature) in enumerate(features, 1):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(properties, dict):
            pack.wrong(file_of(kind), f"feature {number}, line {line}", "has no properties")
            continue
        key = properties.get("source_key") or properties.get("name") or "without key"
        where = f"feature {number} ({str(key)[:60]}), line {line}"
        row = dict(_known(pack, kind, where, properties))
        geometry = None if foreign else _geometry(pack, kind, where, feature.get("geometry"))
        pack.entries.append(Entry(kind=kind, where=where, row=row | ({"geom": geometry} if geometry else {})))


def _known(pack: Pack, kind: Kind, where: str, properties: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The properties that are columns; one that is almost a column is told and then taken for it."""
    columns = [column.name for column in kind.columns if column.public]
    for name, value in properties.items():
        if name in columns or name in EXTRA:
            yield name, value
            continue
        meant = close_to(name, [*columns, *EXTRA], properties)
        pack.wrong(
            file_of(kind), where, f"{name} is not a column of {kind.id}{f'; is {meant} meant?' if meant else ''}"
        )
        if meant:
            yield meant, value


def close_to(name: str, columns: list[str], taken: Any) -> str | None:
    """The column that somebody meant who wrote this name; None if there is none, or it is there too."""
    close = get_close_matches(name.lower().strip(), [one for one in columns if one not in taken], n=1, cutoff=0.75)
    return close[0] if close else None


def _geometry(pack: Pack, kind: Kind, where: str, value: Any) -> dict[str, Any] | None:
    file = file_of(kind)
    if value is None:
        pack.wrong(file, where, "has no geometry")
        return None
    try:
        geometry = checked_geometry(value, "geometry")
    except BadInput as error:
        for problem in error.problems:
            hint = "; these look like metres of a map projection" if _in_metres(value) else ""
            pack.wrong(file, where, f"the geometry {problem.message}{hint}")
        return None
    taken = {kind.geometry, (kind.geometry or "").removeprefix("Multi")}
    if geometry["type"] not in taken:
        pack.wrong(file, where, f"is a {geometry['type']} where {kind.id} takes {' or '.join(sorted(map(str, taken)))}")
        return None
    if not _closed(geometry):
        ring = "a ring that is not closed, or has fewer than four positions"
        pack.wrong(
            file, where, f"has {ring if 'Polygon' in geometry['type'] else 'a line of fewer than two positions'}"
        )
        return None
    return geometry


def _in_metres(value: Any) -> bool:
    first = value.get("coordinates") if isinstance(value, dict) else None
    while isinstance(first, list) and first and isinstance(first[0], list):
        first = first[0]
    return isinstance(first, list) and any(type(one) in (int, float) and abs(one) > 1000 for one in first[:2])


def _closed(geometry: dict[str, Any]) -> bool:
    depth = DEPTHS[geometry["type"]]
    if "Polygon" not in geometry["type"]:
        lines = [geometry["coordinates"]] if depth == 1 else geometry["coordinates"] if depth == 2 else []
        return all(len(line) >= 2 for line in lines)
    polygons = [geometry["coordinates"]] if depth == 2 else geometry["coordinates"]
    rings = [ring for polygon in polygons for ring in polygon or [[]]]  # a polygon without a ring has an empty one
    return all(len(ring) >= 4 and ring[0] == ring[-1] for ring in rings)


def check_outlines(pack: Pack) -> None:
    """Find lines and areas that PostGIS would refuse, such as an outline that crosses itself."""
    shaped = [entry for entry in pack.entries if entry.row.get("geom") and entry.row["geom"]["type"] != "Point"]
    for entry, fault in zip(shaped, faults([entry.row["geom"] for entry in shaped]), strict=True):
        if fault:
            pack.wrong_in(entry, fault)
