"""What the OpenAPI document says of the town hall's rooms: its entrance, its queue, its decisions, and anybody's reports."""

from collections.abc import Sequence

from api.moderation import DEFAULT_LINES, MOST_LINES
from api.openapi_parts import PROBLEM, Schema, as_html, json_alone, media, parameter
from geo.register.moderation import DECISIONS
from geo.register.worklist import VIEWS

SECURITY: Schema = {
    "key": {"type": "http", "scheme": "bearer", "description": "made by `gohelle staff key`"},
    "session": {"type": "apiKey", "in": "cookie", "name": "gohelle", "description": "opened by a mailed link"},
}
"""The ways in. Over HTTPS the cookie's name is `__Host-gohelle`."""

STAFF = [{"key": []}, {"session": []}]
NUMBER = parameter("id", {"type": "string", "format": "uuid"}, where="path")
VIEW = parameter("state", {"type": "string", "enum": list(VIEWS)})
CURSOR = {"$ref": "#/components/parameters/cursor"}
LANG = {"$ref": "#/components/parameters/lang"}
ENTRY = parameter("entry", {"type": "string", "format": "uuid"}, text="the key in an entry's `source_key`")
LINES = parameter(
    "limit", {"type": "integer", "minimum": 1, "maximum": MOST_LINES, "default": DEFAULT_LINES}, text="lines"
)


def paths() -> Schema:
    """Every path, pages and programs."""
    act = parameter("act", {"type": "string", "enum": list(DECISIONS)}, where="path")
    which = parameter("which", {"type": "string", "enum": ["current", "waiting"]}, where="path")
    picture = {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}
    return {
        "/townhall": {"get": _page("townhall", "The queue, for people", [VIEW, CURSOR], staff=True)},
        "/townhall/login": {
            "get": _page("townhallLogin", "Where staff ask for a link"),
            "post": _form("townhallInvite", "Ask for a link by mail", "email"),
        },
        "/townhall/session": {"post": _form("townhallEnter", "Open a session with a mailed key", "code")},
        "/townhall/logout": {"post": _form("townhallLeave", "End the session", "proof", staff=True)},
        "/townhall/{id}": {
            "get": _page("townhallEntry", "A declaration, for people", [NUMBER, VIEW], staff=True),
            "post": _form("townhallDecide", "Take a decision", "proof", "act", "reason", "seen", before=[NUMBER], staff=True),
        },
        "/townhall/{id}/photos/{which}": {
            "get": _json("townhallPhoto", "A declaration's photo", [NUMBER, which], content=picture)
        },
        "/register/declarations": {"get": _json("queue", "What waits, oldest first", [VIEW, LINES, CURSOR])},
        "/register/declarations/{id}": {"get": _json("declaration", "A declaration in full", [NUMBER])},
        "/register/declarations/{id}/{act}": {"post": _json("decide", "Take a decision", [NUMBER, act], body="Decided")},
        "/register/tally": {"get": _json("tally", "How many wait, for administrators", [])},
        "/flag": {
            "get": _page("flagForm", "Where anybody reports a public entry", [ENTRY]),
            "post": _form("flag", "Report a public entry", "entry", "reason", "words", "email"),
        },
        "/flag/confirm": {
            "get": _page("flagConfirmation", "Where the mail about a report leads"),
            "post": _form("flagConfirm", "Confirm a report with a mailed key", "code"),
        },
    }  # fmt: skip


def _page(id: str, summary: str, parameters: Sequence[Schema] = (), *, staff: bool = False) -> Schema:
    return {**_operation(id, summary, [*parameters, LANG], as_html()), **_secured(staff)}


def _form(id: str, summary: str, *fields: str, before: Sequence[Schema] = (), staff: bool = False) -> Schema:
    shape = {"type": "object", "properties": {name: {"type": "string"} for name in fields}}
    content = {"application/x-www-form-urlencoded": {"schema": shape}}
    operation = _operation(id, summary, [*before, LANG], as_html())
    return {**operation, "requestBody": {"content": content}, **_secured(staff)}


def _json(
    id: str, summary: str, parameters: Sequence[Schema], *, body: str = "", content: Schema | None = None
) -> Schema:
    operation = {**_operation(id, summary, parameters, content or json_alone()), **_secured(True)}
    if body:
        operation["requestBody"] = {"required": True, "content": media("application/json", body)}
    return operation


def _operation(id: str, summary: str, parameters: Sequence[Schema], content: Schema) -> Schema:
    return {
        "operationId": id,
        "summary": summary,
        "tags": ["town hall"],
        "parameters": list(parameters),
        "responses": {
            "200": {"description": summary, "content": content},
            "303": {"description": "on to another page"},
            **dict.fromkeys(("400", "401", "403", "404", "409", "429", "503"), PROBLEM),
            "default": PROBLEM,
        },
    }


def _secured(staff: bool) -> Schema:
    return {"security": STAFF} if staff else {}
