"""What a browser is shown when something is wrong: a page in its language that says what to do, never JSON."""

import pytest

from api import pages
from geo.errors import Conflict, TooOften, Unavailable
from tests.declaring import body, published

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=x"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ELSEWHERE = {"Sec-Fetch-Site": "cross-site"}
LARGE = b"x" * 12_000_000

MET = [
    ("POST", "/declare", {"content": b"\x00" * 500, "headers": MULTIPART}, 400),
    ("POST", "/declare", {"content": b"a=1&" * 5000, "headers": FORM}, 400),
    ("POST", "/declare", {"data": {"technology": "wind"}, "headers": ELSEWHERE}, 403),
    ("POST", "/mine/lost", {"data": {"email": "a@b.fr"}, "headers": ELSEWHERE}, 403),
    ("POST", "/mine", {"data": {"token": "x"}}, 404),
    ("GET", "/nowhere", {}, 404),
    ("POST", "/mine/lost", {"content": LARGE, "headers": FORM}, 413),
    ("POST", "/mine/lost", {"content": iter([LARGE]), "headers": FORM}, 413),
    ("POST", "/declare", {"content": LARGE * 4, "headers": MULTIPART}, 413),
    ("POST", "/installations", {"data": {"technology": "wind"}}, 415),
]


def shown(client, method, path, status, lang, /, **sent):
    """The page, once it is sure that it is one, in that language, with a way out."""
    headers = {**BROWSER, "Accept-Language": lang, **sent.pop("headers", {})}
    answer = client.request(method, path, headers=headers, **sent)
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert f'<html lang="{lang}">' in answer.text
    return answer.text


@pytest.mark.parametrize(("method", "path", "sent", "status"), MET)
def test_a_browser_is_shown_a_page(looker, method, path, sent, status):
    """For each status that a form can meet; a program that sends the same keeps its problem."""
    again = {**sent, "content": LARGE} if hasattr(sent.get("content"), "__next__") else sent
    page = shown(looker, method, path, status, "de", **sent)
    if path != "/mine":  # its key has a page of its own
        words = pages.words("de")
        assert words["error_title"][str(status)] in page
        assert words["error_lead"][str(status)] in page
        assert (words["error_back"] in page) == (method == "POST")
        headers = {"Accept": "application/json", **again.get("headers", {})}
        answer = looker.request(method, path, **{**again, "headers": headers})
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.parametrize(
    ("error", "status"),
    [(Conflict("x"), 409), (TooOften("x", retry_after=60), 429), (Unavailable("x"), 503), (RuntimeError("x"), 500)],
)
def test_what_the_house_raises_is_a_page_too(client, monkeypatch, error, status):
    """Wherever it comes from."""

    def fail(*_, **__):
        raise error

    monkeypatch.setattr("api.mine.register.confirm", fail)
    page = shown(client, "POST", "/declare/confirm", status, "en", data={"token": "x"})
    assert pages.words("en")["error_lead"][str(status)] in page


def test_an_entry_that_was_taken_away_says_so_in_words(loos, client):
    """410 in the three languages; programs are told in English."""
    id, _ = published(loos)
    number = loos.scalar("select public_id from register.declarations where id = %s", id)
    path = f"/collections/installations/items/{number}"
    with loos.superuser() as connection:
        connection.execute("delete from territory.installations where id = %s", [number])
        connection.execute("insert into territory.tombstones (kind, id) values ('installations', %s)", [number])
    for lang in ("fr", "en", "de"):
        assert pages.words(lang)["error_lead"]["410"] in shown(client, "GET", path, 410, lang)
    assert client.get(path, headers={"Accept": "application/geo+json"}).json()["status"] == 410


def test_a_photo_that_is_far_too_large_loses_nothing_that_was_typed(client):
    """The form comes back, the words in it, the fault at the photo."""
    fields = {name: value for name, value in body("heat_pump").items() if isinstance(value, str)}
    fields |= {
        "lon": "2.794213",
        "lat": "50.458317",
        "owner_agrees": "1",
        "consent": "1",
        "began": "1",
        "words": "Venez !",
    }
    files = {"photo": ("roof.jpg", LARGE * 2, "image/jpeg")}
    answer = client.post(
        "/declare?lang=en", data=fields, files=files, headers={**BROWSER, "Sec-Fetch-Site": "same-origin"}
    )
    assert answer.status_code == 400
    assert "Venez !" in answer.text
    assert "10 MB" in answer.text


def test_every_word_is_there_in_every_language():
    """A status that has a title has a sentence."""
    for lang in ("fr", "en", "de"):
        words = pages.words(lang)
        assert words["error_title"].keys() == words["error_lead"].keys() == pages.words("fr")["error_lead"].keys()
