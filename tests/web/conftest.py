"""A real headless Chromium, and pages of it that notice every error, every refused request and every breach of the policy."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

AXE = Path(__file__).parent.parent.parent / "web" / "node_modules" / "axe-core" / "axe.min.js"
ARGUMENTS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-features=LocalNetworkAccessChecks",  # a foreign page may ask the service under test
]
PATIENCE = 60_000
"""Milliseconds: a browser that draws without a graphics card, four at a time, takes ten seconds for what takes one alone."""

expect.set_options(timeout=PATIENCE / 2)

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("there is no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


class Visit:
    """A page of the service, and what the browser complained about meanwhile."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.base = base
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._asked)

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning") and "GPU stall" not in message.text:
            self.complaints.append(message.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.strangers.append(request.url)

    def open(self, path: str = "/", *, wait: bool = True) -> Page:
        """Go there; the map is waited for until it rests."""
        self.page.goto(self.base + path)
        if wait:
            self.rest()
        return self.page

    def rest(self) -> None:
        """Wait until the map has nothing left to load or draw."""
        self.page.wait_for_timeout(150)
        self.page.wait_for_function("() => document.documentElement.dataset.map === 'idle'", timeout=PATIENCE)

    def seen(self, source: str) -> list[dict[str, Any]]:
        """What the map has drawn of a source: properties, layer and geometry type."""
        return self.page.evaluate(
            """(source) => {
              const map = gohelle.map;
              const layers = map.getStyle().layers.filter((layer) => layer.source === source).map(({ id }) => id);
              return map.queryRenderedFeatures({ layers }).map(({ id, properties, layer, geometry }) =>
                ({ id, layer: layer.id, type: geometry.type, coordinates: geometry.coordinates, ...properties }));
            }""",
            source,
        )

    def answer(self, pattern: str, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
        """Let `change` alter the JSON that an address answers."""

        def handle(route: Route) -> None:
            response = route.fetch()
            document = response.json()
            route.fulfill(response=response, body=json.dumps(change(document) or document))

        self.page.route(pattern, handle)

    def faults(self) -> list[str]:
        """Serious faults that axe finds in the page as it is."""
        self.page.evaluate(AXE.read_text("utf-8"))
        found = self.page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
        return [
            f"{one['id']} ({one['impact']}): {one['help']} {[node['target'] for node in one['nodes']][:5]}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
        ]


@pytest.fixture
def visit(browser: Browser, service: Any) -> Iterator[Callable[..., Visit]]:
    """Visits to the service, each in a browser of its own; `width` and `height` are the window's."""
    contexts = []

    def go(width: int = 1280, height: int = 800, lang: str = "fr", **options: Any) -> Visit:
        context = browser.new_context(viewport={"width": width, "height": height}, locale=lang, **options)
        contexts.append(context)
        return Visit(context.new_page(), service.url)

    yield go
    for context in contexts:
        context.close()
