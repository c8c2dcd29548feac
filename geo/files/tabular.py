"""Reads CSV with the standard library: points from two columns of numbers, or any geometry from one of WKT."""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
import shapely

from geo.errors import BadInput
from geo.files.features import BATCH, Batch, Opened, check_fields
from geo.files.formats import FIELDS, Source, bad
from geo.files.mapping import Layout
from geo.files.shapes import Checked, missing

LONGEST_FIELD = 64 * 1024**2
LONGEST_HEADER = 1024**2
LONGITUDES = ("lon", "longitude", "lng", "long", "xlong", "x_wgs84", "coord_x", "x")
LATITUDES = ("lat", "latitude", "ylat", "y_wgs84", "coord_y", "y")
WKTS = ("wkt", "geom_wkt", "geometry_wkt", "the_geom", "geom", "geometry")


class Csv:
    """Rows of a CSV file; its points from two columns of numbers, or any geometry from one of WKT."""

    def __init__(self, source: Source, layout: Layout, asked: dict[str, bool], *, placed: bool) -> None:
        """Read the header and find the columns of the geometry, where rows are `placed` at all."""
        csv.field_size_limit(LONGEST_FIELD)
        self.source, self.layout = source, layout
        encoding = layout.encoding or self._encoding()
        self.stream = source.path.open(encoding=encoding, newline="")
        self.lines = csv.reader(self.stream, delimiter=self._separator())
        self.fields = self._header()
        check_fields(asked, self.fields)
        self.placed = placed
        self.wkt = self._place("wkt", WKTS) if placed else None
        self.x = self._place("longitude", LONGITUDES) if self.wkt is None else None
        self.y = self._place("latitude", LATITUDES) if self.wkt is None else None
        if placed and self.wkt is None and (self.x is None or self.y is None):
            names = ", ".join(self.fields)
            raise bad(f"the CSV has no columns of longitude and latitude; name them in the mapping's [file]: {names}")

    def opened(self) -> Opened:
        """The header is read, the rows are not."""
        return Opened(fields=self.fields, crs=None, usual="OGC:CRS84", batches=self._batches())

    def _encoding(self) -> str:
        with self.source.path.open("rb") as stream:
            start = stream.read(2)
        return "utf-16" if start in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"

    def _separator(self) -> str:
        """What stands between the fields, from a bounded look at the header: its fields are counted before it is split."""
        try:
            header = self.stream.readline(LONGEST_HEADER)
        except UnicodeDecodeError as error:
            raise self._undecodable() from error
        self.stream.seek(0)
        separator = self.layout.separator or max(",;\t|", key=header.count)
        if header.count(separator) >= FIELDS or len(header) >= LONGEST_HEADER:
            raise bad(f"the CSV has more than {FIELDS} columns, or a header line of more than a megabyte")
        return separator

    def _header(self) -> tuple[str, ...]:
        header = tuple(name.strip() for name in next(self._records(), []))
        if len(set(header)) < len(header):
            raise bad("two columns of the CSV have the same name")
        return header

    def _place(self, name: str, usual: Sequence[str]) -> int | None:
        asked: str | None = getattr(self.layout, name)
        if asked and asked not in self.fields:
            raise bad(f"the CSV has no column {asked}, which the mapping names as its {name}")
        lowered = [field.lower() for field in self.fields]
        candidates = [asked.lower()] if asked else usual
        return next((lowered.index(candidate) for candidate in candidates if candidate in lowered), None)

    def _records(self) -> Iterator[list[str]]:
        try:
            yield from (record for record in self.lines if record)
        except UnicodeDecodeError as error:
            raise self._undecodable() from error
        except csv.Error as error:
            raise bad(f"line {self.lines.line_num} of the CSV cannot be read") from error

    def _undecodable(self) -> BadInput:
        line = getattr(self, "lines", None) and self.lines.line_num + 1
        return bad(
            f"the CSV is not UTF-8{f', from about line {line} on' if line else ''}; if an older program of Windows "
            f'wrote it, put encoding = "cp1252" into the mapping\'s [file]'
        )

    def _batches(self) -> Iterator[Batch]:
        first, records = 1, self._records()
        while rows := list(islice(records, BATCH)):
            yield Batch(first=first, rows=[self._padded(row) for row in rows], geometry=self._geometry(rows))
            first += len(rows)

    def _padded(self, row: list[str]) -> list[str]:
        return row if len(row) >= len(self.fields) else row + [""] * (len(self.fields) - len(row))

    def _geometry(self, rows: list[list[str]]) -> Checked:
        if not self.placed:
            return Checked(np.full(len(rows), None, dtype=object))
        if self.wkt is not None:
            return _from_wkt([row[self.wkt] if self.wkt < len(row) else "" for row in rows])
        return _from_numbers([self._numbers(row) for row in rows])

    def _numbers(self, row: list[str]) -> tuple[str, str]:
        padded = self._padded(row)
        return padded[self.x or 0].strip(), padded[self.y or 0].strip()


def _from_wkt(texts: list[str]) -> Checked:
    plain = [re.sub(r"^\s*SRID=\d+;", "", text) or None for text in texts]
    checked = Checked(shapely.from_wkt(np.array(plain, dtype=object), on_invalid="ignore"))
    absent = np.array([text is None for text in plain], dtype=bool)
    checked.refuse(absent, "there is no geometry")
    checked.refuse(~absent & missing(checked.shapes), "the WKT cannot be read")
    return checked


def _from_numbers(pairs: list[tuple[str, str]]) -> Checked:
    numbers = np.array([(_float(x), _float(y)) for x, y in pairs], dtype=float)
    empty = np.array([not (x and y) for x, y in pairs], dtype=bool)
    words = np.array([_no_number(x) or _no_number(y) for x, y in pairs], dtype=bool)
    checked = Checked(np.asarray(shapely.points(numbers), dtype=object))
    checked.refuse(empty, "there are no coordinates")
    checked.refuse(words & ~empty, "a coordinate is no number")
    return checked


def _float(text: str) -> float:
    try:
        return float(text if "." in text else text.replace(",", "."))
    except ValueError:
        return 0.0


def _no_number(text: str) -> bool:
    try:
        float(text if "." in text else text.replace(",", "."))
    except ValueError:
        return bool(text)
    return False
