"""What only a pack as a whole can show: clashing keys and figures, references to nothing, features that lie elsewhere."""

from collections.abc import Iterator
from typing import Any

from geo.kinds import KINDS, Kind
from geo.space import Bbox
from seed.entries import required
from seed.findings import Entry, Pack
from seed.folder import TERRITORY
from seed.territory import is_box
from seed.values import fault_of


def check_keys(pack: Pack) -> None:
    """Find keys that stand twice in a kind: a permanent address hangs on each."""
    seen: dict[tuple[str, str], str] = {}
    for entry in pack.entries:
        key = entry.row.get("source_key")
        if not isinstance(key, str):
            continue
        first = seen.setdefault((entry.kind.id, key), entry.where)
        if first != entry.where:
            pack.wrong_in(entry, f"source_key “{key}” stands already in {first}")


def check_figures(pack: Pack) -> None:
    """Find values that clash without saying so: an indicator has one retained value a date."""
    retained: dict[tuple[str, str | None], str] = {}
    told: set[str] = set()
    figures = [entry for entry in pack.entries if entry.kind.id == "figures"]
    known = {str(entry.row.get("indicator")) for entry in figures if entry.row.get("status") != "contested"}
    for entry in figures:
        indicator, day = str(entry.row.get("indicator")), entry.row.get("value_date")
        if entry.row.get("status") == "retained":
            first = retained.setdefault((indicator, day), entry.where)
            if first != entry.where:
                when = f"for {day}" if day else "without a date"
                message = f"{indicator} has a retained value {when} already, in {first}; one of them is contested"
                pack.wrong_in(entry, message)
        elif indicator not in known and indicator not in told:
            told.add(indicator)
            pack.wrong_in(entry, f"{indicator} has contested values only; one of them must be retained")


def check_references(pack: Pack) -> None:
    """Find rows that speak of something that the pack does not have, or does not show there."""
    if pack.vague_collections:
        return
    collections = {one["id"]: one for one in pack.collections}
    rows = {(entry.kind.id, str(entry.row.get("source_key"))): entry.row for entry in pack.entries}
    for entry in pack.entries:
        for about in entry.row.get("about") or ():
            if not isinstance(about, dict):
                continue
            collection = collections.get(about.get("collection", ""))
            if collection is None:
                pack.wrong_in(entry, f"about: there is no collection “{about.get('collection')}”")
            elif collection["kind"] not in pack.vague:
                _check_reference(
                    pack, entry, collection, rows.get((collection["kind"], str(about.get("source_key")))), about
                )


def _check_reference(pack: Pack, entry: Entry, collection: dict[str, Any], row: Any, about: dict[str, str]) -> None:
    name = f"{about['collection']}:{about.get('source_key')}"
    if row is None:
        pack.wrong_in(entry, f"about: the pack has no {name}")
    elif not _shows(collection, row) and all(
        _fits(KINDS[collection["kind"]], row, name) for name in collection["filter"]
    ):
        pack.wrong_in(entry, f"about: the collection {about['collection']} does not show {about.get('source_key')}")


def check_shown(pack: Pack) -> None:
    """Find features and lines that no collection shows: nobody would ever see them."""
    if pack.vague_collections:
        return
    for entry in pack.entries:
        offered = [one for one in pack.collections if one["kind"] == entry.kind.id]
        asked = {name for one in offered for name in one["filter"]}
        # A wrong value is said already.
        doubtful = any(not _fits(entry.kind, entry.row, name) for name in asked)
        if not doubtful and not any(_shows(one, entry.row) for one in offered):
            pack.wrong_in(entry, "is shown by no collection of territory.toml")


def _fits(kind: Kind, row: dict[str, Any], name: str) -> bool:
    column, value = kind.column(name), row.get(name)
    return not required(column) if value is None else fault_of(column, value) is None


def _shows(collection: dict[str, Any], row: dict[str, Any]) -> bool:
    return all(
        row.get(name) in (value if isinstance(value, list) else [value]) for name, value in collection["filter"].items()
    )


def check_extent(pack: Pack) -> None:
    """Find features that lie outside the territory's bounds: a wrong digit, or latitude before longitude."""
    bounds = pack.about.get("bounds")
    if not isinstance(bounds, list) or not is_box(bounds):
        return
    box = Bbox(*map(float, bounds))
    placed = [(entry, Bbox(*_box(entry.row["geom"]["coordinates"]))) for entry in pack.entries if "geom" in entry.row]
    if len(placed) >= 3 and all(_swapped(found, box) for _, found in placed):
        message = "the features lie where these numbers would be with longitude and latitude exchanged; either they or all features are"
        pack.wrong(TERRITORY, "bounds", message)
        return
    for entry, found in placed:
        if (message := _elsewhere(found, box)) is not None:
            pack.wrong_in(entry, message)


def _elsewhere(found: Bbox, box: Bbox) -> str | None:
    if _swapped(found, box):
        return "has longitude and latitude exchanged: GeoJSON writes longitude first"
    if not _meets(found, box):
        return "lies outside the bounds of territory.toml"
    width, height = box.east - box.west, box.north - box.south
    wide = Bbox(box.west - width, box.south - height, box.east + width, box.north + height)
    if not (
        wide.west <= found.west and found.east <= wide.east and wide.south <= found.south and found.north <= wide.north
    ):
        return "has a position far outside the bounds of territory.toml"
    return None


def _meets(one: Bbox, other: Bbox) -> bool:
    return one.west <= other.east and other.west <= one.east and one.south <= other.north and other.south <= one.north


def _swapped(found: Bbox, box: Bbox) -> bool:
    return not _meets(found, box) and _meets(Bbox(found.south, found.west, found.north, found.east), box)


def _box(coordinates: Any) -> tuple[float, float, float, float]:
    positions = list(_positions(coordinates))
    longitudes, latitudes = [one[0] for one in positions], [one[1] for one in positions]
    return min(longitudes), min(latitudes), max(longitudes), max(latitudes)


def _positions(coordinates: Any) -> Iterator[list[float]]:
    if isinstance(coordinates[0], int | float):
        yield coordinates
        return
    for part in coordinates:
        yield from _positions(part)
