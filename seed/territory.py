"""Reads territory.toml: who the territory is, its collections, its pages."""

import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from geo.files.mapping import SHARED
from geo.kinds import KINDS, Kind
from seed.findings import Pack
from seed.folder import TERRITORY, text_of
from seed.values import EMAIL, INSEE, LICENCE, fault_of

COLOUR = re.compile(r"#[0-9a-f]{6}")
ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
LANGUAGE = re.compile(r"[a-z]{2,3}")

TOP = (
    "id", "communes", "languages", "licence", "attribution", "title", "description", "bounds", "contact",
    "collection", "page", "datasets",
)  # fmt: skip
COLLECTION = ("id", "kind", "where", "title", "description", "colour", "visible")
PAGE = ("id", "title", "text")
CONTACT = ("name", "email", "url")
DEFAULT_COLOUR = "#555555"

HEADER = re.compile(r"\s*(\[\[?)([A-Za-z0-9_.-]+)\]")
KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")


def read_territory(pack: Pack, folder: Path) -> None:
    """Read the file into `pack.about` and `pack.collections`, with all that is wrong in it."""
    text = text_of(pack, folder, TERRITORY, needed=True)
    try:
        found = tomllib.loads(text or "")
    except tomllib.TOMLDecodeError as error:
        pack.wrong(TERRITORY, _line_in(str(error)), f"is not valid TOML: {error}")
        found = None
    if text is None or found is None:
        pack.vague_collections = True
        return
    _Reading(pack, found, _lines(text)).read()


def _line_in(message: str) -> str:
    place = re.search(r"line \d+", message)
    return place[0] if place else "at the end"


def _lines(text: str) -> dict[str, int]:
    """The line on which each entry stands, by names such as `bounds`, `collection 2`, `collection 2, title`."""
    found: dict[str, int] = {}
    counted: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := HEADER.match(line):
            name = header[2]
            if header[1] == "[[":
                counted[name] = counted.get(name, 0) + 1
                name = f"{name} {counted[name]}"
            else:  # [page.text] speaks of the last page
                stem, _, rest = name.partition(".")
                name = f"{stem} {counted[stem]}, {rest}" if rest and stem in counted else name
            table = name
            found.setdefault(table, number)
        elif key := KEY.match(line):
            found.setdefault(f"{table}, {key[1]}" if table else key[1], number)
    return found


class _Reading:
    """One reading of the file: its body, and where its entries stand."""

    def __init__(self, pack: Pack, body: dict[str, Any], lines: Mapping[str, int]) -> None:
        self.pack, self.body, self.lines = pack, body, lines
        self.languages: list[str] = []

    def wrong(self, where: str, message: str) -> None:
        """Note a finding at an entry, or at the table that lacks it."""
        line = self.lines.get(where) or self.lines.get(where.rpartition(", ")[0])
        self.pack.wrong(TERRITORY, f"line {line}, {where}" if line else where, message)

    def read(self) -> None:
        """Read all of it."""
        body = self.body
        self._check_names(body, TOP, "")
        self._languages()
        for required in ("id", "licence", "attribution"):
            if not isinstance(body.get(required), str) or not body[required].strip():
                self.wrong(required, "must be a text")
        self._check_shapes()
        for required in ("title", "description"):
            self._check_words(required, body.get(required))
        self._bounds()
        self._communes()
        self._contact()
        if fault := faults_of_datasets(self.body.get("datasets", [])):
            self.wrong("datasets", fault)
        collections, pages = (self._tables(name) for name in ("collection", "page"))
        kept = {key: value for key, value in body.items() if key not in ("collection", "page", "datasets")}
        self.pack.about = {"communes": [], "contact": {}, **kept, "languages": self.languages, "pages": pages}
        for number, one in enumerate(collections, 1):
            self._collection(f"collection {number}", one)
        if not collections:
            self.wrong("", "names no collection, so nothing would be shown")
            self.pack.vague_collections = True
        self._pages(pages)

    def _check_names(self, table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
        for name in table:
            if name not in known:
                close = get_close_matches(name, known, n=1)
                meant = f"; is {close[0]} meant?" if close else f"; known are {', '.join(known)}"
                self.wrong(f"{where}, {name}" if where else name, f"is not known here{meant}")

    def _tables(self, name: str) -> list[dict[str, Any]]:
        found = self.body.get(name, [])
        if isinstance(found, list) and all(isinstance(one, dict) for one in found):
            return found
        self.wrong(name, f"must be written as tables, each under a line [[{name}]]")
        return []

    def _languages(self) -> None:
        found = self.body.get("languages")
        if not isinstance(found, list) or not found or not all(isinstance(one, str) for one in found):
            self.wrong("languages", 'must list languages, that of the texts first, as in ["fr", "en"]')
            return
        self.languages = list(dict.fromkeys(found))
        if len(self.languages) < len(found):
            self.wrong("languages", "names a language twice")
        for one in self.languages:
            if not LANGUAGE.fullmatch(one):
                self.wrong("languages", f"“{one}” is not a language's code of two or three letters, such as fr")

    def _check_shapes(self) -> None:
        """`id` and `licence` go into addresses and links, so they are not free texts."""
        id, licence = self.body.get("id"), self.body.get("licence")
        if isinstance(id, str) and id.strip() and not ID.fullmatch(id):
            self.wrong("id", "must be of lower case letters, digits and hyphens, such as loos-en-gohelle")
        if isinstance(licence, str) and licence.strip() and not LICENCE.fullmatch(licence):
            self.wrong("licence", "must be an SPDX identifier without spaces, such as etalab-2.0 or CC-BY-4.0")

    def _bounds(self) -> None:
        value = self.body.get("bounds")
        if not is_box(value):
            self.wrong(
                "bounds", "must be four numbers in degrees: west, south, east, north, as in [2.74, 50.42, 2.86, 50.50]"
            )

    def _communes(self) -> None:
        found = self.body.get("communes", [])
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            self.wrong("communes", 'must list INSEE codes in quotation marks, as in ["62528"]; or be [] outside France')
            self.body["communes"] = []
            return
        for one in found:
            if not INSEE.fullmatch(one):
                self.wrong("communes", f"“{one}” is not an INSEE code of a commune (a postcode is something else)")
        if len(set(found)) < len(found):
            self.wrong("communes", "names a commune twice")

    def _contact(self) -> None:
        found = self.body.get("contact", {})
        if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
            self.wrong("contact", "must give name, email and url as texts")
            return
        self._check_names(found, CONTACT, "contact")
        if found.get("email") and not EMAIL.fullmatch(found["email"]):
            self.wrong("contact, email", "is not an e-mail address")
        if found.get("url") and not found["url"].startswith(("https://", "http://")):
            self.wrong("contact, url", "must be an address that begins with https://")

    def _pages(self, pages: list[dict[str, Any]]) -> None:
        seen: set[str] = set()
        for number, one in enumerate(pages, 1):
            where, id = f"page {number}", one.get("id")
            self._check_names(one, PAGE, where)
            if not isinstance(id, str) or not ID.fullmatch(id):
                self.wrong(f"{where}, id", "must be of lower case letters, digits and hyphens")
            elif id in seen:
                self.wrong(f"{where}, id", f"another page is {id} already")
            seen.add(str(id))
            for required in ("title", "text"):
                self._check_words(f"{where}, {required}", one.get(required))

    def _collection(self, where: str, one: Mapping[str, Any]) -> None:
        id, kind = one.get("id"), KINDS.get(str(one.get("kind")))
        self._check_names(one, COLLECTION, where)
        if not isinstance(id, str) or not ID.fullmatch(id):
            self.wrong(f"{where}, id", "is needed, of lower case letters, digits and hyphens, such as green-belt")
        elif any(other["id"] == id for other in self.pack.collections):
            self.wrong(f"{where}, id", f"another collection is {id} already")
            self.pack.vague_collections = True
        if kind is None:
            self.wrong(f"{where}, kind", f"must be one of: {', '.join(KINDS)}")
        if not isinstance(id, str) or not ID.fullmatch(id) or kind is None:
            self.pack.vague_collections = True
            return
        self._check_look(where, one)
        self.pack.collections.append(
            {
                "id": id,
                "kind": kind.id,
                "filter": self._filter(where, one.get("where", {}), kind),
                "title": one.get("title", {}),
                "description": one.get("description", {}),
                "colour": one.get("colour", DEFAULT_COLOUR),
                "visible": one.get("visible", True),
            }
        )

    def _check_look(self, where: str, one: Mapping[str, Any]) -> None:
        self._check_words(f"{where}, title", one.get("title"))
        if "description" in one:
            self._check_words(f"{where}, description", one["description"])
        colour = one.get("colour", DEFAULT_COLOUR)
        if not isinstance(colour, str) or not COLOUR.fullmatch(colour):
            self.wrong(f"{where}, colour", "must be written as #1f7a4d, with six digits in lower case")
        if not isinstance(one.get("visible", True), bool):
            self.wrong(f"{where}, visible", "must be true or false, without quotation marks")

    def _filter(self, where: str, found: Any, kind: Kind) -> dict[str, Any]:
        before = len(self.pack.findings)
        where = f"{where}, where"
        if not isinstance(found, dict):
            self.wrong(where, 'must be written as { category = "park" }')
            found = {}
        for name, value in found.items():
            column = kind.queryables.get(name)
            if column is None:
                self.wrong(
                    where,
                    f"{kind.id} cannot be filtered by {name}; it can by {', '.join(kind.queryables) or 'nothing'}",
                )
                continue
            values = value if isinstance(value, list) else [value]
            if not values:
                self.wrong(where, f"{name} lists nothing, so the collection would be empty")
            for fault in dict.fromkeys(fault for one in values if (fault := fault_of(column, one))):
                self.wrong(where, f"{name} {fault}")
        if len(self.pack.findings) > before:
            self.pack.vague_collections = True
        return found

    def _check_words(self, where: str, value: Any) -> None:
        if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
            self.wrong(where, 'must be a text by language, as in { fr = "…", en = "…" }')
            return
        for lang in self.languages:
            if not value.get(lang, "").strip():
                self.wrong(where, f"lacks its text in “{lang}”")
        for lang in value.keys() - set(self.languages) if self.languages else ():
            self.wrong(where, f"has a text in “{lang}”, which is not among the languages of the territory")


def faults_of_datasets(names: Any) -> str:
    """What is wrong with the list of open datasets for any town, or nothing."""
    known = sorted(path.stem for path in SHARED.glob("*.toml"))
    if not isinstance(names, list) or any(name not in known for name in names):
        return f'must list datasets that come with Gohelle, as in ["communes"]; there are {", ".join(known)}'
    return "names a dataset twice" if len(set(names)) < len(names) else ""


def is_box(value: Any) -> bool:
    """Whether these are west, south, east and north of a box that web maps can show."""
    numbers = isinstance(value, list) and len(value) == 4 and all(type(one) in (int, float) for one in value)
    return numbers and -180 <= value[0] < value[2] <= 180 and -85 <= value[1] < value[3] <= 85
