"""What a question's report tells: a map, tables of typed cells, sources. How it looks on a screen or on paper is the doors' affair."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from geo.columns import Words

Unit = Literal["m", "m2", "count", "share"]
"""Metres, square metres, things, and a part of one."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A number and what it counts; a `change` is written with its sign, None where there is nothing to measure."""

    value: float | None
    unit: Unit
    change: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a collection, by its name."""

    collection: str
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Position:
    """How well a place is known; the accuracy in metres, as its source states it."""

    quality: str
    accuracy_m: float | None


Cell = str | Words | Amount | Item | Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under their headings; the first cell of each names it. `empty` is said where there is no row."""

    title: Words
    head: Sequence[Words]
    rows: Sequence[Sequence[Cell]]
    note: Words | None = None
    empty: Words | None = None


Look = Literal["outline", "context", "reach", "gained", "before", "after", "never", "touched", "proposal"]
"""What a layer is on the map; what each looks like is the doors' affair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One entry of the legend: an SVG path of lines or areas, and points, all in units of the drawing."""

    look: Look
    title: Words
    colour: str | None = None
    closed: bool = False
    path: str = ""
    points: Sequence[tuple[float, float]] = ()
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A map: `width` by `height` units, each `metres` wide on the ground. `north` is the angle of true north in degrees,
    clockwise from above; `marks` are numbers at places.
    """

    width: float
    height: float
    metres: float
    north: float
    system: Words
    layers: Sequence[Layer]
    marks: Sequence[tuple[int, float, float]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A source of a collection, as its items name it, and how many of them do; dates are ISO texts."""

    collection: str
    source: str
    url: str | None
    licence: str
    latest: str | None
    items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What goes before a council. `resting` is what the answer says of its grounds and its accuracy."""

    name: str | None
    drawing: Drawing
    tables: Sequence[Table]
    origins: Sequence[Origin]
    resting: Mapping[str, Any] = field(default_factory=dict)
