"""A question's report over HTTP: its forms, its page, its paper."""

import base64
import re
from xml.etree import ElementTree

import pytest

from geo.planning.questions import QUESTIONS
from tests.api.test_jobs import LATER
from tests.papers import inflated

WHERE = "/processes/scenario/execution"
PARK = {"type": "Polygon", "coordinates": [[[2.786, 50.452], [2.797, 50.4525], [2.7975, 50.457], [2.785, 50.456], [2.786, 50.452]]]}  # fmt: skip
ASKED = {
    "title": "Parc <b>& jardin</b>",
    "geometry": PARK,
    "collections": ["green-belt", "soft-mobility", "gardens"],
    "covers": "gardens",
    "covered": "eco-buildings",
    "schematic": True,
}
LOCAL = {"fr": ("Rapport", "18,2\u00a0%"), "en": ("Report", "18.2\u00a0%"), "de": ("Bericht", "18,2\u00a0%")}


def report(client, params=None, headers=None, **more):
    """Ask for the scenario's report."""
    return client.post(WHERE, json={"inputs": ASKED, **more}, params=params, headers=headers)


@pytest.mark.parametrize("lang", LOCAL)
def test_a_page_that_stands_by_itself(looker, lang):
    """In each language: numbers as it writes them, the title as text, sources with licences; nothing from elsewhere."""
    page = report(looker, {"f": "html", "lang": lang})
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["cache-control"] == "no-store"
    assert "script-src" not in page.headers["content-security-policy"]
    word, share = LOCAL[lang]
    assert word in page.text
    assert share in page.text
    assert "Parc &lt;b&gt;&amp; jardin&lt;/b&gt;" in page.text
    assert "<b>" not in page.text
    assert "etalab-2.0" in page.text
    assert "built-in method" not in page.text
    assert re.findall(r'(?:src|srcset)="', page.text) == []
    assert "<link" not in page.text
    [svg] = re.findall(r'<svg[^>]*class="map".*?</svg>', page.text, re.DOTALL)
    tree = ElementTree.fromstring(svg)
    assert tree.find("{http://www.w3.org/2000/svg}title") is not None
    assert len(tree.findall(".//{http://www.w3.org/2000/svg}path")) > 5


def test_a_paper(looker):
    """A PDF that names its title and language, with fonts of its own."""
    paper = report(looker, {"f": "pdf", "lang": "de"})
    assert (paper.status_code, paper.headers["content-type"]) == (200, "application/pdf")
    assert paper.content.startswith(b"%PDF-1.7")
    whole = inflated(paper.content)
    assert re.search(rb"/Lang \(de\)", whole)
    assert b"pdfuaid" in whole
    assert len(re.findall(rb"/FontFile[23]", whole)) >= 2
    assert re.search(r'filename="scenario-\d{4}-\d\d-\d\d\.pdf"', paper.headers["content-disposition"])


def test_the_ways_to_ask_for_it(looker):
    """`f`, Accept, and the output's format in the request; what is not offered is refused by name."""
    asked = {"features": {"format": {"mediaType": "text/html"}}}
    for page in (
        report(looker, headers={"Accept": "text/html"}),
        report(looker, outputs=asked),
        looker.get(WHERE, params={"collections": "gardens", "lon": 2.79, "lat": 50.455, "f": "html"}),
    ):
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert 'class="map"' in page.text
    assert report(looker).headers["content-type"] == "application/geo+json"
    assert report(looker, headers={"Accept": "image/png"}).status_code == 406
    wrong = report(looker, outputs={"features": {"format": {"mediaType": "image/png"}}})
    assert wrong.json()["errors"][0]["pointer"] == "/outputs/features/format/mediaType"
    assert report(looker, {"f": "docx"}).json()["errors"][0]["parameter"] == "f"
    none = looker.post("/processes/echo/execution", json={"inputs": {"message": "x"}}, params={"f": "pdf"})
    assert (none.status_code, none.json()["errors"][0]["parameter"]) == (400, "f")


def test_in_a_document(looker):
    """Beside its media type, as the standard has values travel; paper in base64."""
    page = report(looker, {"f": "html"}, response="document").json()["features"]
    assert (page["mediaType"], page["value"][:15]) == ("text/html", "<!doctype html>")
    paper = report(looker, {"f": "pdf"}, response="document").json()["features"]
    assert (paper["encoding"], base64.b64decode(paper["value"])[:5]) == ("base64", b"%PDF-")


def test_a_report_is_made_at_once(looker):
    """Who asks for it waits for it, whatever they prefer."""
    headers = {**LATER, "Authorization": "Bearer gohelle_nobody"}
    assert report(looker, {"f": "html"}, headers).status_code == 200
    assert report(looker, headers=headers).status_code == 401


def test_descriptions_offer_it(looker):
    """The output's schema and OpenAPI name the forms of each question that has a report, and of no other."""
    paths = looker.get("/api", params={"f": "json"}).json()["paths"]
    for id, verb in QUESTIONS.items():
        schema = looker.get(f"/processes/{id}").json()["outputs"][verb.output.name]["schema"]
        types = [one["contentMediaType"] for one in schema.get("oneOf", [])]
        assert ("application/pdf" in types) == bool(verb.report)
        post = paths[f"/processes/{id}/execution"]["post"]
        assert ("application/pdf" in post["responses"]["200"]["content"]) == bool(verb.report)
        [form] = [one for one in post["parameters"] if one.get("name") == "f"]
        assert ("pdf" in form["schema"]["enum"]) == bool(verb.report)


@pytest.mark.parametrize("title", ["", "x" * 121, "a\x00b", "a\nb", 3])
def test_a_bad_title_is_named(looker, title):
    """What cannot stand on a title page is refused."""
    answer = looker.post(WHERE, json={"inputs": {**ASKED, "title": title}}, params={"f": "html"}, headers={"Accept": "application/json"})  # fmt: skip
    assert answer.status_code == 400
    assert "/inputs/title" in answer.text
