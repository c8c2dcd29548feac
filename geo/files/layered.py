"""Reads what GDAL reads, through Arrow, with GDAL knowing one driver alone: none that could open another file."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from geo.files.features import BATCH, Batch, Opened, check_fields
from geo.files.formats import FIELDS, Source, bad
from geo.files.mapping import Layout, outer
from geo.files.shapes import read_wkb

ALONE = {"GPKG": {"IMMUTABLE": "YES"}, "OSM": {"TAGS_FORMAT": "JSON"}}
"""Open options of GDAL: a GeoPackage is only read, so it needs no journal beside it; tags of OSM come as JSON."""


UNUSED = ("geopandas", "pandas")
"""Where they are installed, pyogrio loads them on the off-chance: half of a second and 60 MB for nothing."""


def all_drivers() -> list[str]:
    """The drivers that GDAL has. It reads its environment once, when it is loaded, so another process must list."""
    aside = (*UNUSED, "pyarrow", "pyproj", "shapely")
    code = f"import sys; sys.modules.update(dict.fromkeys({aside!r})); import pyogrio; print(*pyogrio.list_drivers(), sep=',')"
    listed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)  # noqa: S603 (our own interpreter)
    return listed.stdout.strip().split(",")


def only(driver: str, known: Sequence[str]) -> None:
    """Let GDAL, which knows these drivers, know no driver but this one."""
    modules: dict[str, Any] = sys.modules
    modules.update(dict.fromkeys(UNUSED))  # an import of them fails, as where they are not installed
    os.environ["GDAL_SKIP"] = ",".join(name for name in known if name != driver)
    os.environ |= {"GDAL_PAM_ENABLED": "NO", "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": "{none}", "PROJ_NETWORK": "OFF"}
    import pyogrio  # noqa: PLC0415 (only after the drivers are closed)

    if (left := set(pyogrio.list_drivers())) != {driver}:
        raise bad(f"the library of formats offers {', '.join(sorted(left)) or 'nothing'} instead of {driver} alone")


class Layered:
    """Rows of one layer, with the fields that are asked for, or with all where `whole` says so."""

    def __init__(
        self, source: Source, layout: Layout, asked: dict[str, bool], layer: str | None, *, whole: bool
    ) -> None:
        """Choose the layer: the one that is asked for, or the only one. `only` was called before."""
        self.source, self.asked, self.whole = source, asked, whole
        self.encoding = layout.encoding
        self.layer = layer or layout.layer or self._only_layer()
        self.info = self._info(self.layer)

    def opened(self) -> Opened:
        """The layer's own words are read, its features are not."""
        fields = tuple(self.info["fields"])
        if self.info["features"] == 0:
            raise bad("the file holds no feature")
        if len(fields) > FIELDS:
            raise bad(f"the file has {len(fields)} fields, more than the {FIELDS} that are read")
        if self.info["geometry_type"] is None:
            raise bad("this layer has no geometry at all")
        check_fields(self.asked, fields)
        asked = {outer(name, fields) for name in self.asked}
        wanted = tuple(name for name in fields if self.whole or name in asked)
        return Opened(
            fields=wanted, crs=self.info["crs"], usual=None, lines=self.source.lines, batches=self._batches(wanted)
        )

    def _only_layer(self) -> str:
        import pyogrio  # noqa: PLC0415

        with _clear_words(self.source):
            layers = [str(name) for name, geometry in pyogrio.list_layers(self.source.path) if geometry]
        if len(layers) > 1 and self.source.driver in ("KML", "GPX"):
            layers = [name for name in layers if self._info(name)["features"]]
        if len(layers) != 1:
            raise bad(f"the file has several layers, name one of {', '.join(layers)}" if layers else "it has no layer")
        return layers[0]

    def _info(self, layer: str) -> dict[str, Any]:
        import pyogrio  # noqa: PLC0415

        count = self.source.driver in ("KML", "GPX")
        with _clear_words(self.source):
            return pyogrio.read_info(
                self.source.path, layer=layer, encoding=self.encoding, force_feature_count=count, **self._options()
            )

    def _options(self) -> dict[str, Any]:
        return dict(ALONE.get(self.source.driver, {}))

    def _batches(self, fields: Sequence[str]) -> Iterator[Batch]:
        from pyogrio.raw import open_arrow  # noqa: PLC0415

        first = 1
        with (
            _clear_words(self.source),
            open_arrow(
                self.source.path,
                layer=self.layer,
                encoding=self.encoding,
                columns=list(fields),
                batch_size=BATCH,
                use_pyarrow=True,
                **self._options(),
            ) as (meta, reader),
        ):
            name = meta["geometry_name"] or "wkb_geometry"
            for batch in reader:
                columns = [batch.column(field).to_pylist() for field in fields]
                rows = list(zip(*columns, strict=True)) if columns else [()] * batch.num_rows
                yield Batch(first=first, rows=rows, geometry=read_wkb(batch.column(name).to_pylist()))
                first += batch.num_rows


class _clear_words:  # noqa: N801 (used as a statement)
    """GDAL's own errors become one sentence; ours pass."""

    def __init__(self, source: Source) -> None:
        self.driver = source.driver

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type | None, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, UnicodeDecodeError):
            raise bad('a text of the file is not UTF-8; put encoding = "cp1252" into the mapping\'s [file]') from error
        if isinstance(error, RuntimeError | ValueError | OSError):
            said = re.sub(r"'?/\S*gohelle-import\S*", "the file", str(error)).split(". ")[0][:300]
            raise bad(f"the file cannot be read as {self.driver}: {said}") from error
