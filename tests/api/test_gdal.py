"""The service as GDAL's own driver for OGC API - Features sees it, over HTTP: the systems, the filters, the types."""

import pyogrio
import pytest

from tests.api.test_asking import EPSG, PIT_11
from tests.conftest import Service


@pytest.mark.parametrize(
    ("options", "epsg", "place", "off"),
    [
        ({}, 4326, PIT_11, 1e-6),
        ({"CRS": f"{EPSG}2154"}, 2154, (684953.1, 7038433.0), 0.1),
        ({"CRS": f"{EPSG}3950"}, 3950, (1684975.7, 9249316.8), 0.1),
        ({"CRS": f"{EPSG}4326"}, 4326, PIT_11, 1e-6),
        ({"CRS": f"{EPSG}3035"}, 3035, (3809654.0, 3061997.5), 0.1),
    ],
)
def test_gdal_opens_a_collection_in_any_system(service: Service, options, epsg, place, off):
    """With easting first, as its users have it, whatever the axis order of the authority."""
    read = pyogrio.read_dataframe(f"OAPIF:{service.url}", layer="mine-shafts", **options)
    assert read.crs is not None
    assert read.crs.to_epsg() in (epsg, None)
    assert any(abs(one.x - place[0]) <= off and abs(one.y - place[1]) <= off for one in read.geometry)


def test_gdal_has_the_server_filter(service: Service):
    """By its own SQL, by box, and page by page: the same rows as without."""
    whole = pyogrio.read_dataframe(f"OAPIF:{service.url}", layer="installations", PAGE_SIZE="3")
    found = pyogrio.read_dataframe(
        f"OAPIF:{service.url}", layer="installations", where="year > 2000 AND technology = 'photovoltaic'"
    )
    wanted = whole[(whole.year > 2000) & (whole.technology == "photovoltaic")]
    assert sorted(found.name) == sorted(wanted.name)
    assert len(found) > 0
    box = (2.78, 50.44, 2.80, 50.46)
    near = pyogrio.read_dataframe(f"OAPIF:{service.url}", layer="installations", bbox=box)
    assert sorted(near.name) == sorted(whole.cx[box[0] : box[2], box[1] : box[3]].name)
