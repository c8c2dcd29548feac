"""Opens a Gohelle in QGIS without a screen, as a geomatician would, and prints what QGIS makes of it as JSON.

    QT_QPA_PLATFORM=offscreen python3 docs/open_in_qgis.py http://127.0.0.1:8000 COLLECTION [EXPRESSION]

Needs QGIS with its Python (`apt-get install --no-install-recommends qgis python3-qgis`), nothing of Gohelle's own.
"""

import json
import sys
from typing import Any

from qgis.core import (  # pyright: ignore[reportMissingImports]
    Qgis,
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsRectangle,
    QgsVectorLayer,
    QgsVectorTileLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QSize  # pyright: ignore[reportMissingImports]
from qgis.PyQt.QtGui import QColor  # pyright: ignore[reportMissingImports]

WEB_MERCATOR_AROUND = (305_000, 6_515_000, 317_000, 6_527_000)
"""Loos-en-Gohelle and its neighbours: what is drawn of the tiles."""


def layer(base: str, collection: str, *, srid: str = "", expression: str = "") -> dict[str, Any]:
    """The collection through the OAPIF provider: everything that it holds, in that system, filtered by the server."""
    system = f" srsname='{srid}'" if srid else ""
    opened = QgsVectorLayer(f"url='{base}' typename='{collection}'{system} pagingEnabled='true'", collection, "OAPIF")
    if not opened.isValid():
        return {"valid": False}
    if expression and not opened.setSubsetString(expression):
        return {"valid": True, "filter": False}
    features = list(opened.getFeatures())
    box = opened.extent()
    return {
        "valid": True,
        "crs": opened.crs().authid(),
        "geometry": QgsWkbTypes.displayString(opened.wkbType()),
        "fields": {field.name(): field.typeName() for field in opened.fields()},
        "features": len(features),
        "keys": sorted({feature["source_key"] for feature in features}),
        "extent": [box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()],
        "first": features[0].geometry().asWkt(2)[:80] if features else None,
    }


def tiles(base: str, collection: str) -> dict[str, Any]:
    """The collection's vector tiles, by the address that a vector tile connection of QGIS takes, drawn as QGIS draws."""
    address = f"{base}/collections/{collection}/tiles/WebMercatorQuad/{{z}}/{{y}}/{{x}}"
    opened = QgsVectorTileLayer(f"type=xyz&url={address}&zmin=0&zmax=14", collection)
    if not opened.isValid():
        return {"valid": False}
    shown = QgsMapSettings()
    shown.setLayers([opened])
    shown.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    shown.setExtent(QgsRectangle(*WEB_MERCATOR_AROUND))
    shown.setOutputSize(QSize(400, 400))
    shown.setBackgroundColor(QColor("white"))
    job = QgsMapRendererSequentialJob(shown)
    job.start()
    job.waitForFinished()
    picture = job.renderedImage()
    inked = sum(picture.pixelColor(x, y) != QColor("white") for x in range(400) for y in range(400))
    return {"valid": True, "inked": inked}


def main(base: str, collection: str, expression: str = "") -> None:
    """Open it all and tell."""
    application = QgsApplication([], False)
    application.initQgis()
    told = {
        "qgis": Qgis.QGIS_VERSION_INT,
        "degrees": layer(base, collection),
        "lambert": layer(base, collection, srid="EPSG:2154"),
        "tiles": tiles(base, collection),
    }
    if expression:
        told["filtered"] = layer(base, collection, expression=expression)
    print(json.dumps(told, ensure_ascii=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
