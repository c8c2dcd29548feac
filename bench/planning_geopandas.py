"""A planner's question by geopandas, from the same database: `python -m bench.planning_geopandas URL QUESTION INPUTS`.

Reads with read_postgis what the question needs, answers with geopandas' own operations, and prints seconds, MB at the peak,
and the figures that the service must agree with, by their path in its answer. Nearness is judged in Lambert 93, in which
France is drawn: geopandas knows no distance on the ellipsoid.
"""

# geopandas' methods say less of what they return than they return:
# pyright: reportArgumentType=false, reportReturnType=false, reportAttributeAccessIssue=false, reportCallIssue=false

import json
import resource
import sys
import time
from collections.abc import Mapping
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyproj
import shapely
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection

LAMBERT_93 = 2154
GEOD = pyproj.Geod(ellps="GRS80")
Figures = dict[str, float]
LANDMARKS = "category in ('monument', 'culture', 'trailhead', 'station', 'carpool', 'brownfield', 'other')"


def _read(connection: Connection, table: str, columns: str = "", where: str = "true") -> geopandas.GeoDataFrame:
    named = f", {columns}" if columns else ""
    sql = f"select id{named}, geom from territory.{table} where {where}"
    return geopandas.read_postgis(sql, connection, geom_col="geom", crs=4326)


def nearby(connection: Connection, inputs: Mapping[str, Any]) -> Figures:
    """The nearest first, within the distance."""
    rows = _read(connection, "installations", "name, technology, power_kw, year").to_crs(LAMBERT_93)
    place = geopandas.GeoSeries([shapely.geometry.shape(inputs["geometry"])], crs=4326).to_crs(LAMBERT_93)[0]
    metres = rows.distance(place)
    near = rows.assign(metres=metres)[metres <= inputs["distance"]].nsmallest(inputs["limit"], "metres")
    near.to_crs(4326).to_json()
    return {"returned": len(near)}


def coverage(connection: Connection, inputs: Mapping[str, Any]) -> Figures:
    """Which points have one of the others within the distance."""
    rows = _read(connection, "installations").to_crs(LAMBERT_93)
    return {"total": len(rows), "covered": int(_covered(connection, rows, inputs["distance"]).sum())}


def _covered(connection: Connection, rows: geopandas.GeoDataFrame, distance: float) -> pd.Series:
    near = _read(connection, "places", where=LANDMARKS).to_crs(LAMBERT_93)
    found = rows.sindex.query(near.geometry, predicate="dwithin", distance=distance)[1]
    return rows.index.to_series().isin(rows.index[np.unique(found)])


def overlay_points(connection: Connection, _inputs: Mapping[str, Any]) -> Figures:
    """Which points lie in one of the areas."""
    rows = _read(connection, "installations", "name, technology")
    areas = _read(connection, "heritage", where="position <> 'schematic'")
    inside = rows.iloc[np.unique(rows.sindex.query(areas.geometry, predicate="intersects")[1])]
    inside.to_json()
    return {"total": len(inside)}


def overlay_areas(connection: Connection, _inputs: Mapping[str, Any]) -> Figures:
    """What of the communes lies in one of the areas."""
    communes = _read(connection, "communes", "name", "position <> 'schematic'")
    areas = _read(connection, "heritage", where="position <> 'schematic'")
    together = geopandas.GeoDataFrame(geometry=[areas.union_all()], crs=4326).explode()
    pieces = geopandas.overlay(communes, together, how="intersection").dissolve("id")
    pieces.to_json()
    return {"total": _area(pieces)}


def _area(rows: geopandas.GeoDataFrame) -> float:
    return sum(abs(GEOD.geometry_area_perimeter(shapely.orient_polygons(one))[0]) for one in rows.geometry)


def summary_year(connection: Connection, _inputs: Mapping[str, Any]) -> Figures:
    """Counts and sums by year."""
    rows = _read(connection, "installations", "year, power_kw, area_m2, annual_mwh")
    return {"returned": len(_summed(rows, "year"))}


def summary_commune(connection: Connection, _inputs: Mapping[str, Any]) -> Figures:
    """Counts and sums by the commune that a row carries, with the outline."""
    rows = _read(connection, "installations", "commune, power_kw, area_m2, annual_mwh")
    communes = _read(connection, "communes", "insee, name").set_index("insee")
    told = communes.join(_summed(rows, "commune"), how="right")
    told.to_json()
    return {"returned": len(told)}


def _summed(rows: pd.DataFrame, by: Any) -> pd.DataFrame:
    return rows.groupby(by, dropna=False).agg(
        count=("id", "size"), kw=("power_kw", "sum"), m2=("area_m2", "sum"), mwh=("annual_mwh", "sum")
    )


def summary_cells(connection: Connection, inputs: Mapping[str, Any]) -> Figures:
    """Counts and sums by cell of the INSPIRE grid, with the square."""
    rows = _read(connection, "installations", "power_kw, area_m2, annual_mwh")
    rows = rows.clip(shapely.geometry.shape(inputs["area"])).to_crs(3035)
    cells = _summed(rows, [rows.geometry.y // 1000 * 1000, rows.geometry.x // 1000 * 1000])
    y, x = (cells.index.get_level_values(n).to_numpy() for n in (0, 1))
    squares = geopandas.GeoDataFrame(cells, geometry=shapely.box(x, y, x + 1000, y + 1000), crs=3035)
    squares.reset_index(drop=True).to_crs(4326).to_json()
    return {"returned": len(squares), "grounds.0.counted": int(cells["count"].sum())}


def summary_areas(connection: Connection, _inputs: Mapping[str, Any]) -> Figures:
    """Counts and sums by the outline that a row lies in."""
    rows = _read(connection, "installations", "power_kw, area_m2, annual_mwh")
    communes = _read(connection, "communes", "name", "position <> 'schematic'").rename(columns={"id": "zone"})
    joined = rows.sjoin(communes[["zone", "geom"]], predicate="intersects")
    told = communes.set_index("zone").join(_summed(joined, "zone"), how="right")
    told.to_json()
    return {"returned": len(told), "grounds.0.counted": joined["id"].nunique()}


def network(connection: Connection, _inputs: Mapping[str, Any]) -> Figures:
    """Lengths, and noded ways; what is joined to what, geopandas leaves to others."""
    ways = _read(connection, "paths", where="position <> 'schematic'")
    noded = shapely.node(ways.to_crs(3035).union_all())
    geopandas.GeoSeries(noded, crs=3035).explode().to_crs(4326).to_json()
    return {"length_m": sum(GEOD.geometry_length(one) for one in ways.geometry)}


def scenario(connection: Connection, inputs: Mapping[str, Any]) -> Figures:
    """What a proposal touches, what is nearest to it, and coverage before and after."""
    shape = shapely.geometry.shape(inputs["geometry"])
    communes = _read(connection, "communes", "name", "position <> 'schematic'")
    rows = _read(connection, "installations", "name")
    for one in (communes, rows):
        one[one.intersects(shape)].intersection(shape).to_json()
    rows = rows.to_crs(LAMBERT_93)
    flat = geopandas.GeoSeries([shape], crs=4326).to_crs(LAMBERT_93)[0]
    metres = rows.distance(flat)
    communes.to_crs(LAMBERT_93).distance(flat).min()
    before = _covered(connection, rows, inputs["distance"])
    after = before | (metres <= inputs["distance"])
    return {"coverage.before.covered": int(before.sum()), "coverage.after.covered": int(after.sum())}


def scenario_network(connection: Connection, inputs: Mapping[str, Any]) -> Figures:
    """The length of all ways, without the proposal and with it."""
    network(connection, inputs)
    figures = network(connection, inputs)
    metres = GEOD.geometry_length(shapely.geometry.shape(inputs["geometry"]))
    return {
        "connection.before.length_m": figures["length_m"],
        "connection.after.length_m": figures["length_m"] + metres,
    }


ANSWERS = {
    one.__name__.replace("_", "-"): one
    for one in (
        nearby,
        coverage,
        overlay_points,
        overlay_areas,
        summary_year,
        summary_commune,
        summary_cells,
        summary_areas,
        network,
        scenario,
        scenario_network,
    )
}


def main() -> None:
    """Answer, and tell what it took, without the time in which Python starts."""
    url, id, inputs = sys.argv[1:]
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    began = time.perf_counter()
    with engine.connect() as connection:
        figures = ANSWERS[id](connection, json.loads(inputs))
    seconds = time.perf_counter() - began
    mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"seconds": seconds, "mb": mb, "figures": figures}))


if __name__ == "__main__":
    main()
