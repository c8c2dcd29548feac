"""Planners' questions as OGC processes: the list, each one's description, and its execution. None is known here by name."""

import json
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api import jobs, reports, simple, taken
from api.execution import Execution, answered, read, reported, result, settled, unhurried
from api.features import GEOJSON, PLAIN
from api.house import JSON, PAGE, Ask, Asked, Form, Now
from api.links import following_page, here, link
from api.query import DEFAULT_LIMIT, limit, one_of
from api.sessions import Called
from api.territory import BOTH, catalogue_version
from geo.collections import Territory
from geo.columns import say
from geo.planning import terms
from geo.planning.question import Verb
from geo.planning.questions import QUESTIONS, question

router = APIRouter()
router.include_router(jobs.router)

EXECUTE = "http://www.opengis.net/def/rel/ogc/1.0/execute"


@router.get("/processes")
def processes(ask: Asked) -> Response:
    """Every question that can be asked."""
    with ask.house.db.read() as tx:
        territory = ask.house.catalogue.territory(tx)
    parameters = ask.settle(territory)
    most = parameters.take("limit", limit, DEFAULT_LIMIT)
    ids = list(QUESTIONS)
    after = parameters.take("cursor", one_of(ids), "")
    parameters.finish()
    first = ids.index(after) + 1 if after else 0
    shown = ids[first : first + most]
    document = {"processes": [_summary(ask, QUESTIONS[id]) for id in shown], "links": here(ask, *BOTH)}
    if first + most < len(ids):
        document["links"].append(
            {"href": following_page(ask, shown[-1], ask.form.name), "rel": "next", "type": ask.form.media_type}
        )
    versions = catalogue_version(territory)
    return ask.unchanged(versions) or ask.answer(
        document, versions=versions, territory=territory, template="processes.html"
    )


@router.get("/processes/{process_id}")
def description(process_id: str, ask: Asked) -> Response:
    """What the question takes, and what it answers."""
    verb = question(process_id)
    territory = ask.territory()
    versions = catalogue_version(territory)
    return ask.unchanged(versions) or ask.answer(
        _description(ask, verb, territory), versions=versions, territory=territory, template="process.html"
    )


@router.get("/processes/{process_id}/execution")
def execute_simply(process_id: str, ask: Asked, now: Now) -> Response:
    """The question by query parameters, where all that it needs fits there."""
    verb = question(process_id)
    with unhurried(ask) as tx:
        territory = ask.house.catalogue.territory(tx)
        inputs = simple.read(verb, ask.settle(territory, _forms(verb)))
        with simple.by_parameter():
            verb.check(inputs, territory)
            # What is asked around may be of any collection, so all of them count.
            versions = dict(territory.versions)
            wants_report = ask.form in reports.forms(verb)
            if not wants_report and (same := ask.unchanged(versions)) is not None:
                return same
            answer = answered(ask, tx, territory, verb, inputs)
            report = reported(ask, tx, territory, verb, inputs, answer) if wants_report else None
            made = taken.prepare(ask, tx, verb, answer)
    if report:
        return reports.sent(ask, territory, verb, report, now=now)
    if made:
        return taken.sent(ask, verb, made)
    if ask.form is PAGE:
        document = {**_description(ask, verb, territory), "result": json.loads(answer.text)}
        return ask.answer(document, versions=versions, territory=territory, template="process.html")
    links = json.dumps(here(ask, *((form.name, form.media_type) for form in _forms(verb) if form is not PLAIN)))
    return ask.answer(
        f'{answer.text[:-1]},"links":{links}}}', versions=versions, territory=territory, template="process.html"
    )


@router.post("/processes/{process_id}/execution")
def execute(process_id: str, body: Execution, ask: Asked, caller: Called, now: Now) -> Response:
    """The question as an execute request: answered at once, or later for who prefers that and says who they are."""
    verb = question(process_id)
    inputs = read(verb, body)
    waited_for = (*reports.forms(verb), *taken.forms(verb))
    forms = (_forms(verb)[0], PLAIN, JSON, *waited_for)
    # Reports and files are made for who waits for them: that an answer later is preferred is passed over.
    if jobs.preferred(ask, caller) and settled(ask, verb, body, forms) not in waited_for:
        return jobs.submit(verb, body, ask, caller, now=now)
    with unhurried(ask) as tx:
        territory = ask.house.catalogue.territory(tx)
        ask.settle(territory, forms).finish()
        ask.form = settled(ask, verb, body, forms)
        verb.check(inputs, territory)
        answer = answered(ask, tx, territory, verb, inputs)
        made = taken.prepare(ask, tx, verb, answer, body)
        wants_report = ask.form in reports.forms(verb)
        report = reported(ask, tx, territory, verb, inputs, answer) if wants_report else None
    if made:
        return taken.sent(ask, verb, made)
    return reports.sent(ask, territory, verb, report, now=now, body=body) if report else result(verb, answer, body)


def _forms(verb: Verb) -> tuple[Form, ...]:
    """What the simple way answers in; where a question has a report, that is its page."""
    if verb.output.schema.get("contentMediaType") == GEOJSON.media_type:
        return (GEOJSON, PLAIN, *(reports.forms(verb) or (PAGE,)), *taken.forms(verb))
    return (JSON, *(reports.forms(verb) or (PAGE,)))


def _summary(ask: Ask, verb: Verb) -> dict[str, Any]:
    return {
        "id": verb.id,
        "title": say(verb.title, ask.lang),
        "description": say(verb.description, ask.lang),
        "version": "1.0.0",
        "jobControlOptions": ["sync-execute", "async-execute", "dismiss"],
        "outputTransmission": ["value"],
        "links": [link(ask, f"/processes/{verb.id}", "self", "application/json")],
    }


def _description(ask: Ask, verb: Verb, territory: Territory) -> dict[str, Any]:
    told = {"x-terms": terms.terms(ask.lang), "x-reasons": terms.reasons(ask.lang)}
    output = {"title": say(verb.output.title, ask.lang), "schema": {**reports.schema(verb), **told}}
    return {
        **_summary(ask, verb),
        "inputs": {name: one.described(territory, ask.lang) for name, one in verb.takes.items()},
        "outputs": {verb.output.name: output},
        "links": [*here(ask, *BOTH), link(ask, f"/processes/{verb.id}/execution", EXECUTE, "application/json")],
    }
