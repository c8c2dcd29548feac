"""Statistics are what SQL says over the same rows, and say nothing of anybody who wants to be counted and not shown."""

import itertools
from datetime import UTC, datetime

import pytest

from geo.energy import GRID, OWNER_KINDS, TECHNOLOGIES, YIELD
from geo.register import sums
from tests.api.conftest import client_of, heard
from tests.declaring import decided, published

ON = "coalesce(status, 'operating') = 'operating'"
LOOS = "62528"


def asked(client, **params):
    """The statistics as JSON."""
    answer = client.get("/statistics", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def mixed(loos):
    """Loos with installations of all sorts beside those of the pack."""
    published(loos, power_kw=8.4, year=2020, owner_kind="private_person")
    published(loos, technology="photovoltaic", power_kw=6, year=2015, annual_mwh=5.5)
    published(loos, technology="photovoltaic", power_kw=3.2, year=2013, owner_kind="company")
    published(loos, technology="photovoltaic", power_kw=30, status="planned")
    published(loos, technology="wind", power_kw=10, year=2024, annual_mwh=15, owner_kind="association")
    published(loos, technology="heat_pump")
    return loos


@pytest.mark.parametrize("dimension", ["technology", "year", "commune", "owner_kind"])
def test_each_group_is_what_sql_says(mixed, dimension):
    """Count, power, yield and emissions of each value, unknown ones among them, one query each."""
    with client_of(mixed) as client:
        groups = asked(client)[f"by_{dimension}"]
    assert sum(one["count"] for one in groups) == mixed.scalar(
        f"select count(*) from territory.installations where {ON}"
    )
    assert len({one[dimension] for one in groups}) == len(groups)
    for one in groups:
        where = f"from territory.installations where {ON} and {dimension} is not distinct from %s"
        assert one["count"] == mixed.scalar(f"select count(*) {where}", one[dimension])
        power = mixed.scalar(f"select sum(power_kw) {where}", one[dimension])
        assert one["power_kw"] == (power if power is None else pytest.approx(power))
        rows = f"select coalesce(annual_mwh, power_kw * {YIELD.value}) {where} and technology = 'photovoltaic'"
        others = f"select annual_mwh {where} and technology <> 'photovoltaic'"
        values = (one[dimension], one[dimension])
        told = mixed.scalar(f"select sum(coalesce) from ({rows} union all {others}) q", *values)
        assert one["annual_mwh"] == (told if told is None else pytest.approx(told, abs=0.001))
        electric = f"{others} and technology in ('wind', 'hydro')"
        saved = mixed.scalar(f"select sum(coalesce) * {GRID.value} from ({rows} union all {electric}) q", *values)
        assert one["annual_t_co2"] == (saved if saved is None else pytest.approx(saved, abs=0.001))


def test_what_is_planned_is_left_out_and_told(mixed):
    """Its 30 kW are in no sum."""
    with client_of(mixed) as client:
        found = asked(client, technology="photovoltaic")
    assert [(one["status"], one["count"]) for one in found["left_out"]] == [("planned", 1)]
    assert found["total"]["power_kw"] == pytest.approx(
        mixed.scalar(f"select sum(power_kw) from territory.installations where technology = 'photovoltaic' and {ON}")
    )


def test_the_years_have_no_gap_and_add_up(mixed):
    """Each year's stand is the one before and what was added; the last is all that has a year."""
    with client_of(mixed) as client:
        years = asked(client)["through_the_years"]
    assert [one["year"] for one in years] == list(range(years[0]["year"], years[-1]["year"] + 1))
    for before, after in itertools.pairwise(years):
        assert after["count"] == before["count"] + after["added"]
        assert after["power_kw"] == pytest.approx(before["power_kw"] + (after["added_kw"] or 0))
    dated = f"from territory.installations where year is not null and {ON}"
    assert years[-1]["count"] == mixed.scalar(f"select count(*) {dated}")
    assert years[-1]["power_kw"] == pytest.approx(mixed.scalar(f"select sum(power_kw) {dated}"))


def test_every_estimate_names_its_coefficient(looker):
    """Value, unit, source and date, in JSON and on the page; a technology without one has no estimate."""
    found = asked(looker, lang="en")
    assert {one["id"]: one["value"] for one in found["coefficients"]} == {YIELD.id: 0.914, GRID.id: 0.0217}
    assert all(
        one["source"] and one["source_url"].startswith("https://") and one["date"] for one in found["coefficients"]
    )
    page = looker.get("/statistics", params={"lang": "en"}, headers={"Accept": "text/html"}).text
    for one in found["coefficients"]:
        assert one["source_url"] in page
        assert one["meaning"][1:] in page
    pumps = next(one for one in found["by_technology"] if one["technology"] == "heat_pump")
    assert pumps["annual_mwh"] is None
    assert pumps["annual_t_co2"] is None


def test_bad_questions_are_told(looker):
    """By name, and never echoed; a page for people takes what it does not know."""
    for name, value in (("technology", "magic"), ("owner_kind", "'; --"), ("commune", "<b>"), ("since", "2020")):
        answer = looker.get("/statistics", params={name: value})
        assert answer.status_code == 400
        assert [one["parameter"] for one in answer.json()["errors"]] == [name]
        assert value not in answer.json()["errors"][0]["message"]
    assert asked(looker, commune="99999")["total"]["count"] == 0
    assert looker.get("/statistics?utm_source=x", headers={"Accept": "text/html"}).status_code == 200


def questions(client):
    """Every combination of filters of the statistics, and all else that tells of installations, as paths."""
    choices = [
        [f"{name}={value}" for value in values] + [""]
        for name, values in (("technology", TECHNOLOGIES), ("owner_kind", OWNER_KINDS), ("commune", (LOOS, "62498")))
    ]
    yield from (f"/statistics?{'&'.join(filter(None, one))}" for one in itertools.product(*choices))
    yield from ("/statistics?f=html", "/declared-sums", "/collections", "/sitemap.xml", "/api")
    for id in ("installations", "solar"):
        yield from (
            f"/collections/{id}{tail}" for tail in ("", "/items", "/new", "/changes", "/tiles/WebMercatorQuad/0/0/0")
        )
        yield from (f"/collections/{id}/items?technology={technology}" for technology in TECHNOLOGIES)


def told(client, territory):
    """Status, tag and bytes of every public answer."""
    heard(client, territory)
    answers = {path: client.get(path) for path in questions(client)}
    return {path: (one.status_code, one.headers.get("etag"), one.content) for path, one in answers.items()}


def refreshed(loos, month):
    """The monthly telling of the sums."""
    with loos.db.write() as tx:
        assert sums.refresh(tx, now=datetime(2026, month, 3, tzinfo=UTC))


def counted(client, **params):
    """The sums of those who are not shown."""
    return [(one["technology"], one["count"]) for one in asked(client, **params)["counted_without_being_shown"]]


def test_no_two_answers_differ_by_one_who_is_only_counted(loos):
    """Before and after any one joins, or leaves, every public byte is the same; sums move by five or not at all."""
    hidden = {"precision": "statistics", "power_kw": 8.4}
    with client_of(loos) as client:
        before = told(client, loos)
        members = [published(loos, email=f"r{n}@example.org", **hidden)[0] for n in range(5)]
        assert told(client, loos) == before
        refreshed(loos, 6)
        heard(client, loos)
        assert counted(client) == [("heat_pump", 5)]
        after = told(client, loos)
        published(loos, email="r6@example.org", **hidden)
        assert told(client, loos) == after
        refreshed(loos, 7)
        heard(client, loos)
        assert counted(client) == [("heat_pump", 5)]
        decided(loos, members[0], "hide", "x")
        later = told(client, loos)
        refreshed(loos, 8)
        heard(client, loos)
        assert {path: one[2] for path, one in told(client, loos).items()} == {
            path: one[2] for path, one in later.items()
        }


def test_no_filter_touches_who_is_only_counted(loos):
    """Narrowed in any way, the sums apart are the same, and nobody of them is in a count."""
    with client_of(loos) as client:
        before = {
            path: client.get(path).json()["total"]
            for path in questions(client)
            if "/statistics?" in path and "f=" not in path
        }
        for n in range(7):
            published(loos, email=f"r{n}@example.org", precision="statistics", power_kw=8.4)
        refreshed(loos, 6)
        heard(client, loos)
        assert {path: client.get(path).json()["total"] for path in before} == before
        apart = {str(client.get(path).json()["counted_without_being_shown"]) for path in before}
    assert len(apart) == 1
    assert "'count': 7" in apart.pop()


def registered(loos, technology="photovoltaic", count=1, power_kw=None, commissioned=None, commune=LOOS):
    """A row as an import of the national register leaves it."""
    with loos.superuser() as connection:
        connection.execute(
            "insert into territory.registrations (source_key, name, commune, technology, count, power_kw, commissioned_on, source,"
            " source_date, licence) values (gen_random_uuid()::text, 'r', %s, %s, %s, %s, %s, 'ODRÉ', '2026-06-30', 'etalab-2.0')",
            (commune, technology, count, power_kw, commissioned),
        )


def test_the_register_stands_beside_the_map(mixed):
    """By technology of electricity, in the communes that the file speaks of; each side is what SQL says; nothing is added up."""
    with client_of(mixed) as client:
        assert asked(client)["national_register"] is None
        registered(mixed, count=27, power_kw=131.5, commissioned="2024-11-30")
        registered(mixed, power_kw=99.9, commissioned="2021-05-04")
        registered(mixed, technology="hydro", power_kw=None)
        for n in range(5):
            published(mixed, email=f"s{n}@example.org", technology="photovoltaic", precision="statistics", power_kw=3)
        refreshed(mixed, 6)
        heard(client, mixed)
        found = asked(client, lang="en")["national_register"]
        page = client.get("/statistics", params={"lang": "fr"}, headers={"Accept": "text/html"}).text
        by = {one["technology"]: one for one in found["by_technology"]}
        assert "heat_pump" not in by
        assert {one["commune"] for one in found["communes"]} == {LOOS}
        assert found["sources"][0]["source_date"] == "2026-06-30"
        assert by["photovoltaic"]["register"] == {
            "count": 28,
            "powers": 2,
            "power_kw": pytest.approx(231.4),
            "newest": "2021-05-04",  # not the date of the line that stands for 27
        }
        assert by["photovoltaic"]["counted_without_being_shown"] == {"count": 5, "power_kw": 15}
        assert by["hydro"]["register"]["power_kw"] is None
        for technology in ("photovoltaic", "wind"):
            where = f"from territory.installations where technology = %s and commune = %s and {ON}"
            drawn = by[technology]["on_map"]
            assert drawn["count"] == mixed.scalar(f"select count(*) {where}", technology, LOOS)
            assert drawn["power_kw"] == pytest.approx(mixed.scalar(f"select sum(power_kw) {where}", technology, LOOS))
        assert "131" not in page.split('id="register"')[0]
        assert "4 mai 2021" in page
        assert "moins de 36 kW" in page
        narrowed = asked(client, technology="wind")["national_register"]["by_technology"]
        assert [one["technology"] for one in narrowed] == ["wind"]
        assert asked(client, commune="62498")["national_register"]["by_technology"] == []
        assert asked(client, owner_kind="company")["national_register"] is None


def test_the_statistics_follow_the_register(loos):
    """Their tag changes with an import, though no collection shows the register."""
    with client_of(loos) as client:
        before = client.get("/statistics")
        registered(loos, power_kw=1)
        heard(client, loos)
        after = client.get("/statistics", headers={"If-None-Match": before.headers["etag"]})
        assert (after.status_code, after.json()["national_register"]["by_technology"][0]["register"]["count"]) == (
            200,
            1,
        )
