"""The map as people meet it: drawn, switched, searched, read, linked to, by mouse, by finger and by keyboard alone."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from api import pages


def collections(page: Page) -> list[dict[str, Any]]:
    """What the API says of the collections that have a geometry."""
    answer = page.evaluate(
        "() => fetch('/collections?lang=fr', { headers: { Accept: 'application/json' } }).then((answer) => answer.json())"
    )
    return [one for one in answer["collections"] if one["geometryType"]]


def entry(fid: int, name: str, **properties: Any) -> dict[str, Any]:
    """A feature as the API writes it, for answers that are made up."""
    point = {"type": "Point", "coordinates": properties.pop("at", [2.79, 50.45])}
    return {
        "type": "Feature",
        "id": fid,
        "geometry": point,
        "properties": {"name": name, "position": "surveyed", "source": "test", "licence": "etalab-2.0", **properties},
    }


# Drawing


def test_every_collection_that_is_switched_on_is_drawn_without_asking_anybody_else(visit) -> None:
    here = visit()
    page = here.open()
    for one in collections(page):
        if one["visible"] and one["itemCount"]:
            assert here.seen(one["id"]), f"nothing of {one['id']} is drawn"
    assert here.strangers == []
    assert here.complaints == []


def test_all_collections_can_be_shown_and_all_hidden(visit) -> None:
    here = visit()
    page = here.open()
    page.get_by_role("button", name="Tout afficher").click()
    here.rest()
    for one in collections(page):
        assert here.seen(one["id"]) or not one["itemCount"], f"nothing of {one['id']} is drawn"
    page.get_by_role("button", name="Tout masquer").click()
    here.rest()
    assert not any(here.seen(one["id"]) for one in collections(page))
    assert here.complaints == []


def test_a_switch_of_the_legend_takes_a_collection_from_map_list_and_address(visit) -> None:
    here = visit()
    page = here.open()
    one = next(one for one in collections(page) if one["visible"] and one["geometryType"] == "Point")
    page.locator(f"#legend [data-collection='{one['id']}'] input").uncheck()
    here.rest()
    assert here.seen(one["id"]) == []
    page.get_by_role("tab", name="Liste").click()
    assert page.locator(f"#list [data-collection='{one['id']}']").count() == 0
    assert one["id"] not in page.url.split("on=")[1].split(",")


def test_the_legend_has_a_sign_and_a_number_for_each_collection_and_no_two_signs_are_alike(visit) -> None:
    page = visit().open()
    drawn = collections(page)
    signs = set()
    for one in drawn:
        row = page.locator(f"#legend [data-collection='{one['id']}']")
        expect(row.locator(".badge")).to_have_text(str(one["itemCount"]))
        picture = row.locator("svg").inner_html()
        signs.add(re.sub(r'tile-\d+|(fill|stroke)="#\w+"', "", picture))
    assert len(signs) == len(drawn), "two signs differ by their colour alone"


def test_what_is_schematic_is_dashed_and_what_is_approximate_is_hollow(visit) -> None:
    here = visit()
    page = here.open()
    drawn = [feature for one in collections(page) for feature in here.seen(one["id"])]
    schematic = [feature for feature in drawn if feature.get("position") == "schematic" and "Line" in feature["type"]]
    assert schematic
    styles = page.evaluate("() => Object.fromEntries(gohelle.map.getStyle().layers.map((layer) => [layer.id, layer]))")
    lines = {feature["layer"] for feature in schematic if feature["layer"].endswith((":line", ":dashed"))}
    assert lines
    assert all("line-dasharray" in styles[layer]["paint"] for layer in lines)
    for layer in styles.values():
        if layer["id"].endswith(":point"):
            assert "hollow" in json.dumps(layer["layout"]["icon-image"])


def test_a_cell_is_drawn_as_its_true_square_with_a_count_and_never_as_a_pin(visit) -> None:
    """The names of three declarations of one cell open as a list; no sign stands in the cell's middle."""
    here = visit()
    cell = "CRS3035RES200mN3063600E3810200"
    middle = [2.795238, 50.459061]

    def declare(document: dict[str, Any]) -> None:
        document["features"] += [
            entry(9001 + n, f"Toit de {who}", position="cell", cell=cell, at=middle) for n, who in enumerate("ABC")
        ]

    here.answer("**/collections/installations/items?*", declare)
    page = here.open("/#15.5/50.45906/2.79524&on=installations")
    drawn = [one for one in here.seen(":cells") if one["layer"] == ":cells-fill"]
    assert [(one["cell"], one["count"]) for one in drawn] == [(cell, 3)]
    ring = drawn[0]["coordinates"][0]
    west, east = min(lon for lon, _ in ring), max(lon for lon, _ in ring)
    south, north = min(lat for _, lat in ring), max(lat for _, lat in ring)
    assert 190 < (east - west) * 71_000 < 240
    assert 190 < (north - south) * 111_200 < 240
    assert west < middle[0] < east
    assert south < middle[1] < north
    assert not [one for one in here.seen("installations") if one["id"] and one["id"] > 9000]

    box = page.locator("#map").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    card = page.locator("#card")
    expect(card.locator("h2")).to_contain_text("3 entrées quelque part dans ce carré de 200")
    expect(card.locator(".entries button")).to_have_count(3)
    card.get_by_role("button", name="Toit de B").click()
    expect(card.locator("h2")).to_have_text("Toit de B")
    card.get_by_role("button", name="Retour").click()
    expect(card.locator(".entries button")).to_have_count(3)


def test_more_than_one_page_is_followed(visit) -> None:
    """Without a map a collection too large to be loaded whole is asked for by view, page after page."""
    here = visit()
    here.answer(
        "**/collections?*",
        lambda document: (
            [one.update(itemCount=5000) for one in document["collections"] if one["id"] == "installations"] and None
        ),
    )
    link = {"rel": "next", "href": "https://elsewhere.example/x?limit=1000&cursor=abc&f=geojson"}

    def page_of(route: Any) -> None:
        second = "cursor=abc" in route.request.url
        features = [entry(10 * second + n, f"n° {n}") for n in range(3)]
        route.fulfill(json={"type": "FeatureCollection", "features": features, "links": [] if second else [link]})

    asked: list[str] = []
    here.page.on("request", lambda request: "installations/items" in request.url and asked.append(request.url))
    here.page.route("**/collections/installations/items?*", page_of)
    here.page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page = here.open("/#15/50.45/2.79&on=installations", wait=False)
    page.get_by_role("tab", name="Liste").click()
    expect(page.locator("#list [data-entry]")).to_have_count(6)
    assert "bbox=" in asked[0]
    assert "cursor=abc" in asked[1]
    assert here.strangers == []


# Reading


def test_the_card_says_everything_and_the_words_of_the_schema(visit) -> None:
    page = visit().open("/?lang=fr#at=solar/1")
    card = page.locator("#card")
    expect(card.locator("h2")).to_have_text("Toit solaire de l’église Saint-Vaast")
    for words in ("photovoltaïque", "35", "kW", "Position", "Source", "Licence", "etalab-2.0"):
        expect(card).to_contain_text(words)
    expect(card.get_by_role("link", name="Page permanente")).to_have_attribute(
        "href", "/collections/solar/items/1?lang=fr"
    )


def test_the_list_holds_what_the_map_shows_in_the_view(visit) -> None:
    here = visit()
    page = here.open()
    page.get_by_role("tab", name="Liste").click()
    for one in collections(page):
        if one["visible"] and one["geometryType"] == "Point" and one["itemCount"]:
            names = {feature["name"] for feature in here.seen(one["id"])}
            listed = page.locator(f"#list [data-collection='{one['id']}'] .name").all_inner_texts()
            assert names <= set(listed)
    before = page.locator("#list [data-entry]").count()
    page.evaluate("() => gohelle.map.jumpTo({ center: [2.788, 50.4433], zoom: 16.5 })")
    here.rest()
    expect(page.locator("#list [data-entry]").first).to_be_visible()
    assert 0 < page.locator("#list [data-entry]").count() < before
    name = page.locator("#list [data-entry] .name").first.inner_text()
    page.locator("#list [data-entry]").first.click()
    expect(page.locator("#card h2")).to_have_text(name)


def test_the_search_minds_no_accents_and_switches_on_what_it_finds(visit) -> None:
    here = visit()
    page = here.open()
    page.locator("#search").fill("eglise saint-edouard")
    expect(page.locator("#found [role=option]").first).to_contain_text("Église Saint-Édouard")
    page.locator("#search").press("Enter")
    expect(page.locator("#card h2")).to_contain_text("Église Saint-Édouard")
    expect(page.locator("#legend [data-collection='landmarks'] input")).to_be_checked()
    page.locator("#search").fill("zzzz")
    expect(page.locator("#found")).to_contain_text("Aucun nom")


def test_several_entries_at_a_click_open_as_a_list(visit) -> None:
    here = visit()
    here.answer(
        "**/collections/gardens/items?*",
        lambda document: document.update(features=[entry(n, f"Jardin {n}") for n in (1, 2)]),
    )
    page = here.open("/#16/50.45/2.79&on=gardens")
    box = page.locator("#map").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#card h2")).to_have_text("2 entrées à cet endroit")
    expect(page.locator("#card .entries button")).to_have_count(2)


def test_words_that_residents_wrote_are_text_wherever_they_stand(visit) -> None:
    here = visit()
    evil = '<img src=x onerror="window.evil=1"><script>window.evil=1</script>'
    here.answer(
        "**/collections/gardens/items?*",
        lambda document: document.update(
            features=[
                entry(1, evil, description=evil, source=evil, source_url="javascript:window.evil=1", organisation=evil),
                entry(2, evil),
            ]
        ),
    )
    page = here.open("/#16/50.45/2.79&on=gardens")
    page.get_by_role("tab", name="Liste").click()
    expect(page.locator("#list .name").first).to_have_text(evil)
    page.locator("#list [data-entry]").first.click()
    expect(page.locator("#card h2")).to_have_text(evil)
    assert page.locator("#card img, #card script, #card a[href^=javascript]").count() == 0
    page.locator("#search").fill("<img")
    expect(page.locator("#found [role=option]").first).to_contain_text(evil)
    box = page.locator("#map").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(300)
    assert page.evaluate("() => window.evil") is None
    assert here.complaints == []


def test_figures_milestones_and_documents_are_linked_from_map_and_card(visit) -> None:
    page = visit().open("/?lang=fr#at=base-11-19/1")
    expect(page.locator("#legend .told a").first).to_be_visible()
    for link in page.locator("#legend .told a").all():
        assert page.request.get(page.url.split("/?")[0] + str(link.get_attribute("href"))).ok
    expect(page.locator("#card .mentions a").first).to_be_visible()


# The address


def test_the_address_brings_back_the_view_the_collections_and_the_card(visit) -> None:
    here = visit()
    page = here.open("/?lang=fr")
    page.get_by_role("button", name="Tout masquer").click()
    page.locator("#legend [data-collection='solar'] input").check()
    here.rest()
    page.get_by_role("tab", name="Liste").click()
    page.locator("#list [data-entry]").first.click()
    name = page.locator("#card h2").inner_text()
    page.evaluate("() => gohelle.map.jumpTo({ center: [2.79, 50.45], zoom: 14.25 })")
    here.rest()
    page.wait_for_function("() => location.hash.startsWith('#14.25')")
    address = page.url

    again = visit()
    there = again.open(address.removeprefix(again.base))
    expect(there.locator("#card h2")).to_have_text(name)
    assert there.locator("#legend input:checked").count() == 1
    view = there.evaluate("() => [gohelle.map.getZoom(), ...gohelle.map.getCenter().toArray()]")
    assert view == pytest.approx([14.25, 2.79, 50.45], abs=1e-4)
    english = there.locator(".languages a[lang=en]").get_attribute("href")
    assert english
    assert "#14.25" in english
    assert "at=solar" in english


def test_back_and_forward_walk_through_what_was_open(visit) -> None:
    here = visit()
    page = here.open("/?lang=fr#15/50.45/2.79&on=solar&at=solar/1")
    first = page.locator("#card h2").inner_text()
    page.get_by_role("tab", name="Liste").click()
    page.locator("#list [data-entry]:not([data-entry='solar/1'])").first.click()
    expect(page.locator("#card h2")).not_to_have_text(first)
    second = page.locator("#card h2").inner_text()
    page.go_back()
    expect(page.locator("#card h2")).to_have_text(first)
    page.go_forward()
    expect(page.locator("#card h2")).to_have_text(second)


def test_an_entry_that_does_not_exist_is_said_and_harms_nothing(visit) -> None:
    here = visit()
    page = here.open("/?lang=fr#at=solar/999999")
    expect(page.locator("#notices")).to_contain_text("n’existe pas")
    page = here.open("/?lang=fr#at=nothing/1&on=nothing", wait=False)
    page.reload()
    expect(page.locator("#notices")).to_contain_text("n’existe pas")


@pytest.mark.parametrize(("lang", "words"), [("fr", "Légende"), ("en", "Legend"), ("de", "Legende")])
def test_the_map_speaks_three_languages(visit, lang: str, words: str) -> None:
    here = visit()
    page = here.open(f"/?lang={lang}")
    assert page.locator("html").get_attribute("lang") == lang
    expect(page.get_by_role("tab", name=words)).to_be_visible()
    assert page.locator(".languages [aria-current]").inner_text().lower() == lang
    assert here.complaints == []


# Keyboard, small screens, reduced motion


def test_the_keyboard_alone_opens_reads_and_closes(visit) -> None:
    here = visit()
    page = here.open("/?lang=fr")
    page.keyboard.press("Tab")
    expect(page.locator("#skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#tab-list")).to_be_focused()
    expect(page.locator("#list")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator("#list [data-entry]").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#card h2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#card")).to_be_hidden()
    expect(page.locator("#list [data-entry]").first).to_be_focused()
    page.locator("#tab-list").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#tab-legend")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator("#legend input").first).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#legend input").first).not_to_be_checked()


def test_the_map_itself_is_worked_by_keys(visit) -> None:
    here = visit()
    page = here.open("/?lang=fr#15/50.443206/2.788481&on=mine-shafts")
    page.locator(".maplibregl-canvas").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#card h2")).to_be_focused()
    page.keyboard.press("Escape")
    page.locator(".maplibregl-canvas").focus()
    zoom = page.evaluate("() => gohelle.map.getZoom()")
    page.keyboard.press("+")
    page.wait_for_function("(zoom) => gohelle.map.getZoom() > zoom + 0.5", arg=zoom)


def test_on_a_telephone_nothing_overflows_and_the_sheet_opens(visit) -> None:
    here = visit(390, 844, has_touch=True)
    page = here.open("/?lang=fr")
    assert page.evaluate("() => document.documentElement.scrollWidth") == 390
    north = page.evaluate("() => gohelle.map.getBounds().getNorth()")
    heights = []
    for _ in range(3):
        heights.append(page.locator("#panel").evaluate("(panel) => panel.dataset.size"))
        page.locator("#handle").click()
        page.wait_for_timeout(250)
    assert heights == ["half", "full", "peek"]
    assert page.evaluate("() => gohelle.map.getBounds().getNorth()") > north - 0.0001
    map_height = page.locator("#map").evaluate("(map) => map.clientHeight")
    assert map_height > 300
    page.get_by_role("tab", name="Liste").click()
    page.locator("#list [data-entry]").first.click()
    expect(page.locator("#card h2")).to_be_in_viewport()
    expect(page.locator("#card .close")).to_be_in_viewport()
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, .switches label, .languages a')]
          .filter((one) => one.offsetParent && Math.min(one.offsetHeight, one.offsetWidth) < 24).map((one) => one.outerHTML)"""
    )
    assert small == []
    assert here.complaints == []


def test_who_asks_for_less_motion_gets_none(visit) -> None:
    here = visit(reduced_motion="reduce")
    page = here.open("/?lang=fr")
    page.get_by_role("button", name="Zoom avant").click()
    page.locator("#search").fill("vaast")
    expect(page.locator("#found [role=option]").first).to_be_visible()
    page.locator("#search").press("Enter")
    expect(page.locator("#card h2")).to_be_visible()
    assert page.evaluate("() => gohelle.map.isMoving()") is False


# Failures


def test_a_collection_that_cannot_be_had_is_said_in_words_and_can_be_tried_again(visit) -> None:
    here = visit()
    problem = {"type": "about:blank", "title": "Unavailable", "status": 503, "detail": "the database is asleep"}
    here.page.route(
        "**/collections/gardens/items?*",
        lambda route: route.fulfill(status=503, content_type="application/problem+json", body=json.dumps(problem)),
    )
    page = here.open("/?lang=fr")
    notice = page.locator("#notices .notice")
    expect(notice).to_contain_text("n’a pas pu être chargé")
    expect(notice).to_contain_text("the database is asleep")
    page.unroute("**/collections/gardens/items?*")
    notice.get_by_role("button", name="Réessayer").click()
    expect(notice).to_have_count(0)
    here.rest()
    assert here.seen("gardens")


def test_when_nothing_answers_the_page_says_so_and_can_be_tried_again(visit) -> None:
    here = visit()
    here.page.route("**/collections?*", lambda route: route.abort())
    page = here.open("/?lang=fr", wait=False)
    expect(page.locator("#notices")).to_contain_text("Le service n’a pas répondu")
    page.unroute("**/collections?*")
    page.get_by_role("button", name="Réessayer").click()
    here.rest()
    assert here.seen("communes")


def test_without_webgl_the_list_is_still_there(visit) -> None:
    here = visit()
    here.page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page = here.open("/?lang=fr", wait=False)
    expect(page.locator("#notices")).to_contain_text("la liste reste utilisable")
    page.get_by_role("tab", name="Liste").click()
    page.locator("#list [data-entry]").first.click()
    expect(page.locator("#card h2")).to_be_visible()


def with_basemap(here: Any, address: str) -> None:
    """Serve the map page as it is when that basemap is set."""

    def handle(route: Any) -> None:
        response = route.fetch()
        body = re.sub(r'"basemap": (?:null|"")', f'"basemap": "{address}"', response.text())
        assert address in body
        route.fulfill(
            response=response, body=body, headers={**response.headers, "content-security-policy": pages.policy(address)}
        )

    here.page.route(re.compile(r"/\?lang=fr$"), handle)


@pytest.mark.parametrize("answer", ["silence", "html", "no style"])
def test_a_basemap_that_fails_is_a_quiet_note_and_the_data_stay(visit, answer: str) -> None:
    here = visit()
    address = "https://tiles.example.org/style.json"
    with_basemap(here, address)
    bodies = {"html": "<html>", "no style": '{"version": 3}'}
    here.page.route(
        f"{address}**",
        lambda route: (
            route.abort()
            if answer == "silence"
            else route.fulfill(body=bodies[answer], headers={"access-control-allow-origin": "*"})
        ),
    )
    page = here.open("/?lang=fr")
    expect(page.locator("#notices .quiet")).to_contain_text("fond de plan")
    assert here.seen("solar") or here.seen("installations")
    assert page.locator("#notices [role=alert]").count() == 0


def test_a_basemap_lies_below_the_data_and_its_sources_are_not_mistaken_for_collections(visit) -> None:
    here = visit()
    address = "https://tiles.example.org/style.json"
    with_basemap(here, address)
    land = {"type": "Polygon", "coordinates": [[[2, 50], [3, 50], [3, 51], [2, 51], [2, 50]]]}
    style = {
        "version": 8,
        "sources": {"communes": {"type": "geojson", "data": {"type": "Feature", "properties": {}, "geometry": land}}},
        "layers": [{"id": "communes", "type": "fill", "source": "communes", "paint": {"fill-color": "#ccddcc"}}],
    }
    here.page.route(
        f"{address}**", lambda route: route.fulfill(json=style, headers={"access-control-allow-origin": "*"})
    )
    page = here.open("/?lang=fr")
    page.wait_for_function("() => gohelle.map.getStyle().layers.some(({ id }) => id === 'base:communes')")
    here.rest()
    layers = page.evaluate("() => gohelle.map.getStyle().layers.map(({ id }) => id)")
    assert layers.index("base:communes") < layers.index("communes:ground")
    assert here.seen("installations")
    assert page.locator("#notices .notice").count() == 0
    assert here.complaints == []


# Accessibility


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_axe_finds_no_serious_fault_on_the_map(visit, width: int, height: int) -> None:
    here = visit(width, height)
    page = here.open("/?lang=fr")
    assert here.faults() == []
    page.get_by_role("tab", name="Liste").click()
    page.locator("#list [data-entry]").first.click()
    expect(page.locator("#card h2")).to_be_visible()
    assert here.faults() == []
    page.locator("#search").fill("e")
    expect(page.locator("#found [role=option]").first).to_be_visible()
    assert here.faults() == []


def test_paper_shows_what_the_screen_shows(visit) -> None:
    """All that is in view fits the sheet, the legend tells what is on and no more; the screen is then as it was."""
    here = visit()
    page = here.open("/?lang=fr")
    camera = "() => [gohelle.map.getZoom(), ...gohelle.map.getCenter().toArray()]"
    box = "() => gohelle.map.getBounds().toArray().flat()"
    before, screen = page.evaluate(camera), page.evaluate(box)
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")  # as a browser does that prints
    page.emulate_media(media="print")
    expect(page.locator("canvas.sheet")).to_be_visible()
    west, south, east, north = page.evaluate(box)
    assert west <= screen[0] + 1e-6
    assert south <= screen[1] + 1e-6
    assert east >= screen[2] - 1e-6
    assert north >= screen[3] - 1e-6
    values = page.evaluate(
        """() => {
          const sheet = document.querySelector("canvas.sheet");
          return new Set(sheet.getContext("2d").getImageData(0, 0, sheet.width, sheet.height).data).size;
        }"""
    )
    assert values > 100  # four on empty paper
    on = page.locator("#legend input:checked").count()
    assert page.locator("#legend [data-collection]").filter(visible=True).count() == on
    expect(page.locator(".declare")).to_be_hidden()
    page.emulate_media(media="screen")
    expect(page.locator("canvas.sheet")).to_have_count(0)
    assert page.evaluate(camera) == pytest.approx(before)
    assert here.complaints == []
