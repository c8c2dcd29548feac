"""Each class of CQL2 that the service declares, by examples: read as text and as JSON, and held against Python."""

import json

import pytest
from cql2 import Expr

from geo.cql2.text import parsed
from geo.cql2.words import OPERATORS
from geo.kinds import KINDS
from tests.geo.cql2.conftest import Chosen, flat

EXAMPLES = {
    "basic-cql2": [
        "power_kw > 10", "power_kw >= 10", "power_kw < 10", "power_kw <= 10", "power_kw = 10.5", "power_kw <> 10.5",
        "power_kw = -1", "power_kw < 1e1", "power_kw > .5", "year = 2013", "name = 'Straße'", "name <> 'Straße'", "name < 'a'", "name >= 'É'",
        "name = 'it''s'", "name = 'it\\'s'", '"name" = \'a\'', "visitors_welcome = true", "visitors_welcome = FALSE", "visitors_welcome <> true",
        "since = DATE('2010-01-01')", "since > DATE('2012-06-01')", "updated_at > TIMESTAMP('2020-01-01T00:00:00Z')",
        "updated_at < TIMESTAMP('2020-01-01T00:00:00.5+02:00')", "power_kw IS NULL", "power_kw IS NOT NULL", "geometry IS NULL",
        "power_kw > 10 AND year > 2000", "power_kw > 10 OR year > 2000", "NOT power_kw > 10", "not (year = 2001 or year = 2002)",
        "power_kw > 10 AND year > 2000 OR technology = 'wind' AND NOT visitors_welcome = true", "((year)) = ((2013))",
        "TRUE", "FALSE", "true and power_kw > 1", "NOT NOT year = 2000", "id = 5", "id > 5.5", "id <= 12", "  year=2000  ",
    ],
    "advanced-comparison-operators": [
        "name LIKE '%e'", "name LIKE '_'", "name LIKE '100 \\%'", "name LIKE '100 \\_'", "name LIKE 'a\\\\b'", "name LIKE ''", "name LIKE '%'",
        "name NOT LIKE '%e%'", "description LIKE 'zz%zz'", "power_kw BETWEEN 5 AND 10", "power_kw NOT BETWEEN 5 AND 10",
        "power_kw BETWEEN 10 AND 5", "year IN (2000, 2001, 2002)", "year NOT IN (2000, 2001)", "year IN (2000.5)", "name IN ('a', 'Z', 'x')",
        "technology NOT IN ('wind')", "since IN (DATE('2010-01-01'), DATE('2010-03-03'))", "visitors_welcome IN (true)",
        "power_kw IS NULL AND NOT (description IS NULL)",
    ],
    "case-insensitive-comparison": [
        "CASEI(name) = CASEI('STRASSE')", "CASEI(name) LIKE CASEI('ÉOL%')", "casei(name) = 'zoë'", "CASEI(name) IN (CASEI('A'), CASEI('zoe'))",
        "CASEI(name) <> CASEI(description)", "CASEI('X') = 'x'", "CASEI(name) = CASEI('ὈΔΌΣ')",
    ],
    "accent-insensitive-comparison": [
        "ACCENTI(name) = ACCENTI('Eolienne')", "ACCENTI(CASEI(name)) = ACCENTI(CASEI('CITÉ n° 5'))", "CASEI(ACCENTI(name)) LIKE casei(accenti('ŒUV%'))",
        "ACCENTI(name) IN ('Zoe', 'Lodz')", "ACCENTI(name) = ACCENTI('A')",
    ],
    "basic-spatial-functions": [
        "S_INTERSECTS(geometry, POINT(2.76 50.43))", "S_INTERSECTS(geometry, BBOX(2.76, 50.43, 2.79, 50.45))",
        "S_INTERSECTS(BBOX(2.76, 50.43, -5, 2.79, 50.45, 900), geometry)", "S_INTERSECTS(geometry, BBOX(170, 40, 2.8, 60))",
        "S_INTERSECTS(geometry, POINT Z (2.76 50.43 40))", "NOT S_INTERSECTS(geometry, BBOX(2.76, 50.43, 2.79, 50.45))",
    ],
    "basic-spatial-functions-plus": [
        "S_INTERSECTS(geometry, LINESTRING(2.75 50.42, 2.8 50.47))", "S_INTERSECTS(geometry, POLYGON((2.75 50.42, 2.8 50.42, 2.8 50.5, 2.75 50.42)))",
        "S_INTERSECTS(geometry, POLYGON((2.74 50.41, 2.9 50.41, 2.9 50.6, 2.74 50.6, 2.74 50.41), (2.77 50.44, 2.8 50.44, 2.8 50.47, 2.77 50.44)))",
        "S_INTERSECTS(geometry, MULTIPOINT(2.76 50.43, 2.78 50.44))", "S_INTERSECTS(geometry, MULTIPOINT((2.76 50.43), (2.78 50.44)))",
        "S_INTERSECTS(geometry, MULTILINESTRING((2.75 50.42, 2.8 50.47), (2.8 50.42, 2.75 50.47)))",
        "S_INTERSECTS(geometry, MULTIPOLYGON(((2.75 50.42, 2.77 50.42, 2.77 50.44, 2.75 50.42)), ((2.8 50.45, 2.85 50.45, 2.85 50.5, 2.8 50.45))))",
        "S_INTERSECTS(geometry, GEOMETRYCOLLECTION(POINT(2.76 50.43), LINESTRING(2.78 50.42, 2.8 50.47)))",
    ],
    "spatial-functions": [
        f"S_{name}(geometry, {literal})"
        for name in ("INTERSECTS", "EQUALS", "DISJOINT", "TOUCHES", "WITHIN", "OVERLAPS", "CROSSES", "CONTAINS")
        for literal in (
            "POINT(2.76 50.43)", "LINESTRING(2.75 50.42, 2.8 50.47)", "POLYGON((2.76 50.43, 2.79 50.43, 2.79 50.45, 2.76 50.45, 2.76 50.43))",
            "BBOX(2.76, 50.43, 2.77, 50.44)", "geometry",
        )
    ],
    "temporal-functions": [
        *(
            f"T_{name}({left}, {right})"
            for name in (
                "AFTER", "BEFORE", "CONTAINS", "DISJOINT", "DURING", "EQUALS", "FINISHEDBY", "FINISHES", "INTERSECTS", "MEETS", "METBY",
                "OVERLAPPEDBY", "OVERLAPS", "STARTEDBY", "STARTS",
            )
            for left, right in (
                ("INTERVAL(since, until)", "INTERVAL('2011-01-01', '2012-12-31')"), ("since", "INTERVAL('2010-03-03', '2011-01-02')"),
                ("INTERVAL(since, until)", "INTERVAL(DATE('2010-01-01'), '..')"), ("since", "INTERVAL('..', '2011-01-02')"),
                ("INTERVAL('2010-01-01', '2010-03-03')", "INTERVAL(since, until)"),
                ("INTERVAL(since, until)", "INTERVAL('2011-01-01T00:00:00Z', '2012-12-31T23:59:59.999999Z')"),
                ("INTERVAL(since, updated_at)", "INTERVAL(since, until)"),
            )
        ),
        "T_AFTER(since, DATE('2012-01-01'))", "T_BEFORE(since, TIMESTAMP('2012-01-01T12:00:00Z'))", "T_EQUALS(since, DATE('2010-01-01'))",
        "T_DISJOINT(since, until)", "T_INTERSECTS(since, since)", "T_INTERSECTS(INTERVAL(since, until), DATE('2012-01-01'))",
        "since < updated_at", "since = TIMESTAMP('2010-01-01T00:00:00Z')",
    ],
    "arithmetic": [
        "power_kw + 1 > 10", "power_kw - 1 > 10", "power_kw * 2 = 21", "power_kw / 2 > 5", "year % 4 = 0", "year div 10 = 200",
        "power_kw ^ 2 > 100", "power_kw / (year - 2000) > 1", "year % (year - 2000) = 1", "year div (year - 2000) > 3", "-power_kw < -10",
        "power_kw % 1 = 0.5", "-year % 7 = -3", "-year div 7 = -286", "year - power_kw * 2 + 1 > 1990", "(power_kw + 1) * (power_kw - 1) > 99", "2 ^ power_kw > 1024",
        "power_kw ^ 1000 > 0", "(0 - power_kw) ^ 0.5 > 0", "(power_kw - power_kw) ^ -1 > 0", "1e300 * power_kw * 1e300 > 0", "power_kw / 1e300 / 1e300 = 0", "1 / 0 = 1",
        "power_kw BETWEEN year - 2000 AND year - 1990", "power_kw * 2 IN (21, year - 2000)", "7 div 2 = 3 and -7 div 2 = -3 and 7 % 3 = 1 and 2 ^ 3 = 8",
        "id + 1 = 8", "year + -1 = 2000", "-(year) = -2000",
    ],
    "property-property": [
        "power_kw > year - 2000", "name = description", "name < description", "since < until", "1 = 1", "'a' < 'b'", "2013 = year",
        "name LIKE 'a%' OR description = name", "DATE('2012-01-01') < since", "year > id", "S_INTERSECTS(geometry, geometry)", "visitors_welcome = visitors_welcome",
    ],
}  # fmt: skip


def _properties(tree):
    if isinstance(tree, dict):
        if "property" in tree:
            yield tree["property"]
        for part in tree.values():
            yield from _properties(part)
    elif isinstance(tree, list):
        for part in tree:
            yield from _properties(part)


EVERY = [text for texts in EXAMPLES.values() for text in texts]
CASES = [
    pytest.param(kind, text, id=f"{kind} {name}: {text}")
    for name, texts in EXAMPLES.items()
    for text in texts
    for kind in ("installations", "areas", "paths")
    if set(_properties(parsed(text))) <= {*KINDS[kind].filterables, "id", "geometry"}
]
BOTH = [text for text in EVERY if ".5" not in text and "\\'" not in text and text == text.strip()]
"""What the cql2 package reads, too: neither .5 nor an escaped quote as the standard has them."""


@pytest.mark.parametrize(("kind", "text"), CASES)
def test_an_example_finds_what_python_finds(chosen: Chosen, kind: str, text: str):
    """As text and as JSON, over points, areas and lines."""
    tree = parsed(text)
    wanted = chosen.by_python(tree, kind)
    assert chosen.by_database(text, kind) == wanted
    assert chosen.by_database(json.loads(json.dumps(tree)), kind) == wanted


@pytest.mark.parametrize("text", BOTH)
def test_both_parsers_read_the_same(text: str):
    """Ours, and the cql2 package, which knows nothing of us."""
    assert flat(parsed(text)) == flat(Expr(text).to_json())


def test_every_example_finds_some_rows_and_not_all(chosen: Chosen):
    """Of most: examples that find nothing, or everything, show little."""
    found = [
        len(chosen.by_python(parsed(text))) for name, texts in EXAMPLES.items() for text in texts if "area" not in text
    ]
    assert sum(0 < count < 120 for count in found) > len(found) * 0.6


def test_texts_compare_as_they_are_shown(chosen: Chosen):
    """In another language than the territory's own a filter sees the translations, where there are any."""
    english = chosen.by_database("name = 'English 3'", lang="en")
    assert english
    assert english.isdisjoint(chosen.by_database("name = 'English 3'"))
    assert chosen.by_database("name = 'Straße'", lang="en") < chosen.by_database("name = 'Straße'")


def test_declared_operators_are_the_allowed_ones():
    """Every word of the allow-list stands in some example."""
    used = {op for texts in EXAMPLES.values() for text in texts for op in _operators(parsed(text))}
    assert used == set(OPERATORS)


def _operators(tree):
    if isinstance(tree, dict):
        if "op" in tree:
            yield tree["op"]
        for part in tree.values():
            yield from _operators(part)
    elif isinstance(tree, list):
        for part in tree:
            yield from _operators(part)
