"""What points at a person in a resident's words is found, and what only looks like it is left alone."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.register.findings import findings, parts, writable


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Écrivez à jean.dupont@exemple.fr", [("mail", "jean.dupont@exemple.fr")]),
        ("jean (at) exemple point fr", [("mail", "jean (at) exemple point fr")]),
        ("ou au 06 12 34 56 78 !", [("phone", "06 12 34 56 78")]),
        ("+33 (0)6.12.34.56.78", [("phone", "+33 (0)6.12.34.56.78")]),
        ("0033612345678", [("phone", "0033612345678")]),
        ("voir www.exemple.fr/toit et solaire-loos.fr.", [("web", "www.exemple.fr/toit"), ("web", "solaire-loos.fr")]),
        ("https://exemple.org/?a=b", [("web", "https://exemple.org/?a=b")]),
        ("au 12 bis rue Hoche", [("house_number", "12 bis rue")]),
        ("rue Émile Zola, 12", [("house_number", "rue Émile Zola, 12")]),
        ("Hochstraße 12a, Lessingweg 4", [("house_number", "Hochstraße 12a"), ("house_number", "Lessingweg 4")]),
        ("le n° 14", [("house_number", "n° 14")]),
        ("en 2021, 8 kW et 12 modules, 1 234 567 kWh", []),
        ("rue Hoche 2021", []),
        ("30 % de moins, 10000 kWh par an à 0,15 €", []),
        ("", []),
    ],
)
def test_what_is_found(words, expected):
    """French and German ways of writing; years, powers and percentages are nobody's."""
    assert [(one.what, words[one.start : one.end]) for one in findings(words)] == expected


@given(st.text(st.sampled_from("a1 0.@+-(rue°nо\nfr'é,"), max_size=1000))
def test_nothing_is_lost_in_the_marking(words):
    """The pieces put together are the text, and findings never overlap."""
    assert "".join(piece for piece, _ in parts(words)) == words


@pytest.mark.parametrize("piece", ["a", "a.", "1 ", "0 ", "a@", "rue ", "rue a a ", "a-", "12 bis ", "n° "])
def test_no_text_makes_the_search_long(piece):
    """The longest text that a field takes, of the worst that there is: far from quadratic."""
    spent = time.process_time()
    findings((piece * 1000)[:1000])
    assert time.process_time() - spent < 1


def test_what_can_be_written():
    """Lines and tabs may stand; NUL, escapes and halves of surrogate pairs may not."""
    assert writable("Bonjour,\n\tmerci 🌞")
    assert not any(map(writable, ("a\x00", "\x1b[31m", "\ud800")))
