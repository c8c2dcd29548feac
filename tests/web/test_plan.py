"""The planners' page in a real browser: draw, ask, read, sort, take away, call off, come back by the address."""

import json
from pathlib import Path
from urllib.parse import urlencode

import httpx2 as httpx
import pytest
from playwright.sync_api import Page, expect
from pyogrio import raw

AREA = {"type": "Polygon", "coordinates": [[[2.77, 50.43], [2.81, 50.43], [2.81, 50.46], [2.77, 50.46], [2.77, 50.43]]]}
BOWTIE = {
    "type": "Polygon",
    "coordinates": [[[2.78, 50.44], [2.79, 50.45], [2.79, 50.44], [2.78, 50.45], [2.78, 50.44]]],
}
COVERAGE = {"near": "green-belt", "distance": 300, "schematic": True}


def opened(here, id: str, inputs: dict | None = None, lang: str = "fr") -> Page:
    """The page with a question chosen; with inputs it is asked at once."""
    asked = {"question": id, **({"inputs": json.dumps(inputs)} if inputs else {})}
    page = here.open(f"/plan?lang={lang}#{urlencode(asked)}", wait=False)
    page.wait_for_function(f"() => document.documentElement.dataset.form === '{id}'", timeout=30_000)
    here.rest()
    return page


def answered(page: Page) -> None:
    """Wait for the answer."""
    page.locator("#answer-title").wait_for(timeout=30_000)


def drawn(page: Page) -> None:
    """Draw a square in the middle of the map, closed by a click on its first corner."""
    page.locator("#in-area").get_by_role("button", name="Dessiner une surface").click()
    box = page.locator("#plan-map canvas").first.bounding_box()
    assert box
    corners = [(0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6), (0.4, 0.4)]
    for x, y in corners:
        page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
        page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y, delay=30)
        page.wait_for_timeout(120)
    expect(page.locator("#in-area .held")).to_contain_text("1 géométrie (surface)")


def asked_of(page: Page) -> dict:
    """The inputs that the address holds: what somebody else would get by it."""
    return page.evaluate("() => JSON.parse(new URLSearchParams(location.hash.slice(1)).get('inputs'))")


def number(text: str) -> float:
    """A French number without its unit."""
    return float("".join(sign for sign in text.replace(",", ".") if sign in "0123456789."))


def test_an_area_is_drawn_and_its_coverage_read_sorted_and_taken_away(visit, service, tmp_path: Path) -> None:
    """The figures are the API's, the GeoPackage holds the parts, the address brings question and answer back."""
    here = visit(accept_downloads=True)
    page = opened(here, "coverage")
    page.get_by_label("Proche de").select_option("green-belt")
    page.get_by_label("Distance en mètres").fill("300")
    page.get_by_label("Compter aussi les tracés schématiques").check()
    drawn(page)
    page.get_by_role("button", name="Poser la question").click()
    answered(page)
    here.rest()
    inputs = asked_of(page)
    told = httpx.post(f"{service.url}/processes/coverage/execution", json={"inputs": inputs}).json()
    about = told["coverage"]
    assert about["total"] > 10_000
    shown = page.locator("#answer dd[data-name=total]").inner_text()
    assert number(shown.replace("ha", "")) == round(about["total"] / 10_000, 2)
    share = page.locator("#answer dd[data-name=share]").inner_text()
    assert number(share) == pytest.approx(about["share"] * 100, abs=0.06)
    assert page.locator(".answers tbody tr").count() == len(told["features"])
    assert here.seen("answer")
    expect(page.locator(".grounds")).to_contain_text("examinés")
    page.locator(".answers tbody button").first.click()
    expect(page.locator(".answers tr.lit")).to_have_count(1)
    assert here.faults() == []

    with page.expect_download() as waiting:
        page.get_by_role("button", name="GeoPackage", exact=True).click()
    waiting.value.save_as(tmp_path / "coverage.gpkg")
    meta, _, _, columns = raw.read(tmp_path / "coverage.gpkg")
    parts = list(columns[list(meta["fields"]).index("part")])
    assert parts == [one["properties"]["part"] for one in told["features"]]

    page.emulate_media(media="print")
    picture = page.locator("#picture")
    expect(picture).to_be_visible()
    assert picture.evaluate("(picture) => picture.naturalWidth") > 500
    expect(page.get_by_role("button", name="Poser la question")).to_be_hidden()
    page.emulate_media(media="screen")

    page.reload()
    answered(page)
    assert page.locator("#answer dd[data-name=total]").inner_text() == shown
    assert [one for one in here.complaints if "WebGL" not in one] == []
    assert here.strangers == []


def test_a_scenario_is_read_in_figures_and_in_a_table_that_sorts(visit, service) -> None:
    inputs = {"geometry": AREA, "collections": ["solar", "green-belt"], "covers": "gardens", "covered": "eco-buildings"}
    here = visit(width=390, height=844, accept_downloads=True)
    page = opened(here, "scenario", inputs)
    answered(page)
    told = httpx.post(f"{service.url}/processes/scenario/execution?lang=fr", json={"inputs": inputs}).json()
    touched = {one["collection"]: one["items"] for one in told["scenario"]["touches"]}
    assert touched["solar"] > 0
    assert page.locator(".answers tbody tr").count() == sum(touched.values())
    change = told["scenario"]["coverage"]
    assert change["after"]["covered"] >= change["before"]["covered"]
    row = page.get_by_role("row", name="Part couverte").first
    cells = [number(one) for one in row.locator("td").all_inner_texts()]
    assert cells == pytest.approx([change[when]["share"] * 100 for when in ("before", "after")], abs=0.06)
    head = page.locator(".answers th", has_text="Nom")
    for way in ("ascending", "descending"):
        head.get_by_role("button").click()
        expect(head).to_have_attribute("aria-sort", way)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    for name, suffix, begins in (("PDF", "pdf", b"%PDF-1.7"), ("HTML", "html", b"<!doctype html>")):
        with page.expect_download(timeout=60_000) as waiting:
            page.get_by_role("button", name=name, exact=True).click()
        report = Path(waiting.value.path()).read_bytes()
        assert waiting.value.suggested_filename == f"scenario.{suffix}"
        assert report.lower().startswith(begins.lower())
    assert here.faults() == []


def test_files_come_onto_the_map_and_what_is_broken_is_said_and_repaired(visit) -> None:
    here = visit()
    page = opened(here, "coverage", None)
    field = page.locator("#file-area")

    def send(name: str, body: bytes) -> None:
        field.set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": body})

    send("broken.gpkg", b"no file of geometry")
    expect(page.locator("#area-error")).to_be_visible()
    send("bowtie.geojson", json.dumps(BOWTIE).encode())
    page.locator("#area-error").get_by_role("button", name="Réparer la géométrie").click()
    expect(page.locator("#in-area .held")).to_contain_text("surface")
    here.rest()
    assert here.seen("asked")
    page.get_by_role("button", name="Poser la question").click()
    expect(page.locator("#near-error")).to_be_visible()
    expect(page.locator("#in-near")).to_be_focused()


def test_a_question_that_is_called_off_stops_in_the_database(visit, service) -> None:
    """The table is locked, so that the statement waits for as long as the browser does, and no longer."""
    here = visit()
    page = opened(here, "coverage")
    page.get_by_label("Proche de").select_option("green-belt")
    page.get_by_label("Distance en mètres").fill("300")
    page.get_by_label("Part de cette collection").select_option("eco-buildings")
    waits = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    with service.territory.superuser() as lock, lock.transaction():
        lock.execute("lock table territory.areas in access exclusive mode")
        page.get_by_role("button", name="Poser la question").click()
        until(page, lambda: service.territory.scalar(waits) > 0)
        page.get_by_role("button", name="Annuler").click()
        expect(page.locator("#problem")).to_have_text("La question a été annulée.")
        until(page, lambda: service.territory.scalar(waits) == 0)
    page.get_by_role("button", name="Poser la question").click()
    answered(page)


def until(page: Page, holds, seconds: float = 15) -> None:
    """Wait, and let the browser go on meanwhile."""
    for _ in range(int(seconds * 10)):
        if holds():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not come to pass")


@pytest.mark.parametrize(
    ("lang", "title", "run"), [("en", "Study a project", "Ask"), ("de", "Ein Vorhaben prüfen", "Frage stellen")]
)
def test_every_question_has_its_form_in_other_languages(visit, lang: str, title: str, run: str) -> None:
    """As many questions as the API lists, each with a field for each input: the page names none itself."""
    here = visit()
    page = opened(here, "summary", None, lang)
    expect(page.locator("h1")).to_have_text(title)
    expect(page.get_by_role("button", name=run, exact=True)).to_be_visible()
    listed = page.request.get(f"{here.base}/processes?f=json").json()["processes"]
    assert page.locator("#question option").count() == len(listed)
    for one in listed:
        page.locator("#question").select_option(one["id"])
        page.wait_for_function(f"() => document.documentElement.dataset.form === '{one['id']}'")
        takes = page.request.get(f"{here.base}/processes/{one['id']}?f=json").json()["inputs"]
        assert {id.removeprefix("in-") for id in page.locator("#fields [id^='in-']").evaluate_all("(all) => all.map(({ id }) => id)")} >= takes.keys()  # fmt: skip
    assert here.faults() == []


def test_what_draws_is_loaded_on_this_page_alone(visit) -> None:
    here = visit()
    asked: list[str] = []
    here.page.on("request", lambda request: asked.append(request.url))
    here.open("/")
    assert not [url for url in asked if "terra-draw" in url]
