"""The whole story of a declaration, in a real browser and with a real mail server, on a phone and on a desk."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import httpx2 as httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from geo.register import staff
from tests.conftest import Service, Territory, running
from tests.mailbox import Mailbox, serving, text
from tests.script.conftest import wait_until
from tests.web.conftest import PATIENCE, Visit

SIZES = [(390, 844), (1280, 800)]
OWNER = "jeanne@example.fr"
MODERATOR = "marie@loos.example"
ADDRESS = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [2.794213, 50.458317]},
            "properties": {"label": "12 Rue Hoche 62750 Loos-en-Gohelle", "citycode": "62528", "score": 0.97},
        },
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [2.83, 50.43]},
            "properties": {"label": "12 Rue Hoche 62300 Lens", "citycode": "62498", "score": 0.9},
        },
    ],
}
CELL = "CRS3035RES200mN3063600E3810200"


@pytest.fixture
def posted(loos: Territory, tmp_path) -> Iterator[tuple[Service, Mailbox]]:
    """A service with its worker, and the mail server that it hands letters to."""
    with serving() as mailbox, running(loos, GOHELLE_JOBS="on", GOHELLE_SMTP_URL=mailbox.url) as service:
        yield service, mailbox


@pytest.fixture
def visitor(browser: Browser, posted: tuple[Service, Mailbox]) -> Iterator[Callable[..., Visit]]:
    """Somebody with a browser; `geocoder` is what the national geocoder answers them, None if it cannot be reached."""
    contexts = []

    def go(size: tuple[int, int] = SIZES[1], geocoder: dict[str, Any] | None = ADDRESS, **options: Any) -> Visit:
        width, height = size
        context = browser.new_context(viewport={"width": width, "height": height}, locale="fr", **options)
        contexts.append(context)

        def answer(route: Route) -> None:
            route.fulfill(json=geocoder, headers={"Access-Control-Allow-Origin": "*"}) if geocoder else route.abort()

        context.route("https://data.geopf.fr/**", answer)
        return Visit(context.new_page(), posted[0].url)

    yield go
    for context in contexts:
        context.close()


def link_in(mailbox: Mailbox, subject: str, to: str = OWNER, nth: int = 1) -> str:
    """The link of the nth mail whose subject says so; it is waited for."""

    def found() -> list[Any]:
        return [one for one in mailbox.to(to) if re.search(subject, str(one["Subject"]), re.IGNORECASE)]

    wait_until(lambda: len(found()) >= nth, seconds=20)
    (link,) = set(re.findall(r"https?://\S+#[\w-]+", text(found()[nth - 1])))
    return link


def picture() -> bytes:
    """A photo that says where it was taken."""
    out, exif = BytesIO(), Image.Exif()
    exif[0x010E] = "12 rue Hoche"
    Image.new("RGB", (1200, 900), "#5b84b1").save(out, "JPEG", exif=exif)
    return out.getvalue()


def ready(page: Page) -> None:
    """Wait until the small map rests."""
    page.wait_for_function("() => document.documentElement.dataset.map === 'idle'", timeout=PATIENCE)


def fill_in(page: Page, *, power: str) -> None:
    """What a resident tells, with a power that may be mistyped, and a photo."""
    page.get_by_label("Adresse", exact=True).fill("12 rue Hoche")
    page.get_by_role("option", name="12 Rue Hoche 62750").click()
    expect(page.locator("#square")).to_contain_text(CELL)
    page.get_by_label("Puissance").fill(power)
    page.get_by_label("Année de mise en service").fill("2021")
    page.get_by_label("Un mot aux voisins").fill("Nous en sommes <b>très contents</b> !")
    page.locator("#f-photo").set_input_files({"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": picture()})
    page.get_by_role("textbox", name="Adresse électronique").fill(OWNER)
    page.get_by_label(re.compile("est à moi")).check()
    page.get_by_label(re.compile("accepte que la commune publie")).check()


@pytest.fixture
def moderator(posted: tuple[Service, Mailbox], visitor, loos: Territory) -> Callable[[tuple[int, int]], Page]:
    """Somebody of the town hall, let in by the mailed link."""
    with loos.db.write() as tx:
        staff.add(tx, MODERATOR, "moderator", language="fr", now=datetime.now(UTC))

    def enter(size: tuple[int, int]) -> Page:
        page = visitor(size).open("/townhall", wait=False)
        page.get_by_label("Adresse électronique").fill(MODERATOR)
        page.get_by_role("button", name="Recevoir le lien").click()
        page.goto(link_in(posted[1], "mairie|accès|entrer", to=MODERATOR))
        page.locator("form[data-key] button").click()
        return page

    return enter


def approve(page: Page, view: str) -> None:
    """Open the first entry of a view of the queue, tick what was looked for, and approve."""
    page.goto(re.sub(r"/townhall.*", f"/townhall?state={view}", page.url))
    page.locator(".line h2 a").first.click()
    for box in page.locator("input[name=checked]").all():
        box.check()
    page.get_by_role("button", name=re.compile("^Approuver|^Accepter")).click()
    expect(page.get_by_role("status")).to_contain_text("publiée")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_whole_story(posted, visitor, moderator, loos, size):
    """Declare, confirm from the mail, approve, see it, correct, approve the correction, withdraw."""
    service, mailbox = posted
    here = visitor(size)
    page = here.open("/")
    page.get_by_role("link", name="Déclarer une installation").click()
    page.get_by_role("link", name="Photovoltaïque").click()
    ready(page)
    assert here.faults() == []
    page.wait_for_timeout(3000)  # nobody fills in a form more quickly than this

    # An implausible power is asked again, at its field, and nothing that was typed is lost, not even the photo.
    fill_in(page, power="300")
    page.get_by_role("button", name="Envoyer ma déclaration").click()
    faults = page.get_by_role("alert")
    expect(faults).to_contain_text("Puissance")
    expect(page.get_by_label("Puissance")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Puissance")).to_have_value("300")
    expect(page.get_by_role("textbox", name="Adresse électronique")).to_have_value(OWNER)
    assert page.evaluate("() => document.getElementById('f-photo').files.length") == 1
    assert here.faults() == []
    faults.get_by_role("link", name="Puissance").click()
    page.get_by_label("Puissance").fill("3,4")
    page.get_by_role("button", name="Envoyer ma déclaration").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Plus qu’un clic")

    link = link_in(mailbox, "confirm")
    assert loos.scalar("select state from register.declarations") == "draft"
    page.goto(link)
    assert loos.scalar("select state from register.declarations") == "draft"
    assert "#" not in page.url
    page.get_by_role("button", name="Oui, je confirme").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("confirmé")
    assert loos.scalar("select state from register.declarations") == "confirmed"

    hall = moderator(size)
    approve(hall, "confirmed")
    owner = link_in(mailbox, "publi|en ligne|carte")
    found = public(service)
    assert found
    assert (found["cell"], found["power_kw"], found["year"]) == (CELL, 3, 2021)
    assert "Hoche" not in str(found)
    here.open("/#15.5/50.45906/2.79524&on=installations")
    assert [one["cell"] for one in here.seen(":cells") if one["layer"] == ":cells-fill"] == [CELL]
    photo = httpx.get(service.url + found["photo"])
    assert photo.headers["content-type"] == "image/jpeg"
    assert b"Hoche" not in photo.content

    page.goto(owner)
    expect(page.locator(".state")).to_have_text("Elle est publiée")
    assert here.faults() == []
    page.get_by_role("button", name="Corriger").click()
    ready(page)
    expect(page.get_by_label("Puissance")).to_have_value("3.4")
    page.get_by_label("Puissance").fill("6")
    page.get_by_role("button", name="Envoyer la correction").click()
    expect(page.get_by_text("attend la relecture")).to_be_visible()
    assert (public(service) or {})["power_kw"] == 3
    approve(hall, "amended")
    again = link_in(mailbox, "correction")
    assert (public(service) or {})["power_kw"] == 6

    page.goto(again)
    page.get_by_role("button", name="Retirer de la carte").click()
    expect(page.get_by_text("plus rien n’en est public")).to_be_visible()
    assert public(service) is None
    number = loos.scalar("select id from territory.tombstones")
    assert httpx.get(f"{service.url}/collections/installations/items/{number}").status_code == 410
    assert httpx.get(service.url + found["photo"]).status_code == 404

    # The same link erases what is left.
    page.get_by_label("Je veux tout effacer").check()
    page.get_by_role("button", name="Tout effacer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tout est effacé")
    assert loos.scalar("select count(*) from register.declarations") == 0
    assert [one for one in here.complaints if "status of 4" not in one] == []
    assert all(one.startswith("https://data.geopf.fr/") for one in here.strangers)


def public(service: Service) -> dict[str, Any] | None:
    """The properties of the declared entry that anybody sees."""
    items = httpx.get(f"{service.url}/collections/installations/items?limit=1000").json()["features"]
    declared = [one["properties"] for one in items if one["properties"]["source_key"].startswith("declaration:")]
    return declared[0] if declared else None


def test_without_the_geocoder(visitor, loos):
    """Said in words; a named place and a tap on the map set the pin, and the pin wins over the address."""
    here = visitor(SIZES[0], geocoder=None)
    page = here.open("/declare?technology=heat_pump", wait=False)
    ready(page)
    page.get_by_label("Adresse", exact=True).fill("12 rue Hoche")
    expect(page.locator("#pin-status")).to_contain_text("ne répond pas")
    page.get_by_label("Ou un lieu connu").select_option(index=1)
    expect(page.locator("#square")).to_contain_text("CRS3035RES200m")
    named = page.locator("#square").inner_text()
    page.locator("#pin-map canvas").click(position={"x": 60, "y": 60})
    expect(page.locator("#square")).not_to_have_text(named)
    expect(page.get_by_label("Adresse", exact=True)).to_have_value("12 rue Hoche")
    assert page.evaluate("() => document.getElementById('located_by').value") == "pin"


def test_a_photo_that_is_too_large_costs_no_word(visitor, loos):
    """It is said at its field before a telephone sends it for minutes, and the form stays as it was."""
    page = visitor(SIZES[0]).open("/declare?technology=heat_pump", wait=False)
    ready(page)
    page.get_by_label("Un mot aux voisins").fill("Enfin au chaud")
    large = {"name": "IMG_2.jpg", "mimeType": "image/jpeg", "buffer": picture() + bytes(10_000_000)}
    page.locator("#f-photo").set_input_files(large)
    page.get_by_role("button", name="Envoyer ma déclaration").click()
    expect(page.get_by_role("alert")).to_contain_text("dépasse 10 Mo")
    expect(page.locator("#f-photo")).to_be_focused()
    expect(page.get_by_label("Un mot aux voisins")).to_have_value("Enfin au chaud")


def test_the_keyboard_sets_the_pin(visitor):
    """Enter puts it in the middle of the map, and the square follows the precision chosen."""
    page = visitor().open("/declare?technology=heat_pump", wait=False)
    ready(page)
    page.locator("#pin-map canvas").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#square")).to_contain_text("200 m")
    page.get_by_label("Dans un carré de 1 km").check()
    expect(page.locator("#square")).to_contain_text("CRS3035RES1000m")
    page.get_by_label("Seulement dans un total").check()
    expect(page.locator("#square")).to_contain_text("rien à cet endroit")


def test_a_pin_is_judged_in_the_browser(visitor, loos):
    """Inside, as near as the sketched outline is sure of, or outside though in the bounds: said at once, asked of nobody."""
    here = visitor(SIZES[0])
    page = here.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_response(re.compile("/collections/communes/items")):
        here.open("/declare?technology=heat_pump", wait=False)
    ready(page)
    said = []
    for point in ([2.79, 50.458], [2.79, 50.436], [2.845, 50.43]):
        page.evaluate("(center) => gohelle.map.jumpTo({ center })", point)
        page.get_by_role("button", name="Poser le repère au milieu").click()
        said.append((page.locator("#pin-status").inner_text(), page.locator("#square").inner_text()[:11]))
    assert said == [
        ("Repère posé.", "Ce qui sera"),
        ("Repère posé, tout près de la limite : la mairie regardera s’il est dans le territoire.", "Ce qui sera"),
        ("Ce point est hors du territoire.", "Posez le re"),
    ]
    held = "select ST_Distance(geom::geography, ST_Point(%s, %s, 4326)::geography) from territory.communes"
    with loos.superuser() as connection:
        near, far = (connection.execute(held, point).fetchone()[0] for point in ((2.79, 50.436), (2.845, 50.43)))
    assert 0 < near < 1000 < far
    assert not [url for url in asked if "50.43" in url or "50.458" in url]
    assert here.faults() == []


def test_without_a_basemap_a_pin_stays_among_names(visitor):
    """Nearer than that there is nothing but paper to see: the outline, ways and names of places stay in view."""
    here = visitor(SIZES[0])
    page = here.open("/declare?technology=heat_pump", wait=False)
    ready(page)
    page.get_by_label("Ou un lieu connu").select_option(index=5)
    here.rest()
    assert page.evaluate("() => gohelle.map.getZoom()") <= 13
    layers = {one["layer"] for one in here.seen("gohelle")}
    assert {"communes-sketch", "soft-mobility-sketch"} <= layers
    assert len({one["name"] for one in here.seen("places")}) >= 3


def test_the_browsers_square_is_the_databases(visitor, loos):
    """For points all over the territory, in both sizes: what was shown before sending is what becomes public."""
    page = visitor().open("/declare?technology=heat_pump", wait=False)
    with loos.superuser() as connection:
        rows = connection.execute(
            "select lon, lat, size, register.cell_name(ST_SetSRID(ST_MakePoint(lon, lat), 4326), size) from ("
            "  select 2.76 + random() * 0.06 as lon, 50.43 + random() * 0.05 as lat, s as size "
            "  from generate_series(1, 300), unnest(array[200, 1000]) s) p"
        ).fetchall()
    points = [[lon, lat, size] for lon, lat, size, _ in rows]
    named = page.evaluate(
        """async (points) => {
          const { cellName } = await import('/static/map/grid.js');
          return points.map(([lon, lat, size]) => cellName([lon, lat], size));
        }""",
        points,
    )
    assert named == [cell for *_, cell in rows]


def test_it_works_without_a_script(visitor, posted, loos):
    """A named place stands for the pin; faults are said at their fields; the code of the link can be pasted."""
    _, mailbox = posted
    page = visitor(SIZES[0], java_script_enabled=False).open("/declare", wait=False)
    page.get_by_role("link", name="Pompe à chaleur").click()
    page.get_by_label("Puissance").fill("huit")
    page.get_by_label("Ou un lieu connu").select_option(index=1)
    page.wait_for_timeout(3100)
    page.get_by_role("button", name="Envoyer ma déclaration").click()
    expect(page.get_by_role("alert")).to_contain_text("4 choses")
    expect(page.get_by_label("Puissance")).to_have_value("huit")
    page.get_by_label("Puissance").fill("8")
    page.get_by_role("textbox", name="Adresse électronique").fill(OWNER)
    page.get_by_label(re.compile("est à moi")).check()
    page.get_by_label(re.compile("accepte que la commune publie")).check()
    page.get_by_role("button", name="Voir ce qui sera public").click()
    expect(page.get_by_role("status").first).to_contain_text("CRS3035RES200m")
    assert loos.scalar("select count(*) from register.declarations") == 0
    page.get_by_role("button", name="Envoyer ma déclaration").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Plus qu’un clic")
    assert loos.scalar("select located_by from register.declarations") == "place"
    page.goto(link_in(mailbox, "confirm"))
    page.get_by_label("Code du lien").fill(link_in(mailbox, "confirm").partition("#")[2])
    page.get_by_role("button", name="Oui, je confirme").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("confirmé")
