"""QGIS itself opens the service: through its OGC API provider and its vector tiles, without a screen."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT, Service

PYTHON = Path("/usr/bin/python3")
"""Debian's: QGIS's own modules are nowhere else."""
LAMBERT = ((600_000, 7_000_000), (800_000, 7_200_000))


@pytest.fixture(scope="module")
def qgis() -> None:
    """QGIS is large, and no part of the service: where it is not installed, nothing is tried."""
    looked = subprocess.run([PYTHON, "-c", "import qgis.core"], capture_output=True, check=False)
    if looked.returncode:
        pytest.skip("QGIS is not here: apt-get install --no-install-recommends qgis python3-qgis")


@pytest.mark.parametrize(
    ("collection", "geometry", "expression", "cql2"),
    [
        ("installations", "Point", "\"technology\" = 'photovoltaic' AND \"year\" > 2010", "technology = 'photovoltaic' AND year > 2010"),
        ("soft-mobility", "MultiLineString", "\"category\" = 'footpath'", "category = 'footpath'"),
    ],
)  # fmt: skip
def test_qgis_opens_a_collection(qgis, service: Service, collection, geometry, expression, cql2, looker):
    """Landing page accepted, every item there, dates as dates, the same rows by a filter, tiles that leave ink."""
    done = subprocess.run(
        [PYTHON, ROOT / "docs" / "open_in_qgis.py", service.url, collection, expression],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    told = json.loads(done.stdout.strip().splitlines()[-1])

    def keys(**params: str) -> list[str]:
        page = looker.get(f"/collections/{collection}/items", params={"limit": 1000, **params}).json()
        return sorted(one["properties"]["source_key"] for one in page["features"])

    assert told["degrees"]["valid"]
    assert told["degrees"]["geometry"] == geometry
    assert told["degrees"]["keys"] == keys()
    assert told["degrees"]["fields"]["updated_at"] == "DateTime"
    assert told["filtered"]["keys"] == keys(filter=cql2)
    assert 0 < len(told["filtered"]["keys"]) < len(told["degrees"]["keys"])
    assert told["tiles"]["inked"] > 50
    assert told["lambert"]["keys"] == keys()
    if told["lambert"]["crs"] == "EPSG:2154":  # a QGIS that asks for systems; older ones transform for themselves
        west, south, *_ = told["lambert"]["extent"]
        assert LAMBERT[0][0] < west < LAMBERT[1][0]
        assert LAMBERT[0][1] < south < LAMBERT[1][1]
