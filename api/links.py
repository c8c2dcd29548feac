"""Links, as RFC 8288 and OGC write them. Every address is made from the public one."""

from typing import Any
from urllib.parse import urlencode

from api.house import Ask

ATOM_TYPE = "application/atom+xml"
GEOJSON_TYPE = "application/geo+json"
OPENAPI_TYPE = "application/vnd.oai.openapi+json;version=3.0"
"""Exactly so: QGIS refuses a server whose service-desc is typed otherwise."""
SCHEMA_TYPE = "application/schema+json"


def link(ask: Ask, path: str, rel: str, media_type: str, title: str = "", **query: Any) -> dict[str, Any]:
    """A link within this service."""
    href = ask.house.url(path) + (f"?{urlencode(query)}" if query else "")
    made = {"href": href, "rel": rel, "type": media_type}
    return made | ({"title": title} if title else {})


def following_page(ask: Ask, cursor: str, form: str) -> str:
    """The same question's next page, in that form."""
    kept = [(name, value) for name, value in ask.request.query_params.multi_items() if name not in ("cursor", "f")]
    return f"{ask.house.url(ask.path)}?{urlencode([*kept, ('f', form), ('cursor', cursor)])}"


def here(ask: Ask, *forms: tuple[str, str]) -> list[dict[str, Any]]:
    """`self` for the form that was asked for, `alternate` for the others; each a (value of f, media type)."""
    kept = [(name, value) for name, value in ask.request.query_params.multi_items() if name != "f"]
    links = []
    for name, media_type in forms:
        rel = "self" if name == ask.form.name else "alternate"
        href = f"{ask.house.url(ask.path)}?{urlencode([*kept, ('f', name)])}"
        links.append({"href": href, "rel": rel, "type": media_type, "hreflang": ask.lang})
    return sorted(links, key=lambda one: one["rel"] != "self")
