"""A small pack without a fault, for tests that put one in."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TERRITORY = """\
id = "essai"
communes = ["62528"]
languages = ["fr", "en"]
licence = "etalab-2.0"
attribution = "Ville d’Essai"
title = { fr = "Essai", en = "Trial" }
description = { fr = "Une commune d’essai.", en = "A commune for trials." }
bounds = [2.74, 50.42, 2.86, 50.50]

[contact]
name = "Mairie"

[[collection]]
id = "gardens"
kind = "places"
where = { category = "shared_garden" }
title = { fr = "Jardins", en = "Gardens" }
colour = "#117733"

[[collection]]
id = "belt"
kind = "areas"
title = { fr = "Ceinture", en = "Belt" }

[[collection]]
id = "walks"
kind = "paths"
title = { fr = "Promenades", en = "Walks" }

[[collection]]
id = "figures"
kind = "figures"
title = { fr = "Chiffres", en = "Figures" }

[[collection]]
id = "milestones"
kind = "milestones"
title = { fr = "Jalons", en = "Milestones" }

[[page]]
id = "mentions-legales"
title = { fr = "Mentions légales", en = "Legal notice" }

[page.text]
fr = "La commune."
en = "The commune."
"""

FIGURES = """\
source_key,indicator,name,name_en,value,unit,unit_en,value_date,value_date_precision,status,about,source,licence
inhabitants-2018,inhabitants,Habitants,Inhabitants,6855,habitants,inhabitants,2018-01-01,year,retained,belt:ring,INSEE,etalab-2.0
inhabitants-2022,inhabitants,Habitants,Inhabitants,6850,habitants,inhabitants,2022-01-01,year,retained,belt:ring,INSEE,etalab-2.0
inhabitants-2022-b,inhabitants,Habitants,Inhabitants,6900,habitants,inhabitants,2022-01-01,year,contested,,La presse,etalab-2.0
"""

MILESTONES = """\
source_key,date,date_precision,name,name_en,about,source,licence
first-garden,1995-01-01,year,Le premier jardin,The first garden,gardens:north gardens:south,La ville,etalab-2.0
belt-begun,1997-05-02,day,"La ceinture, enfin","The belt, at last",belt:ring,La ville,etalab-2.0
"""


def feature(key: str, name: str, geometry: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A feature with all that every kind asks for."""
    properties = {
        "source_key": key,
        "name": name,
        "source": "La ville",
        "licence": "etalab-2.0",
        "position": "digitised",
        "translations": {"en": {"name": name}},
        **more,
    }
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def point(lon: float, lat: float) -> dict[str, Any]:
    """A GeoJSON point."""
    return {"type": "Point", "coordinates": [lon, lat]}


def files() -> dict[str, Any]:
    """The small pack's files by name: texts, and what becomes JSON."""
    square = [[2.78, 50.44], [2.80, 50.44], [2.80, 50.46], [2.78, 50.46], [2.78, 50.44]]
    places = [
        feature("north", "Jardin du nord", point(2.79, 50.46), category="shared_garden", since="1995-03-01"),
        feature("south", "Jardin du sud", point(2.79, 50.44), category="shared_garden"),
    ]
    areas = [feature("ring", "Anneau", {"type": "Polygon", "coordinates": [square]}, category="belt", area_ha=12.5)]
    line = {"type": "LineString", "coordinates": [[2.78, 50.44], [2.80, 50.45]]}
    paths = [feature("walk", "Promenade", line, category="footpath", position="schematic", position_accuracy_m=50)]
    tables = {"figures.csv": FIGURES, "milestones.csv": MILESTONES}
    shapes = {"places.geojson": places, "areas.geojson": areas, "paths.geojson": paths}
    collections = {name: {"type": "FeatureCollection", "features": features} for name, features in shapes.items()}
    return {
        "territory.toml": TERRITORY,
        **collections,
        **tables,
        "datapackage.json": descriptor(["territory.toml", *collections], tables),
    }


def descriptor(plain: list[str], tables: dict[str, str]) -> dict[str, Any]:
    """A data package that lists these files."""
    types = {"value": "number", "date": "date", "value_date": "date"}
    resources: list[dict[str, Any]] = [{"name": name.partition(".")[0], "path": name} for name in plain]
    for name, text in tables.items():
        header = text.splitlines()[0].split(",")
        fields = [{"name": column, "type": types.get(column, "string")} for column in header]
        schema = {"fields": fields, "primaryKey": "source_key"}
        resources.append({"name": name.partition(".")[0], "path": name, "schema": schema})
    return {"name": "essai", "licenses": [{"name": "etalab-2.0"}], "resources": resources}


Files = dict[str, Any]
Write = Callable[[Files], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes the files of a pack into a folder of the test's own."""

    def put(content: dict[str, Any]) -> Path:
        folder = tmp_path / "pack"
        folder.mkdir()
        for name, value in content.items():
            (folder / name).parent.mkdir(exist_ok=True)
            data = value if isinstance(value, str | bytes) else json.dumps(value, indent=1, ensure_ascii=False)
            (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
        return folder

    return put
