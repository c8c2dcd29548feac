"""Residents declare, the town decides: what is kept, what becomes public, and when."""

import json
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from structlog.testing import capture_logs

from geo.errors import Broken, IllegalDecision, NotFound
from tests.api.conftest import client_of, heard
from tests.api.test_versions import gohelle
from tests.declaring import HOME, body, confirmed, decided

DRAFT = body(power_kw=8.4, year=2021, address="12 rue Hoche", words="Très contents, <b>venez voir</b> !")
EXACT = {**DRAFT, "precision": "exact", "exact_consent": True}


def declare(client, draft=DRAFT, **headers):
    """The number of a new declaration."""
    answer = client.post("/installations", json=draft, headers=headers)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def waiting(client, loos, draft=DRAFT):
    """The number of a new declaration that its owner has confirmed."""
    id = declare(client, draft)
    confirmed(loos, id)
    return id


def public(client, loos, technology="heat_pump"):
    """The declared entries that anybody sees."""
    heard(client, loos)
    params = {"technology": technology, "limit": 1000}
    features = client.get("/collections/installations/items", params=params).json()["features"]
    return [one for one in features if one["properties"]["source_key"].startswith("declaration:")]


def test_the_whole_way(loos):
    """Kept at once, public once approved: by cell, with the year and a rounded power; never the address."""
    with client_of(loos) as client:
        id = declare(client)
        assert id not in gohelle(loos, "register", "list")
        confirmed(loos, id)
        assert public(client, loos) == []
        assert id in gohelle(loos, "register", "list")
        gohelle(loos, "register", "approve", id)
        (feature,) = public(client, loos)
    properties = feature["properties"]
    assert properties["position"] == "cell"
    assert properties["cell"] == "CRS3035RES200mN3063600E3810200"
    assert (properties["power_kw"], properties["year"], properties["since"]) == (8, 2021, "2021-01-01")
    assert (properties["since_precision"], properties["position_accuracy_m"]) == ("year", 141.4)
    assert properties["commune"] == "62528"
    assert properties["words"] == "Très contents, <b>venez voir</b> !"
    assert "Hoche" not in json.dumps(feature)
    assert feature["geometry"]["coordinates"] != HOME


def test_nothing_tells_a_cell_from_its_centre(loos):
    """The point shown is the middle of the INSPIRE square that its name says."""
    with client_of(loos) as client:
        decided(loos, waiting(client, loos))
        lon, lat = public(client, loos)[0]["geometry"]["coordinates"]
    x, y = (
        loos.scalar(f"select ST_{axis}(ST_Transform(ST_SetSRID(ST_MakePoint(%s, %s), 4326), 3035))", lon, lat)
        for axis in "XY"
    )
    assert (round(x, 0), round(y, 0)) == (3810300, 3063700)


@pytest.mark.parametrize(
    ("draft", "position", "rounded"),
    [
        ({**DRAFT, "precision": "cell_1km"}, "cell", True),
        (EXACT, "digitised", True),
        ({**DRAFT, "owner_kind": "municipality"}, "digitised", False),
        ({**DRAFT, "owner_kind": "municipality", "precision": "cell_200m"}, "cell", False),
    ],
)
def test_the_precision_chosen(loos, draft, position, rounded):
    """A wider square, the exact point by consent, and owners who are no private persons."""
    with client_of(loos) as client:
        decided(loos, waiting(client, loos, draft))
        (feature,) = public(client, loos)
    assert feature["properties"]["position"] == position
    assert (feature["geometry"]["coordinates"] == HOME) is (position == "digitised")
    assert feature["properties"]["power_kw"] == (8 if rounded else 8.4)


def test_statistics_only_shows_no_entry(loos):
    """Approved, but in no collection, under no filter."""
    with client_of(loos) as client:
        before = client.get("/collections/installations/items").content
        decided(loos, waiting(client, loos, {**DRAFT, "precision": "statistics"}))
        heard(client, loos)
        assert client.get("/collections/installations/items").content == before


def test_a_private_exact_point_needs_its_consent(looker, shown):
    """Separate and unticked: without it, nothing is kept."""
    answer = looker.post("/installations", json={**EXACT, "exact_consent": False})
    assert answer.json()["errors"] == [
        {"pointer": "/exact_consent", "message": "must be true for a private person's exact point to be shown"}
    ]
    assert shown.scalar("select count(*) from register.declarations") == 0


def test_outside_is_refused_and_the_edge_is_generous(loos):
    """A schematic outline is only as sure as it says; a surveyed one counts to the metre."""
    with client_of(loos) as client:
        lens = {**DRAFT, "location": {"type": "Point", "coordinates": [2.8303, 50.4289]}}
        assert client.post("/installations", json=lens).status_code == 400
        square = "SRID=4326;MULTIPOLYGON(((2.79 50.45, 2.80 50.45, 2.80 50.46, 2.79 50.46, 2.79 50.45)))"
        with loos.superuser() as connection:
            connection.execute(
                "update territory.communes set geom = %s, position = 'surveyed', position_accuracy_m = 0", [square]
            )
        near = {**DRAFT, "location": {"type": "Point", "coordinates": [2.7899, 50.455]}}
        assert client.post("/installations", json=near).status_code == 400
        assert client.post("/installations", json=DRAFT).status_code == 202


def test_the_same_key_is_the_same_declaration(loos):
    """Sent twice, or eight times at once, it is kept once; another draft under the same key is a conflict."""
    with client_of(loos) as client:
        headers = {"Idempotency-Key": "form-1"}
        with ThreadPoolExecutor(8) as pool:
            ids = set(pool.map(lambda _: declare(client, **headers), range(8)))
        assert len(ids) == 1
        assert client.post("/installations", json=EXACT, headers=headers).status_code == 409
        assert declare(client, **{"Idempotency-Key": "form-2"}) not in ids
        for bad in ("", "x" * 256, "a b"):
            answer = client.post("/installations", json=DRAFT, headers={"Idempotency-Key": bad})
            assert answer.status_code == 400
            assert answer.json()["errors"][0]["parameter"] == "Idempotency-Key"
    assert loos.scalar("select count(*) from register.declarations") == 2


def test_only_the_life_cycle(loos):
    """A decision is taken once; every act stands in the audit trail with its actor and reason."""
    with client_of(loos) as client:
        approved, rejected = waiting(client, loos), waiting(client, loos)
    gohelle(loos, "register", "approve", approved)
    gohelle(loos, "register", "reject", rejected, "--reason", "doublon")
    for id in (approved, rejected, "00000000-0000-0000-0000-000000000000"):
        for act in ("approve", "reject"):
            with pytest.raises(NotFound if id.startswith("0000") else IllegalDecision):
                decided(loos, id, act)
    with loos.superuser() as connection:
        trail = connection.execute("select act, actor, reason from register.audit order by id").fetchall()
    assert [act for act, _, _ in trail] == ["declare", "confirm", "declare", "confirm", "approve", "reject"]
    assert trail[5][1].startswith("command line, ")
    assert trail[5][2] == "doublon"


def test_two_deciders_at_once(loos):
    """One wins, the other is told: the row is locked until the first has decided."""
    with client_of(loos) as client:
        id = waiting(client, loos)

    def try_to(act):
        try:
            return decided(loos, id, act)
        except IllegalDecision:
            return None

    with ThreadPoolExecutor(2) as pool:
        states = list(pool.map(try_to, ("approve", "reject")))
    assert sorted(map(str, states)) in (["None", "published"], ["None", "rejected"])
    assert loos.scalar("select count(*) from register.audit") == 3


def test_a_500_logs_everything_but_the_row(loos):
    """The log names the statement's fault and the request, not the address."""
    with loos.superuser() as connection:
        connection.execute("alter table register.declarations add constraint never check (technology = 'wind')")
    with client_of(loos) as client, capture_logs() as logs:
        answer = client.post("/installations", json=DRAFT)
    assert answer.status_code == 500
    assert "Hoche" not in answer.text
    (failure,) = [line for line in logs if line["log_level"] == "error"]
    assert failure["request_id"] == answer.json()["request_id"]
    assert isinstance(failure["exc_info"], Broken)
    assert "never" in str(failure["exc_info"])
    assert "Hoche" not in str(failure["exc_info"])


def test_what_is_public_is_written_by_the_register_alone(loos):
    """The public row is a copy: changing the private row moves no version and shows nothing."""
    with client_of(loos) as client:
        decided(loos, waiting(client, loos))
        before = public(client, loos)
        version = loos.scalar("select version from territory.version where collection = 'installations'")
        with loos.superuser() as connection:
            connection.execute("update register.declarations set power_kw = 99, words = 'changed'")
        assert public(client, loos) == before
    assert loos.scalar("select version from territory.version where collection = 'installations'") == version


def test_the_database_refuses_nonsense_whoever_writes(loos):
    """Constraints are the last validator of the register, too."""
    with client_of(loos) as client:
        declare(client)
    for change in (
        "state = 'gone'",
        "power_kw = -1",
        "power_kw = 'NaN'",
        "precision = 'house'",
        "technology = 'nuclear'",
    ):
        with loos.superuser() as connection, pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(f"update register.declarations set {change}")
