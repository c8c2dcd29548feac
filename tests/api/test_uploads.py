"""Uploading a drawing over HTTP: what comes back, how large it may be, and what hostile files get."""

import json
from pathlib import Path
from threading import BoundedSemaphore

import geopandas
import httpx2 as httpx
import pytest
from shapely.geometry import Point

from api import uploads as door
from geo.files import uploads
from tests.geo.test_uploads import FAR, HUGE, LINK, MANY, VRT, bomb


def collection(*geometries, **properties):
    """A GeoJSON file of these geometries."""
    features = [{"type": "Feature", "properties": properties, "geometry": one} for one in geometries]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


FILE = collection({"type": "Point", "coordinates": [2.79, 50.44]}, name="ici")
CROSSED = collection({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]})
PLACES = [{"type": "Point", "coordinates": [2.79 + n / 1e6, 50.44]} for n in range(8_000)]


def test_a_drawing_goes_into_a_question(looker):
    """What comes back is what a question takes; nothing has to be kept between the two."""
    drawing = looker.post("/uploads", content=FILE)
    assert (drawing.status_code, drawing.headers["cache-control"]) == (200, "no-store")
    inputs = {"near": "gardens", "distance": 5000, "points": drawing.json()}
    answer = looker.post("/processes/coverage/execution", json={"inputs": inputs}).json()
    assert answer["coverage"]["total"] == 1


def test_what_is_wrong_is_named(looker):
    """The file, or the parameter; never the file's own words. What is invalid is mended where that is asked for."""
    answer = looker.post("/uploads", content=b"<html>secret</html>")
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, "file")
    assert "secret" not in answer.text
    assert looker.post("/uploads?repair=maybe", content=FILE).json()["errors"][0]["parameter"] == "repair"
    assert "self-intersection at 0.5, 0.5" in looker.post("/uploads", content=CROSSED).text
    assert looker.post("/uploads?repair=true", content=CROSSED).json()["features"][0]["geometry"]["type"] == "MultiPolygon"  # fmt: skip


@pytest.mark.parametrize(
    ("data", "status", "said"),
    [
        (VRT, 400, "neither KML nor GPX"), (LINK, 400, ""), (bomb(), 413, ""), (FAR, 400, "outside the world"),
        (HUGE, 413, "100000 positions"), (MANY, 413, "10000 features"), (b"", 400, ""), (b"{" * 100_000, 400, ""),
    ],
    ids=["vrt", "network link", "bomb", "metres", "vertices", "features", "empty", "nested"],
)  # fmt: skip
def test_hostile_files_are_refused(looker, data, status, said):
    """With the bound that they pass, and without any file's words."""
    answer = looker.post("/uploads", content=data)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert said in answer.text
    assert "passwd" not in answer.text
    assert "root:" not in answer.text


def geopackage(folder: Path) -> bytes:
    """40 MB of a GeoPackage: few positions, long texts."""
    texts = [f"{n:05d}" * 1000 for n in range(len(PLACES))]
    frame = geopandas.GeoDataFrame({"name": [f"n{n}" for n in range(len(PLACES))], "text": texts}, geometry=[Point(one["coordinates"]) for one in PLACES], crs=4326)  # fmt: skip
    frame.to_file(folder / "large.gpkg", driver="GPKG")
    return (folder / "large.gpkg").read_bytes()


def peak(processes: list[Path]) -> int:
    """Bytes of memory that these processes held at most, all together."""
    lines = (line for one in processes for line in (one / "status").read_text().splitlines())
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def below(pid: int) -> list[Path]:
    """A process and all that it started."""
    here = Path("/proc", str(pid))
    children = " ".join(one.read_text() for one in here.glob("task/*/children")).split()
    return [here, *(found for child in children for found in below(int(child)))]


def test_forty_megabytes_come_in_and_leave_no_trace_in_memory(service, tmp_path):
    """As GeoJSON and as GeoPackage; the service's processes grow by less than one copy of the file."""
    files = [collection(*PLACES, name="x", text="y" * 5_000), geopackage(tmp_path)]
    assert all(39_000_000 < len(one) < uploads.LARGEST for one in files)
    with httpx.Client(base_url=service.url, timeout=60) as client:
        client.post("/uploads", content=FILE)
        processes = below(service.process.pid)
        before = peak(processes)
        for data in files:
            answer = client.post("/uploads", content=data)
            assert answer.status_code == 200, answer.text[:300]
            assert len(answer.json()["features"]) == len(PLACES)
        assert peak(processes) - before < 30_000_000


def test_too_large_a_file_is_refused_by_its_bound(service):
    """By Content-Length before it is sent, and while a chunked one comes; elsewhere bodies are smaller."""
    part = b"x" * 1_000_000
    with httpx.Client(base_url=service.url, timeout=60) as client:
        for path, bound in (("/uploads", uploads.LARGEST), ("/installations", 11_000_000)):
            parts = bound // len(part) + 1
            headers = {"Content-Type": "application/json"}
            for body in (part * parts, (part for _ in range(parts))):
                answer = client.post(path, content=body, headers=headers)
                assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
                assert str(bound) in answer.json()["detail"]


def test_an_upload_is_gone_afterwards(looker, tmp_path, monkeypatch):
    """Whatever becomes of it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for data, status in ((FILE, 200), (VRT, 400), (b"x" * 50_000_001, 413), (iter([b"x" * 51_000_000]), 413)):
        assert looker.post("/uploads", content=data).status_code == status
        assert list(tmp_path.iterdir()) == []


def test_no_more_arrive_than_the_disk_is_to_hold(looker, monkeypatch):
    """Refused before a byte of it is written, and told when to come again; one that has gone makes room."""
    places = BoundedSemaphore(1)
    monkeypatch.setattr(door, "PLACES", places)
    with places:
        refused = looker.post("/uploads", content=FILE)
    assert (refused.status_code, refused.headers["retry-after"].isdigit()) == (503, True)
    for _ in range(2):
        assert looker.post("/uploads", content=FILE).status_code == 200
