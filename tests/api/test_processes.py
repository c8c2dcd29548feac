"""OGC API - Processes Part 1, requirement class by requirement class, as requests."""

import pytest

from geo.planning.questions import QUESTIONS

PLACE = {"type": "Point", "coordinates": [2.7885, 50.4432]}
NEARBY = {"collections": ["gardens", "solar"], "distance": 2000, "geometry": PLACE}
CORE = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf"


def run(client, id, inputs, **more):
    """Execute a process."""
    return client.post(f"/processes/{id}/execution", json={"inputs": inputs, **more})


def test_conformance(looker):
    """The classes that are kept are declared."""
    declared = looker.get("/conformance").json()["conformsTo"]
    assert {f"{CORE}/{name}" for name in ("core", "json", "ogc-process-description")} <= set(declared)


def test_the_list_has_every_question(looker):
    """Each with what its summary must say, and a link to its description."""
    document = looker.get("/processes").json()
    assert [one["id"] for one in document["processes"]] == list(QUESTIONS)
    for one in document["processes"]:
        assert {
            "id",
            "version",
            "title",
            "description",
            "jobControlOptions",
            "outputTransmission",
            "links",
        } <= one.keys()
        assert (
            looker.get(next(link["href"] for link in one["links"] if link["rel"] == "self")).json()["id"] == one["id"]
        )


@pytest.mark.parametrize("lang", ["fr", "en", "de"])
@pytest.mark.parametrize("id", QUESTIONS)
def test_every_question_describes_itself(looker, id, lang):
    """Inputs and outputs with a title in the language asked for and a schema; the execution's address."""
    document = looker.get(f"/processes/{id}", params={"lang": lang}).json()
    assert document["inputs"].keys() == QUESTIONS[id].takes.keys()
    for one in (*document["inputs"].values(), *document["outputs"].values()):
        assert one["title"]
        assert one["schema"].get("type") or one["schema"]["oneOf"]
    rels = {link["rel"]: link["href"] for link in document["links"]}
    assert rels["http://www.opengis.net/def/rel/ogc/1.0/execute"].endswith(f"/processes/{id}/execution")


@pytest.mark.parametrize("id", QUESTIONS)
def test_every_question_has_a_page(looker, id):
    """For people, in the same place."""
    answer = looker.get(f"/processes/{id}", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/processes/nothing", "/processes/nothing/execution"])
def test_no_such_process(looker, path):
    """404 with the standard's own type."""
    for answer in (looker.get(path), looker.post("/processes/nothing/execution", json={"inputs": {}})):
        assert answer.status_code == 404
        assert answer.json()["type"].endswith("/ogcapi-processes-1/1.0/no-such-process")


def test_raw_and_document(looker):
    """One output alone, or a document with a member for it."""
    raw = run(looker, "echo", {"message": "é"})
    assert raw.json() == {"message": "é"}
    assert run(looker, "echo", {"message": "é"}, response="document").json() == {"echo": {"message": "é"}}
    found = run(looker, "nearby", NEARBY)
    assert found.headers["content-type"] == "application/geo+json"
    assert run(looker, "nearby", NEARBY, response="document").json()["features"] == found.json()


def test_inputs_may_stand_in_a_qualified_value(looker):
    """As the standard has objects travel; a single value needs no array."""
    qualified = {**NEARBY, "geometry": {"value": PLACE, "mediaType": "application/geo+json"}, "collections": "solar"}
    assert run(looker, "nearby", qualified).json()["features"]
    referred = run(looker, "nearby", {**NEARBY, "geometry": {"href": "http://169.254.169.254/"}})
    assert referred.status_code == 400
    assert referred.json()["errors"][0]["pointer"] == "/inputs/geometry"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"inputs": {"message": "x"}, "outputs": {"nothing": {}}}, "/outputs"),
        (
            {"inputs": {"message": "x"}, "outputs": {"echo": {"transmissionMode": "reference"}}},
            "/outputs/echo/transmissionMode",
        ),
        ({"inputs": {"message": "x"}, "response": "both"}, "/response"),
        ({"inputs": {"message": "x", "zzz": 1}}, "/inputs/zzz"),
        ({"inputs": {}}, "/inputs/message"),
        ({"inputs": {"message": 3, "number": "x"}}, "/inputs/message"),
        ({"inputs": {"message": "x" * 10_001}}, "/inputs/message"),
        ({"inputs": {"message": "x", "number": 1e999}}, "/inputs/number"),
    ],
)
def test_a_bad_request_is_named(looker, body, pointer):
    """400, by pointer, and nothing of the input comes back."""
    import json

    answer = looker.post(
        "/processes/echo/execution", content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400, answer.text
    assert pointer in {error["pointer"] for error in answer.json()["errors"]}


def test_the_same_question_by_address(looker):
    """By parameters the answer is the same, has a tag, and links around it."""
    query = {"collections": "gardens,solar", "distance": 2000, "lon": 2.7885, "lat": 50.4432}
    asked = looker.get("/processes/nearby/execution", params=query)
    found = asked.json()
    assert found.pop("links")
    assert found == run(looker, "nearby", NEARBY).json()
    same = looker.get("/processes/nearby/execution", params=query, headers={"If-None-Match": asked.headers["etag"]})
    assert same.status_code == 304


def test_an_answer_says_what_it_rests_on(looker):
    """Every collection asked, how many of it count, by position quality, and how exact they are."""
    answer = run(looker, "nearby", NEARBY).json()
    grounds = {one["collection"]: one for one in answer["nearby"]["grounds"]}
    assert grounds.keys() == {"gardens", "solar"}
    assert sum(one["counted"] for one in grounds.values()) == answer["numberReturned"]
    assert all(sum(one["by_position"].values()) == one["counted"] for one in grounds.values())
