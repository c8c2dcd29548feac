"""Which open datasets belong to a pack, and where the file of each is. Nothing is imported here, only listed.

A pack's own are the mappings in its `datasets/`; those for any town are named in territory.toml, `datasets`.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geo.errors import GohelleError
from geo.files import ImportRequest, mapping
from geo.files.mapping import SHARED, Dataset
from seed.folder import DATASETS, TERRITORY
from seed.territory import faults_of_datasets, is_box


class NoPack(GohelleError):
    """A folder whose datasets cannot be listed, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One dataset of a pack: what to ask the importer, or why there is nothing to ask."""

    name: str
    request: ImportRequest | None
    missing: str = ""


def errands(pack: Path, files: Path | None = None, *, dry_run: bool = False, **how: Any) -> list[Errand]:
    """The datasets of the pack, communes first; from a folder of files, or else each from its address.

    What the pack itself maps comes last, so that it has the last word. A dataset is cut to the territory's bounds
    unless its mapping says `whole`. `how` is given to each request as it is. NoPack or BadInput say what is wrong.
    """
    body = _territory(pack)
    names = body.get("datasets", [])
    if fault := faults_of_datasets(names):
        raise NoPack(f"{TERRITORY}, datasets: {fault}")
    if not is_box(body.get("bounds")):
        raise NoPack(
            f"{TERRITORY}, bounds: must be west, south, east, north in degrees; `gohelle check-pack` tells more"
        )
    if files and not files.is_dir():
        raise NoPack("the folder to take the files from is not there")
    west, south, east, north = body["bounds"]
    paths = [*(SHARED / f"{name}.toml" for name in names), *sorted((pack / DATASETS).glob("*.toml"))]
    found = [(path, mapping.load(path)) for path in paths]
    how |= {"dry_run": dry_run}
    return [
        _errand(path, dataset, files, dict(how, bbox=None if dataset.whole else (west, south, east, north)))
        for path, dataset in sorted(found, key=lambda one: one[1].kind.id != "communes")
    ]


def _territory(pack: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((pack / TERRITORY).read_text("utf-8-sig"))
    except OSError as error:
        raise NoPack(f"there is no pack in that folder: it has no {TERRITORY}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NoPack(f"{TERRITORY} is not valid TOML: {error}") from error


def _errand(path: Path, dataset: Dataset, files: Path | None, how: dict[str, Any]) -> Errand:
    file, missing = _in(files, dataset) if files else _at(dataset)
    request = file and ImportRequest(file=file, kind=dataset.kind.id, mapping=str(path), **how)
    return Errand(name=dataset.name, request=request or None, missing=missing)


def _in(files: Path, dataset: Dataset) -> tuple[Path | None, str]:
    if not dataset.names:
        return None, "its mapping names no file: add name to its [file]"
    present = next((files / name for name in dataset.names if (files / name).is_file()), None)
    return present, "" if present else f"the folder has no file {' or '.join(dataset.names)}"


def _at(dataset: Dataset) -> tuple[str | None, str]:
    return dataset.address, "" if dataset.address else "its file has no address of its own: give it by --from"
