"""Whether lines and areas are valid, in words, judged by the library that PostGIS itself asks (GEOS).

Light to import: shapely is loaded by the first question, which only the command line asks.
"""

import json
from collections.abc import Sequence
from typing import Any

WORDS = {
    "Self-intersection": "has an outline that crosses itself",
    "Ring Self-intersection": "has an outline that touches itself",
    "Hole lies outside shell": "has a hole that lies outside of its outline",
    "Holes are nested": "has a hole inside a hole",
    "Nested holes": "has a hole inside a hole",
    "Nested shells": "has a part that lies inside another part",
    "Interior is disconnected": "has a hole that cuts it in two",
    "Duplicate Rings": "has the same ring twice",
    "Too few points in geometry component": "has a part whose positions are all the same",
}


def faults(geometries: Sequence[dict[str, Any]]) -> list[str | None]:
    """What is wrong with each GeoJSON geometry, with the place, or None where PostGIS would take it."""
    if not geometries:
        return []
    import shapely  # noqa: PLC0415 (it costs 20 MB and a third of a second)

    shapes = [shapely.from_geojson(json.dumps(geometry)) for geometry in geometries]
    reasons = shapely.is_valid_reason(shapes)
    return [None if valid else _said(str(why)) for valid, why in zip(shapely.is_valid(shapes), reasons, strict=True)]


def _said(reason: str) -> str:
    words, _, place = reason.partition("[")
    at = ", ".join(place.rstrip("]").split())
    return WORDS.get(words.strip(), f"is not valid ({words.strip()})") + (f", near {at}" if at else "")
