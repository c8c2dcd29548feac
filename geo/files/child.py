"""Runs a child process that knows a heavy or a dangerous format, as long as somebody waits for what it makes."""

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from geo import errand
from geo.errors import TooSlow

ROOT = Path(__file__).parent.parent.parent
LOOK_SECONDS = 0.5
"""How often it is asked whether anybody still waits."""
BARE: Mapping[str, str] = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
"""An environment without the database's address or a password, for children that read what strangers sent."""


def run(
    module: str, *arguments: str, told: bytes, seconds: float, environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[bytes]":
    """`python -m MODULE ARGUMENTS` with `told` on its standard input; its code and its standard output.

    TooSlow, and the child is killed: after so many seconds, or when the request that it works for is abandoned.
    """
    mine, given_up = errand.current(), time.monotonic() + seconds
    with subprocess.Popen(  # noqa: S603 (our own interpreter)
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=environment,
        process_group=0,  # Ctrl-C is for us; we end the child
    ) as child:
        left: bytes | None = told
        while True:
            try:
                said, _ = child.communicate(left, timeout=LOOK_SECONDS)
                return subprocess.CompletedProcess(child.args, child.returncode, said)
            except subprocess.TimeoutExpired:
                left = None
                if time.monotonic() > given_up or (mine and mine.abandoned):
                    child.kill()
                    raise TooSlow(f"this was not finished within {seconds} s") from None
            except BaseException:
                child.kill()
                raise
