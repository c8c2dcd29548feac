"""The map's modules that need no browser: projection, geometry, words, addresses. Node's own test runner runs them."""

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
WEB = HERE.parent.parent / "web"
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(NODE is None, reason="there is no Node on this machine")


@pytest.mark.parametrize("file", sorted(HERE.glob("*.test.mjs")), ids=lambda file: file.name.removesuffix(".test.mjs"))
def test_module(file: Path) -> None:
    run = subprocess.run([str(NODE), "--test", str(file)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("file", sorted(WEB.glob("static/*/*.js")), ids=lambda file: file.stem)
def test_a_module_is_well_formed_and_says_what_lives_there(file: Path) -> None:
    run = subprocess.run([str(NODE), "--check", str(file)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert file.read_text("utf-8").startswith("// ")


@pytest.mark.parametrize("file", sorted(WEB.glob("static/*/*.js")), ids=lambda file: file.stem)
def test_no_module_makes_html_of_words(file: Path) -> None:
    """Words that residents wrote go in as text: nothing here parses HTML."""
    text = file.read_text("utf-8").replace('el("span", {}, text).innerHTML', "")  # reads, to escape
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert way not in text, f"{file.name} uses {way}"
