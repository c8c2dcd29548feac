"""What an item is in the words of schema.org, for the JSON-LD in its page: its GeoJSON in, a dictionary out."""

from collections.abc import Iterator, Mapping
from typing import Any

from geo.kinds import Kind

Thing = dict[str, Any]
TYPES = {
    "communes": "AdministrativeArea",
    "figures": "Observation",
    "milestones": "Event",
    "documents": "DigitalDocument",
}
"""Kinds that schema.org has a word for; what else lies somewhere is a Place, and what lies nowhere a CreativeWork."""

DATES = {"figures": "observationDate", "milestones": "startDate", "documents": "datePublished"}
"""The property that says when; the column is the first of the kind's interval."""


def linked(feature: Mapping[str, Any], kind: Kind, *, address: str, collection: str, lang: str) -> Thing:
    """The item as a thing of schema.org. `address` is that of its page, `collection` that of the page of all of them."""
    told = feature["properties"]
    made = {
        "@context": "https://schema.org",
        "@type": TYPES.get(kind.id, "Place" if kind.geometry else "CreativeWork"),
        "@id": address,
        "url": told.get("url") or address,
        "name": told["name"],
        "description": told.get("description"),
        "inLanguage": lang if kind.id == "documents" else None,
        "image": told.get("photo"),
        "value": told.get("value"),
        "unitText": told.get("unit"),
        "publisher": {"@type": "Organization", "name": told["publisher"]} if told.get("publisher") else None,
        DATES.get(kind.id, ""): _day(told, kind.interval[0]),
        "geo": _geo(feature.get("geometry"), told),
        "subjectOf": {
            "@type": "Dataset",
            "url": collection,
            "license": told.get("licence"),
            "creditText": told.get("source"),
            "dateModified": told.get("updated_at"),
        },
    }
    return {name: value for name, value in made.items() if name and value is not None}


def _day(told: Mapping[str, Any], column: str) -> str | None:
    """As much of a date as is known."""
    day, known = told.get(column), told.get(f"{column}_precision")
    return day and day[: {"year": 4, "month": 7}.get(known or "", 10)]


def _geo(geometry: Mapping[str, Any] | None, told: Mapping[str, Any]) -> Thing | None:
    """A point that is exact, a circle around one that is not, or the box of a line or an area. Degrees, metres."""
    if not geometry:
        return None
    if geometry["type"] != "Point":
        lons, lats = zip(*_positions(geometry["coordinates"]), strict=True)
        return {"@type": "GeoShape", "box": f"{min(lats)} {min(lons)} {max(lats)} {max(lons)}"}
    lon, lat = geometry["coordinates"][:2]
    point = {"@type": "GeoCoordinates", "latitude": lat, "longitude": lon}
    radius = told.get("position_accuracy_m")
    return {"@type": "GeoCircle", "geoMidpoint": point, "geoRadius": radius} if radius else point


def _positions(coordinates: Any) -> Iterator[tuple[float, float]]:
    if isinstance(coordinates[0], (int, float)):
        yield coordinates[0], coordinates[1]
    else:
        for part in coordinates:
            yield from _positions(part)
