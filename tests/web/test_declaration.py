"""A declaration, from the request to the square on the map, in a real browser over a running service."""

import httpx2 as httpx

from tests.api.test_versions import gohelle
from tests.conftest import running
from tests.declaring import body, confirmed
from tests.web.conftest import Visit

DRAFT = body(power_kw=8.4, year=2021, words="<img src=x onerror=alert(1)> Venez voir !")
VIEW = "/#15.5/50.45906/2.79524&on=installations"


def test_from_the_request_to_the_square(browser, loos):
    """Nothing on the map before the town hall approves it; then a square with a count, and the words as text."""
    with running(loos) as service:
        id = httpx.post(f"{service.url}/installations", json=DRAFT).json()["id"]
        confirmed(loos, id)
        context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="fr")
        here = Visit(context.new_page(), service.url)
        here.open(VIEW)
        assert [one for one in here.seen(":cells") if one["layer"] == ":cells-fill"] == []

        gohelle(loos, "register", "approve", id)
        page = here.page
        page.reload()
        here.rest()
        squares = [one for one in here.seen(":cells") if one["layer"] == ":cells-fill"]
        assert [(one["cell"], one["count"]) for one in squares] == [("CRS3035RES200mN3063600E3810200", 1)]
        assert squares[0]["type"] == "Polygon"

        box = page.locator("#map").bounding_box()
        assert box
        point = page.evaluate("() => { const p = gohelle.map.project([2.795206, 50.458997]); return [p.x, p.y]; }")
        page.mouse.click(box["x"] + point[0], box["y"] + point[1])
        page.get_by_role("button", name="Pompe à chaleur, 8").click()
        page.get_by_text("Venez voir !").wait_for()
        assert "<img src=x onerror=alert(1)>" in page.inner_text("body")
        assert here.complaints == []
        assert here.strangers == []
        context.close()
