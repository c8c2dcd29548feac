"""Whether lines and areas are valid, in words, judged by the library that PostGIS itself asks (GEOS).

The judging is done by a child process: `faults` is light to import and never loads shapely.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from geo.errors import GohelleError

ROOT = Path(__file__).parent.parent.parent

WORDS = {
    "Self-intersection": "has an outline that crosses itself",
    "Ring Self-intersection": "has an outline that touches itself",
    "Hole lies outside shell": "has a hole that lies outside of its outline",
    "Holes are nested": "has a hole inside a hole",
    "Nested shells": "has a part that lies inside another part",
    "Nested holes": "has a hole inside a hole",
    "Interior is disconnected": "has a hole that cuts it in two",
    "Duplicate Rings": "has the same ring twice",
    "Too few points in geometry component": "has a part whose positions are all the same",
}


class Unjudged(GohelleError):
    """The judging process ended without an answer."""


def faults(geometries: Sequence[dict[str, Any]]) -> list[str | None]:
    """What is wrong with each GeoJSON geometry, with the place, or None where PostGIS would take it."""
    if not geometries:
        return []
    done = subprocess.run(
        [sys.executable, "-m", "geo.files.validity"],
        cwd=ROOT,
        input=json.dumps(geometries),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise Unjudged(f"the outlines could not be checked: the process ended with code {done.returncode}")
    return [_said(reason) for reason in json.loads(done.stdout)]


def _said(reason: str | None) -> str | None:
    if reason is None:
        return None
    words, _, place = reason.partition("[")
    at = ", ".join(place.rstrip("]").split())
    return WORDS.get(words.strip(), f"is not valid ({words.strip()})") + (f", near {at}" if at else "")


def _judge(geometries: Sequence[dict[str, Any]]) -> list[str | None]:
    import shapely  # noqa: PLC0415 (the child's alone)

    shapes = [shapely.from_geojson(json.dumps(geometry)) for geometry in geometries]
    reasons = shapely.is_valid_reason(shapes)
    return [None if valid else str(why) for valid, why in zip(shapely.is_valid(shapes), reasons, strict=True)]


if __name__ == "__main__":
    json.dump(_judge(json.load(sys.stdin)), sys.stdout)
