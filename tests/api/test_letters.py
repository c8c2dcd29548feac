"""The words of the letters: whole in three languages, plain, and holding nothing but what the reader needs."""

import re
import tomllib
from html.parser import HTMLParser

import pytest

from api import letters
from api.letters import FOLDER, Letter
from geo.columns import LANGUAGES
from geo.register.outbox import LETTERS

TITLE = {"fr": "Loos, terre de transitions", "en": "Loos, land of transitions", "de": "Loos, Land der Übergänge"}
KEY = "k" * 43


def written(name: str, lang: str, **details: str) -> Letter:
    """A letter as the worker writes it."""
    purpose = LETTERS[name]
    link = letters.link("https://carte.example.fr", purpose, KEY, lang) if purpose else None
    given = {"technology": "heat_pump", **details}
    return letters.write(name, lang, details=given, link=link, title=TITLE, signature="Mairie")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", LETTERS)
def test_every_letter_is_whole_in_every_language(name: str, lang: str):
    """No gap is left open; the link stands where the letter has one, in text and HTML, with its key in the fragment."""
    letter = written(name, lang)
    link = f"#{KEY}"
    for part in (letter.text, letter.html):
        assert (link in part) is (LETTERS[name] is not None)
        assert not re.search(r"\{\w|None|\{\{|\}\}", part)
    assert letter.subject.endswith(TITLE[lang])
    assert "\n" not in letter.subject
    assert f'lang="{lang}"' in letter.html
    assert letter.text.startswith({"fr": "Bonjour", "en": "Hello", "de": "Guten Tag"}[lang])


def test_the_languages_say_the_same():
    """Each file has the same letters and the same parts of them."""
    fr, en, de = (tomllib.loads((FOLDER / f"{lang}.toml").read_text("utf-8")) for lang in ("fr", "en", "de"))
    assert {name: set(words) for name, words in fr.items()} == {name: set(words) for name, words in en.items()}
    assert {name: set(words) for name, words in fr.items()} == {name: set(words) for name, words in de.items()}
    assert set(fr) - {"common"} == set(LETTERS)


def test_french_is_set_as_french_is():
    """A thin space that does not break before ; ? and !, another before a colon, and curly apostrophes."""
    for name in LETTERS:
        text = re.sub(r"https:\S+", "", written(name, "fr").text)
        assert not re.search(r"[^\u202f][;?!]", text), name
        assert not re.search(r"[^\u00a0]:\s", text), name
        assert "'" not in text


def test_a_town_hall_s_reason_is_quoted_and_nothing_else():
    """HTML in it is text; what looks like a gap of ours stays as it is; lines stay lines."""
    reason = 'Voir <script>alert("1")</script> & {title} {0}\nMerci'
    letter = written("returned", "fr", reason=reason)
    assert "> Voir <script>" in letter.text
    assert "> Merci" in letter.text
    assert "<script>" not in letter.html
    assert "{title} {0}" in letter.text
    assert "Le motif" in letter.text
    assert "Le motif" not in written("returned", "fr").text


def test_html_fetches_nothing():
    """No picture, no font, no script, no form: a mail that is opened tells nobody."""
    seen: list[tuple[str, dict[str, str | None]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append((tag, dict(attrs)))

    for name in LETTERS:
        Reader().feed(written(name, "de").html)
    assert {tag for tag, _ in seen}.isdisjoint({"img", "script", "link", "form", "iframe", "style"})
    assert not [
        attributes for _, attributes in seen if "src" in attributes or "url(" in (attributes.get("style") or "")
    ]


def test_an_unknown_language_is_french():
    """Nobody gets an empty letter."""
    assert written("confirm", "fr").text == letters.write(
        "confirm",
        "xx",
        details={"technology": "heat_pump"},
        link=letters.link("https://carte.example.fr", "confirm", KEY, "fr"),
        title=TITLE,
        signature="Mairie",
    ).text  # fmt: skip
