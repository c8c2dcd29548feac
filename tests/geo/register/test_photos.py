"""Photos from strangers: what is no photo is refused with a word, what is one keeps nothing but its pixels."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageStat

from geo.register import BadDraft, photos
from tests.conftest import PATIENT

PLACE = b"12 rue Hoche"


def saved(format: str, size: tuple[int, int] = (1200, 900), mode: str = "RGB", **options) -> bytes:
    """An image file."""
    out = io.BytesIO()
    Image.new(mode, size, "#5b84b1" if mode == "RGB" else 0).save(out, format, **options)
    return out.getvalue()


def exif(orientation: int = 1) -> Image.Exif:
    """What a telephone writes: where, who, and which way up."""
    data = Image.Exif()
    data[0x010E] = PLACE.decode()
    data[0x0112] = orientation
    data.get_ifd(0x8825)[2] = (50.0, 27.0, 29.9)
    return data


def told(data: bytes) -> str:
    """The word that a file is refused with."""
    with pytest.raises(BadDraft) as caught:
        photos.develop(data)
    (fault,) = caught.value.faults
    assert fault.name == "photo"
    return fault.code


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_photo_is_written_anew(format: str):
    """In two sizes, upright, without EXIF, comment or profile."""
    photo = photos.develop(saved(format, exif=exif(orientation=6)))
    for data, longest in ((photo.large, 1200), (photo.small, 480)):
        with Image.open(io.BytesIO(data)) as image:
            assert image.format == "JPEG"
            assert image.size[1] == longest > image.size[0]
            assert not image.getexif()
            assert set(image.info) <= {
                "jfif",
                "jfif_version",
                "jfif_unit",
                "jfif_density",
                "progressive",
                "progression",
            }
        assert PLACE not in data
    assert (photo.width, photo.height) == (900, 1200)


def test_a_heic_photo_of_a_telephone():
    """Decoded as the others are, and written anew as JPEG; the house in it was drawn by us."""
    data = Path(__file__).with_name("house.heic").read_bytes()
    assert PLACE in data
    photo = photos.develop(data)
    assert (photo.width, photo.height) == (640, 480)
    assert PLACE not in photo.large + photo.small
    with Image.open(io.BytesIO(photo.large)) as image:
        panel, roof = image.crop((300, 170, 340, 200)), image.crop((180, 205, 200, 225))
        assert ImageStat.Stat(panel).mean[2] > ImageStat.Stat(panel).mean[0]
        assert ImageStat.Stat(roof).mean[0] > ImageStat.Stat(roof).mean[2]


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1", "I;16", "LA"])
def test_colours_of_every_kind(mode: str):
    """Grey, transparent, indexed, for print: all become plain RGB."""
    format = "JPEG" if mode == "CMYK" else "PNG"
    with Image.open(io.BytesIO(photos.develop(saved(format, mode=mode)).large)) as image:
        assert image.mode == "RGB"


def test_what_is_no_photo():
    """Empty, other formats under whatever name, text, and a file cut off in the middle."""
    assert told(b"") == "photo_empty"
    assert told(b"x" * (photos.LARGEST + 1)) == "photo_large"
    assert {told(saved(format)) for format in ("GIF", "BMP", "TIFF", "ICO", "PPM", "PDF")} == {"photo_kind"}
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    assert {told(data) for data in (svg, b"<html>", b"\x7fELF", b"PK\x03\x04", b"%!PS", b"\x00")} == {"photo_kind"}
    whole = saved("PNG")
    assert told(whole[: len(whole) // 2]) == "photo_broken"
    assert told(saved("JPEG")[:400]) in ("photo_broken", "photo_kind")


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes, pixels: bytes = b"") -> bytes:
    """A PNG that claims this size."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_bombs():
    """Small files that claim, or unpack to, more than anybody should hold."""
    assert told(png(6400, 6400, pixels=zlib.compress(b"\0" * 1000))) == "photo_pixels"
    assert told(png(2**31 - 1, 2**31 - 1)) in ("photo_pixels", "photo_broken")
    # Of pixels that unpack to more than the size says, only what the size says is unpacked.
    assert photos.develop(png(65_535, 1, pixels=zlib.compress(b"\0" * 300_000_000, 9))).width == 1600
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a" * 400_000_000, 9))
    assert told(png(10, 10, text, pixels=zlib.compress(b"\0" * 310))) == "photo_broken"
    jpeg = bytearray(saved("JPEG", (64, 64)))
    at = jpeg.index(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = struct.pack(">HH", 65_500, 65_500)
    assert told(bytes(jpeg)) == "photo_pixels"


def test_the_largest_photo_is_taken():
    """40 megapixels, as the form says; one row more is not."""
    assert photos.develop(saved("JPEG", (8000, 5000), quality=20)).width == 1600
    assert told(saved("JPEG", (8000, 5001), quality=20)) == "photo_pixels"


@pytest.mark.parametrize(
    "tail", [b"PK\x03\x04 an archive", b"<script>alert(1)</script>", b"%PDF-1.7", b"\xca\xfe\xba\xbe"]
)
def test_of_a_polyglot_only_the_photo_stays(tail: bytes):
    """What else the bytes might be is not in what we keep; what is something else first is refused."""
    photo = photos.develop(saved("JPEG", comment=tail, exif=exif()) + tail * 50)
    assert tail not in photo.large + photo.small
    assert photo.large.startswith(b"\xff\xd8\xff")
    assert photo.large.endswith(b"\xff\xd9")
    assert told(tail + saved("JPEG")) == "photo_kind"


def test_bytes_of_any_kind():
    """Whatever the file, the answer is a photo or a word, and the service lives."""
    seeds = [saved("JPEG", (40, 30)), saved("PNG", (40, 30)), saved("WEBP", (40, 30))]

    @given(seed=st.sampled_from(seeds), at=st.floats(0, 1), new=st.binary(min_size=1, max_size=60))
    @settings(max_examples=12, deadline=None, suppress_health_check=PATIENT, database=None)
    def broken(seed: bytes, at: float, new: bytes):
        place = int(at * len(seed))
        assert answered(seed[:place] + new + seed[place + len(new) :])

    broken()


def answered(data: bytes) -> bool:
    """Whether a file became a photo or was refused with a word."""
    try:
        return photos.develop(data).large.startswith(b"\xff\xd8")
    except BadDraft as error:
        return error.faults[0].code in ("photo_kind", "photo_broken", "photo_pixels")


def test_the_darkroom_knows_no_secret(monkeypatch):
    """The process that decodes strangers' files is given neither the database's address nor anything else of ours."""
    seen = {}

    def run(*arguments, **options):
        seen.update(options)
        raise photos.subprocess.TimeoutExpired("darkroom", 1)

    monkeypatch.setenv("GOHELLE_DATABASE_URL", "postgresql://secret@/x")
    monkeypatch.setattr(photos.subprocess, "run", run)
    assert told(b"x") == "photo_broken"
    assert set(seen["env"]) == {"PATH"}
