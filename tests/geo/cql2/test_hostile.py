"""Filters that mean harm: each is understood or refused, at once, and whatever is understood runs."""

import json
import os
import random
import time

import pytest

from geo import cql2
from geo.cql2 import BadFilter
from geo.errors import TooSlow
from geo.kinds import KINDS
from tests.geo.cql2.conftest import Chosen, found
from tests.geo.cql2.test_examples import EXAMPLES

INSTALLATIONS = KINDS["installations"]
SECONDS = 600 if os.environ.get("GOHELLE_LONG") else 10
SLOWEST = 0.1
"""Seconds of the processor, which others may use at the same time."""

BAD_TEXT = {
    "50,000 brackets": "(" * 50_000,
    "50,000 pairs of brackets": "(" * 50_000 + "1=1" + ")" * 50_000,
    "brackets within the length": "(" * 8_000 + "1=1" + ")" * 8_000,
    "brackets that do not close": "(" * 64 + "year=1",
    "betweens that do not go on": "(year between " * 60 + "1" + ")" * 60,
    "NOT NOT NOT": "not " * 4_000 + "true",
    "minuses": "power_kw = " + "-" * 16_000 + "1",
    "a very long sum": "1" + "+1" * 8_000 + " = 1",
    "too many conditions": " or ".join(["year=1"] * 800),
    "a literal of 1 MB": f"name = '{'x' * 1_000_000}'",
    "a function of PostgreSQL": "pg_sleep(10) = 1",
    "a file of PostgreSQL": "pg_read_file('/etc/passwd') = 'x'",
    "a function of PostGIS": "ST_Buffer(geometry, 1) = geometry",
    "an unknown property": "password = 'x'",
    "a private column": "dataset = 'x'",
    "a column of the register": "location = 'x'",
    "a column that is not public": "geom_3857 = 'x'",
    "another schema": "register.declarations = 1",
    "a quoted property": '"name\' or 1=1 --" = 1',
    "a property of types mixed": "name = 1",
    "a text that is no date": "since = '2010-01-01'",
    "a day that is none": "since = DATE('2010-02-30')",
    "a date without a text": "since = DATE(2010)",
    "a moment that is none": "since = TIMESTAMP('2010-01-01')",
    "an interval backwards": "T_DURING(since, INTERVAL('2012-01-01', '2010-01-01'))",
    "an interval of one": "T_DURING(since, INTERVAL('2012-01-01'))",
    "an interval of numbers": "T_DURING(since, INTERVAL(1, 2))",
    "a text in time": "T_AFTER(since, '2010-01-01')",
    "a number in space": "S_INTERSECTS(geometry, 1)",
    "NUL in a text": "name = 'a\x00'",
    "NUL in the filter": "name\x00 = 'a'",
    "a lone surrogate": "name = '\ud800'",
    "a property of surrogates": "\ud800 = 'a'",
    "infinity": "power_kw = 1e400",
    "a number of 16,000 digits": "year = " + "9" * 16_000,
    "an empty geometry": "S_INTERSECTS(geometry, POINT EMPTY)",
    "an empty polygon": "S_INTERSECTS(geometry, POLYGON())",
    "a point of three positions": "S_INTERSECTS(geometry, POINT(1 2, 3 4, 5 6))",
    "a point of one number": "S_INTERSECTS(geometry, POINT(1))",
    "a point of five numbers": "S_INTERSECTS(geometry, POINT(1 2 3 4 5))",
    "a point that is not on earth": "S_INTERSECTS(geometry, POINT(1000 2))",
    "a line of one place": "S_INTERSECTS(geometry, LINESTRING(1 2, 1 2))",
    "a ring that does not close": "S_INTERSECTS(geometry, POLYGON((0 0, 1 0, 1 1, 0 1)))",
    "a ring of three": "S_INTERSECTS(geometry, POLYGON((0 0, 1 0, 0 0)))",
    "a NaN": "S_INTERSECTS(geometry, POINT(nan 2))",
    "a box upside down": "S_INTERSECTS(geometry, BBOX(0, 2, 1, 1))",
    "a box of three": "S_INTERSECTS(geometry, BBOX(0, 2, 1))",
    "collections of collections": "S_INTERSECTS(geometry, " + "GEOMETRYCOLLECTION(" * 100,
    "an array": "('a', 'b') = name",
    "an empty list": "name IN ()",
    "a LIKE of a property": "name LIKE description",
    "a LIKE of a number": "year LIKE '2%'",
    "a LIKE that ends in a backslash": "name LIKE 'a\\\\\\'",
    "two comparisons": "1 < year < 3",
    "two powers": "2 ^ 3 ^ 4 = 1",
    "half a condition": "name =",
    "no condition": "name",
    "nothing": "",
    "blanks": " " * 10_000,
    "quotes": "\\'" * 8_000,
    "a quote that does not close": "'" + "\\'" * 8_000,
    "right to left": "\u202e" * 16_000,
    "SQL": "1=1; drop table territory.places; --",
    "a comment": "year = 1 /* x */",
    "markup": "<script>alert(1)</script>",
    "a bind parameter": "%(param_1)s = 1",
}  # fmt: skip
TYPE, POINT = {"property": "geometry"}, {"type": "Point", "coordinates": [1, 2]}
BAD_JSON = [
    "[", "[" * 16_000, '{"op":' * 2_000, "NaN", '{"op": "=", "args": [{"property": "year"}, NaN]}', '{"op": "=", "args": [{"property": "year"}, Infinity]}',
    '{"op": "=", "args": [{"property": "year"}, 1e999]}', f'{{"op": "=", "args": [{{"property": "year"}}, {"9" * 5_000}]}}',
    '{"op": "=", "args": [{"property": "name"}, "\\ud800"]}', '{"op": "=", "args": [{"property": "name"}, "\\u0000"]}',
    *map(json.dumps, (
        None, "a", 1, [], {}, {"op": ["="], "args": []}, {"op": "="}, {"op": "=", "args": {}}, {"op": "and", "args": [True]}, {"op": "=", "args": [None, 1]},
        {"op": "=", "args": [{"property": ["a"]}, 1]}, {"op": "=", "args": [{"property": None}, 1]}, {"op": "in", "args": [{"property": "year"}, []]},
        {"op": "in", "args": [{"property": "year"}, [1, "a"]]}, {"op": "in", "args": [{"property": "year"}, 1]}, {"op": "pg_sleep", "args": [10]},
        {"op": "s_intersects", "args": [TYPE, {"type": "Point", "coordinates": []}]}, {"op": "s_intersects", "args": [TYPE, {"type": "Point"}]},
        {"op": "s_intersects", "args": [TYPE, {"type": ["Point"], "coordinates": [1, 2]}]}, {"op": "s_intersects", "args": [TYPE, {"type": "Point", "coordinates": [[1, 2]]}]},
        {"op": "s_intersects", "args": [TYPE, {"type": "Point", "coordinates": [True, 2]}]}, {"op": "s_intersects", "args": [TYPE, {"type": "Point", "coordinates": "12"}]},
        {"op": "s_intersects", "args": [TYPE, {"type": "MultiPolygon", "coordinates": [[[[1, 2], [1, 2], [1, 2], [1, 2]]]]}]},
        {"op": "s_intersects", "args": [TYPE, {"type": "GeometryCollection", "geometries": []}]}, {"op": "s_intersects", "args": [TYPE, {"type": "GeometryCollection", "geometries": [[]]}]},
        {"op": "s_intersects", "args": [TYPE, {"type": "MultiPoint", "coordinates": [[1, 2]] * 10_001}]}, {"op": "s_intersects", "args": [TYPE, {"bbox": [1, 2, True, 4]}]},
        {"op": "s_intersects", "args": [TYPE, {"bbox": {}}]}, {"op": "t_after", "args": [{"interval": [[], {}]}, {"property": "since"}]}, {"op": "t_after", "args": [{"interval": ".."}, {"property": "since"}]},
        {"op": "t_after", "args": [{"date": 5}, {"property": "since"}]}, {"op": "isNull", "args": [{"interval": ["..", ".."]}]}, {"interval": ["..", ".."]}, POINT,
        {"op": "like", "args": [{"property": "name"}, {"op": "casei", "args": [1]}]}, {"function": {"name": "x", "args": []}},
    )),
]  # fmt: skip


def refused(text: str, language: str = cql2.TEXT) -> str:
    """What is said of the filter, and that it was said at once."""
    began = time.thread_time()
    with pytest.raises(BadFilter) as error:
        cql2.read(text, INSTALLATIONS, language=language)
    assert time.thread_time() - began < SLOWEST
    return str(error.value)


@pytest.mark.parametrize("text", BAD_TEXT.values(), ids=BAD_TEXT.keys())
def test_hostile_text_is_refused_at_once(text: str):
    """In words, without an echo of anything but a name or an operator that could stand in a filter."""
    said = refused(text)
    assert len(said) < 200
    assert all(part not in said for part in ("<", "script", "drop", "passwd", "\x00", "\ud800", "xxx"))


@pytest.mark.parametrize("text", BAD_JSON, ids=[text[:60] for text in BAD_JSON])
def test_hostile_json_is_refused_at_once(text: str):
    """Whatever its types are."""
    assert len(refused(text, cql2.JSON)) < 200


def test_messages_name_what_is_wrong():
    """The property or the operator, so that one sees where to look."""
    assert "pg_sleep" in refused("pg_sleep(10) = 1")
    assert "colour" in refused("colour = 'red'")
    assert "a text (name)" in refused("name > 1")
    assert "character 8" in refused("year = = 1")
    assert "Lambert-93" in _refused_in("S_INTERSECTS(geometry, POINT(2.78 50.44))")


def _refused_in(text: str) -> str:
    from geo.crs import named

    crs = named("http://www.opengis.net/def/crs/EPSG/0/2154")
    assert crs
    with pytest.raises(BadFilter) as error:
        cql2.read(text, INSTALLATIONS, crs=crs)
    return str(error.value)


LARGE = {
    "deep functions": "casei(" * 63 + "name" + ")" * 63 + " = 'a'",
    "deep brackets": "(" * 63 + "year=1" + ")" * 63,
    "deep negation": "not (" * 31 + "year > 1 or name = 'a'" + ")" * 31,
    "deep sums": "year = " + "1+(" * 31 + "1" + ")" * 31,
    "a long sum": "1" + "+1" * 62 + " = year",
    "many conditions": " or ".join(["year=1"] * 499),
    "alternating": "(year=1 and (name='a' or " * 31 + "true" + "))" * 31,
    "a long list": "year in (" + "1," * 8_000 + "1)",
    "many geometries": " or ".join(["s_within(geometry,bbox(1,2,3,4))"] * 400),
    "a bow tie": "s_touches(geometry, polygon((2 50, 3 51, 3 50, 2 51, 2 50)))",
    "a spike": "s_within(geometry, polygon((2 50, 3 51, 4 52, 2 50)))",
    "a box across": "s_intersects(geometry, bbox(180, 50, -180, 51))",
    "the poles": "s_intersects(geometry, bbox(-180, -90, 180, 90))",
    "a huge year": "year = 1e308 or year = -1.7e308 or power_kw in (1e308, 4)",
    "a huge product": "power_kw * 1e307 * 1e307 > 1",
    "a tower": "power_kw ^ (year ^ year) > 1 or (0 - year) ^ (year ^ year) > 1",
    "a whole number too long": "id = 123456789012345678",
    "powers of nothing": "0 ^ (0 - year) = 1",
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE.keys())
def test_what_is_understood_runs(chosen: Chosen, text: str):
    """At the bounds of depth and length neither Python nor PostgreSQL gives way; no sum is an error."""
    chosen.by_database(text)


@pytest.mark.long
def test_fuzzing(chosen: Chosen):
    """For 10 s (10 minutes by script/check --long): mutated examples are refused or run, and nothing else happens."""
    seed = random.SystemRandom().randrange(2**32)
    lots = random.Random(seed)
    corpus = [text for texts in EXAMPLES.values() for text in texts]
    pieces = sorted({piece for text in corpus for piece in text.replace("(", " ( ").replace(",", " , ").split()})
    end, run = time.monotonic() + SECONDS, 0
    while time.monotonic() < end or run < 100:  # a busy machine takes longer, and tries no less
        text = _mutated(lots, corpus, pieces)
        began = time.thread_time()
        try:
            cql2.read(text, INSTALLATIONS)
        except BadFilter:
            continue
        finally:
            assert time.thread_time() - began < 0.5, (seed, text)
        with chosen.territory.db.read() as tx:
            try:
                found(tx, INSTALLATIONS, text)
            except TooSlow:
                pytest.fail(f"too slow: {(seed, text)}")
            except Exception as error:
                raise AssertionError((seed, text)) from error
        run += 1


def _mutated(lots: random.Random, corpus: list[str], pieces: list[str]) -> str:
    text = lots.choice(corpus)
    for _ in range(lots.choice((1, 1, 1, 2, 3, 8))):
        at = lots.randrange(len(text) + 1)
        match lots.randrange(6):
            case 0:
                text = text[:at] + lots.choice(pieces) + text[at:]
            case 1:
                text = text[:at] + text[at + lots.randrange(1, 6) :]
            case 2:
                text = f"{text} {lots.choice(('and', 'or', '+', '=', '^', ','))} {lots.choice(corpus)}"
            case 3:
                text = text[:at] + lots.choice("()'\"\\,.-+*/%^<>= \x00\ud800é0129e") + text[at:]
            case 4:
                text = text.replace(lots.choice(pieces), lots.choice(pieces), 1)
            case _:
                text = f"({text})"
    return text
