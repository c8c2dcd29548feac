"""The town hall's pages in a real browser: in by the mailed link, decide with the keyboard, and what other sites try."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, expect

from geo import register
from geo.collections import territory
from geo.register import access, keys, staff
from tests.conftest import Service, running
from tests.declaring import HOME, body, declared, published
from tests.web.conftest import Visit

LON, LAT = HOME
SIZES = [(1280, 800), (390, 844)]


@pytest.fixture(scope="module")
def hall(admin_url, seeded) -> Iterator[Service]:
    """A service with a moderator, and something in every view."""
    from tests.conftest import clone

    with clone(admin_url, seeded) as loos:
        now = datetime.now(UTC)
        with loos.db.write() as tx:
            staff.add(tx, "marie@loos.example", "moderator", language="fr", now=now)
        declared(loos, power_kw=8, words="Venez au 12 rue Hoche, <b>06 12 34 56 78</b>", now=now - timedelta(days=3))
        declared(loos, at=[LON + 0.0002, LAT], email="other@example.org", now=now - timedelta(days=2))
        _, key = published(loos, technology="biomass", at=[2.7812, 50.4521], now=now - timedelta(days=9))
        with loos.db.write() as tx:
            changed = body(technology="biomass", at=[2.7852, 50.4541], power_kw=12)
            draft = register.check(tx, changed, territory=territory(tx), now=now, known=True)
            register.amend(tx, key, draft, territory=territory(tx), now=now)
        published(loos, technology="solar_thermal", at=[2.7862, 50.4502], area_m2=6, now=now)
        with running(loos) as service:
            yield service


def link(hall: Service) -> str:
    """The way in that a mail brings."""
    with hall.territory.db.write() as tx:
        member = staff.find(tx, "marie@loos.example")
        assert member
        return f"/townhall/login?lang=fr#{keys.issue(tx, 'staff_login', member.id, now=datetime.now(UTC))}"


@pytest.fixture
def enter(browser: Browser, hall: Service):
    """A moderator's browser of any size, just let in."""
    contexts = []

    def go(width: int = 1280, height: int = 800, **options) -> Visit:
        context = browser.new_context(viewport={"width": width, "height": height}, locale="fr", **options)
        contexts.append(context)
        with hall.territory.db.write() as tx:
            member = staff.find(tx, "marie@loos.example")
            assert member
            secret = access.open_session(tx, member.id, now=datetime.now(UTC))
        context.add_cookies(
            [{"name": "gohelle", "value": secret, "url": hall.url, "httpOnly": True, "sameSite": "Lax"}]
        )
        return Visit(context.new_page(), hall.url)

    yield go
    for context in contexts:
        context.close()


def test_in_by_the_mailed_link(browser, hall):
    """The key leaves the address at once, only the button acts, and a link that was used leads to the form again."""
    way = link(hall)
    context = browser.new_context(locale="fr")
    here = Visit(context.new_page(), hall.url)
    page = here.open(way, wait=False)
    button = page.locator("form[data-key] button")
    expect(button).to_be_focused()
    assert "#" not in page.url
    assert page.evaluate("() => document.referrer") == ""
    assert context.cookies() == []
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{hall.url}/townhall?lang=fr")
    (cookie,) = context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    assert page.evaluate("() => document.cookie") == ""
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page).to_have_url(f"{hall.url}/townhall/login?lang=fr")
    assert context.cookies() == []
    here.open(way, wait=False)
    page.locator("form[data-key] button").click()
    expect(page.get_by_role("alert")).to_contain_text("Ce lien n’est pas valable, ou ne l’est plus.")
    assert here.strangers == []
    context.close()


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_nothing_serious_for_axe(enter, width, height):
    """Door, queue, every kind of entry, an entry with mistakes, both report pages; and nothing overflows the window."""
    here = enter(width, height)
    for path in ("/townhall/login", "/townhall", "/townhall?state=rejected", "/flag/confirm"):
        page = here.open(path, wait=False)
        assert here.faults() == [], path
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), path
    for view in ("confirmed", "amended", "published"):
        here.open(f"/townhall?state={view}", wait=False)
        page.locator(".line h2 a").first.click()
        here.rest()
        assert here.faults() == [], view
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), view
    assert here.complaints == []
    assert here.strangers == []
    here.open("/townhall", wait=False)
    page.locator(".line h2 a").first.click()
    page.get_by_role("button", name="Refuser").click()
    expect(page.locator("#summary")).to_be_focused()
    assert here.faults() == []


def test_the_little_map(enter):
    """The exact point, the public square round it, the duplicate with its number; after a correction both points and squares."""
    here = enter()
    page = here.open("/townhall", wait=False)
    page.locator(".line h2 a").first.click()
    here.rest()
    squares = "() => gohelle.map.querySourceFeatures('squares').map(({ properties }) => properties.kind)"
    assert set(page.evaluate(squares)) == {"this"}
    assert page.locator(".place .dot").evaluate_all(
        "(dots) => dots.map((dot) => dot.className.split(' ')[1] + dot.textContent)"
    ) == ["this", "twin1"]
    place = page.evaluate("([lon, lat]) => { const p = gohelle.map.project([lon, lat]); return [p.x, p.y]; }", HOME)
    frame, dot = page.locator("#place").bounding_box(), page.locator(".place .dot.this").bounding_box()
    assert frame
    assert dot
    assert dot["x"] + dot["width"] / 2 - frame["x"] == pytest.approx(place[0], abs=2)
    assert dot["y"] + dot["height"] / 2 - frame["y"] == pytest.approx(place[1], abs=2)
    expect(page.locator("table.twins")).to_contain_text("14 m")

    here.open("/townhall?state=amended", wait=False)
    page.locator(".line h2 a").first.click()
    here.rest()
    assert set(page.evaluate(squares)) == {"this", "after"}
    assert page.locator(".place .dot").count() == 2
    expect(page.locator("table.changes")).to_contain_text("12 kW")


def test_words_of_residents_stay_text(enter):
    """Tags are shown, findings marked."""
    here = enter()
    page = here.open("/townhall", wait=False)
    page.locator(".line h2 a").first.click()
    expect(page.locator(".resident")).to_contain_text("<b>06 12 34 56 78</b>")
    assert page.locator(".resident mark").all_inner_texts() == ["12 rue", "06 12 34 56 78"]
    assert page.locator(".resident b").count() == 0


def test_deciding_with_the_keyboard(enter, hall):
    """From the queue to the decision and back without a pointer; every stop is seen, and the mistake is told first."""
    id, _ = declared(hall.territory, technology="storage", words="Bonjour", now=datetime.now(UTC) - timedelta(days=400))
    here = enter()
    page = here.open("/townhall", wait=False)
    reach(page, "() => document.activeElement.matches('.line h2 a')")
    page.keyboard.press("Enter")
    here.rest()
    reach(page, "() => document.activeElement.matches('button[value=approve]')")
    page.keyboard.press("Enter")
    expect(page.locator("#summary")).to_be_focused()
    assert page.title().startswith("Erreur")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for _ in range(2):
        reach(page, "() => document.activeElement.matches('input[name=checked]:not(:checked)')")
        page.keyboard.press("Space")
    reach(page, "() => document.activeElement.matches('button[value=approve]')")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Déclaration publiée.")
    assert hall.territory.scalar("select state from register.declarations where id = %s", id) == "published"


def reach(page, there: str) -> None:
    """Press Tab until there; each stop has an outline."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(there):
            assert page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle") != "none"
            return
    raise AssertionError("the keyboard does not get there")


def test_without_a_script(enter, hall):
    """The queue, an entry and a decision need none; the door takes the link's code by hand."""
    id, _ = declared(hall.territory, technology="wind", now=datetime.now(UTC) - timedelta(days=500))
    here = enter(java_script_enabled=False)
    page = here.open("/townhall", wait=False)
    page.locator(".line h2 a").first.click()
    expect(page.locator("#place")).to_be_visible()
    page.get_by_role("button", name="Approuver et publier").click()
    expect(page.get_by_role("status")).to_have_text("Déclaration publiée.")
    assert hall.territory.scalar("select state from register.declarations where id = %s", id) == "published"
    code = link(hall).partition("#")[2]
    here.open("/townhall/login", wait=False)
    page.locator("summary").click()
    page.get_by_label("Code du lien").fill(code)
    page.locator("details button").click()
    expect(page).to_have_url(f"{hall.url}/townhall")


ATTACK = """<!doctype html><title>evil</title>
<form method="post" action="{url}/townhall/{id}"><input name="act" value="hide"><input name="reason" value="x"></form>
<iframe src="{url}/townhall"></iframe>
<script>
  const tries = [
    fetch("{url}/register/declarations", {{ credentials: "include" }}),
    fetch("{url}/townhall/{id}", {{ credentials: "include" }}),
    fetch("{url}/register/declarations/{id}/hide", {{ method: "POST", credentials: "include",
      headers: {{ "Content-Type": "application/json" }}, body: '{{"reason": "x"}}' }}),
    fetch("{url}/register/declarations/{id}/hide", {{ method: "POST", credentials: "include", mode: "no-cors",
      headers: {{ "Content-Type": "text/plain" }}, body: '{{"reason": "x"}}' }}),
  ];
  window.outcomes = Promise.allSettled(tries).then((all) => all.map(({{ status, value }}) => status + (value?.type ?? "")));
</script>"""


def test_what_another_site_tries(enter, hall):
    """With the moderator's cookie in the browser: it reads nothing, frames nothing, and decides nothing."""
    id, _ = published(hall.territory, technology="hydro", now=datetime.now(UTC))
    here = enter()
    page = here.page
    page.route(
        "http://evil.test/",
        lambda route: route.fulfill(content_type="text/html", body=ATTACK.format(url=hall.url, id=id)),
    )
    page.goto("http://evil.test/")
    assert page.evaluate("() => window.outcomes") == ["rejected", "rejected", "rejected", "fulfilledopaque"]
    assert [frame for frame in page.frames[1:] if "Déclarations" in frame.content()] == []
    page.evaluate("() => document.forms[0].submit()")
    page.wait_for_url(f"{hall.url}/**")
    assert hall.territory.scalar("select state from register.declarations where id = %s", id) == "published"
    assert hall.territory.scalar("select count(*) from register.audit where declaration = %s and act = 'hide'", id) == 0
    assert here.open("/townhall", wait=False).locator("h1").inner_text() == "Déclarations des habitants"


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_anybody_reports_an_entry(browser, hall, width, height):
    """From the card on the map and from the entry's page to the form; the mailed link's button confirms."""
    id, _ = published(
        hall.territory, technology="biogas", owner_kind="company", at=[2.7995, 50.4466], now=datetime.now(UTC)
    )
    item = hall.territory.scalar("select public_id from register.declarations where id = %s", id)
    context = browser.new_context(viewport={"width": width, "height": height}, locale="fr")
    here = Visit(context.new_page(), hall.url)
    page = here.open(f"/#&on=installations&at=installations/{item}")
    page.locator("#card").get_by_role("link", name="Signaler un problème").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Signaler une entrée")
    expect(page.locator(".subject")).to_contain_text("Biogaz")
    assert here.faults() == []
    page.get_by_role("button", name="Envoyer le signalement").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert here.faults() == []
    page.get_by_label("L’installation n’existe pas ou n’existe plus").check()
    page.get_by_label("Adresse électronique").fill(f"voisin{width}@example.org")
    page.get_by_role("button", name="Envoyer le signalement").click()
    expect(page.get_by_role("status")).to_contain_text("Merci.")
    flag = hall.territory.scalar("select id from register.flags where declaration = %s", id)
    with hall.territory.db.write() as tx:
        token = keys.issue(tx, "flag_confirm", flag, now=datetime.now(UTC))
    here.open(f"/flag/confirm#{token}", wait=False)
    assert hall.territory.scalar("select confirmed_at from register.flags where id = %s", flag) is None
    assert here.faults() == []
    page.locator("form[data-key] button").click()
    expect(page.get_by_role("status")).to_have_text("Merci, votre signalement est enregistré.")
    assert hall.territory.scalar("select confirmed_at from register.flags where id = %s", flag)
    page = here.open(f"/collections/installations/items/{item}", wait=False)
    assert (
        page.get_by_role("link", name="Signaler un problème").get_attribute("href")
        == f"/flag?entry={hall.territory.scalar('select public_key from register.declarations where id = %s', id)}"
    )
    assert here.strangers == []
    context.close()
