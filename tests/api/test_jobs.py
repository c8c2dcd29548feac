"""Questions answered later: only for who says who they are, each their own, worked off, called off, forgotten."""

import threading
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from geo.planning import jobs
from geo.register import access, staff
from geo.register.staff import ROLES

LATER = {"Prefer": "respond-async"}
ASKED = {"inputs": {"message": "later"}}
ECHO = "/processes/echo/execution"


def now():
    """The time."""
    return datetime.now(UTC)


def put(client, key, path=ECHO, body=ASKED):
    """Put a question for later."""
    return client.post(path, json=body, headers={**LATER, **key})


@pytest.mark.parametrize("role", ROLES)
def test_a_job_from_its_question_to_its_answer(client, shop, keys, role):
    """201 with its place; accepted, then successful; the answer as it would have come at once."""
    key = keys[role]
    answer = put(client, key)
    assert answer.status_code == 201
    assert answer.headers["preference-applied"] == "respond-async"
    job = answer.json()
    assert (job["status"], job["type"], job["processID"]) == ("accepted", "process", "echo")
    place = answer.headers["location"]
    assert place.endswith(f"/jobs/{job['jobID']}")
    early = client.get(f"{place}/results", headers=key)
    assert (early.status_code, early.json()["type"].rpartition("/")[2]) == (404, "result-not-ready")
    shop.plan(job["jobID"])
    done = client.get(place, headers=key).json()
    assert done["status"] == "successful"
    assert {"created", "started", "finished"} <= done.keys()
    results = next(link["href"] for link in done["links"] if link["rel"].endswith("/results"))
    assert client.get(results, headers=key).json() == {"message": "later"}
    assert [one["jobID"] for one in client.get("/jobs", headers=key).json()["jobs"]] == [job["jobID"]]


def test_the_worker_takes_it_up_by_itself(loos, client, keys):
    """There is a job in the queue, made in the same transaction, of ids alone."""
    job = put(client, keys["planner"]).json()["jobID"]
    assert loos.scalar("select args ->> 'job' from jobs.procrastinate_jobs where task_name = 'plan'") == job


def test_strangers_are_answered_at_once_and_see_no_jobs(client):
    """Their preference is passed over; the list is nobody's."""
    answer = client.post(ECHO, json=ASKED, headers=LATER)
    assert (answer.status_code, answer.json()) == (200, {"message": "later"})
    for path in ("/jobs", f"/jobs/{uuid4()}", f"/jobs/{uuid4()}/results"):
        assert client.get(path).status_code == 401
    assert client.delete(f"/jobs/{uuid4()}").status_code == 401
    assert put(client, {"Authorization": "Bearer gohelle_wrong"}).status_code == 401


def test_each_sees_their_own(client, shop, keys):
    """Another's job is no job, whoever asks; nor is nonsense."""
    job = put(client, keys["planner"]).json()["jobID"]
    shop.plan(job)
    for id in (job, str(uuid4()), "nonsense"):
        for path in (f"/jobs/{id}", f"/jobs/{id}/results"):
            answer = client.get(path, headers=keys["admin"])
            assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (404, "no-such-job")
        assert client.delete(f"/jobs/{id}", headers=keys["admin"]).status_code == 404
    assert client.get("/jobs", headers=keys["admin"]).json()["jobs"] == []
    assert client.get(f"/jobs/{job}/results", headers=keys["planner"]).status_code == 200


def test_a_dismissed_job_is_not_done(loos, client, shop, keys):
    """Whether it waits or is done: its answer is gone, and it is listed no more."""
    key = keys["planner"]
    waiting, done = (put(client, key).json()["jobID"] for _ in range(2))
    shop.plan(done)
    for job in (waiting, done):
        assert client.delete(f"/jobs/{job}", headers=key).json()["status"] == "dismissed"
        assert client.get(f"/jobs/{job}", headers=key).status_code == 404
    shop.plan(waiting)
    assert loos.scalar("select count(*) from register.planning_jobs where answer is not null") == 0


def test_what_runs_is_cancelled_when_it_is_dismissed(loos, client, shop, keys, monkeypatch):
    """The statement ends in the database, long before its time."""
    verb = jobs.question("echo")
    slow = type(verb)(
        **{**_fields(verb), "answer": lambda asked, _: asked.tx.exec_driver_sql("select pg_sleep(60)").one()}
    )
    monkeypatch.setattr(jobs, "question", lambda _: slow)
    job = put(client, keys["planner"]).json()["jobID"]
    working = threading.Thread(target=shop.plan, args=(job,))
    began = time.monotonic()
    working.start()
    while not loos.scalar("select count(*) from pg_stat_activity where query like '%%pg_sleep(60)%%' and pid <> pg_backend_pid() and state = 'active'"):  # fmt: skip
        assert time.monotonic() - began < 20
        time.sleep(0.1)
    client.delete(f"/jobs/{job}", headers=keys["planner"])
    working.join(20)
    assert not working.is_alive()
    assert loos.scalar("select state from register.planning_jobs") == "dismissed"


def _fields(verb):
    return {name: getattr(verb, name) for name in ("id", "title", "description", "inputs", "output")}


def test_a_job_that_fails_says_why(client, shop, keys):
    """What only the data can tell is told by the status."""
    inputs = {"collection": "soft-mobility", "schematic": True, "tolerance": 5.0}
    job = put(client, keys["planner"], "/processes/network/execution", {"inputs": inputs}).json()["jobID"]
    shop.plan(job)
    found = client.get(f"/jobs/{job}", headers=keys["planner"]).json()
    assert found["status"] == "failed"
    assert found["errors"][0]["pointer"] == "/inputs/tolerance"
    assert "2500" in found["message"]


def test_bad_inputs_make_no_job(loos, client, keys):
    """What is wrong by itself is said at once; strange texts are kept as they are."""
    assert put(client, keys["planner"], body={"inputs": {"message": 3}}).status_code == 400
    assert loos.scalar("select count(*) from register.planning_jobs") == 0
    assert put(client, keys["planner"], body={"inputs": {"message": "a\x00b"}}).status_code == 201


def test_so_many_at_once(client, keys):
    """A sixth waits for one of the five."""
    statuses = [put(client, keys["planner"]).status_code for _ in range(jobs.AT_ONCE + 1)]
    assert statuses == [201] * jobs.AT_ONCE + [429]
    assert put(client, keys["admin"]).status_code == 201


def test_jobs_are_forgotten_after_a_week(loos, client, keys):
    """Questions and answers go, and those of who leaves go at once."""
    put(client, keys["planner"])
    with loos.db.write() as tx:
        assert jobs.forget(tx, now=now()) == 0
        assert jobs.forget(tx, now=now() + timedelta(days=8)) == 1


def test_a_foreign_page_cannot_dismiss(loos, client, keys):
    """A browser's session needs the proof that only our pages carry."""
    with loos.db.write() as tx:
        member = staff.find(tx, "planner@loos.example")
        assert member
        secret = access.open_session(tx, member.id, now=now())
    job = put(client, keys["planner"]).json()["jobID"]
    client.cookies.set("gohelle", secret)
    assert client.get(f"/jobs/{job}").status_code == 200
    assert client.delete(f"/jobs/{job}").status_code == 403
    ours = {"X-CSRF-Token": access.proof(secret), "Sec-Fetch-Site": "same-origin"}
    assert client.delete(f"/jobs/{job}", headers=ours).status_code == 200
