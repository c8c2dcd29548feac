"""Questions that are answered later, for staff and their programs: put, listed, looked at, called off. Each sees their own."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from api import problems
from api.execution import UNKEPT, Execution, result
from api.house import Ask, Asked, Now
from api.links import link
from api.query import DEFAULT_LIMIT, Misread, Parameters, limit, moments, number, one_of, several
from api.sessions import Called, Caller
from geo.planning import jobs
from geo.planning.jobs import Job, NoSuchJob
from geo.planning.question import Verb
from geo.planning.questions import QUESTIONS, question

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
    parameters = Parameters(ask.request.query_params.multi_items())
    wanted = _narrowed(parameters)
    with ask.house.db.write() as tx:
        member = caller.member(tx, ACT, now=now)
        parameters.finish()
        found, more = jobs.listed(tx, wanted, staff=member.id, now=now)
    kept = {name: value for name, value in ask.request.query_params.items() if name != "cursor"}
    links = [link(ask, "/jobs", "self", "application/json", **ask.request.query_params)]
    if more:
        links.append(link(ask, "/jobs", "next", "application/json", **kept, cursor=found[-1].id))
    return _written({"jobs": [_status(ask, job) for job in found], "links": links})


def _narrowed(parameters: Parameters) -> jobs.Narrowed:
    parameters.take("f", one_of(["json"]), "json")
    parameters.take("type", several(["process"]), None)
    first, last = parameters.take("datetime", moments, (None, None))
    return jobs.Narrowed(
        limit=parameters.take("limit", limit, DEFAULT_LIMIT),
        processes=parameters.take("processID", several(list(QUESTIONS)), None),
        states=parameters.take("status", several(jobs.STATES), None),
        first=first,
        last=last,
        at_least=parameters.take("minDuration", number, None),
        at_most=parameters.take("maxDuration", number, None),
        after=parameters.take("cursor", _cursor, None),
    )


def _cursor(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Misread("must be taken from a link of this list") from None


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
    """What came out, in the form that the request asked for; of a job that failed, the problem that it met."""
    with ask.house.db.write() as tx:
        member = caller.member(tx, ACT, now=now)
        job = jobs.job(tx, _id(job_id), staff=member.id)
        if job.problem:
            return problems.again(ask.request, job.problem)
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
