"""SQL that writes a feature: PostGIS makes the text, member by member, and nobody parses it again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from geo.columns import Column
from geo.crs import CRS84, Crs
from geo.kinds import KINDS, Kind
from geo.space import MERCATOR, WGS84

TOGETHER = 8
"""So many texts are joined at once."""

PLAIN_WORD = re.compile(r"[\w.+ -]+", re.ASCII)
"""A word that JSON writes as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How features are written: in which language (None: that of the texts) and system, with which properties."""

    lang: str | None = None
    crs: Crs = CRS84
    names: tuple[str, ...] | None = None
    located: bool = True
    bare: bool = False
    """Nothing of them but their ids."""


PLAIN = View()


@lru_cache(maxsize=500)
def feature(kind_id: str, lang: str | None, view: View = PLAIN) -> str:
    """SQL for the text of one Feature of the row `f`."""
    if view.bare:
        return "f.id::text"
    kind = KINDS[kind_id]
    shown = [column for column in kind.public if view.names is None or column.name in view.names]
    properties = [_property(column, said(column, lang), "," if n else "") for n, column in enumerate(shown)]
    return _joined(
        [
            """'{"type":"Feature","id":'""",
            "f.id",
            """',"geometry":'""",
            _geometry(kind, view),
            """',"properties":{'""",
            *properties,
            "'}}'",
        ]
    )


def _joined(pieces: Sequence[str]) -> str:
    """SQL for the texts in a row, few at a time: or each would be copied as often as there are others behind it."""
    while len(pieces) > 1:
        pieces = [f"({' || '.join(pieces[n : n + TOGETHER])})" for n in range(0, len(pieces), TOGETHER)]
    return pieces[0]


def _property(column: Column, sql: str, comma: str) -> str:
    """SQL for a member of a JSON object. Only texts that anybody wrote need a look at each of their letters."""
    name = f'{comma}"{column.name}":'
    quote = ""
    if column.type == "date" or (column.choices and all(PLAIN_WORD.fullmatch(one) for one in column.choices)):
        quote = '"'
    elif column.type not in ("integer", "number", "boolean", "references"):
        sql = f"to_json({sql})"
    closing = f" || '{quote}'" if quote else ""
    return f"coalesce('{name}{quote}' || {sql}::text{closing}, '{name}null')"


def _geometry(kind: Kind, view: View) -> str:
    if not kind.geometry or not view.located:
        return "'null'"
    return f"ST_AsGeoJSON({located(view.crs)}, {view.crs.decimals}, 0)"


def located(crs: Crs) -> str:
    """SQL for the geometry of the row `f` in a coordinate system, in its own axis order."""
    sql = {WGS84: "f.geom", MERCATOR: "f.geom_3857"}.get(crs.srid, f"ST_Transform(f.geom, {crs.srid})")
    return f"ST_FlipCoordinates({sql})" if crs.northing_first else sql


def said(column: Column, lang: str | None) -> str:
    """SQL for a column of the row `f`, translated where it has words in that language."""
    if lang is None or not column.translated:
        return f'f."{column.name}"'
    return f"""coalesce(f.translations #>> '{{{lang},{column.name}}}', f."{column.name}")"""
