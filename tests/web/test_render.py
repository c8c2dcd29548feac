"""What `pages.render` makes of words and values, without a browser or a service."""

import re
from typing import Any

import pytest

from api import assets, pages
from geo.columns import LANGUAGES
from geo.kinds import KINDS

SITE: pages.Site = {
    "title": "Ville",
    "description": "",
    "languages": ["fr", "en", "de"],
    "attribution": "Ville",
    "licence": "etalab-2.0",
    "contact": {},
    "pages": [{"id": "legal", "title": "Mentions"}],
    "public_url": "https://carte.example.fr",
    "basemap": None,
    "collections": [{"id": id, "title": id, "kind": id} for id in KINDS],
}
EVIL = "<script>alert(1)</script>"


def render(template: str, document: dict[str, Any], path: str, **options: Any) -> str:
    return pages.render(template, document, lang="fr", site=SITE, path=path, **options)


def feature(kind: str, **properties: Any) -> dict[str, Any]:
    """A feature of that kind with every column, those unknown that may be."""
    known = {
        column.name: next(iter(column.choices)) if column.choices and column.required else None
        for column in KINDS[kind].public
    }
    return {
        "type": "Feature",
        "id": 1,
        "geometry": None,
        "properties": {**known, "name": EVIL, **properties},
        "links": [],
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_pages_that_show_what_residents_wrote_as_text(kind: str) -> None:
    document = feature(kind, description=EVIL, source=EVIL, source_url="javascript:alert(1)")
    several = {"type": "FeatureCollection", "numberReturned": 1, "features": [document], "links": []}
    for html in (
        render("items.html", several, f"/collections/{kind}/items"),
        render("item.html", document, f"/collections/{kind}/items/1"),
    ):
        assert EVIL not in html
        assert "&lt;script&gt;" in html or kind == "milestones"
        assert 'href="javascript:' not in html


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_language_has_the_same_words_and_places_for_values(lang: str) -> None:
    def shape(entry: Any) -> Any:
        if isinstance(entry, dict):
            return {key: shape(value) for key, value in entry.items()}
        if isinstance(entry, list):
            return len(entry)
        return sorted(re.findall(r"{\w+}", entry))

    differ = {"units", "maplibre"}  # these fall back on what they name
    own, french = (shape(pages.words(code)) for code in (lang, "fr"))
    assert {key: own[key] for key in own if key not in differ} == {
        key: french[key] for key in french if key not in differ
    }


def test_an_unknown_language_is_answered_in_english() -> None:
    assert pages.words("nl") is pages.words("en")


def test_dates_are_as_precise_as_they_are_known() -> None:
    assert pages.date_words("1986-01-31", "day", "fr") == "31 janvier 1986"
    assert pages.date_words("1986-02-01", "day", "fr") == "1er février 1986"
    assert pages.date_words("1986-01-31", "month", "de") == "Januar 1986"
    assert pages.date_words("1986-01-31", "year", "en") == "1986"
    assert pages.date_words("1986-01-31", None, "de") == "31. Januar 1986"
    assert pages.date_words("yesterday", None, "fr") == "yesterday"


def test_numbers_are_written_as_the_language_writes_them() -> None:
    assert pages.quantity(1234.5, "kW", "fr") == "1\u202f234,5\u00a0kW"
    assert pages.quantity(1234.5, "kW", "de") == "1.234,5\u00a0kW"
    assert pages.quantity(6850, "inhabitants", "en") == "6,850\u00a0inhabitants"
    assert pages.quantity(2.0, None, "fr") == "2"


def test_markdown_knows_a_few_things_and_no_html() -> None:
    html = pages.markdown(
        f"# Titre\n\n## Sous-titre\nUn **mot**, un *autre*, {EVIL}\n\n- [lien](https://a.example/b_c_d)\n- [mal](javascript:alert(1))\n\n1. un\n2. deux"
    )
    assert "<h2>Titre</h2>" in html
    assert "<h2>Sous-titre</h2>\n<p>Un <strong>mot</strong>, un <em>autre</em>" in html
    assert '<a href="https://a.example/b_c_d">lien</a>' in html
    assert "<ol><li>un</li><li>deux</li></ol>" in html
    assert EVIL not in html
    assert 'href="javascript:' not in html


def test_a_link_of_a_document_becomes_a_page_of_ours() -> None:
    links = [{"rel": "next", "href": "https://carte.example.fr/collections/areas/items?f=geojson&limit=5&cursor=abc"}]
    document = {"type": "FeatureCollection", "features": [feature("areas")], "links": links}
    html = render("items.html", document, "/collections/areas/items", query={"lang": "de", "limit": "5"})
    assert 'href="/collections/areas/items?limit=5&amp;cursor=abc&amp;lang=de"' in html


def test_the_policy_allows_nothing_inline() -> None:
    html = render("landing.html", {"title": EVIL, "description": EVIL, "bounds": [1, 2, 3, 4]}, "/")
    assert EVIL not in html
    assert "unsafe" not in pages.MAP_CSP
    assert "https://tiles.example.org" in pages.policy("https://tiles.example.org/style.json?key=1")
    assert pages.policy("javascript:alert(1)") == pages.MAP_CSP
    assert len(re.findall(r"<script(?! type=\"application/json\")[^>]*>(?!</script>)", html)) == 0
    assert " style=" not in html
    assert not re.search(r"\son\w+=", html)


def test_every_static_file_is_named_with_a_hash_of_its_content() -> None:
    assert re.fullmatch(r"/built/map-main-[\w-]{8}\.js", assets.asset("map/main.js"))
    assert re.fullmatch(r"/static/map\.css\?v=[0-9a-f]{12}", assets.asset("map.css"))
    assert re.fullmatch(r"/built/maplibre-gl\.css\?v=[0-9a-f]{12}", assets.asset("maplibre-gl.css"))


def test_a_drawing_is_to_scale() -> None:
    square = {
        "type": "Polygon",
        "coordinates": [[[2.79, 50.45], [2.804, 50.45], [2.804, 50.459], [2.79, 50.459], [2.79, 50.45]]],
    }
    drawing = pages.drawing(square)
    assert drawing
    assert drawing.metres == 500
    assert drawing.bar == pytest.approx(171, abs=6)
    assert pages.drawing({"type": "Point", "coordinates": [2, 50]}) is None
