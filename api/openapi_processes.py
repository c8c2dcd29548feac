"""The planners' questions as the OpenAPI document lists them: one path each, made from its description."""

from typing import Any

from api import reports, simple, taken
from api.downloads import FILES
from api.openapi_parts import GEOMETRY, PROBLEM, as_html, as_json, lowered, media, parameter
from api.query import DEFAULT_LIMIT, MAXIMUM_LIMIT
from geo.collections import Territory
from geo.columns import say
from geo.files import uploads
from geo.planning.jobs import STATES
from geo.planning.question import GEOJSON, Input, Verb
from geo.planning.questions import QUESTIONS

Schema = dict[str, Any]
LANG = {"$ref": "#/components/parameters/lang"}
PAPER = {reports.PDF.media_type: {"schema": {"type": "string", "format": "binary"}}}


def paths(territory: Territory, lang: str) -> Schema:
    """The list, and every question with its execution."""
    named = parameter("processId", {"type": "string", "enum": list(QUESTIONS)}, where="path")
    anything = media("application/json", "Execution")
    made: Schema = {
        "/processes": {"get": _get("processes", "Planners' questions", as_json(), _listing())},
        "/processes/{processId}": {"get": _get("process", "What a question takes and answers", as_json(), [named])},
        "/processes/{processId}/execution": {
            "post": {
                **_post("execute", "Ask a question", anything, media("application/json")),
                "parameters": [named, LANG],
            }
        },
    }
    for verb in QUESTIONS.values():
        made[f"/processes/{verb.id}"] = {"get": _get(f"{verb.id}_process", say(verb.title, lang), as_json(), [])}
        made[f"/processes/{verb.id}/execution"] = _executions(verb, territory, lang)
    return made | _jobs() | {"/uploads": {"post": _upload()}}


def _upload() -> Schema:
    file = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    made = _post(
        "upload",
        f"A drawing of at most {uploads.LARGEST} bytes as GeoJSON that questions take",
        file,
        media(GEOJSON, "FeatureCollection"),
    )
    repair = parameter("repair", {"type": "string", "enum": ["true", "false"], "default": "false"})
    return {**made, "parameters": [repair]}


def _listing() -> list[Schema]:
    count = {"type": "integer", "minimum": 1, "maximum": MAXIMUM_LIMIT, "default": DEFAULT_LIMIT}
    return [parameter("limit", count), parameter("cursor", {"type": "string"}, text="from a `next` link")]


def _narrowing() -> list[Schema]:
    """What the list of jobs is narrowed by."""
    lists = {"type": ["process"], "processID": list(QUESTIONS), "status": list(STATES)}
    some = [
        {**parameter(name, {"type": "array", "items": {"type": "string", "enum": ids}}), "style": "form", "explode": False}
        for name, ids in lists.items()
    ]  # fmt: skip
    seconds = [parameter(name, {"type": "number"}, text="seconds") for name in ("minDuration", "maxDuration")]
    return [*some, parameter("datetime", {"type": "string"}, text="a moment or an interval of two"), *seconds]


def _jobs() -> Schema:
    job_id = parameter("jobId", {"type": "string", "format": "uuid"}, where="path")
    operations = (
        ("/jobs", "get", "jobs", "One's own jobs", [*_narrowing(), *_listing()]),
        ("/jobs/{jobId}", "get", "job", "How far a job is", [job_id]),
        ("/jobs/{jobId}", "delete", "dismiss", "Call a job off", [job_id]),
        ("/jobs/{jobId}/results", "get", "results", "What came out", [job_id]),
    )
    made: Schema = {}
    for path, method, id, summary, parameters in operations:
        found = {"description": summary, "content": media("application/json")}
        answers = {"200": found, **dict.fromkeys(("400", "401", "404", "503"), PROBLEM), "default": PROBLEM}
        made.setdefault(path, {})[method] = {
            "operationId": id,
            "summary": summary,
            "parameters": parameters,
            "responses": answers,
            "security": [{"key": []}, {"session": []}],
        }
    return made


def _executions(verb: Verb, territory: Territory, lang: str) -> Schema:
    inputs = {name: _input(one, territory, lang) for name, one in verb.takes.items()}
    required = [name for name, one in verb.takes.items() if one.required]
    asked = {
        "type": "object",
        "required": ["inputs"],
        "additionalProperties": False,
        "properties": {
            "inputs": {"type": "object", "additionalProperties": False, "properties": inputs, **({"required": required} if required else {})},
            "response": {"type": "string", "enum": ["raw", "document"], "default": "raw"},
        },
    }  # fmt: skip
    content = {"application/json": {"schema": asked}}
    title, found = say(verb.title, lang), _content(verb)
    told = {**as_html(), **PAPER} if verb.report else {}
    post = _post(f"{verb.id}_execute", title, content, {**found, **media("application/json"), **told})
    made: Schema = {"post": {**post, "parameters": [LANG, _form(found, [form.name for form in reports.forms(verb)])]}}
    if all(one.drawn is None or not one.required for one in verb.takes.values()):
        made["get"] = _get(f"{verb.id}_ask", title, {**found, **as_html(), **told}, _parameters(verb, inputs))
    return made


def _content(verb: Verb) -> Schema:
    if verb.output.schema.get("contentMediaType") == GEOJSON:
        files = {form.media_type: {"schema": {"type": "string", "format": "binary"}} for form in taken.forms(verb)}
        return {**media(GEOJSON, "FeatureCollection"), **files}
    return media("application/json")


def _input(one: Input, territory: Territory, lang: str) -> Schema:
    title = {"title": say(one.titled.title, lang)}
    if one.drawn:
        shape = GEOMETRY if one.drawn.format == simple.PLACE else {"type": "object"}
        return {**{name: value for name, value in shape.items() if name != "nullable"}, **title}
    schema = lowered(one.schema(territory))
    if not one.many:
        return {**schema, **title}
    bounds = one.adapter.json_schema()
    return {"type": "array", "items": schema, **{name: bounds[name] for name in ("minItems", "maxItems") if name in bounds}, **title}  # fmt: skip


def _parameters(verb: Verb, inputs: Schema) -> list[Schema]:
    made = []
    for name, one in verb.takes.items():
        schema = {key: value for key, value in inputs[name].items() if key != "title"}
        if one.drawn:
            continue
        if one.many:
            made.append({**parameter(name, schema, required=one.required), "style": "form", "explode": False})
        elif schema.get("type") == "object":
            pattern = {"type": "string", "pattern": "^[a-z0-9-]+/[0-9]{1,12}$"}
            made.append(parameter(name, pattern, text="collection/id"))
        else:
            made.append(parameter(name, schema, required=one.required, text=inputs[name]["title"]))
    if simple.placed(verb):
        made.append(parameter("lon", {"type": "number", "minimum": -180, "maximum": 180}))
        made.append(parameter("lat", {"type": "number", "minimum": -85, "maximum": 85}))
    return made


def _form(content: Schema, more: list[str]) -> Schema:
    files = [form.name for form in FILES if form.media_type in content]
    names = [*(["geojson"] if GEOJSON in content else []), "json", *more, *files]
    return parameter("f", {"type": "string", "enum": names})


def _get(id: str, summary: str, content: Schema, parameters: list[Schema]) -> Schema:
    form = _form(content, ["html", "pdf"] if PAPER.keys() <= content.keys() else ["html"])
    return {
        "operationId": id,
        "summary": summary,
        "parameters": [*parameters, form, LANG],
        "responses": {
            "200": {"description": summary, "content": content},
            "304": {"description": "unchanged"},
            **dict.fromkeys(("400", "404", "406", "413", "503"), PROBLEM),
            "default": PROBLEM,
        },
    }


def _post(id: str, summary: str, body: Schema, content: Schema) -> Schema:
    return {
        "operationId": id,
        "summary": summary,
        "parameters": [LANG],
        "requestBody": {"required": True, "content": body},
        "responses": {
            "200": {"description": summary, "content": content},
            **dict.fromkeys(("400", "404", "406", "413", "503"), PROBLEM),
            "default": PROBLEM,
        },
    }
