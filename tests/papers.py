"""What a PDF says in its own syntax, without a library that reads PDF."""

import re
import zlib


def inflated(paper: bytes) -> bytes:
    """The file with all its packed parts unpacked behind it, where its catalogue and its metadata stand."""
    texts = [paper]
    for part in re.findall(rb"stream\r?\n(.*?)endstream", paper, re.DOTALL):
        try:
            texts.append(zlib.decompressobj().decompress(part))
        except zlib.error:
            texts.append(part)
    return b"\n".join(texts)
