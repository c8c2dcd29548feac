"""What figures, milestones and documents are about: their references, found again as items with numbers and names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from geo.collections import Territory, Versions, versions
from geo.tables import rows

Reference = tuple[str, str]
"""A collection, and the source key of one of its items."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """The number and the name of each item that was found, and the versions of the collections that were looked into."""

    found: Mapping[Reference, tuple[int, str]]
    versions: Versions


def subjects(tx: Connection, territory: Territory, references: Iterable[Reference], lang: str | None) -> Subjects:
    """The items that are referred to, one query a collection; what is not there is left out."""
    wanted: dict[str, set[str]] = {}
    for collection, key in references:
        if collection in territory.collections:
            wanted.setdefault(collection, set()).add(key)
    found: dict[Reference, tuple[int, str]] = {}
    for id, keys in sorted(wanted.items()):
        one = territory.collections[id]
        c = rows(one.kind).c
        name = func.coalesce(c.translations[lang]["name"].astext, c.name) if lang else c.name
        asked = select(c.source_key, c.id, name).where(one.condition(), c.source_key.in_(sorted(keys)))
        found |= {(id, key): (number, said) for key, number, said in tx.execute(asked)}
    return Subjects(found, versions(tx, sorted(wanted)) if wanted else {})
