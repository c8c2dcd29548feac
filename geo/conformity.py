"""Files after a national schema: what fits is written, and at the file's end stands what was left out and why.

The report is a foreign member of the GeoJSON (RFC 7946, 6.1), so that no copy of the file is without it.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from typing import IO, Any

from geo.exchange import Scheme
from geo.files.export import Written

MEMBER = "conformity"
DECIMALS = 7
"""Of degrees: a centimetre, as the sources have them."""

# A line in one piece is a LineString, which the schema's guide asks for; only what is in several stays a MultiLineString.
GEOMETRY = f"""ST_AsGeoJSON(case when ST_NumGeometries(f.geom) = 1 then ST_GeometryN(f.geom, 1) else f.geom end, {DECIMALS}, 0)::json"""


def row_sql(scheme: Scheme) -> str:
    """SQL for what `write` takes: a row `f` as one line of JSON, with its number and its geometry."""
    names = ", ".join(f'f."{name}"' for name in dict.fromkeys(("position", "source_key", *scheme.columns)))
    return f"(select row_to_json(p) from (select f.id, {names}, {GEOMETRY} as geometry) p)::text"


def write(parts: Iterable[bytes], scheme: Scheme) -> Written:
    """The file, in no folder; `told_at` is where its report begins. Neither features nor report are held in memory."""
    file: IO[bytes] = tempfile.TemporaryFile(prefix="gohelle-export-")  # noqa: SIM115 (whoever sends it closes it)
    with ExitStack() as unless_done:
        unless_done.callback(file.close)
        with tempfile.TemporaryFile(prefix="gohelle-export-") as misfits:
            written, all_ = _features(file, misfits, parts, scheme)
            told_at = _report(file, misfits, scheme, written, all_)
        size = file.tell()
        file.seek(0)
        unless_done.pop_all()
    return Written(file, size, written, of=all_, told_at=told_at)


def _features(file: IO[bytes], misfits: IO[bytes], parts: Iterable[bytes], scheme: Scheme) -> tuple[int, int]:
    """Write each feature to the one file and what it lacks to the other; how many were written, of how many."""
    file.write(b'{"type":"FeatureCollection","features":[')
    written = all_ = 0
    for line in _lines(parts):
        row: dict[str, Any] = json.loads(line)
        properties, left = scheme.fit(row)
        all_ += 1
        if properties is not None:
            feature = {"type": "Feature", "geometry": row["geometry"], "properties": properties}
            file.write((b",\n" if written else b"\n") + _text(feature))
            written += 1
        for one in left:
            told = {"id": row["id"], "source_key": row["source_key"], **asdict(one)}
            misfits.write((b",\n" if misfits.tell() else b"\n") + _text(told))
    return written, all_


def _report(file: IO[bytes], misfits: IO[bytes], scheme: Scheme, written: int, all_: int) -> int:
    file.write(f'\n],"{MEMBER}":'.encode())
    told_at = file.tell()
    head = _text({"schema": scheme.source, "written": written, "left_out": all_ - written})
    file.write(head[:-1] + b',"misfits":[')
    misfits.seek(0)
    while part := misfits.read(1 << 18):
        file.write(part)
    file.write(b"]}}\n")
    return told_at


def _lines(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines of what comes in parts of any length; JSON holds no line end."""
    rest = b""
    for part in parts:
        *whole, rest = (rest + part).split(b"\n")
        yield from whole


def _text(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def told(file: IO[bytes], at: int) -> dict[str, Any]:
    """The report of a file that was written with `told_at`."""
    file.seek(at)
    return json.loads(file.read().rstrip()[:-1])


def sentences(report: dict[str, Any]) -> Iterator[str]:
    """The report for people: a sentence for each field and reason, with the items that it is about."""
    about: dict[tuple[str, str, bool], list[str]] = {}
    for one in report["misfits"]:
        about.setdefault((one["field"], one["reason"], one["whole"]), []).append(f"{one['id']} ({one['source_key']})")
    for (field, reason, whole), items in about.items():
        kept = "left out" if whole else "written without it"
        yield f"{field} {reason}: {len(items)} {kept}: {', '.join(items)}"
