"""Who may import whom, and what an import may cost: the arrows of the house, read from the code itself."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = {"geopandas", "pandas", "pyogrio", "pyarrow", "shapely", "pyproj", "weasyprint", "frictionless"}
WEB = {"fastapi", "starlette", "uvicorn", "jinja2"}
FLOORS = [
    {"errors", "columns", "energy", "exchange", "cycling", "space", "crs", "settings", "privacy", "errand"},
    {"curve", "wire"},
    {"db", "kinds", "schema", "listening", "programs"},
    {"tables", "backup", "writing"},
    {"collections", "cql2"},
    {"sorting"},
    {"filters"},
    {"features", "tiles", "packs", "addresses", "statistics", "comparison", "references"},
    {"register", "planning", "files", "exports", "conformity"},
]
"""Inside geo: what stands lower never imports what stands higher."""


def sources(*rooms: str) -> list[Path]:
    """The Python files of these rooms."""
    return sorted(file for room in rooms for file in (ROOT / room).rglob("*.py") if "node_modules" not in file.parts)


def imports(file: Path) -> Iterator[str]:
    """The dotted names that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def roots(file: Path) -> set[str]:
    """The packages that a file imports."""
    return {name.partition(".")[0] for name in imports(file)}


@pytest.mark.parametrize("file", sources("geo"), ids=str)
def test_geo_imports_nobody(file: Path):
    """The territory knows neither the doors, nor the packs, nor any web framework."""
    assert not roots(file) & ({"api", "seed", "migrations", "tests"} | WEB)


@pytest.mark.parametrize("file", sources("api"), ids=str)
def test_the_doors_hold_no_sql_and_no_geometry(file: Path):
    """Only the command line may reach the packs; nobody here speaks SQL or opens files of geometry."""
    allowed = {"seed"} if file.name == "command.py" else set()
    assert not (roots(file) - allowed) & ({"seed", "sqlalchemy", "geoalchemy2", "psycopg", "alembic"} | HEAVY)


@pytest.mark.parametrize("file", sources("seed"), ids=str)
def test_packs_know_geo_alone(file: Path):
    """Reading a pack needs no web framework and no format library."""
    assert not roots(file) & ({"api", "sqlalchemy", "psycopg"} | WEB | HEAVY)


@pytest.mark.parametrize("file", sources("migrations"), ids=str)
def test_migrations_import_nothing_of_ours(file: Path):
    """A version is history: it must not change when the code does."""
    ours = {name for name in imports(file) if name.partition(".")[0] in ("api", "geo", "seed")}
    assert ours <= ({"geo.settings", "geo.settings.Settings"} if file.name == "env.py" else set())


@pytest.mark.parametrize("file", sources("geo", "api", "seed"), ids=str)
def test_format_libraries_stay_in_the_room_of_files(file: Path):
    """They cost 130 MB of memory; only the child process of geo/files pays."""
    if file.parent.name != "files":
        assert not roots(file) & HEAVY


@pytest.mark.parametrize("file", [file for file in sources("geo") if file.parent.name == "geo"], ids=str)
def test_lower_floors_never_import_upper_ones(file: Path):
    """Each module of geo stands on a floor, and imports its own floor or lower ones."""
    floor = {name: number for number, names in enumerate(FLOORS) for name in names}
    if file.stem == "__init__":
        return
    used = {name.split(".")[1] for name in imports(file) if name.startswith("geo.")} - {"__init__"}
    assert {name: floor[name] for name in used if floor[name] > floor[file.stem]} == {}


@pytest.mark.parametrize("module", ["api.app", "api.command", "geo.files"])
def test_importing_the_service_loads_no_format_library(module: str):
    """What a worker imports when it starts, measured in a fresh process."""
    heavy = HEAVY - {"shapely"}  # GeoAlchemy2 loads it where it is installed: 21 MB with numpy
    code = f"import sys, {module}; print(*sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    ("part", "room"),
    [("procrastinate", "geo/register/jobs.py"), ("smtplib", "api/mailing.py"), ("pi_heif", "geo/register/darkroom.py")],
)
def test_each_part_is_spoken_to_in_one_place(part: str, room: str):
    """Another queue, another way to send mail, another reader of photos would change one file."""
    assert [str(file.relative_to(ROOT)) for file in sources("api", "geo", "seed") if part in roots(file)] == [room]


def test_every_setting_is_in_the_readme():
    """What can be set is read in one file, and told in one table."""
    read = set(re.findall(r'"(GOHELLE_[A-Z_]+)"', (ROOT / "geo" / "settings.py").read_text("utf-8")))
    table = (ROOT / "README.md").read_text("utf-8").partition("## Settings")[2].partition("## ")[0]
    assert read - set(re.findall(r"GOHELLE_[A-Z_]+", table)) == set()


def test_no_room_for_leftovers():
    """Names that say nothing attract everything."""
    banned = {"utils", "helpers", "common", "core", "services", "manager"}
    assert not [file for file in sources("api", "geo", "seed") if banned & {file.stem, *file.relative_to(ROOT).parts}]
