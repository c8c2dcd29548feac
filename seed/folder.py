"""A pack's folder: which files belong in it, and how each becomes text. What the texts say is read elsewhere."""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from geo.errors import BadInput
from geo.files import mapping
from geo.kinds import KINDS
from seed.findings import Pack, file_of

TERRITORY = "territory.toml"
DESCRIPTOR = "datapackage.json"
DATASETS = "datasets"
NAMES = (TERRITORY, DESCRIPTOR, *(file_of(kind) for kind in KINDS.values()))
"""The files that a pack is read from."""

PROSE = {".md", ".txt"}
"""What a pack may carry along for people."""

LARGEST_FILE = 50_000_000
UTF16 = (b"\xff\xfe", b"\xfe\xff")
SAVE_AS = "save it as UTF-8 (in a spreadsheet: “CSV UTF-8”)"


def text_of(pack: Pack, folder: Path, name: str, *, needed: bool = False) -> str | None:
    """The file's text without a byte order mark; None, and a finding, where there is none that can be read."""
    path = folder / name
    if not path.is_file():
        if needed:
            pack.wrong(name, "", f"is missing; {name} must stand in the pack's folder")
        return None
    try:
        if path.stat().st_size > LARGEST_FILE:
            pack.wrong(name, "", f"is larger than {LARGEST_FILE // 1_000_000} MB; import it as a dataset instead")
            return None
        return _decoded(pack, name, path.read_bytes())
    except OSError as error:
        pack.wrong(name, "", f"cannot be read ({error.strerror})")
        return None


def _decoded(pack: Pack, name: str, data: bytes) -> str | None:
    if not data.strip():
        pack.wrong(name, "", "is empty; remove it, or write at least what docs/pack.md says")
    elif data.startswith(UTF16) or b"\x00" in data:
        pack.wrong(name, "", f"is not UTF-8 text but UTF-16, or no text at all; {SAVE_AS}")
    else:
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            pack.wrong(name, f"line {line}", f"holds a character that is not UTF-8; {SAVE_AS}")
    return None


def check_files(pack: Pack, folder: Path) -> None:
    """Find what lies in the folder and would never be read, such as `Places.geojson` or `figures.xlsx`."""
    for path in sorted(folder.iterdir()):
        name = path.name
        if name in NAMES or name.startswith(".") or path.suffix.lower() in PROSE or name == "LICENSE":
            continue
        if path.is_dir() and name == DATASETS:
            _check_datasets(pack, path)
            continue
        pack.wrong(name, "", f"is not a file of a pack and would never be read{_meant(name)}")


def _meant(name: str) -> str:
    close = get_close_matches(name.lower(), NAMES, n=1, cutoff=0.75) or [
        one for one in NAMES if one.partition(".")[0] == name.lower().partition(".")[0]
    ]
    return f"; is {close[0]} meant?" if close else "; take it away"


def _check_datasets(pack: Pack, folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        name = f"{DATASETS}/{path.name}"
        if path.suffix != ".toml" or not path.is_file():
            if not path.name.startswith(".") and path.suffix.lower() not in PROSE:
                pack.wrong(name, "", "is not a dataset's .toml file and would never be read")
            continue
        for where, message in _dataset_faults(path):
            pack.wrong(name, where, message)


def _dataset_faults(path: Path) -> Iterator[tuple[str, str]]:
    try:
        mapping.load(path)
    except BadInput as error:
        for problem in error.problems:
            where = (problem.pointer or "").lstrip("/")
            yield where, problem.message.removeprefix(f"{path.name}, {where}: ")
