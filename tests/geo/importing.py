"""What the tests of imports share: a small mapping, small files of every format, and one call to import them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

from psycopg import sql

from geo.files import ImportRequest, Report, run_import
from tests.conftest import Territory

ROWS = sql.SQL("select source_key, id, name, updated_at, geom::text, commune, dataset from territory.{} order by 1")
AREAS = """
title = "Small areas"
attribution = "The tests"
source_date = 2026-01-02
licence = "etalab-2.0"
kind = "areas"
source_key = "a-{id}"
position = "digitised"

[columns]
name = "{nom}"
category = "park"
area_ha = { measure = "area_ha" }
"""
PLACES = """
title = "Small places"
attribution = "The tests"
licence = "etalab-2.0"
kind = "places"
source_key = "p-{id}"
position = "surveyed"

[columns]
name = "{nom}"
category = "other"
"""


def square(x: float, y: float, size: float = 0.01) -> list[list[list[float]]]:
    """A polygon's coordinates: a square from its lower left corner."""
    return [[[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]]]


def feature(key: Any, geometry: str | None, coordinates: Any, **properties: Any) -> dict[str, Any]:
    """A GeoJSON feature called after its key."""
    shape = None if geometry is None else {"type": geometry, "coordinates": coordinates}
    return {"type": "Feature", "properties": {"id": key, "nom": f"No. {key}", **properties}, "geometry": shape}


def collection(*features: dict[str, Any]) -> str:
    """GeoJSON text."""
    return json.dumps({"type": "FeatureCollection", "features": features})


@dataclass(frozen=True)
class Desk:
    """A database and a folder, and the import of files that lie in it."""

    territory: Territory
    folder: Path

    def file(self, name: str, content: str | bytes) -> Path:
        """Write a file; its path."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def run(self, file: Path | str, mapping: str = AREAS, **how: Any) -> Report:
        """Import the file by the mapping's text, as the command line would."""
        toml = self.file("small.toml", mapping)
        kind = mapping.split('kind = "')[1].split('"', maxsplit=1)[0]
        request = ImportRequest(file=file, kind=kind, mapping=str(toml), **how)
        return run_import(self.territory.settings, request)

    def rows(self, kind: str = "areas") -> list[tuple[Any, ...]]:
        """Everything that an import could change, in key order."""
        with self.territory.superuser() as connection:
            return connection.execute(ROWS.format(sql.Identifier(kind))).fetchall()

    def sql(self, statement: LiteralString) -> None:
        """Run a statement as the superuser."""
        with self.territory.superuser() as connection:
            connection.execute(statement)
