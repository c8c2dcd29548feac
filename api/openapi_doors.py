"""The pages with forms, as the OpenAPI document lists them: programs have JSON beside most of them."""

from collections.abc import Sequence
from typing import Any

from api.openapi_parts import PROBLEM, as_html, media, parameter

Schema = dict[str, Any]

DECLARE = ("technology", "address", "lon", "lat", "place_name", "precision", "email", "owner_agrees", "consent")
OWNER = ("token",)
PAGES: Sequence[tuple[str, str, str, Sequence[str] | None]] = (
    ("/declare", "declareForm", "The form of a declaration", DECLARE),
    ("/declare/sent", "declareSent", "What comes after the form", None),
    ("/declare/confirm", "declareConfirm", "Confirm a declaration from the mail", OWNER),
    ("/mine", "mine", "A declaration, to its owner", OWNER),
    ("/mine/lost", "mineLost", "Ask for a new link", ("email",)),
)
"""Path, operation, summary, and the main fields of its form where it takes one."""

ACTS: Sequence[tuple[str, str, str, Sequence[str]]] = (
    ("/mine/edit", "mineEdit", "The form with what is declared", OWNER),
    ("/mine/correct", "mineCorrect", "Correct a declaration", (*OWNER, *DECLARE[:6])),
    ("/mine/renew", "mineRenew", "It is still right", OWNER),
    ("/mine/withdraw", "mineWithdraw", "Withdraw a declaration at once", OWNER),
    ("/mine/erase", "mineErase", "Erase a declaration", (*OWNER, "sure")),
    ("/mine/export", "mineExport", "Everything that is held about a declaration", OWNER),
)
"""The buttons of those pages."""


def doors() -> Schema:
    """The paths of the register's public pages, and of the photos."""
    return {
        **{path: _page(id, summary, fields) for path, id, summary, fields in PAGES},
        **{path: {"post": _form(id, summary, fields)} for path, id, summary, fields in ACTS},
        "/photos/{photo_id}": {"get": _photo("photo", "A photo of a published entry")},
        "/photos/{photo_id}/small": {"get": _photo("smallPhoto", "The same, small")},
    }


def _page(id: str, summary: str, fields: Sequence[str] | None) -> Schema:
    get = {"operationId": id, "summary": summary, "responses": _answers(summary)}
    return {"get": get, **({"post": _form(f"{id}Post", summary, fields)} if fields else {})}


def _form(id: str, summary: str, fields: Sequence[str]) -> Schema:
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in fields}}
    content = {kind: {"schema": schema} for kind in ("multipart/form-data", "application/x-www-form-urlencoded")}
    return {
        "operationId": id,
        "summary": summary,
        "requestBody": {"content": content},
        "responses": _answers(summary, {**as_html(), **media("application/json")}),
    }


def _photo(id: str, summary: str) -> Schema:
    photo_id = parameter("photo_id", {"type": "string", "format": "uuid"}, where="path")
    content = {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}
    return {"operationId": id, "summary": summary, "parameters": [photo_id], "responses": _answers(summary, content)}


def _answers(summary: str, content: Schema | None = None) -> Schema:
    found = {"description": summary, "content": content or as_html()}
    return {"200": found, "303": {"description": "on to the next page"}, "default": PROBLEM}
