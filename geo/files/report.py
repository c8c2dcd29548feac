"""What an import is asked, and what it tells afterwards. Plain values that travel between two processes as JSON."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, Self

Mode = Literal["upsert", "append", "replace"]
NOTES = 1_000
"""How many single rows a report lists of each sort; above, it counts."""


def is_address(text: str) -> bool:
    """Whether this names something on the web rather than a file of ours."""
    return text.lower().startswith(("https://", "http://"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """One file into one kind by one mapping.

    `mapping` is a name (searched in the pack's `datasets/`, then in seed/datasets) or the path of a TOML file.
    `upsert` writes new keys and changes known ones; `append` leaves known ones as they are; `replace` also deletes
    what the same dataset brought before and no longer has. `layer`, `crs` and `key` (the template of the key) come
    before what the mapping says. `bbox` (west, south, east, north in degrees) leaves out what lies elsewhere.
    `rejected` is a CSV file to be written with the rows that were refused. `file` is a path, or an https address as
    a text; of that, `largest_mb` goes before what the mapping says, and `any_host` allows also private hosts.
    """

    file: Path | str
    kind: str
    mapping: str
    mode: Mode = "upsert"
    dry_run: bool = False
    layer: str | None = None
    crs: str | None = None
    key: str | None = None
    bbox: tuple[float, float, float, float] | None = None
    rejected: Path | None = None
    largest_mb: float | None = None
    any_host: bool = False

    def as_json(self) -> dict[str, Any]:
        """Only what JSON knows. Paths are whole, for the reading process works in another folder."""
        mapping = str(Path(self.mapping).absolute()) if self.mapping.endswith(".toml") else self.mapping
        file = self.file if isinstance(self.file, str) else {"path": str(self.file.absolute())}
        rejected = str(self.rejected.absolute()) if self.rejected else None
        return asdict(self) | {"file": file, "rejected": rejected, "mapping": mapping}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The reverse of `as_json`."""
        file, rejected, bbox = value["file"], value["rejected"], value["bbox"]
        known = dict(value, file=file if isinstance(file, str) else Path(file["path"]))
        return cls(**dict(known, rejected=Path(rejected) if rejected else None, bbox=tuple(bbox) if bbox else None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One row of the file of which something is to be said. Rows count from 1; `place` is longitude, latitude."""

    row: int
    source_key: str | None
    reason: str
    place: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of each row: read = skipped + refused + inserted + updated + unchanged.

    `skipped` rows were left out by the mapping's filter or by the box. `replaced` are rows whose schematic geometry
    gave way to the file's. Of `repaired`, `refused` and `replaced` at most NOTES are listed; the counts are of all.
    """

    dataset: str
    title: str
    kind: str
    mode: Mode
    dry_run: bool
    read: int
    skipped: int
    inserted: int
    updated: int
    unchanged: int
    deleted: int
    repaired_count: int
    refused_count: int
    replaced_count: int
    repaired: tuple[Note, ...]
    refused: tuple[Note, ...]
    replaced: tuple[Note, ...]
    reasons: dict[str, int]
    remarks: tuple[str, ...]
    attribution: str
    licence: str
    seconds: float
    peak_mb: int

    @property
    def written(self) -> int:
        """The rows that are in the database now as the file has them."""
        return self.inserted + self.updated + self.unchanged

    def as_json(self) -> dict[str, Any]:
        """Only what JSON knows."""
        return asdict(self) | {"written": self.written}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The reverse of `as_json`."""
        known = {field.name: value[field.name] for field in fields(cls)}
        for name in ("repaired", "refused", "replaced"):
            known[name] = tuple(_note(note) for note in known[name])
        return cls(**dict(known, remarks=tuple(known["remarks"])))


def _note(value: dict[str, Any]) -> Note:
    return Note(**dict(value, place=tuple(value["place"]) if value["place"] else None))
