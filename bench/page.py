"""Trials of the map in a real Chromium on a poor line and a slow processor: bytes, paints, and when it can be used."""

import shutil
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, CDPSession, sync_playwright
from psycopg import sql

from bench.ground import LOOS, Ground
from bench.servers import service
from bench.trials import Finding
from geo import schema
from geo.db import Database
from seed import pack

ARGUMENTS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
]
LINE = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8}
"""What Lighthouse calls a slow line for phones: 1.6 Mbit/s down, 150 ms there and back."""

SLOWER = 4
PAGES = (
    ("the map of Loos", "/", {"width": 390, "height": 844}, 500),
    ("the embedded map", "/embed?collections=solar,soft-mobility&lang=fr", {"width": 320, "height": 640}, 350),
)

NOTE_TIMES = """
globalThis.noted = { lcp: 0, cls: 0, tbt: 0, fcp: 0, usable: 0, idle: 0 };
const observe = (type, take) => new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
observe("paint", ({ name, startTime }) => { if (name === "first-contentful-paint") noted.fcp = startTime; });
observe("largest-contentful-paint", ({ startTime }) => { noted.lcp = startTime; });
observe("layout-shift", ({ value, hadRecentInput }) => { if (!hadRecentInput) noted.cls += value; });
observe("longtask", ({ duration, startTime }) => { if (!noted.idle && startTime > noted.fcp) noted.tbt += Math.max(0, duration - 50); });
new MutationObserver(() => {
  noted.usable ||= document.querySelector("#legend input") && document.querySelector("#list [data-entry]") ? performance.now() : 0;
  if (document.documentElement.dataset.map === "idle") noted.idle ||= performance.now();
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-map"] });
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One visit with nothing cached. Times in ms since the address was opened; `bytes` as they came over the wire."""

    bytes: float
    fcp: float
    lcp: float
    cls: float
    tbt: float
    usable: float
    idle: float


def page(base: Ground, *, rounds: int) -> Iterator[Finding]:
    """Both pages, each as often as there are rounds; medians."""
    program = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
    with _loos(base) as database, service(base, database, memory_mb=64) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        for title, path, size, most in PAGES:
            views = [_visit(browser, server.url + path, size) for _ in range(rounds + 1)][
                1:
            ]  # the first fills the memory
            yield from _findings(title, views, most)
        browser.close()


@contextmanager
def _loos(base: Ground) -> Iterator[str]:
    """A database of the pack alone."""
    name = sql.Identifier("bench_page")
    drop = sql.SQL("drop database if exists {} with (force)").format(name)
    with base.admin() as admin:
        admin.execute(drop)
        admin.execute(sql.SQL("create database {} owner gohelle template template0").format(name))
        with base.admin("bench_page") as own:
            own.execute("create extension postgis")
        schema.upgrade(base.settings("bench_page"))
        db = Database(base.settings("bench_page"))
        pack.load(db, LOOS)
        db.close()
        try:
            yield "bench_page"
        finally:
            admin.execute(drop)


def _visit(browser: Browser, url: str, size: dict[str, int]) -> View:
    context = browser.new_context(viewport={"width": size["width"], "height": size["height"]}, locale="fr")
    window = context.new_page()
    window.add_init_script(NOTE_TIMES)
    cdp = context.new_cdp_session(window)
    sizes = _listen(cdp)
    window.goto(url, wait_until="commit")
    window.wait_for_function("() => globalThis.noted?.idle && noted.usable", timeout=60_000)
    window.wait_for_timeout(500)
    noted = window.evaluate("() => noted")
    context.close()
    return View(bytes=sum(sizes), **noted)


def _listen(cdp: CDPSession) -> list[float]:
    """The bytes of all answers, headers included, from now on; on the poor line and the slow processor."""
    sizes: list[float] = []
    cdp.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    cdp.send("Network.enable")
    cdp.send("Network.emulateNetworkConditions", LINE)
    cdp.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    return sizes


def _findings(title: str, views: list[View], most: int) -> Iterator[Finding]:
    def middle(name: str) -> float:
        return statistics.median(getattr(view, name) for view in views)

    kilobytes = middle("bytes") / 1000
    yield Finding(
        f"{title}, first view, all that comes over the wire with headers",
        f"{kilobytes:.0f} kB",
        f"under {most} kB",
        kilobytes < most,
    )
    times = {name: middle(name) / 1000 for name in ("fcp", "lcp", "tbt", "usable", "idle")}
    yield Finding(
        f"{title}, 1.6 Mbit/s, 150 ms, processor {SLOWER} times slower",
        f"legend and list usable after {times['usable']:.1f} s, the map at rest after {times['idle']:.1f} s; first paint"
        f" {times['fcp']:.1f} s, largest {times['lcp']:.1f} s, shift {middle('cls'):.3f}, blocked {times['tbt']:.1f} s",
        "usable in 2 s",
        times["usable"] <= 2,
    )
