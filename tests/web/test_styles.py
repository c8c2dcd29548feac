"""Our styles on somebody else's page: MapLibre GL takes them as they are, draws features, and asks no other host."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Route

from api.assets import WEB
from tests.web.conftest import PATIENCE

FOREIGN = "https://elsewhere.example/map.html"
DIST = WEB / "node_modules" / "maplibre-gl" / "dist"
"""MapLibre as everybody else has it, not as our own pages are built with it."""

PAGE = """<!doctype html><meta charset="utf-8"><title>elsewhere</title>
<link rel="stylesheet" href="/maplibre-gl/maplibre-gl.css">
<div id="map" style="width: 800px; height: 600px"></div>
<script type="module">
  import {{ Map }} from "/maplibre-gl/maplibre-gl.mjs";
  window.errors = [];
  window.map = new Map({{ container: "map", style: "{base}/styles/{id}?lang=fr" }});
  map.on("error", ({{ error }}) => errors.push(String(error)));
  map.on("idle", () => (window.idle = true));
</script>"""


def styles(visit: Any) -> list[str]:
    """Their ids, as the service lists them."""
    here = visit()
    answer = here.page.request.get(f"{here.base}/styles").json()
    return [one["id"] for one in answer["styles"]]


def test_every_style_is_drawn_on_a_foreign_page(visit) -> None:
    here = visit()
    ids = styles(visit)
    assert "territory" in ids
    for id in ids:

        def serve(route: Route, _request: Any, id: str = id) -> None:
            route.fulfill(body=PAGE.format(base=here.base, id=id), content_type="text/html")

        here.page.route(FOREIGN, serve)
        here.page.route(
            "**/maplibre-gl/maplibre-gl*",
            lambda route: route.fulfill(path=DIST / Path(urlsplit(route.request.url).path).name),
        )
        here.page.goto(FOREIGN)
        here.page.wait_for_function("() => window.idle", timeout=PATIENCE)
        assert here.page.evaluate("() => errors") == [], id
        drawn = here.page.evaluate(
            "() => [...new Set(map.queryRenderedFeatures().map(({ sourceLayer }) => sourceLayer))]"
        )
        assert drawn, f"nothing of {id} is drawn"
        assert id == "territory" or {one.split(":")[0] for one in drawn} == {id}
        here.page.unroute(FOREIGN)
    assert [url for url in here.strangers if not url.startswith("https://elsewhere.example")] == []
    assert [one for one in here.complaints if not re.search("favicon", one)] == []


@pytest.mark.parametrize("lang", ["en", "de"])
def test_a_style_speaks_the_language_it_was_asked_in(visit, lang: str) -> None:
    here = visit()
    names = {code: here.page.request.get(f"{here.base}/styles/green-belt?lang={code}").json() for code in ("fr", lang)}
    assert names["fr"]["name"] != names[lang]["name"]
    assert f"lang={lang}" in names[lang]["sources"]["gohelle"]["url"]
