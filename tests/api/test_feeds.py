"""Feeds and sitemaps as their readers see them: feedparser reads the feeds whole, sitemaps lead to every page."""

import json
import re
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import feedparser
import pytest

from tests.api.conftest import client_of, heard
from tests.declaring import decided, published

MAP = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}


def feed(client, collection="installations", which="new", **params):
    """The feed as feedparser understands it, without a word of complaint."""
    answer = client.get(f"/collections/{collection}/{which}", params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    read = feedparser.parse(answer.content, response_headers=dict(answer.headers))
    assert not read.bozo, read.get("bozo_exception")
    assert read.version == "atom10"
    return read


def ids(read):
    """The numbers of a feed's entries."""
    return [int(entry.id.rpartition("/")[2]) for entry in read.entries]


def addresses(client, path):
    """The paths that a sitemap names."""
    answer = client.get(path)
    assert answer.headers["content-type"] == "application/xml; charset=utf-8"
    places = ET.fromstring(answer.content).findall("*/s:loc", MAP)
    return [(place.text or "").removeprefix(str(client.base_url).rstrip("/")) for place in places]


@pytest.mark.parametrize("which", ["new", "changes"])
def test_every_collection_can_be_followed(looker, which):
    """All its entries up to fifty, each with a title, a date, and an address that leads to its page."""
    for one in looker.get("/collections").json()["collections"]:
        read = feed(looker, one["id"], which)
        assert len(read.entries) == min(50, one["itemCount"])
        assert len({entry.id for entry in read.entries}) == len(read.entries)
        assert read.feed.updated_parsed >= max(entry.updated_parsed for entry in read.entries)
        assert all(entry.title and entry.updated_parsed for entry in read.entries)
        entry = read.entries[0]
        assert looker.get(entry.link, headers={"Accept": "text/html"}).status_code == 200
        geojson = next(link for link in entry.links if link.type == "application/geo+json")
        assert looker.get(geojson.href).json()["id"] == ids(read)[0]


def test_what_is_published_last_comes_first(loos):
    """A correction changes one feed's order and not the other's; what is taken away leaves both."""
    with client_of(loos) as client:
        before = feed(client)
        first, _ = published(loos, power_kw=7)
        second, _ = published(loos, power_kw=9)
        heard(client, loos)
        mine = [loos.scalar("select public_id from register.declarations where id = %s", id) for id in (first, second)]
        assert ids(feed(client))[:2] == mine[::-1]
        assert feed(client).feed.updated_parsed >= before.feed.updated_parsed
        assert "7 kW" in feed(client).entries[1].title.replace("\xa0", " ")
        with loos.superuser() as connection:  # of two that changed on one day, nobody is told which was the later
            connection.execute("alter table territory.installations disable trigger stamp")
            yesterday = "update territory.installations set updated_at = now() - interval '1 day'"
            connection.execute(yesterday + " where dataset = 'register' or id <> %s", [mine[0]])
            connection.execute("alter table territory.installations enable trigger stamp")
            connection.execute("update territory.installations set words = 'merci' where id = %s", [mine[0]])
        heard(client, loos)
        assert ids(feed(client))[:2] == mine[::-1]
        assert ids(feed(client, which="changes"))[0] == mine[0]
        decided(loos, second, "hide", "x")
        heard(client, loos)
        assert mine[1] not in ids(feed(client)) + ids(feed(client, which="changes"))


def test_a_feed_speaks_the_languages(looker):
    """By name or by preference; the addresses of entries stay what they are."""
    german = feed(looker, "solar", lang="de")
    assert german.feed.title.startswith("Neu – ")
    assert german.feed.language == "de"
    assert ids(german) == ids(feed(looker, "solar"))
    assert [entry.id for entry in german.entries] == [entry.id for entry in feed(looker, "solar").entries]
    answer = looker.get("/collections/solar/new", headers={"Accept-Language": "en"})
    assert answer.headers["content-language"] == "en"


def test_feeds_are_answers_like_the_others(looker):
    """Tagged, kept until their collection changes, refused where something else is asked."""
    for path in ("/collections/solar/new", "/sitemap.xml", "/sitemaps/pages", "/robots.txt"):
        tag = looker.get(path).headers["etag"]
        again = looker.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        assert looker.get(path, params={"nonsense": "1"}).status_code == 400
        assert looker.get(path, headers={"Accept": "image/png"}).status_code == 406
        assert looker.head(path).status_code == 200
    for missing in ("/collections/nowhere/new", "/sitemaps/solar/999", "/sitemaps/solar/x", "/sitemaps/nowhere/0"):
        assert looker.get(missing).status_code == 404


def test_hostile_words_stay_words(loos):
    """Markup is escaped; what XML cannot say is replaced; the page's JSON-LD ends where it should."""
    hostile = "</script><b>&amp; \x01\x1f\ufffe ]]>"
    with loos.superuser() as connection:
        connection.execute(
            "update territory.installations set name = %s, description = %s, technology = 'wind' "
            "where id = (select min(id) from territory.installations)",
            [hostile, hostile],
        )
    with client_of(loos) as client:
        entry = feed(client, which="changes").entries[0]
        page = client.get(urlsplit(entry.link).path, headers={"Accept": "text/html"}).text
    assert entry.title.startswith("</script><b>&amp; ")
    data = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    assert [json.loads(one)["name"] for one in data] == [hostile]


def test_sitemaps_lead_to_every_page(looker):
    """The index names the sitemaps, they name every item once and pages that answer."""
    robots = looker.get("/robots.txt").text
    assert f"Sitemap: {looker.base_url}/sitemap.xml".replace("//sitemap", "/sitemap") in robots
    found = {path for sitemap in addresses(looker, "/sitemap.xml") for path in addresses(looker, sitemap)}
    for one in looker.get("/collections").json()["collections"]:
        page = looker.get(f"/collections/{one['id']}/items", params={"limit": 10_000}).json()
        assert {f"/collections/{one['id']}/items/{feature['id']}" for feature in page["features"]} <= found
        assert sum(path.startswith(f"/collections/{one['id']}/items/") for path in found) == one["itemCount"]
    for path in addresses(looker, "/sitemaps/pages"):
        assert looker.get(path, headers={"Accept": "text/html"}).headers["content-type"].startswith("text/html"), path


def test_a_slice_has_its_numbers(loos):
    """Far numbers make a slice of their own, and the first stays what it is."""
    with loos.superuser() as connection:
        connection.execute(
            "insert into territory.places (id, source_key, name, category, source, licence, position, geom) overriding "
            "system value values (100007, 'far', 'far', 'shared_garden', 's', 'l', 'surveyed', 'SRID=4326;POINT(2.79 50.45)')"
        )
    with client_of(loos) as client:
        assert [path for path in addresses(client, "/sitemap.xml") if "/gardens/" in path] == [
            "/sitemaps/gardens/0",
            "/sitemaps/gardens/5",
        ]
        assert addresses(client, "/sitemaps/gardens/5") == ["/collections/gardens/items/100007"]


def test_items_say_what_they_are(loos):
    """Every collection's items as things of schema.org; a square of the grid is a circle around it, never a point."""
    published(loos)
    with client_of(loos) as client:
        for one in client.get("/collections").json()["collections"]:
            path = ids(feed(client, one["id"]))[0]
            page = client.get(f"/collections/{one['id']}/items/{path}", headers={"Accept": "text/html"}).text
            thing = json.loads(re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)[0])
            assert thing["@context"] == "https://schema.org"
            assert thing["@id"].endswith(f"/collections/{one['id']}/items/{path}")
            assert thing["name"]
            assert ("geo" in thing) == (one["geometryType"] is not None)
            if one["id"] == "installations":
                assert thing["geo"]["@type"] == "GeoCircle"
                assert thing["geo"]["geoRadius"] >= 100
