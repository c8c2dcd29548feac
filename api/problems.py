"""Errors as RFC 9457 problems: one table gives each word of the domain its HTTP status. A 500 says nothing."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.body_limit import MAX_BODY_SIZE_SCOPE_KEY
from starlette.requests import Request
from starlette.responses import Response

from api.pages import PAGE_CSP
from geo import errors
from geo.errors import Problem
from geo.planning.jobs import NoSuchJob, NotReady
from geo.planning.questions import NoSuchProcess

STATUS: dict[type[errors.GohelleError], int] = {
    errors.NotFound: 404,
    errors.Gone: 410,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.BadQuery: 400,
    errors.BadInput: 400,
    errors.IllegalDecision: 409,
    errors.Conflict: 409,
    errors.Stale: 409,
    errors.TooMuch: 413,
    errors.TooOften: 429,
    errors.TooSlow: 503,
    errors.Unavailable: 503,
}
RETRY_SECONDS = 2
MEDIA_TYPE = "application/problem+json"

log = structlog.get_logger()


class NotAcceptable(errors.GohelleError):
    """No representation that the client accepts."""


STATUS[NotAcceptable] = 406

OGC = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0"
TYPES: dict[type[errors.GohelleError], str] = {
    NoSuchProcess: f"{OGC}/no-such-process",
    NoSuchJob: f"{OGC}/no-such-job",
    NotReady: f"{OGC}/result-not-ready",
}
"""The problems that a standard names; all others say all in their title."""


def document(
    status: int,
    detail: str,
    problems: Sequence[Problem] = (),
    request_id: str | None = None,
    type: str = "about:blank",
) -> dict[str, Any]:
    """The problem as RFC 9457 writes it; `errors` lists what is wrong with the input and where."""
    problem: dict[str, Any] = {
        "type": type,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if problems:
        problem["errors"] = [
            {name: value for name in ("parameter", "pointer", "message") if (value := getattr(one, name)) is not None}
            for one in problems
        ]
    if request_id:
        problem["request_id"] = request_id
    return problem


def response(
    request: Request,
    status: int,
    detail: str,
    problems: Sequence[Problem] = (),
    *,
    type: str = "about:blank",
    page: Callable[[Request, dict[str, Any]], str | None] | None = None,
) -> Response:
    """The problem as the client wants it: a page for a browser, JSON for everybody else.

    `page` makes the page where the request has not reached the application, which knows how.
    """
    problem = document(status, detail, problems, getattr(request.state, "request_id", None), type)
    headers = {"Cache-Control": "no-store", "Vary": "Accept, Accept-Language"}
    if status == 503:
        headers["Retry-After"] = str(RETRY_SECONDS)
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="gohelle"'
    written = (page or _page)(request, problem)
    if written is not None:
        headers["Content-Security-Policy"] = PAGE_CSP
        return Response(written, status, headers, "text/html; charset=utf-8")
    return Response(json.dumps(problem, ensure_ascii=False).encode(errors="replace"), status, headers, MEDIA_TYPE)


def again(request: Request, kept: Mapping[str, Any]) -> Response:
    """A problem that was met before, when nobody waited: by the word of the domain, its detail and its errors."""
    status = next((status for kind, status in STATUS.items() if kind.__name__ == kept.get("kind")), 400)
    return response(request, status, kept["detail"], [Problem(**one) for one in kept["errors"]])


def install(app: FastAPI) -> None:
    """Answer every exception of the application with a problem."""
    app.add_exception_handler(errors.GohelleError, _of_the_domain)
    app.add_exception_handler(RequestValidationError, _of_the_body)
    app.add_exception_handler(HTTPException, _of_the_framework)
    app.add_exception_handler(Exception, _of_ours)


def _of_the_domain(request: Request, error: Exception) -> Response:
    status = next(status for kind, status in STATUS.items() if isinstance(error, kind))
    if status == 503:
        cause = str(error.__cause__ or "").partition("\n")[0]
        log.warning("unavailable", reason=str(error), cause=cause, request_id=request.state.request_id)
    if isinstance(error, errors.Problematic):
        return response(request, status, "the request cannot be understood as it stands", error.problems)
    named = next((name for kind, name in TYPES.items() if isinstance(error, kind)), "about:blank")
    answer = response(request, status, str(error), type=named)
    if isinstance(error, errors.TooOften):
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def _of_the_body(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 (for the type checker)
    found = error.errors()
    if any(tuple(one["loc"]) == ("body",) for one in found) and not _is_json(request):
        return response(request, 415, "the body must be sent as application/json")
    return response(request, 400, UNKEPT, tuple(_problems(found)))


def _is_json(request: Request) -> bool:
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return sent == "application/json" or sent.endswith("+json")


UNKEPT = "the body cannot be kept as it stands"

SAID = {
    "json_invalid": "is not valid JSON",
    "missing": "is missing",
    "extra_forbidden": "is not a known member",
    "unexpected_keyword_argument": "is not a known member",
    "dataclass_type": "must be a JSON object",
    "dict_type": "must be a JSON object",
}
"""Our words for what Pydantic says in the terms of Python."""


def _problems(found: Iterable[Any]) -> Iterable[Problem]:
    """Pydantic's findings without the input that they echo, each once."""
    seen = set()
    for one in found:
        where = [] if one["type"] == "json_invalid" else [str(part) for part in one["loc"] if part != "body"]
        pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in where)
        said = one["msg"].removeprefix("Value error, ").replace("Input should", "must")
        message = SAID.get(str(one["type"])) or said[0].lower() + said[1:]
        if (pointer, message) not in seen:
            seen.add((pointer, message))
            yield Problem(pointer=pointer, message=message)


def _of_the_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 (for the type checker)
    if error.status_code == 400:
        # What cannot be parsed at all; the framework's own words for it may be those of Python.
        message = "is not valid JSON" if _is_json(request) else "is not a form that can be read"
        return response(request, 400, UNKEPT, (Problem(pointer="", message=message),))
    bound = request.scope.get(MAX_BODY_SIZE_SCOPE_KEY)
    details = {413: too_large(bound)} if bound is not None else {}
    details |= {404: "there is nothing at this address", 405: "this address does not answer that method"}
    answer = response(request, error.status_code, details.get(error.status_code, str(error.detail)))
    answer.headers.update(error.headers or {})
    return answer


def _of_ours(request: Request, error: Exception) -> Response:
    log.error("failed", exc_info=error, request_id=getattr(request.state, "request_id", None))
    return response(request, 500, "something went wrong on our side; the request id helps to find out what")


def too_large(bound: int) -> str:
    """What is said of a body that has more bytes than it may."""
    return f"a body may have at most {bound} bytes"


def _page(request: Request, problem: dict[str, Any]) -> str | None:
    house = getattr(request.app.state, "house", None)
    return house.error_page(request, problem) if house else None
