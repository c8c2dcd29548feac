"""The coordinate systems that the service speaks: names, axis order, decimals, and where each can be used. No SQL."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from geo.space import CRS84_URI, WGS84

EPSG_URI = "http://www.opengis.net/def/crs/EPSG/0/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crs:
    """One coordinate system.

    `northing_first` is the axis order of its authority, which OGC services keep: EPSG:4326 is latitude, longitude.
    PostGIS always holds x before y. `limits` are the smallest and largest x and y that PROJ transforms without fault.
    `decimals` write a position to 0.1 m.
    """

    uri: str
    srid: int
    name: str
    decimals: int
    limits: tuple[float, float, float, float]
    northing_first: bool = False

    @property
    def geographic(self) -> bool:
        """Whether its unit is the degree."""
        return self.srid == WGS84

    def xy(self, first: float, second: float) -> tuple[float, float]:
        """A position in the system's own axis order as x, y."""
        return (second, first) if self.northing_first else (first, second)

    def holds(self, x: float, y: float) -> bool:
        """Whether the position lies where the system can be used; NaN and infinity lie nowhere."""
        west, south, east, north = self.limits
        return west <= x <= east and south <= y <= north


def _epsg(code: int, name: str, *, northing_first: bool = False) -> Crs:
    decimals = 6 if code == WGS84 else 1
    return Crs(
        uri=f"{EPSG_URI}{code}",
        srid=code,
        name=name,
        decimals=decimals,
        limits=LIMITS[code],
        northing_first=northing_first,
    )


DEGREES = (-180.0, -90.0, 180.0, 90.0)
LIMITS = {
    4326: DEGREES,
    3857: (-20037508.34, -20048966.10, 20037508.34, 20048966.10),
    2154: (-3_000_000.0, 3_000_000.0, 4_000_000.0, 10_000_000.0),
    3950: (-1_500_000.0, 5_500_000.0, 5_000_000.0, 13_000_000.0),
    3035: (1_000_000.0, 500_000.0, 8_500_000.0, 7_500_000.0),
}

CRS84 = Crs(uri=CRS84_URI, srid=WGS84, name="WGS 84, longitude before latitude", decimals=6, limits=DEGREES)
OFFERED = (
    CRS84,
    _epsg(4326, "WGS 84", northing_first=True),
    _epsg(3857, "WGS 84 / Pseudo-Mercator"),
    _epsg(2154, "RGF93 v1 / Lambert-93"),
    _epsg(3950, "RGF93 v1 / CC50"),
    _epsg(3035, "ETRS89-extended / LAEA Europe", northing_first=True),
)
"""Every system that answers come in and that boxes and filters may be written in; the first is the default."""

BY_NAME = {
    name: crs
    for crs in OFFERED
    for name in (crs.uri, "[OGC:CRS84]" if crs is CRS84 else f"[EPSG:{crs.srid}]", crs.uri.replace("http:", "https:"))
}
"""The systems by address and by safe CURIE."""


def named(text: str) -> Crs | None:
    """The system of that name; None if it is not offered."""
    return BY_NAME.get(re.sub(r"EPSG/[0-9.]{1,8}/", "EPSG/0/", text[:100]))


def uris(systems: Sequence[Crs] = OFFERED) -> list[str]:
    """The systems' addresses, in order."""
    return [crs.uri for crs in systems]
