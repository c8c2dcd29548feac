"""What browsers load beside pages: the addresses of our files, by what they hold, so that caches may keep them for ever.

Style sheets and pictures are served as they stand in web/static; scripts as `npm run build` puts them together in web/built.
"""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import TypedDict

WEB = Path(__file__).resolve().parent.parent / "web"
STATIC = WEB / "static"
BUILT = WEB / "built"


class Script(TypedDict):
    """A script's file, the files that it imports, and those that it imports later, when it runs."""

    file: str
    imports: list[str]
    later: list[str]


@cache
def scripts() -> dict[str, Script]:
    """The scripts that pages name, by the path of their module in web/static."""
    return json.loads((BUILT / "manifest.json").read_text("utf-8"))


@cache
def asset(path: str) -> str:
    """The address of a file of web/static or web/built: with a hash of its content, which a script's name carries already."""
    if path in scripts():
        return f"/built/{scripts()[path]['file']}"
    folder = BUILT if (BUILT / path).exists() else STATIC
    digest = hashlib.sha256((folder / path).read_bytes()).hexdigest()[:12]
    return f"/{folder.name}/{path}?v={digest}"


def imports(path: str) -> list[str]:
    """What a script cannot begin without, to be asked for together with it."""
    return [f"/built/{name}" for name in scripts()[path]["imports"]]


def later(path: str) -> list[str]:
    """What a script asks for when it runs; to be asked for early, but after all else."""
    return [f"/built/{name}" for name in scripts()[path]["later"]]
