"""Develops one photo in a process of its own: bytes in on standard input, two clean JPEGs out. It is given no database.

Whatever a file pretends to be is decoded here, under limits of memory and time, so that a decoder that goes wrong takes
nothing with it. Nothing of the file survives but pixels: no EXIF, no place, no comment, no bytes after the end.
"""

import io
import resource
import sys
import warnings

MEGAPIXELS = 40
LARGE, SMALL = 1600, 480
"""The longer sides of the two sizes, in pixels."""

MEMORY = 1_500_000_000
SECONDS = 20
FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")


def main() -> int:
    """Answer `ok width height large_bytes small_bytes` and the two JPEGs, or one word for what is wrong."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        answer = develop(sys.stdin.buffer.read())
    except MemoryError:
        answer = b"photo_broken\n"
    sys.stdout.buffer.write(answer)
    return 0


def develop(data: bytes) -> bytes:
    """The answer for one file."""
    import pi_heif  # noqa: PLC0415 (after the limits are set)
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415

    pi_heif.register_heif_opener()
    Image.MAX_IMAGE_PIXELS = MEGAPIXELS * 1_000_000
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > Image.MAX_IMAGE_PIXELS:
                return b"photo_pixels\n"
            large = _plain(image)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        return b"photo_pixels\n"
    except UnidentifiedImageError:
        return b"photo_kind\n"
    except (OSError, ValueError, SyntaxError, EOFError, RuntimeError, ArithmeticError, LookupError):
        return b"photo_broken\n"
    small = large.copy()
    small.thumbnail((SMALL, SMALL))
    first, second = _jpeg(large), _jpeg(small)
    return f"ok {large.width} {large.height} {len(first)} {len(second)}\n".encode() + first + second


def _plain(image):
    """The picture upright, in sRGB, on white, at most LARGE wide or high, as a new image that knows nothing else."""
    from PIL import Image, ImageOps  # noqa: PLC0415

    image.draft("RGB", (LARGE, LARGE))  # a JPEG is decoded at the size that is needed
    profile = image.info.get("icc_profile")
    upright = ImageOps.exif_transpose(image)
    upright.thumbnail((LARGE, LARGE))
    coloured = upright.convert("RGBA" if "transparency" in upright.info or "A" in upright.getbands() else "RGB")
    paper = Image.new("RGB", coloured.size, "white")
    paper.paste(coloured, mask=coloured.getchannel("A") if coloured.mode == "RGBA" else None)
    return _in_srgb(paper, profile)


def _in_srgb(image, profile: bytes | None):
    from PIL import ImageCms  # noqa: PLC0415

    if not profile:
        return image
    try:
        theirs = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, theirs, ImageCms.createProfile("sRGB"), outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image


def _jpeg(image) -> bytes:
    out = io.BytesIO()
    image.info.clear()
    image.save(out, "JPEG", quality=82, optimize=True, progressive=True)
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main())
