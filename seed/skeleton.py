"""Writes a new pack: every file that a pack may have, empty or commented, so that it can be loaded as it stands."""

import json
import os
import re
import shutil
import tempfile
import textwrap
import unicodedata
from collections.abc import Sequence
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from geo.columns import Column, Words, say, words
from geo.errors import GohelleError
from geo.kinds import KINDS, Kind
from geo.packs import CommuneFound
from geo.space import Bbox
from seed.entries import required
from seed.findings import file_of
from seed.folder import DATASETS, DESCRIPTOR, TERRITORY
from seed.territory import LANGUAGE
from seed.values import INSEE

FRANCE = Bbox(-5.3, 41.2, 9.7, 51.2)
OVERSEAS = {
    "971": Bbox(-61.9, 15.8, -60.9, 16.6),
    "972": Bbox(-61.3, 14.3, -60.7, 14.9),
    "973": Bbox(-54.7, 2.1, -51.5, 5.9),
    "974": Bbox(55.1, -21.5, 55.9, -20.8),
    "975": Bbox(-56.6, 46.7, -56.0, 47.2),
    "976": Bbox(44.9, -13.1, 45.4, -12.5),
}
"""What a map opens on while nobody has said better."""

COLOURS = ("#5c6670", "#117733", "#c4570b", "#332288", "#8f6335", "#0067a3", "#b84a62", "#7d7353")
GREY = "#3f4a5a"
"""What has no place on the map needs no colour that tells it apart."""

WRITTEN = tuple(kind for kind in KINDS.values() if kind.by_hand)
TITLE = words("{name} en transition", "{name} in transition", "{name} im Wandel")
LATER = words("À compléter par la commune.", "To be completed by the commune.", "Von der Gemeinde zu ergänzen.")
PAGES = {
    "mentions-legales": words("Mentions légales", "Legal notice", "Impressum"),
    "donnees-personnelles": words("Données personnelles", "Personal data", "Datenschutz"),
}
FIELD_TYPES = {"date": "date", "number": "number", "integer": "integer", "boolean": "boolean"}


class NoSkeleton(GohelleError):
    """A new pack that cannot be written, and why."""


def write(folder: Path, insee: str, languages: Sequence[str], found: CommuneFound | None) -> None:
    """Write the skeleton of a commune's pack into a new or empty folder; NoSkeleton where it would overwrite.

    `found` is what the database knows of the commune, or None.
    """
    if not INSEE.fullmatch(insee):
        raise NoSkeleton(f"“{insee}” is not the INSEE code of a commune, such as 62528 (a postcode is something else)")
    if len(set(languages)) < len(languages) or not all(map(LANGUAGE.fullmatch, languages)):
        raise NoSkeleton("languages are different codes of two or three letters, such as fr")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NoSkeleton(f"{folder} is there already and not empty; nothing was written")
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, text in _files(insee, list(languages), found).items():
            (making / name).write_text(text, "utf-8", newline="\n")
        (making / DATASETS).mkdir()
        making.chmod(0o755)
        os.replace(making, folder)  # noqa: PTH105 (onto an empty folder, which Path.rename promises nothing about)
    except OSError as error:
        raise NoSkeleton(f"{folder} cannot be written ({error.strerror})") from error
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _files(insee: str, languages: list[str], found: CommuneFound | None) -> dict[str, str]:
    name = found.name if found else f"Commune {insee}"
    empty = json.dumps({"type": "FeatureCollection", "features": []}, indent=2) + "\n"
    data = {
        file_of(kind): empty if kind.geometry else ",".join(column for column, _ in _header(kind, languages)) + "\n"
        for kind in WRITTEN
    }
    described = json.dumps(_descriptor(name, languages), indent=2, ensure_ascii=False) + "\n"
    return {TERRITORY: _territory(insee, name, languages, found), DESCRIPTOR: described, **data}


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower().replace("œ", "oe")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:63] or "commune"


def _bounds(insee: str, found: CommuneFound | None) -> list[float]:
    box = found.box if found else OVERSEAS.get(insee[:3], FRANCE)
    margin = 0.1 * max(box.east - box.west, box.north - box.south) if found else 0
    sides = (box.west - margin, box.south - margin, box.east + margin, box.north + margin)
    return [round(side, 3) for side in sides]


def _header(kind: Kind, languages: list[str]) -> list[tuple[str, Column]]:
    """The columns of a CSV file: the kind's own, and translations beside them."""
    columns: list[tuple[str, Column]] = []
    for column in sorted(kind.public, key=lambda column: column.name != "source_key"):
        if column.type == "timestamp":
            continue
        columns.append((column.name, column))
        if column.translated:
            columns += [(f"{column.name}_{lang}", column) for lang in languages[1:]]
    return columns


def _texts(texts: Words, languages: list[str], **filled: str) -> str:
    """An inline table of TOML; a language that the software does not speak gets the English words."""
    parts = [f"{lang} = {_quoted((texts.get(lang) or say(texts, 'en')).format(**filled))}" for lang in languages]
    return f"{{ {', '.join(parts)} }}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _territory(insee: str, name: str, languages: list[str], found: CommuneFound | None) -> str:
    known = "# As imported; widen or narrow it." if found else "# The whole country: narrow it to the commune."
    head = f"""\
# The territory pack of {name.splitlines()[0]}. Fill in what stands after each #, then run `gohelle check-pack` on this folder.
# The format is in docs/pack.md, a town's first hour in docs/adopt.md. Lines that begin with # are comments.

# Lower case letters, digits, hyphens. Never change it once the map is public.
id = {_quoted(_slug(name))}
# INSEE codes of the communes of the territory.
communes = [{_quoted(insee)}]
# The first is the language of your texts; for each other one every title, name and description needs a translation.
languages = [{", ".join(map(_quoted, languages))}]
# The licence of your own texts (SPDX identifier) and whom to credit for them.
licence = "etalab-2.0"
attribution = {_quoted(name)}
title = {_texts(TITLE, languages, name=name)}
# Two sentences on what the map shows.
description = {_texts(LATER, languages)}
# What the map opens on: west, south, east, north in degrees. Features outside are told by check-pack.
{known}
bounds = {json.dumps(_bounds(insee, found))}

[contact]
name = {_quoted(name)}
# email = "mairie@example.org"
# url = "https://www.example.org/"

# Collections are what the legend shows, in this order: a kind, and where wished a filter over it. Take away those that
# you do not need, together with their file; split those of which you have much, for example
#   [[collection]]
#   id = "gardens"
#   kind = "places"
#   where = {{ category = "shared_garden" }}
#   title = {{ fr = "Jardins partagés" }}
#   colour = "#6f7a17"
#   visible = true
"""
    collections = "".join(
        _collection(kind, colour, languages)
        for kind, colour in zip(WRITTEN, chain(COLOURS, repeat(GREY)), strict=False)
    )
    return head + collections + "\n# Legal pages, in Markdown.\n" + "".join(_page(id, languages) for id in PAGES)


def _collection(kind: Kind, colour: str, languages: list[str]) -> str:
    choices = next((column for column in kind.own if column.choices and column.required), None)
    of = f"; {choices.name} is one of {', '.join(choices.choices or ())}" if choices else ""
    comment = textwrap.fill(f"Fill {file_of(kind)}{of}.", 118, initial_indent="# ", subsequent_indent="# ")
    return f"""
{comment}
[[collection]]
id = {_quoted(kind.id)}
kind = {_quoted(kind.id)}
title = {_texts(kind.title, languages)}
colour = {_quoted(colour)}
"""


def _page(id: str, languages: list[str]) -> str:
    return f"""
[[page]]
id = {_quoted(id)}
title = {_texts(PAGES[id], languages)}
text = {_texts(LATER, languages)}
"""


def _descriptor(name: str, languages: list[str]) -> dict[str, Any]:
    lang = languages[0]
    resources: list[dict[str, Any]] = [{"name": "territory", "path": TERRITORY, "format": "toml", "encoding": "utf-8"}]
    for kind in WRITTEN:
        one = {"name": kind.id, "path": file_of(kind), "title": say(kind.title, lang), "encoding": "utf-8"}
        resources.append(one | (_shape() if kind.geometry else _table(kind, languages)))
    return {
        "profile": "data-package",
        "name": _slug(name),
        "title": name,
        "licenses": [{"name": "etalab-2.0", "path": "https://www.etalab.gouv.fr/licence-ouverte-open-licence/"}],
        "contributors": [{"title": name, "role": "publisher"}],
        "resources": resources,
    }


def _shape() -> dict[str, Any]:
    return {"format": "geojson", "mediatype": "application/geo+json", "profile": "data-resource"}


def _table(kind: Kind, languages: list[str]) -> dict[str, Any]:
    fields = [_field(name, column, languages[0]) for name, column in _header(kind, languages)]
    schema = {"fields": fields, "missingValues": [""], "primaryKey": "source_key"}
    return {"format": "csv", "mediatype": "text/csv", "profile": "tabular-data-resource", "schema": schema}


def _field(name: str, column: Column, lang: str) -> dict[str, Any]:
    field: dict[str, Any] = {
        "name": name,
        "type": FIELD_TYPES.get(column.type, "string"),
        "title": say(column.label, lang),
    }
    constraints: dict[str, Any] = {}
    if required(column) and name == column.name:
        constraints["required"] = True
    if column.choices:
        constraints["enum"] = list(column.choices)
    return field | ({"constraints": constraints} if constraints else {})
