"""A territory pack: read from its folder, checked as a whole, loaded into the database.

findings.py   what a pack holds and what is wrong in it       values.py     what a single value must be
folder.py     which files belong in it, as text               entries.py    what a feature or a line must be by itself
territory.py  territory.toml                                  across.py     what only the whole shows
features.py   GeoJSON files                                   descriptor.py datapackage.json
lines.py      CSV files                                       skeleton.py   a new pack
"""

from pathlib import Path

from geo import packs
from geo.db import Database
from geo.kinds import KINDS
from seed.across import check_extent, check_figures, check_keys, check_references, check_shown
from seed.descriptor import check_descriptor
from seed.entries import check_entry
from seed.features import check_outlines, read_features
from seed.findings import BadPack, Finding, Pack, file_of
from seed.folder import DATASETS, DESCRIPTOR, NAMES, TERRITORY, check_files
from seed.lines import read_lines
from seed.territory import read_territory

__all__ = ["BadPack", "Finding", "Pack", "load", "read"]


def read(folder: Path) -> Pack:
    """The pack in the folder, with everything that is wrong in it, in the order of its files."""
    pack = Pack()
    if not folder.is_dir():
        pack.wrong(str(folder), "", "there is no such folder")
        return pack
    check_files(pack, folder)
    read_territory(pack, folder)
    for kind in KINDS.values():
        (read_features if kind.geometry else read_lines)(pack, folder, kind)
    _check(pack)
    check_descriptor(pack, folder)
    pack.findings = sorted(pack.settled(), key=_rank)
    return pack


def _check(pack: Pack) -> None:
    for entry in pack.entries:
        before = len(pack.findings)
        check_entry(pack, entry)
        if len(pack.findings) > before and "source_key" not in entry.row:
            pack.vague.add(entry.kind.id)
    check_outlines(pack)
    check_keys(pack)
    check_figures(pack)
    check_references(pack)
    check_shown(pack)
    check_extent(pack)


def _rank(finding: Finding) -> tuple[int, str]:
    order = [TERRITORY, DESCRIPTOR, *(file_of(kind) for kind in KINDS.values())]
    if finding.file in NAMES:
        return order.index(finding.file), ""
    return (len(order) + 1 if finding.file.startswith(DATASETS) else -1), finding.file


def load(
    db: Database, folder: Path, *, if_empty: bool = False, replace: bool = False
) -> dict[str, packs.Written] | None:
    """Load the pack in one transaction; None if `if_empty` and a territory is there already.

    BadPack if it has faults, Conflict if the database shows another territory that is not to be replaced.
    """
    with db.write() as tx:
        if if_empty and not packs.is_empty(tx):
            return None
    pack = read(folder)
    if pack.findings:
        raise BadPack(pack.findings)
    with db.write() as tx:
        return packs.load(tx, pack.about, pack.collections, pack.rows, replace=replace)
