"""Files as GDAL and Arrow write them: one layer, streamed in. Only the child process of geo/files imports this."""

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyogrio

from geo.files import gpx
from geo.files.batches import schema
from geo.files.export import Layer


def write(path: Path, layer: Layer, batches: Iterator[pa.RecordBatch]) -> int:
    """Write the file; how many rows it holds."""
    counted = _Counted(batches)
    WRITERS[layer.format](path, layer, pa.RecordBatchReader.from_batches(schema(layer), counted))
    return counted.rows


class _Counted:
    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches = batches
        self.rows = 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for batch in self._batches:
            self.rows += batch.num_rows
            yield batch


def _gdal(driver: str, **options: Any) -> Callable[[Path, Layer, pa.RecordBatchReader], None]:
    def write(path: Path, layer: Layer, rows: pa.RecordBatchReader) -> None:
        pyogrio.write_arrow(
            rows,
            path,
            layer=layer.name,
            driver=driver,
            geometry_name="geometry" if layer.geometry else None,
            geometry_type=layer.geometry,
            crs=f"EPSG:{layer.srid}",
            **options,
        )

    return write


def _shapefile(path: Path, layer: Layer, rows: pa.RecordBatchReader) -> None:
    """A zip of the parts of one shapefile. The parts are written beside it, where the parent clears up."""
    shapes = path.with_suffix(".shp")
    _gdal("ESRI Shapefile", encoding="UTF-8")(shapes, layer, rows)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(path.parent.glob(f"{path.stem}.*")):
            if part != path:
                archive.write(part, f"{layer.name}{part.suffix}")
                part.unlink()


def _geoparquet(path: Path, layer: Layer, rows: pa.RecordBatchReader) -> None:
    from pyarrow import parquet  # noqa: PLC0415 (the other formats need neither)

    with parquet.ParquetWriter(path, rows.schema, compression="zstd") as writer:
        for batch in rows:
            writer.write_batch(batch, row_group_size=65_536)
        if layer.geometry:
            writer.add_key_value_metadata({"geo": json.dumps(_geo(layer))})


def _geo(layer: Layer) -> dict[str, Any]:
    from pyproj import CRS  # noqa: PLC0415

    system = CRS.from_user_input("OGC:CRS84" if layer.srid == 4326 else layer.srid)
    column = {"encoding": "WKB", "geometry_types": [layer.geometry], "crs": system.to_json_dict()}
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}


WRITERS: Mapping[str, Callable[[Path, Layer, pa.RecordBatchReader], None]] = {
    "flatgeobuf": _gdal("FlatGeobuf"),
    "gpkg": _gdal("GPKG"),
    "geoparquet": _geoparquet,
    "kml": _gdal("LIBKML"),
    "gpx": lambda path, _, rows: gpx.write(path, rows),
    "shapefile": _shapefile,
}
"""Every format that this room writes."""
