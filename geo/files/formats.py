"""Tells what a file is by its first bytes, and lays it, unpacked and bounded, into a private folder under our own name.

GDAL is then given that name and the one driver that we chose: no path of the user's reaches it, no file beside it is
seen, and a file that only claims to be GeoJSON is not tried as anything else.
"""

import codecs
import gzip
import json
import re
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from geo.errors import BadInput, Problem, TooMuch

UNPACKED = 2 * 1024**3
"""Bytes that a packed file may become; RATIO tells a bomb long before, once there are at least SUSPECT bytes."""
RATIO = 250
SUSPECT = 64 * 1024**2
CHUNK = 1024**2
FIELDS = 2_000
"""Fields that a file may have."""
LOOK = 4 * 1024**2
BEGINNING = 64 * 1024

GZIP, ZIP, SQLITE, FLATGEOBUF = b"\x1f\x8b", b"PK\x03\x04", b"SQLite format 3\0", b"fgb\x03fgb"
XML = {"kml": "KML", "gpx": "GPX"}
SUFFIXES = {
    "CSV": ".csv",
    "GeoJSON": ".geojson",
    "GeoJSONSeq": ".geojsonl",
    "GPKG": ".gpkg",
    "FlatGeobuf": ".fgb",
    "ESRI Shapefile": ".shp",
    "KML": ".kml",
    "GPX": ".gpx",
    "OSM": ".osm.pbf",
}
SHAPEFILE = (".shp", ".shx", ".dbf", ".prj", ".cpg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file that is ready to be opened: by `driver` of GDAL, or by us where it is CSV.

    `lines` is how many features a GeoJSONSeq seems to have: GDAL passes over lines that it cannot read.
    """

    path: Path
    driver: str
    lines: int | None = None


class Packed(Protocol):
    """What gives unpacked bytes."""

    def read(self, size: int, /) -> bytes:
        """At most so many of the next bytes."""
        ...


def bad(message: str) -> BadInput:
    """The file is wrong, in one sentence."""
    return BadInput(Problem(parameter="file", message=message))


def prepare(file: Path, folder: Path) -> Source:
    """Recognise the file, unpack it into the folder where it is packed, else only name it there."""
    if file.is_dir():
        raise bad("this is a folder, not a file")
    if not file.is_file():
        raise bad("there is no such file")
    if not file.stat().st_size:
        raise bad("the file is empty: 0 bytes")
    try:
        return _recognised(file, folder, packed=False)
    except OSError as error:
        raise bad(f"the file cannot be read: {error.strerror or error}") from error


def _recognised(file: Path, folder: Path, *, packed: bool) -> Source:
    with file.open("rb") as stream:
        start = stream.read(BEGINNING)
    if start.startswith((GZIP, ZIP)) and packed:
        raise bad("the file is packed twice; unpack it once")
    if start.startswith(GZIP):
        return _recognised(_gunzipped(file, folder), folder, packed=True)
    if start.startswith(ZIP):
        return _unzipped(file, folder)
    driver = _driver(start, file)
    if driver in ("GeoJSON", "GeoJSONSeq"):
        _check_properties(file)
    lines = _checked_lines(file) if driver in ("GeoJSON", "GeoJSONSeq") else None
    path = folder / f"data{SUFFIXES[driver]}"
    path.symlink_to(file.absolute())
    return Source(path=path, driver=driver, lines=lines if driver == "GeoJSONSeq" else None)


def _driver(start: bytes, file: Path) -> str:
    if start.startswith(SQLITE):
        return _geopackage(file)
    if start.startswith(FLATGEOBUF):
        return "FlatGeobuf"
    if b"OSMHeader" in start[:64]:
        return "OSM"
    if start.startswith(b"\0\0\x27\x0a"):
        raise bad("a shapefile comes as several files: put .shp, .shx, .dbf and .prj into one zip")
    text = _beginning(start)
    if text.startswith("<"):
        return _xml(text)
    if text.startswith(("{", "[", "\x1e")):
        return _json(text)
    return _csv(text)


def _beginning(start: bytes) -> str:
    """The first characters, for recognition only: whatever the encoding, what we look for is ASCII."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return start.decode("utf-16", errors="replace").lstrip("\ufeff \r\n\t")
    return start.decode("utf-8", errors="replace").lstrip("\ufeff \r\n\t")


def _xml(text: str) -> str:
    if re.match(r"<(!doctype )?html\b", text, re.IGNORECASE):
        raise bad("this is a web page, not a file of data")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise bad(
            "the XML declares a document type or entities; such files are not read, for they can unfold without end"
        )
    root = re.search(r"<(?:\w+:)?([A-Za-z]\w*)[\s>/]", re.sub(r"<\?.*?\?>|<!--.*?-->", "", text, flags=re.DOTALL))
    driver = XML.get(root[1].lower()) if root else None
    if driver is None:
        raise bad("the file is XML, but neither KML nor GPX")
    return driver


def _json(text: str) -> str:
    first, _, rest = text.lstrip("\x1e").partition("\n")
    if text.startswith("\x1e") or ('"Feature"' in first and rest.lstrip("\x1e \r\n").startswith("{") and _whole(first)):
        return "GeoJSONSeq"
    if text.startswith("["):
        raise bad("the file is a JSON array, not GeoJSON")
    for member, name in (
        ("Topology", "TopoJSON"),
        ("esriGeometryType", "Esri JSON"),
        ("displayFieldName", "Esri JSON"),
    ):
        if f'"{member}' in text:
            raise bad(f"the file is {name}, not GeoJSON")
    return "GeoJSON"


def _whole(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return len(line) > BEGINNING // 2  # one feature of many vertices fills what we looked at


def _csv(text: str) -> str:
    if "\0" in text or not re.search(r"[,;\t|]", text.partition("\n")[0]):
        raise bad(
            "the file is none of GeoJSON, GeoPackage, CSV with a header line, Shapefile in a zip, FlatGeobuf, KML, GPX"
        )
    return "CSV"


def _geopackage(file: Path) -> str:
    """Virtual tables of SQLite may read other files, so only the spatial index's own are let through."""
    try:
        with sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True) as database:
            tables = dict(
                database.execute("select lower(name), lower(coalesce(sql, '')) from sqlite_master").fetchall()
            )
    except sqlite3.Error as error:
        raise bad("the SQLite file is damaged") from error
    if "gpkg_contents" not in tables:
        raise bad("the file is an SQLite database, but no GeoPackage")
    if any(re.match(r"create\s+virtual", sql) and "using rtree" not in sql for sql in tables.values()):
        raise bad("the GeoPackage has virtual tables, which can read other files")
    return "GPKG"


def _checked_lines(file: Path) -> int:
    """How many lines begin as a feature does, of a file that is UTF-8 throughout."""
    decoder, line = codecs.getincrementaldecoder("utf-8")(), 1
    features, last = 0, b"\n"
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                line += error.object.count(b"\n", 0, error.start)
                raise bad(f"line {line} is not UTF-8, as GeoJSON must be; save the file again as UTF-8") from error
            line += chunk.count(b"\n")
            features += len(re.findall(rb"[\n\x1e]\{", last + chunk))
            last = chunk[-1:]
    return features


def _check_properties(file: Path) -> None:
    """Refuse too many fields after a bounded look: GDAL lists them only once it has gone through the whole file."""
    with file.open("rb") as stream:
        text = stream.read(LOOK).decode("utf-8", errors="replace")
    names: set[str] = set()
    at = text.find("{", max(text.find('"features"'), 0))
    while at >= 0 and len(names) <= FIELDS:
        try:
            feature, at = json.JSONDecoder().raw_decode(text, at)
        except (ValueError, RecursionError):
            # A first feature that the look does not hold, or no JSON: then all names in sight count.
            names = names or set(re.findall(r'"([^"\\]*)"\s{0,9}:', text))
            break
        properties = feature.get("properties")
        names |= properties.keys() if isinstance(properties, dict) else set()
        at = text.find("{", at)
    if len(names) > FIELDS:
        raise bad(f"the file has more than {FIELDS} fields, which is more than are read")


def _gunzipped(file: Path, folder: Path) -> Path:
    unpacked = folder / "unpacked"
    try:
        with gzip.open(file) as stream:
            _pour(stream, unpacked, file.stat().st_size)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise bad("the gzip file is damaged or cut short") from error
    if not unpacked.stat().st_size:
        raise bad("the gzip file holds 0 bytes")
    return unpacked


def _pour(stream: Packed, target: Path, packed: int, already: int = 0) -> int:
    """Write what unpacks, and stop at the bounds; the bytes written so far."""
    with target.open("wb") as out:
        while chunk := stream.read(CHUNK):
            already += len(chunk)
            if already > UNPACKED:
                raise TooMuch(f"the file unpacks to more than {UNPACKED // 1024**3} GiB")
            if already > SUSPECT and already > packed * RATIO:
                raise TooMuch(f"the file unpacks to more than {RATIO} times its size; such files are not read")
            out.write(chunk)
    return already


def _unzipped(file: Path, folder: Path) -> Source:
    try:
        with zipfile.ZipFile(file) as archive:
            members = list(_members(archive))
            written = 0
            for info, name in members:
                with archive.open(info) as stream:
                    written = _pour(stream, folder / name, file.stat().st_size, written)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise bad("the zip file is damaged, or protected by a password") from error
    if members[0][1].startswith("data"):
        return Source(path=folder / "data.shp", driver="ESRI Shapefile")
    return _recognised(folder / members[0][1], folder, packed=True)


def _members(archive: zipfile.ZipFile) -> Iterator[tuple[zipfile.ZipInfo, str]]:
    """The members to unpack, each with the name that we give it: those of one shapefile, or the only file."""
    files = [info for info in archive.infolist() if not info.is_dir() and "__MACOSX" not in info.filename]
    shapes = [info for info in files if info.filename.lower().endswith(".shp")]
    if len(shapes) > 1 or (not shapes and len(files) != 1):
        found = ", ".join(sorted(info.filename for info in shapes or files)[:10]) or "nothing"
        raise bad(f"the zip must hold one shapefile or one file, and holds {found}; unpack it and name one")
    if not shapes:
        yield files[0], "member"
        return
    stem = shapes[0].filename[:-4]
    parts = {info.filename[len(stem) :].lower(): info for info in files if info.filename.startswith(stem + ".")}
    if missing := [suffix for suffix in (".shx", ".dbf") if suffix not in parts]:
        raise bad(f"the shapefile in the zip lacks its {' and '.join(missing)}")
    yield from ((parts[suffix], f"data{suffix}") for suffix in SHAPEFILE if suffix in parts)
