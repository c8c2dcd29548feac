"""Files as browsers fetch them: compressed for who takes it, the same bytes for all."""

import gzip

import brotli
import pytest

from api import assets

PATH = "/static/embed.js"


@pytest.mark.parametrize(("accepted", "coding"), [("gzip, br", "br"), ("gzip", "gzip"), ("identity", None), ("", None)])
def test_a_file_is_the_same_in_each_coding(looker, accepted, coding):
    """With a tag of its own for each, that answers 304."""
    answer = looker.get(PATH, headers={"Accept-Encoding": accepted})
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["content-type"].startswith("text/javascript")
    plain = looker.get(PATH, headers={"Accept-Encoding": "identity"})
    assert answer.text == plain.text
    assert (answer.headers["etag"] == plain.headers["etag"]) == (coding is None)
    headers = {"Accept-Encoding": accepted, "If-None-Match": answer.headers["etag"]}
    assert looker.get(PATH, headers=headers).status_code == 304


def test_the_raw_bytes_are_what_they_say(looker):
    """As they come over the wire."""
    for coding, read in (("br", brotli.decompress), ("gzip", gzip.decompress)):
        with looker.stream("GET", PATH, headers={"Accept-Encoding": coding}) as answer:
            raw = b"".join(answer.iter_raw())
        assert len(raw) == int(answer.headers["content-length"])
        assert read(raw).startswith(b"// The element <gohelle-map>")


def test_a_part_of_a_file_is_not_compressed(looker):
    """Ranges count the bytes of the file."""
    answer = looker.get(PATH, headers={"Accept-Encoding": "br", "Range": "bytes=0-9"})
    assert (answer.status_code, len(answer.content)) == (206, 10)
    assert "content-encoding" not in answer.headers


def test_how_long_a_file_may_be_kept(looker):
    """For ever under its version, ten minutes without, and never what is not there."""
    assert "immutable" in looker.get(f"{PATH}?v=x").headers["cache-control"]
    assert looker.get(PATH).headers["cache-control"] == "public, max-age=600"
    assert looker.get("/static/none.js").status_code == 404


def test_a_built_script_is_kept_for_ever_and_comes_as_small_as_it_can(looker):
    """Its name changes with what it holds; the build has compressed it, so that no process does."""
    address = assets.asset("map/main.js")
    for coding, ending in (("br", ".br"), ("gzip", ".gz")):
        with looker.stream("GET", address, headers={"Accept-Encoding": coding}) as answer:
            raw = b"".join(answer.iter_raw())
        assert "immutable" in answer.headers["cache-control"]
        assert raw == (assets.BUILT / (address.rpartition("/")[2] + ending)).read_bytes()
    assert looker.get(f"{address}.map").status_code == 404
    assert "immutable" not in looker.get("/built/maplibre-gl-worker.mjs").headers["cache-control"]
    assert "Copyright" in looker.get("/built/LICENSE-maplibre-gl.txt").text
