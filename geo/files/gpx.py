"""Lines as tracks of a GPX file, which GPS devices read. GDAL's own writer takes no Arrow columns of GPX's own names."""

import re
from pathlib import Path
from typing import Any
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

import pyarrow as pa
import shapely

NAMESPACE = "http://www.topografix.com/GPX/1/1"
MEMBERS = {"name": "name", "desc": "description", "src": "source", "type": "category"}
"""Elements of a track, in the order of the format, and the columns that they hold."""

NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(path: Path, rows: pa.RecordBatchReader) -> None:
    """A track a row, a segment a line."""
    with path.open("w", encoding="utf-8") as file:
        out = XMLGenerator(file, encoding="utf-8", short_empty_elements=True)
        out.startDocument()
        out.startElement("gpx", AttributesImpl({"version": "1.1", "creator": "Gohelle", "xmlns": NAMESPACE}))
        for batch in rows:
            lines = shapely.from_wkb(batch.column("geometry").to_numpy(zero_copy_only=False))
            columns = {
                tag: batch.column(name).to_pylist() for tag, name in MEMBERS.items() if name in batch.schema.names
            }
            for n, line in enumerate(lines):
                _track(out, {tag: values[n] for tag, values in columns.items()}, line)
        out.endElement("gpx")
        out.endDocument()


def _track(out: XMLGenerator, said: dict[str, Any], lines: Any) -> None:
    out.startElement("trk", AttributesImpl({}))
    for tag, text in said.items():
        if text is not None:
            out.startElement(tag, AttributesImpl({}))
            out.characters(NO_XML.sub("", str(text)))
            out.endElement(tag)
    for line in lines.geoms:
        out.startElement("trkseg", AttributesImpl({}))
        for lon, lat in line.coords:
            out.startElement("trkpt", AttributesImpl({"lat": f"{lat:.7f}", "lon": f"{lon:.7f}"}))
            out.endElement("trkpt")
        out.endElement("trkseg")
    out.endElement("trk")
