"""The JSON Schema of a declaration, made from its fields: one shape a technology, as OpenAPI 3.0 writes it."""

from collections.abc import Mapping
from typing import Any

from geo.columns import say
from geo.energy import TECHNOLOGIES
from geo.register.declared import COMMON, FACTS, Field, asked
from geo.space import HIGHEST_LATITUDE

TYPES: Mapping[str, str] = {"text": "string", "choice": "string", "number": "number", "integer": "integer", "boolean": "boolean"}  # fmt: skip
REQUIRED = ("technology", "location", "email", "owner_agrees", "consent")
TRUE = ("owner_agrees", "consent")
POINT: Mapping[str, Any] = {
    "type": "object",
    "required": ["type", "coordinates"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "enum": ["Point"]},
        "coordinates": {
            "type": "array",
            "minItems": 2,
            "maxItems": 2,
            "items": {"type": "number"},
            "description": f"Longitude -180..180, latitude within {HIGHEST_LATITUDE} degrees, in the territory",
        },
    },
}


def schema(lang: str) -> dict[str, Any]:
    """What may be declared, by technology; labels in `lang`."""
    return {"oneOf": [_shape(technology, lang) for technology in FACTS]}


def _shape(technology: str, lang: str) -> dict[str, Any]:
    members = {name: _member(one, lang) for name, one in asked(technology).items()}
    members["technology"] = {**members["technology"], "enum": [technology]}
    return {
        "type": "object",
        "title": say(TECHNOLOGIES[technology], lang),
        "required": list(REQUIRED),
        "additionalProperties": False,
        "properties": {"location": POINT, **members},
    }


def _member(one: Field, lang: str) -> dict[str, Any]:
    column = one.column
    unit = f" ({column.unit})" if column.unit else ""
    found: dict[str, Any] = {"type": TYPES[column.type], "description": say(column.label, lang) + unit}
    if column.choices:
        found["enum"] = list(column.choices)
    if column.type == "text":
        found["maxLength"] = one.longest
    if column.minimum is not None:
        found["minimum"] = column.minimum
    if column.maximum is not None:
        found["maximum"] = column.maximum
    if one.name == "email":
        found["format"] = "email"
    if one.name in TRUE:
        found["enum"] = [True]
    elif one.default is not None:
        found["default"] = one.default
    elif one.name in COMMON and not column.required and one.name != "email":
        found["nullable"] = True
    return found
