"""CQL2 filters (OGC 21-065r2), from a client's text to a condition in SQL. Nothing of the text ever is SQL.

`text` reads CQL2 text into the tree of CQL2 JSON, `words` lists what is allowed in it, `compile` makes SQL of it with
the typed operands of `terms` and the geometries of `shapes`.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, true

from geo.cql2 import shapes
from geo.cql2.compile import Scope, condition
from geo.cql2.text import parsed
from geo.cql2.tree import from_json
from geo.cql2.words import BadFilter
from geo.crs import CRS84, Crs
from geo.kinds import Kind
from geo.tables import rows

TEXT, JSON = "cql2-text", "cql2-json"
LANGUAGES = (TEXT, JSON)
LONGEST = 16_384
"""Characters of a filter."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that has been understood: which rows of its kind it asks for."""

    condition: ColumnElement[bool]


def read(text: str, kind: Kind, *, language: str = TEXT, crs: Crs = CRS84, lang: str | None = None) -> Filter:
    """The filter over the kind's rows, or BadFilter, whose message names what is wrong and repeats no value.

    `crs` is that of the filter's geometries; `lang` is the language in which texts are shown, None for their own.
    """
    if len(text) > LONGEST:
        raise BadFilter(f"is longer than {LONGEST} characters")
    return from_tree(parsed(text) if language == TEXT else from_json(text), kind, crs=crs, lang=lang)


def from_tree(tree: Any, kind: Kind, *, crs: Crs = CRS84, lang: str | None = None) -> Filter:
    """The same for a filter that came as JSON within JSON."""
    return Filter(condition(tree, Scope(kind, crs, lang)))


def touching(numbers: list[float], kind: Kind, crs: Crs) -> Filter:
    """The rows whose geometry meets a box in the axis order of its CRS; all rows of a kind that has no geometry."""
    box = shapes.box(numbers, crs).sql
    return Filter(func.ST_Intersects(rows(kind).c.geom, box) if kind.geometry else true())


__all__ = ["JSON", "LANGUAGES", "LONGEST", "TEXT", "BadFilter", "Filter", "from_tree", "read", "touching"]
