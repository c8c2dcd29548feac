"""OGC API - Processes - Part 1: Core, 1.0: the abstract tests of each class that is declared, by their names, as requests.

Each test says by `holds` which abstract tests it stands for; the last one that none is missing. What a class asks of
inputs and outputs of kinds that no question has is listed as such, and that none has them is tested, too.
"""

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

import pytest
from openapi_spec_validator import validate

from geo.planning.questions import QUESTIONS
from tests.api.test_jobs import ASKED, ECHO, LATER

CONF = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/"
EXCEPTIONS = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
RELATIONS = "http://www.opengis.net/def/rel/ogc/1.0/"
PLACE = {"type": "Point", "coordinates": [2.7885, 50.4432]}
NEARBY = {"collections": ["gardens", "solar"], "distance": 2000, "geometry": PLACE}

ABSTRACT = {
    "core": """
        landingpage-op landingpage-success api-definition-op api-definition-success conformance-op conformance-success http
        process-list process-list-success pl-limit-definition pl-limit-response pl-links
        process-description process-description-success process-exception-no-such-process
        job-creation-op job-creation-auto-execution-mode job-creation-default-execution-mode job-creation-request
        job-creation-inputs job-creation-input-inline job-creation-input-ref job-creation-input-validation
        job-creation-input-array job-creation-input-inline-object job-creation-input-inline-mixed
        job-creation-input-inline-binary job-creation-input-inline-bbox job-creation-default-outputs
        job-creation-sync-raw-value-one job-creation-sync-raw-value-multi job-creation-sync-raw-ref
        job-creation-sync-raw-mixed-multi job-creation-sync-document job-creation-success-async
        job-op job-success job-exception-no-such-job
        job-results job-results-sync job-results-async-raw-value-one job-results-async-raw-value-multi
        job-results-async-raw-ref job-results-async-raw-mixed-multi job-results-async-document
        job-results-exception-no-such-job job-results-exception-results-not-ready job-results-failed""",
    "ogc-process-description": "json-encoding inputs-def input-def input-mixed-type outputs-def output-def output-mixed-type",
    "json": "definition content",
    "oas30": "oas-definition-1 oas-definition-2 oas-impl completeness exceptions-codes security",
    "job-list": """
        job-list-op job-list-success type-definition type-response processID-definition processID-response
        status-definition status-response datetime-definition datetime-response duration-definition duration-response
        limit-definition limit-response links""",
    "dismiss": "job-dismiss-op job-dismiss-success",
}  # fmt: skip
held: set[tuple[str, str]] = set()
T = TypeVar("T", bound=Callable[..., Any])


def holds(conformance_class: str, *names: str) -> Callable[[T], T]:
    """The decorated test stands for these abstract tests."""
    held.update((conformance_class, name) for name in names)
    return lambda test: test


def run(client, id, inputs, headers=None, **more):
    """Execute a process."""
    return client.post(f"/processes/{id}/execution", json={"inputs": inputs, **more}, headers=headers)


def problem(answer, status, type=None):
    """The answer is a problem of this status, and of the standard's type where it names one."""
    told = answer.json()
    assert (answer.status_code, answer.headers["content-type"], told["status"]) == (status, "application/problem+json", status)  # fmt: skip
    assert type is None or told["type"] == EXCEPTIONS + type
    return told


def info(told):
    """A statusInfo of the standard."""
    assert {"jobID", "status", "type", "processID", "created", "links"} <= told.keys()
    assert told["type"] == "process"
    assert told["status"] in ("accepted", "running", "successful", "failed", "dismissed")
    return told


def put(client, key, id="echo", inputs=ASKED["inputs"], **more):
    """A job's address."""
    made = run(client, id, inputs, {**LATER, **key}, **more)
    assert made.status_code == 201, made.text
    return made.headers["location"]


@holds("core", "landingpage-op", "landingpage-success", "conformance-op", "conformance-success", "http")
@holds("core", "api-definition-op", "api-definition-success")
@holds("oas30", "oas-definition-1", "oas-definition-2", "oas-impl", "completeness", "exceptions-codes", "security")
def test_the_way_in(looker):
    """The landing page leads to definition, conformance and processes; the definition is valid and tells all of it."""
    landing = looker.get("/", headers={"Accept": "application/json"})
    links = {link["rel"]: link for link in landing.json()["links"]}
    assert {"service-desc", "service-doc", RELATIONS + "conformance", RELATIONS + "processes"} <= links.keys()
    declared = looker.get(links[RELATIONS + "conformance"]["href"]).json()["conformsTo"]
    assert {one.removeprefix(CONF) for one in declared if one.startswith(CONF)} == ABSTRACT.keys()
    assert looker.get("/nothing").status_code == 404
    assert looker.put("/processes").status_code == 405
    described = looker.get(links["service-desc"]["href"])
    assert described.headers["content-type"].startswith("application/vnd.oai.openapi+json;version=3.0")
    document = described.json()
    validate(document)
    for path in ("/processes", "/processes/{processId}", "/processes/{processId}/execution", "/jobs", "/jobs/{jobId}", "/jobs/{jobId}/results"):  # fmt: skip
        for operation in document["paths"][path].values():
            assert {"200", "default"} <= operation["responses"].keys()
            assert "application/problem+json" in json.dumps(operation["responses"]) or "$ref" in json.dumps(operation["responses"])  # fmt: skip
            assert ("security" in operation) == path.startswith("/jobs")
    assert {"key", "session"} <= document["components"]["securitySchemes"].keys()


@holds("core", "process-list", "process-list-success", "pl-limit-definition", "pl-limit-response", "pl-links")
def test_the_list_and_its_pages(looker):
    """All summaries; by `limit` no more than that, and `next` leads through the rest."""
    whole = looker.get("/processes").json()
    assert [one["id"] for one in whole["processes"]] == list(QUESTIONS)
    assert all({"id", "version", "jobControlOptions", "links"} <= one.keys() for one in whole["processes"])
    assert {"self", "alternate"} <= {link["rel"] for link in whole["links"]}
    found, address = [], "/processes?limit=3"
    while address:
        page = looker.get(address).json()
        assert 1 <= len(page["processes"]) <= 3
        found += [one["id"] for one in page["processes"]]
        address = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    assert found == list(QUESTIONS)
    assert len(looker.get("/processes?limit=99999").json()["processes"]) == len(QUESTIONS)
    for wrong in ("limit=0", "limit=x", "cursor=nothing"):
        problem(looker.get(f"/processes?{wrong}"), 400)
    parameters = looker.get("/api?f=json").json()["paths"]["/processes"]["get"]["parameters"]
    assert next(one["schema"]["minimum"] for one in parameters if one.get("name") == "limit") == 1


@holds("core", "process-description", "process-description-success", "process-exception-no-such-process")
@holds("ogc-process-description", "json-encoding", "inputs-def", "input-def", "input-mixed-type")
@holds("ogc-process-description", "outputs-def", "output-def", "output-mixed-type")
@holds("json", "definition", "content")
def test_descriptions(looker):
    """Inputs and outputs are described by valid JSON Schema; more than one form of an output by `oneOf`; as JSON."""
    for one in looker.get("/processes").json()["processes"]:
        answer = looker.get(next(link["href"] for link in one["links"] if link["rel"] == "self"))
        assert answer.headers["content-type"] == "application/json"
        told = answer.json()
        assert {"self", RELATIONS + "execute"} <= {link["rel"] for link in told["links"]}
        for described in (*told["inputs"].values(), *told["outputs"].values()):
            assert described["title"]
            for schema in described["schema"].get("oneOf", [described["schema"]]):
                assert schema["type"] in ("object", "string", "number", "integer", "boolean")
        assert all(described["minOccurs"] in (0, 1) for described in told["inputs"].values())
    for path in ("/processes/nothing", "/processes/nothing/execution"):
        problem(looker.get(path), 404, "no-such-process")
    problem(run(looker, "nothing", {}), 404, "no-such-process")


@holds(
    "core", "job-creation-input-inline-binary", "job-creation-input-inline-bbox", "job-creation-sync-raw-value-multi"
)
@holds("core", "job-creation-sync-raw-ref", "job-creation-sync-raw-mixed-multi", "job-results-async-raw-value-multi")
@holds("core", "job-results-async-raw-ref", "job-results-async-raw-mixed-multi")
def test_what_no_question_has(looker):
    """No input is binary or a box of its own; each question has one output, and hands it over by value: asked otherwise, it refuses."""
    for id in QUESTIONS:
        told = looker.get(f"/processes/{id}").json()
        assert "contentEncoding" not in json.dumps(told["inputs"])
        assert "ogc-bbox" not in json.dumps(told["inputs"])
        assert (len(told["outputs"]), told["outputTransmission"]) == (1, ["value"])
    told = problem(run(looker, "echo", {"message": "x"}, outputs={"echo": {"transmissionMode": "reference"}}), 400)
    assert told["errors"][0]["pointer"] == "/outputs/echo/transmissionMode"


@holds("core", "job-creation-op", "job-creation-request", "job-creation-auto-execution-mode")
@holds("core", "job-creation-default-execution-mode", "job-creation-default-outputs")
@holds("core", "job-creation-sync-raw-value-one", "job-creation-sync-document")
def test_asked_and_answered_at_once(looker):
    """Without a preference, and for strangers with any; raw as the output itself, in a document under its name."""
    for headers in (None, {"Prefer": "respond-sync"}, LATER):
        answer = run(looker, "nearby", NEARBY, headers)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/geo+json")
    assert run(looker, "nearby", NEARBY, outputs={"features": {}}).json() == answer.json()
    whole = run(looker, "nearby", NEARBY, response="document")
    assert (whole.headers["content-type"], whole.json()) == ("application/json", {"features": answer.json()})


@holds("core", "job-creation-inputs", "job-creation-input-inline", "job-creation-input-ref", "job-creation-input-array")
@holds("core", "job-creation-input-inline-object", "job-creation-input-inline-mixed", "job-creation-input-validation")
def test_inputs(looker):
    """Inline and by reference, alone and in an array, bare and qualified; all against their schema."""
    told = run(looker, "nearby", NEARBY).json()
    held = json.dumps(PLACE)
    for geometry in (
        {"value": PLACE, "mediaType": "application/geo+json"},
        {"href": f"data:application/geo+json,{quote(held)}"},
        {"href": f"data:application/geo+json;base64,{b64encode(held.encode()).decode()}", "type": "application/geo+json"},
    ):  # fmt: skip
        assert run(looker, "nearby", {**NEARBY, "geometry": geometry}).json() == told
    assert run(looker, "nearby", {**NEARBY, "collections": "solar"}).status_code == 200
    one = {"near": "gardens", "distance": 5000, "points": PLACE}
    many = {**one, "points": {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": PLACE}]}}  # fmt: skip
    assert run(looker, "coverage", one).json()["coverage"] == run(looker, "coverage", many).json()["coverage"]
    for wrong in (
        {"href": "http://169.254.169.254/x"}, {"href": "file:///etc/passwd"}, {"href": "data:,"}, {"href": 3},
        {"href": "data:;base64,%%%"}, {"href": "data:application/json," + "[" * 100_000}, {"href": "DATA:," + quote("{}")},
    ):  # fmt: skip
        refused = problem(run(looker, "nearby", {**NEARBY, "geometry": wrong}), 400)
        assert refused["errors"][0]["pointer"].startswith("/inputs/geometry")
    for name, value in (("distance", "far"), ("distance", -1), ("collections", []), ("collections", ["nothing"]), ("more", 1)):  # fmt: skip
        refused = problem(run(looker, "nearby", {**NEARBY, name: value}), 400)
        assert refused["errors"][0]["pointer"].startswith(f"/inputs/{name}")


@holds("core", "job-creation-success-async", "job-op", "job-success", "job-exception-no-such-job")
@holds("core", "job-results", "job-results-sync", "job-results-async-raw-value-one", "job-results-async-document")
@holds("core", "job-results-exception-no-such-job", "job-results-exception-results-not-ready", "job-results-failed")
@holds("dismiss", "job-dismiss-op", "job-dismiss-success")
def test_a_job_from_its_making_to_its_end(client, shop, keys):
    """201 with its place, its status, its results as they would have come at once, its problem if it failed, its dismissal."""
    key = keys["planner"]
    raw, whole = put(client, key), put(client, key, response="document")
    inputs = {"collection": "soft-mobility", "schematic": True, "tolerance": 5.0}
    failing = put(client, key, "network", inputs)
    assert info(client.get(raw, headers=key).json())["status"] == "accepted"
    problem(client.get(f"{raw}/results", headers=key), 404, "result-not-ready")
    for place in (raw, whole, failing):
        shop.plan(place.rpartition("/")[2])
    told = info(client.get(raw, headers=key).json())
    assert {"started", "finished"} <= told.keys()
    assert RELATIONS + "results" in {link["rel"] for link in told["links"]}
    for place, body in ((raw, {}), (whole, {"response": "document"})):
        later = client.get(f"{place}/results", headers=key)
        assert later.status_code == 200
        assert later.json() == client.post(ECHO, json={**ASKED, **body}).json()
    at_once = problem(run(client, "network", inputs), 400)
    later = problem(client.get(f"{failing}/results", headers=key), 400)
    assert later["errors"] == at_once["errors"]
    for path in ("/jobs/00000000-0000-0000-0000-000000000000", "/jobs/nothing"):
        for answer in (client.get(path, headers=key), client.get(f"{path}/results", headers=key), client.delete(path, headers=key)):  # fmt: skip
            problem(answer, 404, "no-such-job")
    assert info(client.delete(raw, headers=key).json())["status"] == "dismissed"
    problem(client.get(raw, headers=key), 404, "no-such-job")


@pytest.fixture
def jobs(client, shop, keys):
    """Four jobs, the latest first: two that succeeded, one that failed, one that waits."""
    key = keys["planner"]
    failing = {"collection": "soft-mobility", "schematic": True, "tolerance": 5.0}
    places = [put(client, key), put(client, key, "nearby", NEARBY), put(client, key, "network", failing)]
    for place in places:
        shop.plan(place.rpartition("/")[2])
    places.append(put(client, key))
    return [place.rpartition("/")[2] for place in reversed(places)]


@holds("job-list", "job-list-op", "job-list-success", "type-definition", "type-response", "processID-definition")
@holds(
    "job-list", "processID-response", "status-definition", "status-response", "datetime-definition", "datetime-response"
)
@holds("job-list", "duration-definition", "duration-response", "limit-definition", "limit-response", "links")
def test_the_list_of_jobs(client, keys, jobs):
    """Each parameter narrows it as it says; `next` leads through all, each once; what is wrong is named."""
    waiting, failed, nearby, echo = jobs
    key = keys["planner"]

    def listed(**asked):
        answer = client.get("/jobs", params=asked, headers=key)
        assert answer.status_code == 200, answer.text
        return [info(one)["jobID"] for one in answer.json()["jobs"]]

    assert listed() == listed(type="process") == jobs
    assert listed(processID="echo") == [waiting, echo]
    assert listed(processID="nearby,network") == [failed, nearby]
    assert listed(status="successful") == [nearby, echo]
    assert listed(status="failed,accepted", processID="network") == [failed]
    made = {one["jobID"]: datetime.fromisoformat(one["created"]) for one in client.get("/jobs", headers=key).json()["jobs"]}  # fmt: skip
    since = made[failed].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert listed(datetime=f"{since}/..") == [waiting, failed]
    assert listed(datetime=f"../{since}") == [failed, nearby, echo]
    assert listed(datetime=since) == [failed]
    today = datetime.now(UTC).date()
    assert listed(datetime=f"{today - timedelta(1)}/{today}") == jobs
    assert listed(datetime="2001-01-01") == []
    assert listed(minDuration=0) == [failed, nearby, echo]
    assert listed(minDuration=3600) == []
    assert listed(minDuration=0, maxDuration=3600, status="failed") == [failed]
    found, address = [], "/jobs?limit=3&type=process"
    while address:
        page = client.get(address, headers=key).json()
        assert 1 <= len(page["jobs"]) <= 3
        found += [one["jobID"] for one in page["jobs"]]
        address = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    assert found == jobs
    for name, value in {"type": "batch", "processID": "nothing", "status": "lost", "datetime": "soon", "minDuration": "x", "maxDuration": "", "limit": "0", "cursor": "x", "zzz": "1"}.items():  # fmt: skip
        refused = problem(client.get("/jobs", params={name: value}, headers=key), 400)
        assert refused["errors"][0]["parameter"] == name
    told = {one["name"] for one in client.get("/api?f=json").json()["paths"]["/jobs"]["get"]["parameters"]}
    assert {"type", "processID", "status", "datetime", "minDuration", "maxDuration", "limit"} <= told


def test_no_abstract_test_is_missing():
    """What the classes ask is what the tests above hold: no more, no less."""
    assert held == {(one, name) for one, names in ABSTRACT.items() for name in names.split()}
