"""Questions that are answered later, for staff and their programs: put, listed, looked at, called off. Each sees their own."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from api.execution import UNKEPT, Execution, result
from api.house import Ask, Asked, Now
from api.links import link
from api.sessions import Called, Caller
from geo.planning import jobs
from geo.planning.jobs import Job, NoSuchJob
from geo.planning.question import Verb
from geo.planning.questions import question

router = APIRouter()

ACT = "plan"
RESULTS = "http://www.opengis.net/def/rel/ogc/1.0/results"


def preferred(ask: Ask, caller: Caller) -> bool:
    """Whether somebody who says who they are prefers an answer later; of strangers the preference is passed over."""
    wishes = ask.request.headers.get("prefer", "").lower().replace(";", ",").split(",")
    return "respond-async" in (one.strip() for one in wishes) and bool(caller.key or caller.cookie)


def submit(verb: Verb, body: Execution, ask: Ask, caller: Caller, *, now: datetime) -> Response:
    """Keep the question, and tell where its answer will be."""
    request = {"inputs": body.inputs, "response": body.response}
    with ask.house.db.write() as tx:
        member = caller.member(tx, ACT, now=now)
        ask.settle(ask.house.catalogue.territory(tx)).finish()
        job = jobs.submit(tx, verb.id, request, staff=member.id, language=ask.translation, now=now)
    headers = {"Location": ask.house.url(f"/jobs/{job.id}"), "Preference-Applied": "respond-async"}
    return _written(_status(ask, job), 201, headers)


@router.get("/jobs")
def listed(ask: Asked, caller: Called, now: Now) -> Response:
    """One's own jobs, the latest first."""
    with ask.house.db.write() as tx:
        member = caller.member(tx, ACT, now=now)
        found = jobs.listed(tx, staff=member.id)
    here = link(ask, "/jobs", "self", "application/json")
    return _written({"jobs": [_status(ask, job) for job in found], "links": [here]})


@router.get("/jobs/{job_id}")
def status(job_id: str, ask: Asked, caller: Called, now: Now) -> Response:
    """How far a job is, and why it failed if it did."""
    with ask.house.db.write() as tx:
        member = caller.member(tx, ACT, now=now)
        found = jobs.job(tx, _id(job_id), staff=member.id)
    return _written(_status(ask, found))


@router.delete("/jobs/{job_id}")
def dismiss(job_id: str, ask: Asked, caller: Called, now: Now) -> Response:
    """Call a job off, or throw its results away."""
    with ask.house.db.write() as tx:
        member = caller.member(tx, ACT, now=now)
        found = jobs.dismiss(tx, _id(job_id), staff=member.id, now=now)
    return _written(_status(ask, found))


@router.get("/jobs/{job_id}/results")
def results(job_id: str, ask: Asked, caller: Called, now: Now) -> Response:
    """What came out, in the form that the request asked for."""
    with ask.house.db.write() as tx:
        member = caller.member(tx, ACT, now=now)
        job = jobs.job(tx, _id(job_id), staff=member.id)
        answer = jobs.answer(tx, job.id, staff=member.id)
    request = Execution(inputs={}, response=job.request.get("response", "raw"))
    return result(question(job.process), answer, request)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NoSuchJob("there is no such job") from error


def _status(ask: Ask, job: Job) -> dict[str, Any]:
    """The job as the standard's statusInfo."""
    times = {"created": job.created_at, "started": job.started_at, "finished": job.finished_at}
    links = [link(ask, f"/jobs/{job.id}", "self", "application/json")]
    if job.state == "successful":
        links.append(link(ask, f"/jobs/{job.id}/results", RESULTS, "application/json"))
    return {
        "jobID": str(job.id),
        "type": "process",
        "processID": job.process,
        "status": job.state,
        **({"message": job.problem["detail"], "errors": job.problem["errors"]} if job.problem else {}),
        **{name: at.isoformat() for name, at in times.items() if at is not None},
        "links": links,
    }


def _written(document: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    body = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    return Response(body, status, {**UNKEPT, **(headers or {})}, "application/json")
