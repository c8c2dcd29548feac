"""An execute request of OGC API - Processes: how it is read, answered, and its answer handed over."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.responses import Response

from api.house import JSON, Ask, Form
from geo.collections import Territory
from geo.db import EXPENSIVE_SECONDS, Snapshot
from geo.errors import BadInput, Problem, TooMuch, TooSlow
from geo.planning import question as planning
from geo.planning.question import Answer, Verb
from geo.planning.report import Report

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


def settled(ask: Ask, verb: Verb, body: Execution, forms: Sequence[Form]) -> Form:
    """The form of the output: what the execute request names, else what the address or the headers ask for."""
    wanted = (body.outputs or {}).get(verb.output.name)
    media_type = wanted.format.mediaType if wanted and wanted.format else None
    if media_type is None:
        return ask.wants(forms)
    found = next((form for form in forms if form.media_type == media_type.lower()), None)
    if found is None:
        offered = ", ".join(sorted({form.media_type for form in forms}))
        pointer = f"/outputs/{verb.output.name}/format/mediaType"
        raise BadInput(Problem(pointer=pointer, message=f"must be one of: {offered}"))
    return found


def answered(ask: Ask, tx: Snapshot, territory: Territory, verb: Verb, inputs: Any) -> Answer:
    """The answer, in the language of the request."""
    return verb.answer(_asked(ask, tx, territory), inputs)


def reported(ask: Ask, tx: Snapshot, territory: Territory, verb: Verb, inputs: Any, answer: Answer) -> Report:
    """The report of a question that has one, from its answer and in the same snapshot."""
    assert verb.report  # noqa: S101 (asked for only where it is there)
    return verb.report(_asked(ask, tx, territory), inputs, json.loads(answer.text))


def _asked(ask: Ask, tx: Snapshot, territory: Territory) -> planning.Asked:
    return planning.Asked(tx=tx, territory=territory, lang=ask.translation)


@contextmanager
def unhurried(ask: Ask) -> Iterator[Snapshot]:
    """The snapshot that a question is asked in. What takes longer than one may asks for too much: TooMuch says so."""
    try:
        # Around the transaction, for it is its end that tells what PostgreSQL cancelled.
        with ask.house.db.read_long() as tx:
            yield tx
    except TooSlow as error:
        raise TooMuch(_TOO_LONG) from error


_TOO_LONG = f"this takes longer than the {EXPENSIVE_SECONDS} s that a question may: ask about a smaller area"
