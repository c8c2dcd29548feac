"""Pages of figures, milestones and documents: what each is about, by its name and with its place on the map."""

import json
from collections.abc import Iterator
from typing import Any

from api.house import Ask
from geo import references
from geo.collections import Territory, Versions


def with_subjects(ask: Ask, territory: Territory, document: str) -> tuple[dict[str, Any], Versions]:
    """The document with `subjects`, one `{id, name}` by `collection:source_key`; and the versions that those rest on."""
    told = json.loads(document)
    features = told.get("features", [told])
    with ask.house.db.read() as tx:
        found = references.subjects(tx, territory, _references(features), ask.translation)
    subjects = {":".join(reference): {"id": id, "name": name} for reference, (id, name) in found.found.items()}
    return {**told, "subjects": subjects}, found.versions


def _references(features: list[dict[str, Any]]) -> Iterator[references.Reference]:
    for feature in features:
        for one in feature["properties"].get("about") or ():
            yield one["collection"], one["source_key"]
