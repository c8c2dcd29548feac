"""What a pack holds while it is read, and what is found wrong in it. No rule stands here."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from geo.errors import GohelleError
from geo.kinds import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong in a pack, in words for whoever writes it."""

    file: str
    where: str
    message: str

    def __str__(self) -> str:
        """The line that is printed; what a file holds of control codes and half characters is left out."""
        line = f"{self.file}{', ' + self.where if self.where else ''}: {self.message}"
        return "".join(char if char.isprintable() else "\ufffd" for char in line)


class BadPack(GohelleError):
    """A pack that cannot be loaded, with everything that is wrong in it."""

    def __init__(self, findings: list[Finding]) -> None:
        """Keep the findings in the order of the files."""
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A feature of a GeoJSON file or a line of a CSV file: where it stands, and its columns as the database takes them."""

    kind: Kind
    where: str
    row: dict[str, Any]
    cells: Mapping[str, str] = field(default_factory=dict)
    """A CSV line's own texts."""

    @property
    def file(self) -> str:
        """The file in which it stands."""
        return file_of(self.kind)


@dataclass(slots=True, kw_only=True)
class Pack:
    """What a folder holds, and what is wrong with it."""

    about: dict[str, Any] = field(default_factory=dict)
    collections: list[dict[str, Any]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    headers: dict[str, list[str]] = field(default_factory=dict)
    """The columns of each CSV file."""
    findings: list[Finding] = field(default_factory=list)
    vague: set[str] = field(default_factory=set)
    """Kinds of which not everything could be read: nothing is said of what seems to be missing there."""
    vague_collections: bool = False

    @property
    def languages(self) -> list[str]:
        """The languages that the pack declares, that of its texts first."""
        return self.about.get("languages", [])

    @property
    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """The rows of each kind, as `geo.packs.load` takes them."""
        found: dict[str, list[dict[str, Any]]] = {}
        for entry in self.entries:
            found.setdefault(entry.kind.id, []).append(entry.row)
        return found

    def wrong(self, file: str, where: str, message: str) -> None:
        """Note a finding."""
        self.findings.append(Finding(file=file, where=where, message=message))

    def wrong_in(self, entry: Entry, message: str) -> None:
        """Note a finding about a feature or a line."""
        self.wrong(entry.file, entry.where, message)

    def settled(self) -> list[Finding]:
        """The findings, each told once; what is wrong with every single feature or line of a file is one finding."""
        sizes = Counter(entry.file for entry in self.entries)
        places = {(entry.file, entry.where) for entry in self.entries}
        found = list(dict.fromkeys(self.findings))
        same = Counter((one.file, one.message) for one in found if (one.file, one.where) in places)
        everywhere = {key for key, count in same.items() if count >= 3 and count == sizes[key[0]]}
        return list(dict.fromkeys(_merged(found, everywhere, sizes)))


def _merged(found: list[Finding], everywhere: set[tuple[str, str]], sizes: Counter[str]) -> Iterator[Finding]:
    for one in found:
        if (one.file, one.message) in everywhere:
            things = "features" if one.file.endswith(".geojson") else "lines"
            yield replace(one, where=f"all {sizes[one.file]} {things}")
        else:
            yield one


def file_of(kind: Kind) -> str:
    """The file in which a pack keeps this kind."""
    return f"{kind.id}.geojson" if kind.geometry else f"{kind.id}.csv"
