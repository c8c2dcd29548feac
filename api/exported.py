"""`gohelle export`: a collection as a file, with the questions that its address takes, too."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from api import asking
from api.query import Parameters
from geo import exports
from geo.collections import territory
from geo.conformity import sentences, told
from geo.db import Database
from geo.errors import BadQuery, Problem
from geo.settings import Settings

SUFFIXES = {suffix: name for name, suffix in exports.SUFFIXES.items()}


@dataclass(frozen=True, slots=True)
class Exported:
    """How many items the file holds, and, of a national schema, what it could not hold: a sentence a field and reason."""

    rows: int
    lacks: tuple[str, ...] = ()


def export(settings: Settings, collection_id: str, file: Path, pairs: Iterable[tuple[str, str]]) -> Exported:
    """Write the file, whose ending names the format; how many items it holds.

    BadQuery says what is wrong with the ending or a parameter; a file that is there is replaced when the new one is whole.
    """
    format = next((name for suffix, name in SUFFIXES.items() if file.name.lower().endswith(suffix)), None)
    if format is None:
        raise BadQuery(Problem(parameter="FILE", message=f"must end in one of: {', '.join(SUFFIXES)}"))
    db = Database(settings)
    try:
        with db.read_long() as tx:
            known = territory(tx)
            collection = known.collection(collection_id)
            parameters = Parameters(pairs)
            lang = parameters.take("lang", str, known.languages[0])
            wanted = asking.items(parameters, collection.kind, lang=None if lang == known.languages[0] else lang)
            prepared = exports.prepare(tx, collection, wanted.question, wanted.view, format=format)
        written = exports.finish(settings, prepared)
    finally:
        db.close()
    part = file.with_name(f"{file.name}.part")
    with written.file as source, part.open("wb") as target:
        shutil.copyfileobj(source, target, exports.CHUNK)
        lacks = () if written.told_at is None else tuple(sentences(told(source, written.told_at)))
    part.replace(file)
    return Exported(written.rows, lacks)
