"""The map in a page of another origin, whose policy names nothing but the service: loaded when seen, usable at 320 px."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2 as httpx
import pytest
from playwright.sync_api import Browser, Frame, Page

from tests.web.conftest import AXE, PATIENCE

BUDGET = 350_000
"""Bytes that come over the wire until the embedded map rests."""

FIRST_VIEW = 500_000
"""The same for the map of Loos with all that it shows at first."""

HOST = """<!doctype html><html lang="de"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>A neighbour</title><main><h1>A neighbour</h1><p><a id="before" href="/">before</a></p>{space}{map}<p><a id="after" href="/">after</a></p></main></html>"""
SPACE = "<p>far</p>" * 200


class Neighbour:
    """A site of another origin; `pages` are what it serves, `policy` what it allows."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.policy = ""
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = site.pages.get(self.path, "").encode()
                self.send_response(200 if body else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Security-Policy", site.policy)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def neighbour(service) -> Iterator[Neighbour]:
    """A neighbour that follows the advice of the page that builds the lines, and allows nothing else."""
    site = Neighbour()
    site.policy = f"default-src 'self'; script-src 'self' {service.url}; frame-src {service.url}"
    threading.Thread(target=site.server.serve_forever, daemon=True).start()
    yield site
    site.server.shutdown()
    site.server.server_close()


@pytest.fixture
def window(browser: Browser) -> Iterator[Page]:
    """A small window that notes every complaint."""
    context = browser.new_context(viewport={"width": 320, "height": 640}, locale="de")
    page = context.new_page()
    page.on("console", lambda one: complaints(page).append(one.text) if one.type in ("error", "warning") and "GPU stall" not in one.text and "favicon" not in str(one.location) else None)  # fmt: skip
    yield page
    context.close()


def complaints(page: Page) -> list[str]:
    """What the browser complained about in this window."""
    if not hasattr(page, "complaints"):
        page.complaints = []  # pyright: ignore[reportAttributeAccessIssue]
    return page.complaints  # pyright: ignore[reportAttributeAccessIssue]


def element(service, **attributes: str) -> str:
    """The two lines."""
    said = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    return f'<script type="module" src="{service.url}/embed.js"></script><gohelle-map {said}></gohelle-map>'


def embedded(page: Page) -> Frame:
    """The map's frame, when its map rests."""
    frame = page.locator("gohelle-map iframe").element_handle().content_frame()
    assert frame
    frame.wait_for_url("**/embed?**")
    frame.wait_for_function("() => document.documentElement.dataset.map === 'idle'", timeout=PATIENCE)
    return frame


def faults(frame: Frame) -> list[str]:
    """Serious faults that axe finds in the frame."""
    frame.evaluate(AXE.read_text("utf-8"))
    found = frame.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")["violations"]
    return [f"{one['id']}: {one['nodes'][0]['target']}" for one in found if one["impact"] in ("serious", "critical")]


def test_the_element_works_on_another_origin(service, neighbour, window):
    """With its switches, in the page's language, under a policy that names the service alone; nothing before it is seen."""
    neighbour.pages["/"] = HOST.format(space=SPACE, map=element(service, collections="solar,soft-mobility"))
    asked: list[str] = []
    window.on("request", lambda request: asked.append(request.url))
    window.goto(neighbour.url)
    window.wait_for_timeout(500)
    assert [url for url in asked if url.startswith(service.url)] == [f"{service.url}/embed.js"]
    window.locator("gohelle-map").scroll_into_view_if_needed()
    frame = embedded(window)
    assert "lang=de" in frame.url
    shown = frame.eval_on_selector_all("#legend [data-collection]", "rows => rows.map((row) => row.dataset.collection)")
    assert set(shown) == {"solar", "soft-mobility"}
    assert frame.locator("#legend input:checked").count() == 2
    assert {url.split("/")[2] for url in asked if url.startswith("http")} == {
        service.url.split("/")[2],
        neighbour.url.split("/")[2],
    }
    assert complaints(window) == []


def test_it_is_usable_at_320_pixels(service, neighbour, window):
    """No serious fault, no sideways scrolling, the legend beside the map and not on it, the list as its twin, the source."""
    neighbour.pages["/"] = HOST.format(space="", map=element(service, collections="solar", lang="fr"))
    window.goto(neighbour.url)
    frame = embedded(window)
    assert faults(frame) == []
    assert frame.evaluate("document.documentElement.scrollWidth") <= 320
    area, panel = (frame.locator(one).bounding_box() for one in (".map-area", "#panel"))
    assert area
    assert panel
    assert area["height"] > 150
    assert panel["y"] >= area["y"] + area["height"] - 20
    frame.locator("#tab-list").click()
    assert frame.locator("#list [data-entry]").count() > 0
    assert "Ville de Loos-en-Gohelle" in frame.locator(".maplibregl-ctrl-attrib").inner_text()
    assert frame.locator(".imprint a").get_attribute("href") == "/?lang=fr"


def test_the_keyboard_goes_through(service, neighbour, window):
    """From the page into the map, to an entry and its card, out of the frame on the other side; no step back is taken."""
    neighbour.pages["/"] = HOST.format(space="", map=element(service, collections="solar", lang="fr"))
    window.goto(neighbour.url)
    frame = embedded(window)
    steps = window.evaluate("history.length")
    window.locator("#before").focus()
    met = set()
    for _ in range(60):
        window.keyboard.press("Tab")
        met.add(frame.evaluate("document.activeElement.id || document.activeElement.className"))
        if window.evaluate("document.activeElement.id") == "after":
            break
    assert window.evaluate("document.activeElement.id") == "after"
    assert {"tab-legend", "search", "on-solar"} <= met
    frame.locator("#tab-list").press("Enter")
    frame.locator("#list [data-entry]").first.press("Enter")
    frame.locator("#card h2").wait_for()
    assert (
        frame.locator("#card a.button").first.evaluate("link => link.ownerDocument.querySelector('base').target")
        == "_blank"
    )
    assert window.evaluate("history.length") == steps


def weight(url: str) -> int:
    """Bytes of an answer's body as a browser takes it; asked again, for the browser tells nothing of a worker's script."""
    headers = {"Accept": "text/html,*/*;q=0.8", "Accept-Encoding": "br"}
    return httpx.get(url, headers=headers).num_bytes_downloaded


def test_it_weighs_little(service, neighbour, window):
    """MapLibre, fonts and data included, as they come over the wire."""
    neighbour.pages["/"] = HOST.format(space="", map=element(service, collections="solar,soft-mobility", lang="fr"))
    asked: set[str] = set()
    window.on("request", lambda one: asked.add(one.url))
    window.goto(neighbour.url)
    embedded(window)
    window.wait_for_timeout(500)
    sizes = {url: weight(url) for url in asked if url.startswith(service.url)}
    assert any("maplibre-gl-worker" in url for url in sizes)
    assert 250_000 < sum(sizes.values()) <= BUDGET, sizes


def test_the_first_view_weighs_little(service, visit):
    """All collections that are on at first are drawn; what speaks of an entry is asked for with its card."""
    here = visit()
    asked: set[str] = set()
    here.page.on("request", lambda one: asked.add(one.url))
    here.open("/?lang=fr")
    here.page.wait_for_timeout(500)
    assert here.seen("green-belt")
    sizes = {url: weight(url) for url in asked if url.startswith(service.url)}
    assert any("maplibre-gl-worker" in url for url in sizes)
    assert 250_000 < sum(sizes.values()) <= FIRST_VIEW, sizes


def test_the_frame_works_without_script(service, neighbour, window):
    """The lines of the frame, as the page writes them."""
    window.goto(f"{service.url}/embed/build?c=solar&lang=en")
    lines = window.locator("pre").nth(1).inner_text()
    assert window.locator("pre").nth(0).inner_text().count("gohelle-map") == 2
    assert f"frame-src {service.url}" in window.locator("pre").nth(2).inner_text()
    assert faults(window.main_frame) == []
    neighbour.policy = f"default-src 'self'; frame-src {service.url}"
    neighbour.pages["/frame"] = HOST.format(space="", map=lines)
    window.goto(f"{neighbour.url}/frame")
    window.locator("iframe").scroll_into_view_if_needed()
    frame = window.frame_locator("iframe")
    frame.locator("html[data-map=idle]").wait_for(state="attached", timeout=PATIENCE)
    assert frame.locator("#legend [data-collection]").count() == 1
