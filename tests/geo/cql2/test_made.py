"""Filters that nobody thought of: made by hypothesis, run by PostgreSQL, evaluated by Python, written as text and read again."""

import os
from typing import Any

import pytest
from cql2 import Expr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geo.cql2.text import parsed
from geo.cql2.words import COMPARISONS, SPATIAL, TEMPORAL
from tests.conftest import PATIENT
from tests.geo.cql2.conftest import NAMES, Chosen, flat

LONG = bool(os.environ.get("GOHELLE_LONG"))
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
MADE = settings(max_examples=5_000 if LONG else 150, deadline=None, suppress_health_check=PATIENT)


def op(name: str, *arguments: Any) -> dict[str, Any]:
    """A node of CQL2 JSON."""
    return {"op": name, "args": list(arguments)}


def prop(*names: str) -> st.SearchStrategy:
    """One of these properties."""
    return st.sampled_from(names).map(lambda name: {"property": name})


# Halves are exact in doubles, so that both sides round alike; powers stay small for the same reason.
small = st.integers(-40, 40).map(lambda n: n / 2)
plain_number = st.one_of(prop("power_kw", "year", "id"), small, st.integers(1990, 2020))
number = st.recursive(
    plain_number,
    lambda inner: st.one_of(
        st.builds(op, st.sampled_from(["+", "-", "*", "%", "div"]), inner, inner),
        st.builds(op, st.just("^"), plain_number, st.integers(0, 3)),
    ),
    max_leaves=4,
)
fold = st.sampled_from(["casei", "accenti"])
text = st.recursive(
    st.one_of(prop("name", "description", "commune", "technology"), st.sampled_from([one for one in NAMES if one])),
    lambda inner: st.builds(op, fold, inner),
    max_leaves=2,
)
pattern = st.lists(st.sampled_from(["a", "e", "É", "é", "s", "%", "_", "\\%", "\\\\", " "]), max_size=4).map("".join)
day = st.integers(0, 1500).map(lambda n: {"date": f"{2009 + n // 365}-{1 + n % 12:02}-{1 + n % 28:02}"})
moment = day.map(lambda one: {"timestamp": f"{one['date']}T12:00:00Z"})
instant = st.one_of(prop("since", "until", "updated_at"), day, moment)
bound = st.one_of(prop("since", "until", "updated_at"), st.just(".."))


@st.composite
def literal_interval(draw) -> dict[str, Any]:
    """Two days, or two moments, in their order, or open."""
    ends = sorted(draw(st.lists(st.one_of(day), min_size=2, max_size=2)), key=lambda one: one["date"])
    suffix = draw(st.sampled_from(["", "T06:30:00Z"]))
    start, end = (one["date"] + suffix for one in ends)
    return {"interval": draw(st.sampled_from([[start, end], [start, ".."], ["..", end]]))}


interval = st.one_of(literal_interval(), st.tuples(bound, bound).map(lambda ends: {"interval": list(ends)}))
temporal = st.one_of(instant, interval)
# Slanting edges keep away from every vertex of the rows: how near is upon it depends on the version of GEOS.
corner = st.tuples(st.integers(0, 13), st.integers(0, 11), st.integers(1, 5), st.integers(1, 5))
rectangle = corner.map(
    lambda c: [
        round(n, 4)
        for n in (
            round(2.745 + c[0] * 0.01, 3),
            round(50.415 + c[1] * 0.01, 3),
            round(2.745 + (c[0] + c[2]) * 0.01, 3),
            round(50.415 + (c[1] + c[3]) * 0.01, 3),
        )
    ]
)


def _aside(box: list[float]) -> list[float]:
    return [round(box[2] - 0.0013, 4), round(box[3] + 0.0007, 4)]


geometry = st.one_of(
    rectangle.map(lambda b: {"bbox": b}),
    rectangle.map(lambda b: {"type": "Polygon", "coordinates": [[[b[0], b[1]], [b[2], b[1]], _aside(b), [b[0], b[1]]]]}),
    rectangle.map(lambda b: {"type": "LineString", "coordinates": [[b[0], b[1]], _aside(b)]}),
    st.tuples(st.integers(0, 11), st.integers(0, 10)).map(
        lambda n: {"type": "Point", "coordinates": [round(2.75 + n[0] * 0.01, 2), round(50.42 + n[1] * 0.01, 2)]}
    ),
)  # fmt: skip
compared = st.sampled_from(COMPARISONS)
predicate = st.one_of(
    st.builds(op, compared, number, number),
    st.builds(op, compared, text, text),
    st.builds(op, compared, instant, instant),
    st.builds(op, st.sampled_from(["=", "<>"]), prop("visitors_welcome"), st.booleans()),
    st.builds(op, st.just("between"), number, number, number),
    st.builds(lambda value, listed: op("in", value, listed), text, st.lists(text, min_size=1, max_size=4)),
    st.builds(lambda value, listed: op("in", value, listed), number, st.lists(plain_number, min_size=1, max_size=4)),
    st.builds(op, st.just("like"), text, pattern),
    st.builds(lambda name, value, wanted: op("like", op(name, value), op(name, wanted)), fold, text, pattern),
    st.builds(op, st.just("isNull"), st.one_of(number, text, instant)),
    st.builds(op, st.sampled_from(tuple(SPATIAL)), prop("geometry"), geometry),
    st.builds(op, st.sampled_from(tuple(SPATIAL)), geometry, prop("geometry")),
    st.builds(op, st.sampled_from(TEMPORAL), temporal, temporal),
    st.booleans(),
)
filters = st.recursive(
    predicate,
    lambda inner: st.one_of(
        st.builds(lambda name, parts: op(name, *parts), st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)),
        st.builds(op, st.just("not"), inner),
    ),
    max_leaves=5,
)  # fmt: skip


def written(tree: Any) -> str:  # noqa: PLR0911 (one line for each sort of node)
    """A tree as CQL2 text, with all of its brackets."""
    if isinstance(tree, bool):
        return str(tree).upper()
    if isinstance(tree, int | float):
        return str(tree)
    if isinstance(tree, str):
        return "'" + tree.replace("'", "''") + "'"
    if isinstance(tree, list):
        return f"({', '.join(map(written, tree))})"
    if "op" in tree:
        return _operation(tree["op"], [written(one) for one in tree["args"]])
    if "property" in tree:
        return tree["property"]
    name = next(iter(tree))
    if name != "type":
        inside = tree[name] if isinstance(tree[name], list) else [tree[name]]
        return f"{name.upper()}({', '.join(map(written, inside))})"
    return tree["type"].upper() + _positions(tree["coordinates"])


def _operation(name: str, arguments: list[str]) -> str:
    match name:
        case "not":
            return f"(NOT ({arguments[0]}))"
        case "isNull":
            return f"({arguments[0]} IS NULL)"
        case "between":
            return f"({arguments[0]} BETWEEN {arguments[1]} AND {arguments[2]})"
        case _ if name[:2] in ("s_", "t_") or name in ("casei", "accenti"):
            return f"{name.upper()}({', '.join(arguments)})"
    return f"({f' {name.upper()} '.join(arguments)})"


def _positions(coordinates: Any) -> str:
    if isinstance(coordinates[0], int | float):
        return f"({' '.join(map(str, coordinates))})"
    if isinstance(coordinates[0][0], int | float):
        return f"({', '.join(' '.join(map(str, one)) for one in coordinates)})"
    return f"({', '.join(map(_positions, coordinates))})"


@MADE
@given(tree=filters)
def test_a_made_filter_finds_what_python_finds(chosen: Chosen, tree: Any):
    """The same rows, whatever is joined with whatever."""
    assert chosen.by_database(tree) == chosen.by_python(tree), written(tree)


@MADE
@given(tree=filters)
def test_a_made_filter_is_read_as_it_was_written(tree: Any):
    """By our parser and by the cql2 package, which takes no backslash in a text."""
    text = written(tree)
    assume("\\'" not in text)  # an escaped quote, and no backslash at the end of a text
    assert flat(parsed(text)) == flat(tree)
    if "\\" not in text:
        assert flat(Expr(text).to_json()) == flat(tree)


@pytest.mark.parametrize("kind", ["areas", "paths"])
@MADE
@given(name=st.sampled_from(tuple(SPATIAL)), shape=geometry)
def test_shapes_meet_as_shapely_says(chosen: Chosen, kind: str, name: str, shape: Any):
    """Areas and lines, against every shape."""
    tree = op(name, {"property": "geometry"}, shape)
    assert chosen.by_database(tree, kind) == chosen.by_python(tree, kind)
