"""The pages in a real browser: three languages, no scripts, no stranger asked, no serious fault."""

from typing import Any

import pytest
from playwright.sync_api import expect

PATHS = (
    "/collections",
    "/collections/solar",
    "/collections/figures",
    "/collections/solar/items",
    "/collections/solar/items?technology=photovoltaic",
    "/collections/green-belt/items/1",
    "/collections/installations/items/1",
    "/collections/figures/items?limit=1000",
    "/collections/figures/items/1",
    "/collections/milestones/items",
    "/collections/documents/items",
    "/collections/solar/schema",
    "/collections/soft-mobility/queryables",
    "/conformance",
    "/api",
    "/processes",
    "/processes/nearby",
    "/processes/nearby/execution?collections=solar&lon=2.788&lat=50.443&distance=500",
    "/pages/mentions-legales",
    "/nowhere",
)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_sound_fits_a_telephone_and_speaks_three_languages(visit, path: str) -> None:
    """One visit for all of it: a browser's start takes longer than the page."""
    here = visit()
    page = here.open(path, wait=False)
    assert page.locator("html").get_attribute("lang") == "fr"
    assert page.locator("h1").count() == 1
    assert page.locator("main").count() == 1
    assert page.title().strip(" –")
    assert page.locator("script:not([type='application/ld+json'])").count() == 0
    assert here.faults() == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    for lang in ("en", "de") if path != "/nowhere" else ():  # an error has no address of its own to ask a language of
        here.open(f"{path}{'&' if '?' in path else '?'}lang={lang}", wait=False)
        assert page.locator("html").get_attribute("lang") == lang
        link = page.locator(".masthead nav a").nth(1).get_attribute("href")
        assert link
        assert f"lang={lang}" in link
    assert [one for one in here.complaints if not (path == "/nowhere" and "404" in one)] == []
    assert here.strangers == []


def test_the_filter_keeps_what_was_chosen_and_empty_fields_do_no_harm(visit) -> None:
    page = visit().open("/collections/installations/items", wait=False)
    page.get_by_label("Technologie").select_option("heat_pump")
    page.get_by_role("button", name="Appliquer").click()
    expect(page.get_by_label("Technologie")).to_have_value("heat_pump")
    assert "technology=heat_pump" in page.url
    page.get_by_role("link", name="Tout afficher").click()
    expect(page.get_by_label("Technologie")).to_have_value("")
    assert page.locator("tbody tr").count() > 1


def test_pages_follow_one_another(visit) -> None:
    page = visit().open("/collections/solar/items?limit=5", wait=False)
    first = page.locator("tbody tr").first.inner_text()
    page.get_by_role("link", name="Page suivante").click()
    expect(page.locator("tbody tr").first).not_to_contain_text(first)
    page.get_by_role("link", name="Première page").click()


def test_the_question_is_asked_and_answered_without_a_script(visit) -> None:
    page = visit(java_script_enabled=False).open("/processes/nearby", wait=False)
    page.get_by_label("Longitude").fill("2.788")
    page.get_by_label("Latitude").fill("50.443")
    page.get_by_label("Distance").fill("500")
    page.get_by_role("button", name="Poser la question").click()
    result = page.get_by_role("region", name="Résultat")
    assert result.locator("tbody tr").count() > 3
    expect(result.locator("tbody tr").first).to_contain_text("m")


def test_clashing_figures_stand_side_by_side_and_one_is_marked_as_retained(visit) -> None:
    page = visit().open("/collections/figures/items?limit=1000", wait=False)
    assert page.locator(".value.contested").count() > 0
    for block in page.locator(".indicator:has(.value.contested)").all():
        assert block.locator(".value").count() > 1
        assert "valeur discordante" in block.inner_text()


def test_milestones_run_from_the_oldest_to_the_latest(visit) -> None:
    page = visit().open("/collections/milestones/items", wait=False)
    dates: list[Any] = page.locator(".timeline time").evaluate_all("(all) => all.map((one) => one.dateTime)")
    assert len(dates) > 10
    assert dates == sorted(dates)


def test_an_error_is_a_page_with_a_way_out(visit) -> None:
    page = visit().open("/nowhere", wait=False)
    expect(page.locator("h1")).to_have_text("Cette page n’existe pas")
    page.get_by_role("link", name="Revenir à la carte").click()
    page.wait_for_url("**/")


def test_the_item_page_leads_to_its_place_on_the_map(visit) -> None:
    here = visit()
    page = here.open("/collections/soft-mobility/items/1", wait=False)
    name = page.locator("h1").inner_text()
    page.get_by_role("link", name="Voir sur la carte").click()
    here.rest()
    expect(page.locator("#card h2")).to_have_text(name)


def test_a_report_is_one_file_that_the_browser_takes_as_it_is(visit) -> None:
    """Its policy lets its own style and fonts in and nothing else; sound, and fit for a telephone."""
    here = visit()
    where = "/processes/scenario/execution?collections=gardens,solar&covers=gardens&covered=solar&lon=2.79&lat=50.45"
    page = here.open(f"{where}&f=html", wait=False)
    assert page.locator("h1").count() == page.locator("main").count() == page.locator("svg.map").count() == 1
    assert page.evaluate("() => document.fonts.ready.then(() => document.fonts.check('600 16px \"Noto Sans\"'))")
    assert page.locator("h1").evaluate("(one) => getComputedStyle(one).fontWeight") == "600"
    assert here.faults() == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    page.get_by_role("link", name="Deutsch").click()
    assert page.locator("html").get_attribute("lang") == "de"
    assert (here.complaints, here.strangers) == ([], [])
