"""What editors and pages of others ask for, as requests."""

import re

import pytest


def test_oembed_gives_a_frame(looker):
    """For the map, a collection, an item; in the language of the address, no larger than was asked."""
    base = str(looker.base_url).rstrip("/")
    for path, wanted in (
        ("/", "/embed"),
        ("/?lang=de&utm_source=x", "/embed?lang=de"),
        ("/collections/solar", "/embed?collections=solar"),
        ("/collections/solar/items?limit=5", "/embed?collections=solar"),
        ("/collections/solar/items/3", "/embed?collections=solar#&amp;at=solar/3"),
    ):
        found = looker.get("/oembed", params={"url": base + path, "maxwidth": 400}).json()
        assert (found["version"], found["type"], found["width"], found["height"]) == ("1.0", "rich", 400, 600)
        assert f'src="{base}{wanted}"' in found["html"]
    assert looker.get("/oembed", params={"url": f"{base}/collections/figures"}).json()["type"] == "link"


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example/",
        "",
        "http://[",
        "javascript:alert(1)",
        "/",
        "{base}/townhall",
        "{base}/collections/x",
    ],
)
def test_oembed_knows_its_own_pages_alone(looker, address):
    """Others are not found, and nothing of them is repeated."""
    answer = looker.get("/oembed", params={"url": address.format(base=str(looker.base_url).rstrip("/"))})
    assert answer.status_code == (404 if address else 400)
    assert "elsewhere" not in answer.text


def test_oembed_refuses_what_it_does_not_speak(looker):
    """XML, sizes that are none."""
    base = str(looker.base_url)
    for name, value in (("format", "xml"), ("maxwidth", "1"), ("maxheight", "1e9"), ("maxwidth", "x")):
        answer = looker.get("/oembed", params={"url": base, name: value})
        assert [one["parameter"] for one in answer.json()["errors"]] == [name]


def test_other_sites_may_frame_the_map_and_nothing_else(looker):
    """The map's policy names no ancestors; every other page forbids them."""
    for path, free in (
        ("/embed", True),
        ("/", True),
        ("/embed/build", False),
        ("/statistics", False),
        ("/declare", False),
    ):
        policy = looker.get(path, headers={"Accept": "text/html"}).headers["content-security-policy"]
        assert ("frame-ancestors" not in policy) == free, path


def test_ids_that_are_gone_do_not_break_an_embedded_map(looker):
    """They are left out; where none is left, all are there."""
    for asked, many in (("solar,nowhere", 1), ("nowhere", None), ("<script>", None)):
        page = looker.get("/embed", params={"collections": asked}).text
        only = re.search(r'"only": (\[.*?\])', page)
        assert only
        assert (only[1] == '["solar"]') == (many == 1)
        assert "nowhere" not in page
        assert "<script>" not in page.replace("<script>{", "")


def test_the_script_is_one_file_for_ever(looker):
    """Under a plain address, readable from any origin, asked for again by its tag."""
    answer = looker.get("/embed.js", headers={"Accept": "*/*"})
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert len(answer.content) < 6_000
    assert looker.get("/embed.js", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
