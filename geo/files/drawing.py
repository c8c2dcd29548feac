"""The child process that opens a drawing which somebody uploads: `python -m geo.files.drawing FOLDER`, one answer on stdout.

The file is made GeoJSON in WGS 84 and forgotten. It may be packed, damaged or hostile: the process has limits of its
own, GDAL knows the one driver that fits, and nothing is opened but what `formats.prepare` has laid into the folder.
"""

import json
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MEMORY = 2 * 1024**3
SECONDS = 30
LARGEST = 200 * 1024**2
"""Bytes that the file may unpack to."""

os.environ |= {"ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

from geo.errors import BadInput, GohelleError, TooMuch  # noqa: E402 (after the environment that libraries read)
from geo.files import formats, layered  # noqa: E402
from geo.files.formats import bad  # noqa: E402
from geo.files.mapping import Layout  # noqa: E402
from geo.space import VERTICES  # noqa: E402

DRIVERS = {"GeoJSON", "GPKG", "ESRI Shapefile", "KML", "GPX"}
NAMES = ("name", "Name", "NAME", "nom", "NOM")
FEATURES = 10_000
NAME = 200
WGS84 = {"KML", "GPX", "GeoJSON"}
"""Formats that are in WGS 84 where they do not say otherwise."""


def main() -> None:
    """Answer for the file `upload` in the folder; `repair` as the second word mends what is invalid."""
    folder, repair, drivers = Path(sys.argv[1]), sys.argv[2] == "repair", json.load(sys.stdin)
    for which, bound in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, LARGEST),
    ):
        resource.setrlimit(which, (bound, bound))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    formats.UNPACKED = LARGEST
    try:
        answer: dict[str, Any] = {"drawing": _drawn(folder, repair=repair, drivers=drivers)}
    except BadInput as error:
        answer = {"type": "BadInput", "messages": [one.message for one in error.problems]}
    except TooMuch as error:
        answer = {"type": "TooMuch", "messages": [str(error)]}
    except MemoryError:
        answer = {"type": "TooMuch", "messages": [f"the file needs more memory than {MEMORY // 1024**3} GiB"]}
    except GohelleError as error:
        answer = {"type": "BadInput", "messages": [str(error)]}
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


def _drawn(folder: Path, *, repair: bool, drivers: list[str]) -> dict[str, Any]:
    source = formats.prepare(folder / "upload", folder)
    if source.driver not in DRIVERS:
        raise bad("the file is none of GeoJSON, GeoPackage, Shapefile in a zip, KML, GPX")
    layered.only(source.driver, drivers or layered.all_drivers())
    opened = layered.Layered(source, Layout(), dict.fromkeys(NAMES, True), None, whole=False).opened()
    crs = opened.crs or ("EPSG:4326" if source.driver in WGS84 else None)
    if crs is None:
        raise bad("the file does not say its coordinate system: a shapefile needs its .prj")
    features, vertices = [], 0
    for name, shape, count in _shapes(opened, crs, repair=repair):
        vertices += count
        if len(features) == FEATURES:
            raise TooMuch(f"the file has more than {FEATURES} features")
        if vertices > VERTICES:
            raise TooMuch(f"the file has more than {VERTICES} positions")
        features.append({"type": "Feature", "properties": {"name": name}, "geometry": shape})
    if not features:
        raise bad("the file holds no feature with a geometry")
    return {"type": "FeatureCollection", "features": features}


def _shapes(opened: Any, crs: str, *, repair: bool) -> Iterator[tuple[str, dict[str, Any], int]]:
    import shapely  # noqa: PLC0415 (after the drivers are closed)

    from geo.files.shapes import Projection  # noqa: PLC0415

    project = Projection(crs)
    for batch in opened.batches:
        for n, (row, shape) in enumerate(
            zip(batch.rows, project(shapely.force_2d(batch.geometry.shapes)), strict=True)
        ):
            where = f"feature {batch.first + n}"
            if shape is None or shape.is_empty:
                raise bad(f"{where} has no geometry")
            mended = _sound(shape, where, repair=repair)
            name = next((str(value) for value in row if value), "")[:NAME]
            yield name, json.loads(shapely.to_geojson(mended)), shapely.get_num_coordinates(mended)


def _sound(shape: Any, where: str, *, repair: bool) -> Any:
    """A valid geometry on earth; what is invalid is mended if asked, or refused with the place of its fault."""
    import shapely  # noqa: PLC0415

    bounds = shape.bounds
    if not all(abs(n) <= most for n, most in zip(bounds, (180, 85.06, 180, 85.06), strict=True)):  # false of NaN, too
        raise bad(f"{where} lies outside the world: are its coordinates degrees?")
    if shapely.is_valid(shape):
        return shape
    if not repair:
        said, _, place = shapely.is_valid_reason(shape).rstrip("]").partition("[")
        raise bad(f"{where} is not valid: {said.lower()}" + (f" at {place.replace(' ', ', ')}" if place else ""))
    parts = [
        one
        for one in shapely.get_parts(shapely.make_valid(shape))
        if shapely.get_dimensions(one) == shapely.get_dimensions(shape)
    ]
    single = [part for one in parts for part in shapely.get_parts(one)]
    if not single:
        raise bad(f"{where} is not valid, and nothing is left of it when it is repaired")
    return single[0] if len(single) == 1 else (shapely.multipolygons if single[0].geom_type == "Polygon" else shapely.multilinestrings)(single)  # fmt: skip


if __name__ == "__main__":
    main()
