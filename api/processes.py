"""Planners' questions as OGC processes: the list, each one's description, and its execution. None is known here by name."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.responses import Response

from api import simple
from api.features import GEOJSON, PLAIN
from api.house import JSON, PAGE, Ask, Asked, Form
from api.links import here, link
from api.territory import BOTH, catalogue_version
from geo.collections import Territory
from geo.columns import say
from geo.db import EXPENSIVE_SECONDS, Snapshot
from geo.errors import BadInput, Problem, TooMuch, TooSlow
from geo.planning import question as planning
from geo.planning.question import Answer, Verb
from geo.planning.questions import QUESTIONS, question

router = APIRouter()

EXECUTE = "http://www.opengis.net/def/rel/ogc/1.0/execute"
UNKEPT = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How an output is wanted."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}
    mediaType: str | None = None  # noqa: N815 (the standard's name)
    encoding: str | None = None
    schema: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One output that is asked for."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}
    format: Format | None = None
    transmissionMode: Literal["value"] = "value"  # noqa: N815 (the standard's name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """An execute request of OGC API - Processes."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}
    inputs: dict[str, Any]
    outputs: dict[str, Wanted] | None = None
    response: Literal["raw", "document"] = "raw"


@router.get("/processes")
def processes(ask: Asked) -> Response:
    """Every question that can be asked."""
    territory = ask.territory()
    document = {"processes": [_summary(ask, verb) for verb in QUESTIONS.values()], "links": here(ask, *BOTH)}
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
def execute_simply(process_id: str, ask: Asked) -> Response:
    """The question by query parameters, where all that it needs fits there."""
    verb = question(process_id)
    with ask.house.db.read_long() as tx:
        territory = ask.house.catalogue.territory(tx)
        inputs = simple.read(verb, ask.settle(territory, _forms(verb)))
        with simple.by_parameter():
            verb.check(inputs, territory)
            # What is asked around may be of any collection, so all of them count.
            versions = dict(territory.versions)
            if (same := ask.unchanged(versions)) is not None:
                return same
            answer = answered(ask, tx, territory, verb, inputs)
    if ask.form is PAGE:
        document = {**_description(ask, verb, territory), "result": json.loads(answer.text)}
        return ask.answer(document, versions=versions, territory=territory, template="process.html")
    links = json.dumps(here(ask, *((form.name, form.media_type) for form in _forms(verb) if form is not PLAIN)))
    return ask.answer(
        f'{answer.text[:-1]},"links":{links}}}', versions=versions, territory=territory, template="process.html"
    )


@router.post("/processes/{process_id}/execution")
def execute(process_id: str, body: Execution, ask: Asked) -> Response:
    """The question as an execute request."""
    verb = question(process_id)
    inputs = read(verb, body)
    with ask.house.db.read_long() as tx:
        territory = ask.house.catalogue.territory(tx)
        ask.settle(territory, (_forms(verb)[0], PLAIN, JSON)).finish()
        verb.check(inputs, territory)
        answer = answered(ask, tx, territory, verb, inputs)
    return result(verb, answer, body)


def result(verb: Verb, answer: Answer, body: Execution) -> Response:
    """The answer as the request wants it: alone, or in a document with a member for each output."""
    if body.response == "document":
        return Response(f'{{"{verb.output.name}":{answer.text}}}', media_type=JSON.media_type, headers=UNKEPT)
    return Response(answer.text, media_type=answer.media_type, headers=UNKEPT)


def read(verb: Verb, body: Execution) -> Any:
    """The inputs, checked by themselves; all that is wrong with them is said at once, by pointer."""
    if (body.outputs or {}).keys() - {verb.output.name}:
        raise BadInput(Problem(pointer="/outputs", message=f"may name {verb.output.name} alone"))
    try:
        return verb.read(body.inputs)
    except ValidationError as error:
        raise RequestValidationError(list(_located(error))) from None


def _located(error: ValidationError) -> Iterator[Mapping[str, Any]]:
    for one in error.errors(include_input=False, include_url=False, include_context=False):
        yield {**one, "loc": ("body", "inputs", *one["loc"])}


def answered(ask: Ask, tx: Snapshot, territory: Territory, verb: Verb, inputs: Any) -> Answer:
    """The answer, in the language of the request."""
    try:
        return verb.answer(planning.Asked(tx=tx, territory=territory, lang=ask.translation), inputs)
    except TooSlow as error:
        raise TooMuch(_TOO_LONG) from error


_TOO_LONG = f"this takes longer than the {EXPENSIVE_SECONDS} s that a question may: ask about a smaller area"


def _forms(verb: Verb) -> tuple[Form, ...]:
    if verb.output.schema.get("contentMediaType") == GEOJSON.media_type:
        return (GEOJSON, PLAIN, PAGE)
    return (JSON, PAGE)


def _summary(ask: Ask, verb: Verb) -> dict[str, Any]:
    return {
        "id": verb.id,
        "title": say(verb.title, ask.lang),
        "description": say(verb.description, ask.lang),
        "version": "1.0.0",
        "jobControlOptions": ["sync-execute"],
        "outputTransmission": ["value"],
        "links": [link(ask, f"/processes/{verb.id}", "self", "application/json")],
    }


def _description(ask: Ask, verb: Verb, territory: Territory) -> dict[str, Any]:
    output = {"title": say(verb.output.title, ask.lang), "schema": verb.output.schema}
    return {
        **_summary(ask, verb),
        "inputs": {name: one.described(territory, ask.lang) for name, one in verb.takes.items()},
        "outputs": {verb.output.name: output},
        "links": [*here(ask, *BOTH), link(ask, f"/processes/{verb.id}/execution", EXECUTE, "application/json")],
    }
