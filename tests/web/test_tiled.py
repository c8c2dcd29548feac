"""A collection of 30,000 on the map: circles that count, squares that count, single entries, all from its tiles."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import clone, running
from tests.geo.tiling import Spot, put
from tests.script.conftest import wait_until
from tests.web.conftest import Visit

CROWD = [Spot(2.745, 50.43, 20_000, 0.1), Spot(2.775, 50.445, 9_750, 0.03), Spot(2.7952, 50.4591, 230, 0.0, 200)]
ALONE = Spot(2.6, 50.6)
PARKS = """
insert into territory.areas (source_key, name, category, source, licence, position, geom)
select 'park ' || n, 'Parc ' || n, 'belt', 's', 'etalab-2.0', 'surveyed',
       ST_Multi(ST_MakeEnvelope(x, y, x + 0.003, y + 0.002, 4326))
from generate_series(0, 2099) n, lateral (select 3 + n % 50 * 0.004 as x, 50 + n / 50 * 0.003 as y) q
"""
"""More areas than are loaded whole, far away from all else."""


@pytest.fixture(scope="module")
def crowded(admin_url: str, seeded: str) -> Iterator[Any]:
    """A service whose installations are many, and a few in squares."""
    with clone(admin_url, seeded) as territory:
        put(territory, [*CROWD, ALONE])
        with territory.superuser() as connection:
            connection.execute("update territory.installations set name = 'n° ' || id where name = 'n'")
            connection.execute(PARKS)
            connection.execute("vacuum analyze territory.installations")
        with running(territory) as service:
            yield service


@pytest.fixture
def go(browser: Browser, crowded: Any) -> Iterator[Callable[..., Visit]]:
    """A visit to it."""
    contexts = []

    def visit(width: int = 1280, height: int = 800) -> Visit:
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, locale="fr"))
        return Visit(contexts[-1].new_page(), crowded.url)

    yield visit
    for context in contexts:
        context.close()


def picture(here: Visit, name: str) -> None:
    """Kept where GOHELLE_PICTURES says, for eyes."""
    if folder := os.environ.get("GOHELLE_PICTURES"):
        here.page.screenshot(path=Path(folder) / f"{name}.png")


def middle(here: Visit) -> tuple[float, float]:
    box = here.page.locator("#map").bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_crowd_is_drawn_from_tiles_and_a_click_zooms_in(go) -> None:
    here = go()
    asked: list[str] = []
    here.page.on("request", lambda request: asked.append(request.url))
    page = here.open("/?lang=fr#12/50.46/2.79&on=installations")
    assert any("/collections/installations/tiles/WebMercatorQuad/12/" in url for url in asked)
    assert not any("/collections/installations/items" in url for url in asked)
    drawn = here.seen("installations")
    assert sum(one.get("point_count", 0) for one in drawn if one["layer"] == "installations:gathered") > 10_000
    assert not [one for one in drawn if one["layer"] == "installations:point" and "point_count" in one]
    count = page.locator("#legend [data-collection='installations'] .badge").inner_text()
    assert int(count) > 29_000
    page.get_by_role("tab", name="Liste").click()
    expect(page.locator("#list")).to_contain_text("zoomez")
    picture(here, "crowd-1280")
    page.mouse.click(*middle(here))
    page.wait_for_function("() => gohelle.map.getZoom() > 13.9")
    here.rest()
    picture(here, "zoomed-1280")
    assert page.locator("#card").is_hidden()
    assert here.complaints == []
    assert here.strangers == []


def test_a_single_entry_opens_its_whole_card_from_map_list_and_search(go) -> None:
    here = go()
    page = here.open("/?lang=fr#16.2/50.6/2.6&on=installations")
    page.mouse.click(*middle(here))
    card = page.locator("#card")
    expect(card.locator("h2")).to_contain_text("n° ")
    expect(card).to_contain_text("Source")
    expect(card.get_by_role("link", name="Page permanente")).to_be_visible()
    name = card.locator("h2").inner_text()
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Liste").click()
    page.locator("#list [data-collection='installations'] [data-entry]").first.click()
    expect(card.locator("h2")).to_have_text(name)
    page.keyboard.press("Escape")
    page.locator("#search").fill(name)
    expect(page.locator("#found [role=option]").first).to_contain_text(name)
    page.locator("#search").press("Enter")
    expect(card.locator("h2")).to_have_text(name)
    expect(card).to_contain_text("Licence")
    assert here.complaints == []


def test_a_square_tells_its_number_and_its_members(go) -> None:
    here = go()
    page = here.open("/?lang=fr#16.5/50.4591/2.7952&on=installations")
    squares = {
        one["cell"]: one["point_count"] for one in here.seen("installations") if one["layer"] == "installations:square"
    }
    assert list(squares.values()) == [230]
    wait_until(lambda: {one["count"] for one in here.seen(":counts")} == {230})
    picture(here, "square-1280")
    page.get_by_role("tab", name="Liste").click()
    page.get_by_role("button", name="230 entrées dans un carré").click()
    expect(page.locator("#card h2")).to_contain_text("230 entrées quelque part dans ce carré de 200")
    expect(page.locator("#card .entries button")).to_have_count(230)
    page.locator("#card .entries button").first.click()
    expect(page.locator("#card")).to_contain_text("Source")
    page.locator("#card").get_by_role("button", name="Retour").click()
    expect(page.locator("#card .entries button")).to_have_count(230)
    assert here.complaints == []


def test_small_collections_stay_as_they_are_beside_a_large_one(go) -> None:
    here = go()
    page = here.open("/?lang=fr")
    sources = page.evaluate(
        "() => Object.fromEntries(Object.entries(gohelle.map.getStyle().sources).map(([id, { type }]) => [id, type]))"
    )
    assert {id for id, type_ in sources.items() if type_ == "vector"} <= {"installations", "solar", "green-belt"}
    assert sources["installations"] == "vector"
    assert sources["gardens"] == "geojson"
    assert here.seen("gardens")
    assert here.faults() == []
    picture(here, "all-1280")


def test_on_a_telephone(go) -> None:
    here = go(390, 844)
    here.open("/?lang=fr#12/50.46/2.79&on=installations,communes")
    picture(here, "crowd-390")
    assert sum(one.get("point_count", 0) for one in here.seen("installations")) > 5_000
    assert here.faults() == []
    assert here.complaints == []


def test_without_webgl_the_list_is_asked_for_by_view(go) -> None:
    here = go()
    here.page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page = here.open("/?lang=fr#on=installations", wait=False)
    page.get_by_role("tab", name="Liste").click()
    expect(page.locator("#list [data-entry]").first).to_be_visible()


def test_areas_from_tiles_have_their_names(go) -> None:
    here = go()
    here.open("/?lang=fr#15/50.0605/3.1&on=green-belt")
    names = {one["name"] for one in here.seen("green-belt") if one["layer"] == "green-belt:name"}
    assert names
    assert names <= {one["name"] for one in here.seen("green-belt") if one["layer"] == "green-belt:fill"}
