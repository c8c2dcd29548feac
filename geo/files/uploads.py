"""Has an uploaded drawing opened by a child process, and listens to it; the file goes when the answer is there."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from geo.errors import BadInput, Problem, TooMuch

LARGEST = 50_000_000
"""Bytes of a file."""
PATIENCE_SECONDS = 30
ROOT = Path(__file__).parent.parent.parent
NEEDED = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
"""The child's environment: no address of a database, no password."""


def opened(data: bytes, *, repair: bool = False) -> dict[str, Any]:
    """The drawing as a GeoJSON FeatureCollection in WGS 84, each feature with its `name`.

    BadInput says what is wrong with the file and where, TooMuch which bound it passes.
    """
    if len(data) > LARGEST:
        raise TooMuch(f"a file may have at most {LARGEST} bytes")
    with TemporaryDirectory(prefix="gohelle-import-") as folder:
        Path(folder, "upload").write_bytes(data)
        return _answer(folder, "repair" if repair else "refuse")


def _answer(folder: str, how: str) -> dict[str, Any]:
    line = [sys.executable, "-m", "geo.files.drawing", folder, how]
    try:
        done = subprocess.run(  # noqa: S603 (our own interpreter)
            line,
            cwd=ROOT,
            env=NEEDED,
            input="[]",
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise TooMuch(f"the file takes longer than the {PATIENCE_SECONDS} s that it may") from error
    if done.returncode:
        raise TooMuch("the file takes more computing or memory than it may")
    answer = json.loads(done.stdout.rstrip("\n").rpartition("\n")[2])
    if answer.get("type") == "TooMuch":
        raise TooMuch(answer["messages"][0])
    if "drawing" not in answer:
        raise BadInput(*(Problem(parameter="file", message=one) for one in answer["messages"]))
    return answer["drawing"]
