"""What feed readers, search engines and editors ask for, as the OpenAPI document lists it."""

from typing import Any

from api.openapi_parts import PROBLEM, parameter
from geo.collections import Territory
from geo.columns import say

Schema = dict[str, Any]


def paths(territory: Territory, lang: str) -> Schema:
    """Feeds, sitemaps and robots.txt; the embedded map and oEmbed."""
    return {
        "/robots.txt": _get("robots", "Where visiting programs need not go", "text/plain", "txt"),
        "/sitemap.xml": _get("sitemapIndex", "The list of sitemaps", "application/xml", "xml"),
        "/sitemaps/pages": _get("sitemapPages", "The pages that are no items", "application/xml", "xml"),
        "/sitemaps/{collectionId}/{slice}": _get(
            "sitemapItems",
            "The pages of a slice of a collection's items",
            "application/xml",
            "xml",
            parameter("collectionId", {"type": "string", "enum": list(territory.collections)}, where="path"),
            parameter("slice", {"type": "string", "pattern": "^[0-9]{1,12}$"}, where="path"),
        ),
        "/embed": _get(
            "embed",
            "The map as a frame for other pages",
            "text/html",
            "html",
            parameter("collections", {"type": "string"}, text="ids, with commas"),
        ),
        "/embed.js": _get("embedScript", "The element that makes the frame", "text/javascript", "js"),
        "/plan": _get("plan", "The planners' page", "text/html", "html"),
        "/embed/build": _get("embedBuild", "The lines that put the map into a page", "text/html", "html"),
        "/oembed": _get(
            "oembed",
            "oEmbed 1.0",
            "application/json",
            "json",
            parameter("url", {"type": "string"}, required=True),
            parameter("format", {"type": "string", "enum": ["json"]}),
            *(
                parameter(name, {"type": "integer", "minimum": 200, "maximum": 999_999})
                for name in ("maxwidth", "maxheight")
            ),
        ),
        **{
            f"/collections/{one.id}/{feed}": _get(
                f"{one.id.replace('-', '_')}_{feed}", f"{say(one.title, lang)}: {said}", "application/atom+xml", "atom"
            )
            for one in territory.collections.values()
            for feed, said in (("new", "what was published last"), ("changes", "what changed last"))
        },
    }


def _get(id: str, summary: str, media_type: str, form: str, *parameters: Schema) -> Schema:
    forms = parameter("f", {"type": "string", "enum": [form]})
    missing = {"404": PROBLEM} if parameters else {}
    return {
        "get": {
            "operationId": id,
            "summary": summary,
            "parameters": [*parameters, forms, {"$ref": "#/components/parameters/lang"}],
            "responses": {
                "200": {
                    "description": summary,
                    "content": {media_type: {"schema": {"type": "object" if form == "json" else "string"}}},
                },
                "304": {"description": "unchanged"},
                **missing,
                "400": PROBLEM,
                "406": PROBLEM,
                "503": PROBLEM,
                "default": PROBLEM,
            },
        }
    }
