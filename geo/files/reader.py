"""The child process that reads one file: `python -m geo.files.reader`, a request on stdin, JSON lines on stdout."""

import json
import sys
from typing import Any


def say(kind: str, value: Any) -> None:
    """One line to the parent."""
    sys.stdout.write(json.dumps({kind: value}) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Answer the one request."""
    json.load(sys.stdin)
    say("error", {"type": "BadInput", "problems": [{"message": "this version reads no file yet"}]})


if __name__ == "__main__":
    main()
