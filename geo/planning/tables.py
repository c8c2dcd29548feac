"""An answer as a file: its features are read back as rows, which COPY or the child of geo/files writes as it does a collection's."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from sqlalchemy.engine import Connection

from geo.exports import FORMULA, Prepared, copied, driver
from geo.files.export import Layer, Written
from geo.planning.question import Answer

FORMATS = ("csv", "gpkg")
"""What an answer of features may be had as, beside GeoJSON."""

_GEOMETRY = "ST_SetSRID(ST_GeomFromGeoJSON(f ->> 'geometry'), 4326)"
_ROWS = """
select {columns} from json_array_elements(%(answer)s::json -> 'features') with ordinality one (f, n) order by n
"""


def prepare(tx: Connection, name: str, answer: Answer, *, format: str) -> Written | Prepared:
    """The features of an answer with their properties as columns, in its order; `exports.finish` ends it.

    What an answer says beside its features, such as its grounds, no such file can hold.
    """
    features = json.loads(answer.text)["features"]
    types = {one["geometry"]["type"] for one in features if one["geometry"]}
    columns = _columns(one["properties"] for one in features)
    names = {f"key{n}": key for n, key in enumerate(columns)}
    spelled = [_column(key, columns[key], parameter, format) for parameter, key in names.items()]
    parts = ["f ->> 'id' as id", *spelled, *([_geometry(types, format)] if types else [])]
    values = {**names, "answer": answer.text}
    sql = psycopg.ClientCursor(driver(tx)).mogrify(_ROWS.format(columns=", ".join(parts)).encode(), values)
    if format == "csv":
        return copied(tx, sql, "format csv, header")
    listed = (("id", "id"), *columns.items())
    return Prepared(Layer(name=name, format=format, columns=listed, geometry=_of(types), srid=4326), sql)


def _columns(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Every property and the type that holds all its values; whole numbers may be as large as ids."""
    found: dict[str, set[str]] = {}
    for row in rows:
        for name, value in row.items():
            if name != "id":
                found.setdefault(name, set()).update(() if value is None else (_type(value),))
    return {name: _common(types) for name, types in found.items()}


def _type(value: Any) -> str:
    return {bool: "boolean", int: "id", float: "number"}.get(type(value), "text")


def _common(types: set[str]) -> str:
    if types == {"id", "number"}:
        return "number"
    return types.pop() if len(types) == 1 else "text"


def _column(name: str, type_: str, parameter: str, format: str) -> str:
    sql = f"f -> 'properties' ->> %({parameter})s"
    if type_ == "boolean":
        sql = f"({sql})::boolean"
    elif type_ == "text" and format == "csv":
        sql = FORMULA.format(text=f"({sql})")
    return f'{sql} as "{name.replace(chr(34), chr(34) * 2).replace("%", "%%")}"'


def _geometry(types: set[str], format: str) -> str:
    if format == "csv":
        return f"ST_AsText({_GEOMETRY}, 7) as geometry"
    upright = f"ST_Multi({_GEOMETRY})" if len(types) > 1 and _of(types) != "Unknown" else _GEOMETRY
    return f"encode(ST_AsBinary({upright}), 'hex') as geometry"


def _of(types: set[str]) -> str | None:
    """The one type of a layer; where an answer has points beside lines, any."""
    if len(types) <= 1:
        return next(iter(types), None)
    families = {one.removeprefix("Multi") for one in types}
    return f"Multi{families.pop()}" if len(families) == 1 else "Unknown"
