"""Has an uploaded drawing opened by a child process, and listens to it. Whoever received the file throws it away."""

import json
from pathlib import Path
from typing import Any

from geo.errors import BadInput, Problem, TooMuch, TooSlow
from geo.files import child

LARGEST = 50_000_000
"""Bytes of a file."""
PATIENCE_SECONDS = 30
NAME = "upload"
"""How the file is called in its folder."""


def opened(folder: Path, *, repair: bool = False) -> dict[str, Any]:
    """The drawing as a GeoJSON FeatureCollection in WGS 84, each feature with its `name`.

    `folder` holds the file NAME, and is the child's to unpack into. BadInput says what is wrong with the file and
    where, TooMuch which bound it passes.
    """
    if (folder / NAME).stat().st_size > LARGEST:
        raise TooMuch(f"a file may have at most {LARGEST} bytes")
    how = "repair" if repair else "refuse"
    try:
        done = child.run(
            "geo.files.drawing", str(folder), how, told=b"[]", seconds=PATIENCE_SECONDS, environment=child.BARE
        )
    except TooSlow as error:
        raise TooMuch(f"the file takes longer than the {PATIENCE_SECONDS} s that it may") from error
    if done.returncode:
        raise TooMuch("the file takes more computing or memory than it may")
    return _drawing(json.loads(done.stdout.rstrip(b"\n").rpartition(b"\n")[2]))


def _drawing(answer: dict[str, Any]) -> dict[str, Any]:
    if answer.get("type") == "TooMuch":
        raise TooMuch(answer["messages"][0])
    if "drawing" not in answer:
        raise BadInput(*(Problem(parameter="file", message=one) for one in answer["messages"]))
    return answer["drawing"]
