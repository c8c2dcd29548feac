"""Planners' questions as OGC processes: the list, each one's description, and its execution."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from fastapi import APIRouter
from starlette.responses import Response

from api.features import FORMS, GEOJSON, PLAIN
from api.house import PAGE, Ask, Asked
from api.links import GEOJSON_TYPE, here, link
from api.query import Misread, Parameters, limit, number
from api.territory import BOTH, catalogue_version
from geo.collections import Collection, Territory, Versions
from geo.columns import say, words
from geo.errors import BadInput, BadQuery, NotFound, Problem
from geo.planning import nearby as planning
from geo.planning.nearby import ItemReference, Question
from geo.space import checked_geometry

router = APIRouter()

TITLE = words("À proximité", "Nearby", "In der Nähe")
DESCRIPTION = words(
    "Les objets de collections choisies à moins d’une distance donnée d’un lieu, du plus proche au plus lointain. "
    "Les distances sont mesurées en mètres sur l’ellipsoïde.",
    "The features of chosen collections within a distance of a place, nearest first. Distances are metres on the ellipsoid.",
    "Die Objekte ausgewählter Sammlungen im Umkreis eines Ortes, das nächste zuerst. Entfernungen in Metern auf dem Ellipsoid.",
)
RESULT = "http://www.opengis.net/def/rel/ogc/1.0/execute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """An execute request of OGC API - Processes."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}
    inputs: Question
    outputs: dict[str, Any] | None = None
    response: Literal["raw", "document"] = "raw"


@router.get("/processes")
def processes(ask: Asked) -> Response:
    """Every question that can be asked."""
    territory = ask.territory()
    document = {"processes": [_summary(ask)], "links": here(ask, *BOTH)}
    versions = catalogue_version(territory)
    return ask.unchanged(versions) or ask.answer(
        document, versions=versions, territory=territory, template="processes.html"
    )


@router.get("/processes/nearby")
def description(ask: Asked) -> Response:
    """What the question takes, and what it answers."""
    territory = ask.territory()
    versions = catalogue_version(territory)
    return ask.unchanged(versions) or ask.answer(
        _description(ask, territory), versions=versions, territory=territory, template="process.html"
    )


@router.get("/processes/nearby/execution")
def ask_nearby(ask: Asked) -> Response:
    """The simple case by query parameters: around a point, or around an item."""
    with ask.house.db.read_long() as tx:
        territory = ask.house.catalogue.territory(tx)
        parameters = ask.settle(territory, FORMS)
        inputs = _from_query(parameters)
        collections = _collections(territory, inputs.collections, parameter="collections")
        versions = _versions(territory, collections)
        if (same := ask.unchanged(versions)) is not None:
            return same
        place = _place(tx, territory, inputs)
        found = planning.nearby(
            tx, place, collections, distance_m=inputs.distance, limit=inputs.limit, lang=ask.translation
        )
    text = _feature_collection(found, inputs, place, [*here(ask, ("geojson", GEOJSON_TYPE), ("html", "text/html"))])
    document = {**_description(ask, territory), "result": json.loads(text)} if ask.form is PAGE else text
    return ask.answer(document, versions=versions, territory=territory, template="process.html")


@router.post("/processes/nearby/execution")
def execute_nearby(body: Execution, ask: Asked) -> Response:
    """The question as an execute request, around a GeoJSON geometry or an item."""
    with ask.house.db.read_long() as tx:
        territory = ask.house.catalogue.territory(tx)
        ask.settle(territory, (GEOJSON, PLAIN)).finish()
        collections = _collections(territory, body.inputs.collections, pointer="/inputs/collections")
        place = _place(tx, territory, body.inputs)
        found = planning.nearby(
            tx, place, collections, distance_m=body.inputs.distance, limit=body.inputs.limit, lang=ask.translation
        )
    text = _feature_collection(found, body.inputs, place, [])
    if body.response == "document":
        return Response(f'{{"features":{text}}}', media_type="application/json", headers={"Cache-Control": "no-store"})
    return Response(text, media_type=GEOJSON_TYPE, headers={"Cache-Control": "no-store"})


def _from_query(parameters: Parameters) -> Question:
    collections = parameters.take("collections", _list, [])
    distance = parameters.take("distance", _distance, None)
    lon = parameters.take("lon", _degrees(180), None)
    lat = parameters.take("lat", _degrees(85), None)
    feature = parameters.take("feature", _reference, None)
    many = parameters.take("limit", limit, planning.DEFAULT_FEATURES)
    parameters.finish()
    missing = [
        Problem(parameter=name, message="is missing")
        for name, value in (("collections", collections), ("distance", distance))
        if not value
    ]
    if feature is None:
        missing += [
            Problem(parameter=name, message="is missing, and there is no feature either")
            for name, value in (("lon", lon), ("lat", lat))
            if value is None
        ]
    if missing or distance is None:
        raise BadQuery(*missing)
    geometry = None if feature else {"type": "Point", "coordinates": [lon, lat]}
    return Question(
        collections=collections,
        distance=distance,
        geometry=geometry,
        feature=feature,
        limit=min(many, planning.MAXIMUM_FEATURES),
    )


def _list(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names) or len(names) > 50:
        raise Misread("must be collection ids separated by commas, 50 at most")
    return names


def _distance(text: str) -> float:
    metres = number(text)
    if not 0 < metres <= planning.MAXIMUM_DISTANCE_M:
        raise Misread(f"must be metres, above 0 and at most {planning.MAXIMUM_DISTANCE_M}")
    return metres


def _degrees(highest: int) -> Any:
    def read(text: str) -> float:
        degrees = number(text)
        if abs(degrees) > highest:
            raise Misread(f"must be degrees from -{highest} to {highest}")
        return degrees

    return read


def _reference(text: str) -> ItemReference:
    collection, _, id = text.partition("/")
    if not collection or not id.isascii() or not id.isdigit() or len(id) > 18:
        raise Misread("must be a collection and an item id, as in places/12")
    return ItemReference(collection=collection, id=int(id))


def _collections(territory: Territory, ids: Sequence[str], **where: str) -> list[Collection]:
    """The collections named, once each; a Problem for each that cannot be asked."""
    found, problems = {}, []
    for id in ids:
        one = territory.collections.get(id)
        if one is None:
            problems.append(Problem(message="names a collection that does not exist", **where))
        elif one.kind.geometry is None:
            problems.append(Problem(message=f"names {one.id}, which has no geometry", **where))
        else:
            found[id] = one
    if problems:
        raise BadQuery(*problems)
    return list(found.values())


def _place(tx: Any, territory: Territory, inputs: Question) -> dict[str, Any]:
    if (inputs.geometry is None) == (inputs.feature is None):
        raise BadInput(Problem(pointer="/inputs", message="must have either a geometry or a feature"))
    if inputs.geometry is not None:
        return checked_geometry(inputs.geometry, "/inputs/geometry")
    assert inputs.feature is not None  # noqa: S101 (for the type checker)
    try:
        return planning.place_of(tx, territory.collection(inputs.feature.collection), inputs.feature.id)
    except NotFound as error:
        raise BadInput(Problem(pointer="/inputs/feature", message=str(error))) from error


def _versions(territory: Territory, collections: Sequence[Collection]) -> Versions:
    """An item asked around may be of any collection, so all of them count."""
    return dict(territory.versions) if collections else {}


def _feature_collection(found: planning.Nearby, inputs: Question, place: Any, links: list[dict[str, Any]]) -> str:
    about = {
        "distance_m": inputs.distance,
        "place": place,
        "collections": inputs.collections,
        "more": found.more,
        "schematic": found.schematic,
    }
    return (
        f'{{"type":"FeatureCollection","numberReturned":{found.returned},"nearby":{json.dumps(about)},'
        f'"links":{json.dumps(links)},"features":[{found.features}]}}'
    )


def _summary(ask: Ask) -> dict[str, Any]:
    return {
        "id": "nearby",
        "title": say(TITLE, ask.lang),
        "description": say(DESCRIPTION, ask.lang),
        "version": "1.0.0",
        "jobControlOptions": ["sync-execute"],
        "outputTransmission": ["value"],
        "links": [link(ask, "/processes/nearby", "self", "application/json")],
    }


def _description(ask: Ask, territory: Territory) -> dict[str, Any]:
    geometric = [one.id for one in territory.collections.values() if one.kind.geometry]
    inputs = {
        "collections": {
            "title": say(words("Collections", "Collections", "Sammlungen"), ask.lang),
            "minOccurs": 1,
            "maxOccurs": 50,
            "schema": {"type": "string", "enum": geometric},
        },
        "distance": {
            "title": say(words("Distance en mètres", "Distance in metres", "Entfernung in Metern"), ask.lang),
            "schema": {
                "type": "number",
                "minimum": 0,
                "exclusiveMinimum": True,
                "maximum": planning.MAXIMUM_DISTANCE_M,
            },
        },
        "geometry": {
            "title": say(words("Lieu, en GeoJSON", "Place, as GeoJSON", "Ort, als GeoJSON"), ask.lang),
            "minOccurs": 0,
            "schema": {"type": "object", "format": "geojson-geometry"},
        },
        "feature": {
            "title": say(words("ou un objet", "or an item", "oder ein Objekt"), ask.lang),
            "minOccurs": 0,
            "schema": {
                "type": "object",
                "required": ["collection", "id"],
                "properties": {"collection": {"type": "string"}, "id": {"type": "integer"}},
            },
        },
        "limit": {
            "title": say(words("Nombre maximal", "At most", "Höchstens"), ask.lang),
            "minOccurs": 0,
            "schema": {
                "type": "integer",
                "minimum": 1,
                "maximum": planning.MAXIMUM_FEATURES,
                "default": planning.DEFAULT_FEATURES,
            },
        },
    }
    outputs = {
        "features": {
            "title": say(TITLE, ask.lang),
            "schema": {"type": "object", "format": "geojson-feature-collection"},
        }
    }
    links = [*here(ask, *BOTH), link(ask, "/processes/nearby/execution", RESULT, "application/json")]
    return {**_summary(ask), "inputs": inputs, "outputs": outputs, "links": links}
