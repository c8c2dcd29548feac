"""The form and the owner's pages over HTTP: every fault at its field, nothing lost, nothing told, nothing done by a GET."""

import re
from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from starlette.testclient import TestClient

from geo import register
from geo.register import keys
from geo.register.declared import FACTS
from tests.api.conftest import client_of
from tests.conftest import Territory
from tests.declaring import HOME, MAILBOX, NOW, body, declared, published
from tests.geo.register.test_photos import saved

AS_A_BROWSER = {"Accept": "text/html", "Accept-Language": "fr"}
FORM = {
    "technology": "photovoltaic",
    "lon": "2.794213",
    "lat": "50.458317",
    "precision": "cell_200m",
    "power_kw": "3,4",
    "year": "2021",
    "words": "Très contents",
    "email": MAILBOX,
    "owner_agrees": "1",
    "consent": "1",
    "began": "1000000000",
    "key": "a-key",
}
PAGES = ("/declare", "/declare?technology=heat_pump", "/declare/sent", "/declare/confirm", "/mine", "/mine/lost")
ACTS = (
    "/mine",
    "/mine/edit",
    "/mine/correct",
    "/mine/renew",
    "/mine/withdraw",
    "/mine/erase",
    "/mine/export",
    "/declare/confirm",
)


def sent(client: TestClient, path: str = "/declare", files=None, **fields):
    """A form, as a browser sends it."""
    return client.post(path, data=FORM | fields, files=files, headers=AS_A_BROWSER)


def count(loos: Territory) -> int:
    """How many declarations are kept."""
    return loos.scalar("select count(*) from register.declarations")


def wrong(answer) -> set[str]:
    """The fields that a page says something is wrong with."""
    return set(re.findall(r'id="f-([a-z_0-9]+)-wrong"', answer.text))


@pytest.mark.parametrize("technology", FACTS)
@pytest.mark.parametrize("lang", ["fr", "en", "de"])
def test_every_technology_has_its_form(looker, technology, lang):
    """In three languages, with each of its fields once, each with a label."""
    page = looker.get(f"/declare?technology={technology}&lang={lang}", headers=AS_A_BROWSER).text
    for one in FACTS[technology]:
        assert page.count(f'name="{one.name}"') == 1
        assert page.count(f'for="f-{one.name}"') == 1
    assert f'lang="{lang}"' in page


def test_a_form_is_kept(loos):
    """Numbers as people write them; on to the next page, which says where the mail is."""
    with client_of(loos) as client:
        answer = sent(client, files={"photo": ("IMG.jpg", saved("JPEG"), "image/jpeg")})
        assert answer.status_code == 303, answer.text[:3000]
        page = client.get(answer.headers["location"], headers=AS_A_BROWSER)
    assert "Plus qu’un clic" in page.text
    assert "/mail" in page.text
    assert loos.scalar("select power_kw::text || state || located_by from register.declarations") == "3.4draftpin"
    assert loos.scalar("select width from register.photos") == 1200


def test_the_same_form_twice_is_one_declaration(loos):
    """A nervous finger, or "back" and again; a changed form is another declaration."""
    with client_of(loos) as client:
        for _ in "12":
            assert sent(client).status_code == 303
        assert count(loos) == 1
        assert sent(client, power_kw="4").status_code == 303
    assert count(loos) == 2


def test_everything_wrong_is_said_at_once_and_nothing_is_lost(loos):
    """Form and territory in one list, each at its field; words come back as text."""
    with client_of(loos) as client:
        answer = sent(
            client, lon="2.83", lat="50.40", power_kw="beaucoup", year="21", email="moi", consent="", owner_agrees="",
            words='<script>alert(1)</script>"', precision="exact",
        )  # fmt: skip
    assert answer.status_code == 400
    assert wrong(answer) == {"location", "power_kw", "year", "email", "consent", "owner_agrees", "exact_consent"}
    assert 'value="beaucoup"' in answer.text
    assert 'value="21"' in answer.text
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
    assert "hors du territoire" in answer.text
    assert count(loos) == 0


def test_a_house_of_300_kw_is_asked_again(loos):
    """Not refused: a tick confirms it. An association is believed."""
    with client_of(loos) as client:
        answer = sent(client, power_kw="300")
        assert wrong(answer) == {"power_kw"}
        assert 'name="sure"' in answer.text
        assert sent(client, power_kw="300", owner_kind="association").status_code == 303
        assert sent(client, power_kw="300", sure="1").status_code == 303
        assert wrong(sent(client, power_kw="3", annual_mwh="30")) == {"annual_mwh"}
    assert count(loos) == 2


def test_a_named_place_stands_for_the_pin(loos):
    """Where there is no script; the pin wins over it."""
    with client_of(loos) as client:
        assert sent(client, lon="", lat="", place_name="2.7891,50.4435").status_code == 303
        assert loos.scalar("select located_by from register.declarations") == "place"
        assert sent(client, place_name="2.7891,50.4435", key="b").status_code == 303
        assert loos.scalar("select count(*) from register.declarations where ST_X(location) = 2.794213") == 1
        assert wrong(sent(client, lon="", lat="", place_name="là-bas")) == {"location"}


def test_robots_are_told_and_people_lose_nothing(loos):
    """The field that nobody sees must stay empty, and nobody fills a form in within three seconds."""
    with client_of(loos) as client:
        answer = sent(client, website="https://spam.example")
        assert answer.status_code == 400
        assert 'value="3,4"' in answer.text
        for began in ("", "never", "9" * 11):
            assert "trop vite" in sent(client, began=began).text
    assert count(loos) == 0


def test_beyond_the_limit_the_form_waits_with_its_words(loos):
    """429 as a page that keeps everything; the same limit holds for JSON."""
    with client_of(loos) as client:
        statuses = [sent(client, key=str(n)).status_code for n in range(11)]
        assert statuses == [303] * 10 + [429]
        assert "Très contents" in sent(client, key="x").text
        answer = client.post("/installations", json=body())
        assert answer.status_code == 429
        assert answer.headers["retry-after"].isdigit()
        assert MAILBOX not in answer.text
    assert count(loos) == 10


def test_photos_that_cannot_be_opened_count_too(loos):
    """Decoding costs seconds: nobody may ask for it without end, neither with a declaration nor with a correction."""
    limited = replace(loos, settings=replace(loos.settings, declarations_a_day=1))
    _, key = published(loos)
    bad = {"photo": ("a.jpg", b"\xff\xd8\xff no photo", "image/jpeg")}
    with client_of(limited) as client:
        statuses = [sent(client, files=bad, key=str(n)).status_code for n in range(4)]
        assert statuses == [400, 400, 400, 429]
        refused = sent(client, "/mine/correct", files=bad, token=key)
        assert refused.status_code == 429
        assert "Très contents" in refused.text


def test_what_strangers_call_their_members_is_not_sent_back(loos):
    """Names that look like names help to find a mistake; the rest, and more than twenty, are not repeated."""
    odd = {"power": 3, "a@example.org": 1, "x\r\ny": 1, "é" * 9: 1}
    with client_of(loos) as client:
        errors = client.post("/installations", json=body() | odd).json()["errors"]
        assert {one["pointer"] for one in errors if "known member" in one["message"]} == {"/power", ""}
        crowd = {f"m{n}": n for n in range(5_000)}
        assert len(client.post("/installations", json=body() | crowd).json()["errors"]) <= 30


def test_hostile_forms(loos):
    """Mis-encoded, huge, many, nested names, files where words belong: a page or a problem, never a 500."""
    with client_of(loos) as client:
        for fields in (
            {"words": "a\x00b"}, {"words": "x" * 5000}, {"email": "a\r\nBcc: x@y.fr"}, {"power_kw": "1e999"}, {"power_kw": "nan"},
            {"year": "²"}, {"year": "9" * 5000}, {"lon": "1e400"}, {"place_name": ",,,"}, {"technology": "nuclear"},
            {"precision": "house"}, {"address": "' or 1=1 --" * 40}, {"month": "13"}, {"language": "xx", "lang": "xx"},
        ):  # fmt: skip
            answer = sent(client, **fields)
            assert answer.status_code in (303, 400), (fields, answer.status_code)
        multipart = {"Content-Type": "multipart/form-data; boundary=x", **AS_A_BROWSER}
        for content in (
            b"",
            b"--x",
            b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\xff\xfe\r\n--x--",
            b"\x00" * 500,
        ):
            assert client.post("/declare", content=content, headers=multipart).status_code in (400, 413)
        many = b"&".join(b"a%d=1" % n for n in range(5000))
        urlencoded = {"Content-Type": "application/x-www-form-urlencoded", **AS_A_BROWSER}
        assert client.post("/declare", content=many, headers=urlencoded).status_code == 400
        answer = sent(
            client, files=[("words", ("x.txt", b"text", "text/plain")), ("photo", ("y.jpg", b"z", "image/jpeg"))]
        )
        assert answer.status_code == 400
        assert wrong(sent(client, files={"photo": ("a.gif", b"GIF89a", "image/jpeg")})) == {"photo"}
        assert wrong(sent(client, files={"photo": ("a.jpg", b"x" * 10_000_001, "image/jpeg")})) == {"photo"}


def test_the_preview_warns_of_words_that_point_at_somebody(loos):
    """Marked before anything is sent, each kind once, as text; nothing is refused, and harmless words get no warning."""
    told = {"words": "Appelez <b>le</b> 06 12 34 56 78 ou 06 12 34 56 79, 12 rue Hoche", "gain": "Voir www.exemple.fr"}
    with client_of(loos) as client:
        answer = sent(client, look="1", **told)
        assert answer.status_code == 200
        assert "contenir : numéro de téléphone, numéro de maison." in answer.text
        assert "contenir : adresse web." in answer.text
        assert "<mark>06 12 34 56 78</mark>" in answer.text
        assert "&lt;b&gt;le&lt;/b&gt;" in answer.text
        assert "<mark>" not in sent(client, look="1").text
        assert count(loos) == 0
        assert sent(client, **told).status_code == 303
        assert count(loos) == 1


@pytest.mark.parametrize("path", PAGES)
def test_pages_for_one_person_are_kept_by_nobody(looker, path):
    """No cache, no referrer, no frame, no script but ours, no cookie."""
    headers = looker.get(path, headers=AS_A_BROWSER).headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "'unsafe" not in headers["content-security-policy"]
    assert "set-cookie" not in headers
    assert "etag" not in headers


def test_other_sites_need_a_name(loos):
    """A page elsewhere hands declarations in only if the operator named its origin; programs have none."""
    from dataclasses import replace

    with client_of(loos) as client:
        for origin, status in (("https://evil.example", 403), ("null", 403), (loos.settings.public_url, 202)):
            assert client.post("/installations", json=body(), headers={"Origin": origin}).status_code == status
        assert "access-control-allow-credentials" not in client.options("/installations").headers
    named = replace(loos, settings=replace(loos.settings, form_origins=("https://www.example.fr",)))
    with client_of(named) as client:
        headers = {"Origin": "https://www.example.fr"}
        assert client.post("/installations", json=body(), headers=headers).status_code == 202


@pytest.mark.parametrize("path", ["/declare", "/mine/lost"])
@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}], ids=str)
def test_no_foreign_page_fills_in_the_form(loos, path, headers):
    """A visitor of another site is not made to declare, nor to have mails sent; our own page may send no origin."""
    with client_of(loos) as client:
        assert client.post(path, data=FORM, headers=headers).status_code == 403
        assert client.post(path, data=FORM, headers={"Origin": "null"}, follow_redirects=False).status_code < 400
    assert count(loos) == (path == "/declare")


def test_a_scanner_changes_nothing(loos):
    """GET and HEAD of every page that a mail names: the declaration stays as it was, the key stays good."""
    id, key = published(loos)
    with loos.db.write() as tx:
        confirm = keys.issue(tx, "confirm", id, now=NOW)
    with loos.superuser() as connection:
        before = connection.execute("select * from register.declarations").fetchall()
        tokens = connection.execute("select * from register.tokens").fetchall()
        with client_of(loos) as client:
            for path in ACTS:
                for method in ("GET", "HEAD", "OPTIONS"):
                    for token in (key, confirm):
                        client.request(method, path, params={"token": token})
        assert connection.execute("select * from register.declarations").fetchall() == before
        assert connection.execute("select * from register.tokens").fetchall() == tokens


def test_every_bad_key_gets_one_same_page(loos):
    """Unknown, cut off, of another purpose, of something erased: the same bytes, whatever was to be done."""
    id, key = declared(loos)
    gone, dead = declared(loos, email="other@example.org")
    with loos.db.write() as tx:
        confirm = keys.issue(tx, "confirm", id, now=NOW)
        register.erase(tx, dead, now=NOW)
    assert gone
    with client_of(loos) as client:
        pages = {
            client.post(path, data={"token": token, "sure": "1"}, headers=AS_A_BROWSER).text
            for path in ACTS
            for token in ("", "x", key[:-1], dead, "\x00", confirm if path != "/declare/confirm" else key)
        }
        statuses = {client.post(path, data={"token": "x", "sure": "1"}).status_code for path in ACTS}
    assert statuses == {404}
    assert len(pages) == 1


def test_what_is_not_possible_is_said_and_changes_nothing(loos):
    """Renewing what waits, erasing without the tick."""
    _, key = declared(loos)
    with client_of(loos) as client:
        assert client.post("/mine/renew", data={"token": key}, headers=AS_A_BROWSER).status_code == 409
        assert client.post("/mine/erase", data={"token": key}, headers=AS_A_BROWSER).status_code == 400
    assert count(loos) == 1


def test_the_owner_takes_everything_along(loos):
    """As a JSON file, which no cache keeps."""
    _, key = published(loos, words="Une phrase")
    with client_of(loos) as client:
        answer = client.post("/mine/export", data={"token": key})
    assert answer.json()["declaration"]["words"] == "Une phrase"
    assert answer.headers["cache-control"] == "no-store"
    assert "attachment" in answer.headers["content-disposition"]


def test_asking_for_a_link_tells_nothing(loos):
    """The same page for who declared, who did not, what is no address, and who asks too often."""
    declared(loos)
    with client_of(loos) as client:
        asked = [MAILBOX, "nobody@example.org", "", "x\x00", "a" * 5000, *[MAILBOX] * 8]
        pages = {client.post("/mine/lost", data={"email": email}, headers=AS_A_BROWSER).text for email in asked}
    assert len(pages) == 1
    assert loos.scalar("select count(*) from register.outbox where letter = 'lost_link'") == 5


def test_links_expire(loos):
    """A confirmation link of 30 days ago does not work."""
    with loos.db.write() as tx:
        from geo.collections import territory

        draft = register.check(tx, body(), territory=territory(tx), now=NOW)
        id = register.submit(tx, draft, now=NOW).id
        old = keys.issue(tx, "confirm", id, now=NOW - timedelta(days=3650))
    with client_of(loos) as client:
        assert client.post("/declare/confirm", data={"token": old}).status_code == 404
    assert loos.scalar("select state from register.declarations") == "draft"


def test_the_public_photo(loos):
    """A JPEG that no sniffer takes for anything else; gone when the entry is."""
    with client_of(loos) as client:
        for path in (
            "/photos/x",
            "/photos/00000000-0000-0000-0000-000000000000",
            "/photos/00000000-0000-0000-0000-000000000000/small",
        ):
            assert client.get(path).status_code == 404


def test_photos_and_words_reach_no_other_declaration(loos):
    """A key opens its own declaration alone."""
    one, key = declared(loos)
    other, _ = declared(loos, email="other@example.org")
    with loos.db.write() as tx:
        assert register.owned(tx, key, now=NOW).id == one != other


@pytest.mark.parametrize(
    ("precision", "side"), [("cell_200m", 200), ("cell_1km", 1000), ("exact", None), ("statistics", None)]
)
def test_the_owner_is_shown_where_it_lies(loos, precision, side):
    """The square that is public around the exact point, in metres, drawn in the page itself: no script, no other host."""
    _, key = published(loos, precision=precision, exact_consent=precision == "exact")
    with client_of(loos) as client:
        answer = client.post("/mine?lang=en", data={"token": key}, headers=AS_A_BROWSER)
    assert answer.headers["cache-control"] == "no-store"
    page = answer.text
    drawing = ET.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])
    point, square = drawing.find("circle"), drawing.find("rect")
    assert point is not None
    assert (square is not None) == bool(side)
    with loos.superuser() as connection:
        sql = """
            select ST_X(p) - x, y - ST_Y(p) from ST_Transform(ST_SetSRID(ST_MakePoint(%s, %s), 4326), 3035) p,
              lateral (select coalesce((floor(ST_X(p) / %s::float8) + 0.5) * %s::float8, ST_X(p)) as x,
                              coalesce((floor(ST_Y(p) / %s::float8) + 0.5) * %s::float8, ST_Y(p)) as y) middle"""
        middle = connection.execute(sql, [*HOME, side, side, side, side]).fetchone()
    assert [float(point.get(name, "")) for name in ("cx", "cy")] == pytest.approx(middle, abs=0.1)
    if square is not None and side:
        assert [float(square.get(name, "")) for name in ("x", "y", "width")] == [-side / 2, -side / 2, side]
    assert len(drawing.findall("path")) > 1  # the scale, and something around
    assert "<script" not in page
    assert not re.search(r"(?:src|href)=\"https?://(?!127\.0\.0\.1|localhost)", page.split("<footer>")[0])
