"""Other towns than the first, by their packs alone: what is served follows from files, and no line of code differs."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from geo.errors import Conflict
from seed import pack
from tests.api.conftest import client_of
from tests.conftest import ROOT, Territory
from tests.declaring import body, confirmed, decided
from tests.seed.conftest import Files, Write, feature, point

PACKS = ROOT / "tests" / "packs"
NOW = datetime(2026, 5, 1, tzinfo=UTC)
JSON = {"Accept": "application/json"}

MUSTERSTADT = """\
id = "musterstadt"
communes = []
languages = ["de", "fr"]
licence = "CC-BY-4.0"
attribution = "Stadt Musterstadt"
title = { de = "Musterstadt im Wandel", fr = "Musterstadt en transition" }
description = { de = "Eine erfundene Stadt.", fr = "Une ville inventée." }
bounds = [13.0, 52.0, 13.2, 52.2]

[[collection]]
id = "gaerten"
kind = "places"
where = { category = "shared_garden" }
title = { de = "Gemeinschaftsgärten", fr = "Jardins partagés" }

[[collection]]
id = "anlagen"
kind = "installations"
title = { de = "Anlagen", fr = "Installations" }

[[collection]]
id = "meilensteine"
kind = "milestones"
title = { de = "Meilensteine", fr = "Jalons" }
"""


def declared(client: TestClient, lon: float, lat: float):
    """The answer to a declaration of a heat pump at this place."""
    return client.post("/installations", json=body(at=[lon, lat], power_kw=8))


@pytest.fixture
def ungersheim(database: Territory) -> Territory:
    """The second town, loaded."""
    pack.load(database.db, PACKS / "ungersheim")
    return database


@pytest.mark.parametrize(
    "folder", sorted(path for path in PACKS.iterdir() if path.is_dir()), ids=lambda path: path.name
)
def test_a_towns_pack_has_no_fault(folder: Path):
    """Every pack of the tests is an example to follow."""
    assert pack.read(folder).findings == []


def test_a_second_town_shows_what_its_pack_holds(ungersheim: Territory):
    """Its collections in its order, each with the entries that the pack's filter meets; nothing is left of the first town."""
    read = pack.read(PACKS / "ungersheim")
    counts = {"mine": 2, "places": 2, "buildings": 1, "installations": 3, "figures": 6, "milestones": 3, "documents": 2}
    with client_of(ungersheim) as client:
        listed = client.get("/collections", headers=JSON).json()["collections"]
        assert [one["id"] for one in listed] == [one["id"] for one in read.collections] == list(counts)
        for id, count in counts.items():
            assert client.get(f"/collections/{id}/items?f=json").json()["numberMatched"] == count, id
        assert client.get("/?lang=de", headers=JSON).json()["title"] == "Ungersheim, ein Dorf im Wandel"
        assert client.get("/collections/base-11-19", headers=JSON).status_code == 404
        for path in ("/", "/collections/mine/items", "/collections/figures/items", "/pages/mentions-legales"):
            for lang in ("fr", "de", "en"):
                page = client.get(f"{path}?lang={lang}", headers={"Accept": "text/html"})
                assert page.status_code == 200, (path, lang)
                assert "Loos" not in page.text, (path, lang)


def test_its_texts_are_in_its_languages(ungersheim: Territory):
    """A translation is shown where it is asked for, the town's own language otherwise."""
    with client_of(ungersheim) as client:
        names = [
            client.get(f"/collections/milestones/items?f=json&lang={lang}").json()["features"][-1]["properties"]["name"]
            for lang in ("fr", "de", "en")
        ]
    assert names == ["Le radis, monnaie locale", "Der Radis, eine lokale Währung", "Le radis, monnaie locale"]


def test_it_takes_declarations_from_its_own_territory(ungersheim: Territory):
    """Inside its bounds, and not in the first town's."""
    with client_of(ungersheim) as client:
        assert declared(client, 7.305, 47.879).status_code == 202
        refused = declared(client, 2.7942, 50.4583)
    assert refused.status_code == 400
    assert "outside the territory" in refused.text


def test_loading_it_twice_changes_nothing(ungersheim: Territory):
    """Ids and versions stay."""
    state = "select jsonb_object_agg(collection, version) from territory.version"
    before = ungersheim.scalar(state)
    done = pack.load(ungersheim.db, PACKS / "ungersheim")
    assert done
    assert sum(one.inserted + one.updated + one.deleted for one in done.values()) == 0
    assert ungersheim.scalar(state) == before


def test_another_territory_is_not_replaced_unasked(loos: Territory):
    """A wrong folder costs nothing; asked to, nothing of the first pack is left, and what was imported stays."""
    state = "select jsonb_object_agg(collection, version) from territory.version"
    before = loos.scalar(state)
    with pytest.raises(Conflict, match="shows the territory loos-en-gohelle"):
        pack.load(loos.db, PACKS / "ungersheim")
    assert loos.scalar(state) == before
    with loos.superuser() as connection:
        connection.execute("update territory.places set dataset = 'monuments' where source_key = 'base-11-19'")
    pack.load(loos.db, PACKS / "ungersheim", replace=True)
    with client_of(loos) as client:
        assert len(client.get("/collections", headers=JSON).json()["collections"]) == 7
    left = "select count(*) from territory.{} where dataset is distinct from 'pack:ungersheim'"
    assert loos.scalar(left.format("figures")) == 0
    assert loos.scalar(left.format("places")) == 1


def test_a_german_town_needs_no_insee_code(database: Territory, write: Write):
    """German first, no commune at all; what the software itself says of a declaration is in German, too."""
    garden = feature("nord", "Garten Nord", point(13.1, 52.1), category="shared_garden")
    garden["properties"]["translations"] = {"fr": {"name": "Jardin du nord"}}
    milestones = "source_key,date,date_precision,name,name_fr,about,source,licence\n"
    milestones += "garten,2001-01-01,year,Der erste Garten,Le premier jardin,gaerten:nord,Stadtarchiv,CC-BY-4.0\n"
    content: Files = {
        "territory.toml": MUSTERSTADT,
        "places.geojson": {"type": "FeatureCollection", "features": [garden]},
        "milestones.csv": milestones,
    }
    fields = [
        {"name": name, "type": "date" if name == "date" else "string"} for name in milestones.split("\n")[0].split(",")
    ]
    resources: list[dict[str, Any]] = [{"name": name.partition(".")[0], "path": name} for name in content]
    resources[2] |= {"schema": {"fields": fields}}
    content["datapackage.json"] = {"name": "musterstadt", "licenses": [{"name": "CC-BY-4.0"}], "resources": resources}
    pack.load(database.db, write(content))
    with client_of(database) as client:
        made = declared(client, 13.11, 52.11)
        assert made.status_code == 202, made.text
        assert declared(client, 7.305, 47.879).status_code == 400
        confirmed(database, made.json()["id"])
        decided(database, made.json()["id"])
        (shown,) = client.get("/collections/anlagen/items?f=json").json()["features"]
        assert shown["properties"]["name"] == "Wärmepumpe, 8\u00a0kW"
        assert shown["properties"]["commune"] is None
        assert shown["properties"]["licence"] == "CC-BY-4.0"
        assert "Gemeinschaftsgärten" in client.get("/collections?lang=de", headers={"Accept": "text/html"}).text
