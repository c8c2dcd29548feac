"""How answers are written: a GeoJSON FeatureCollection, around it what it rests on. Features come as finished texts."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from geo.planning.question import Answer


def features(id: str, texts: str | Sequence[str], *, about: Mapping[str, Any], returned: int | None = None) -> Answer:
    """The answer to question `id`; `about`, under the question's own name, says what is known beside the features."""
    count = len(texts) if returned is None else returned
    joined = texts if isinstance(texts, str) else ",".join(texts)
    said = json.dumps(about, ensure_ascii=False)
    return Answer(text=f'{{"type":"FeatureCollection","numberReturned":{count},"{id}":{said},"features":[{joined}]}}')


def feature(id: int, geometry: str | None, properties: Mapping[str, Any]) -> str:
    """One feature of an answer; `geometry` is GeoJSON text."""
    told = json.dumps(properties, ensure_ascii=False)
    return f'{{"type":"Feature","id":{id},"geometry":{geometry or "null"},"properties":{told}}}'


def rows(found: Iterable[tuple[str | None, Mapping[str, Any]]]) -> list[str]:
    """Features numbered in the order in which they come."""
    return [feature(n, geometry, properties) for n, (geometry, properties) in enumerate(found, 1)]
