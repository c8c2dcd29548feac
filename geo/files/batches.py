"""Rows of PostgreSQL as Arrow: CSV is parsed by Arrow's own reader, geometries are told from their hexadecimal."""

import binascii
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from geo.files.export import Layer

TYPES: dict[str, pa.DataType] = {
    "integer": pa.int32(),
    "id": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("ms", "UTC"),
}
BLOCK = 4 << 20


def schema(layer: Layer) -> pa.Schema:
    """The types of the layer's columns; all that is not named above is text."""
    fields = [pa.field(name, TYPES.get(type_, pa.string())) for name, type_ in layer.columns]
    return pa.schema([*fields, pa.field("geometry", pa.binary())] if layer.geometry else fields)


def batches(stream: BinaryIO, layer: Layer) -> Iterator[pa.RecordBatch]:
    """The rows in their order, some thousands at a time."""
    wanted = schema(layer)
    read = pa.schema([pa.field(one.name, pa.string() if one.name == "geometry" else one.type) for one in wanted])
    options = csv.ConvertOptions(
        column_types=read,
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,  # COPY leaves null bare and quotes a text that is empty
        null_values=[""],
        true_values=["t"],
        false_values=["f"],
    )
    try:
        reader = csv.open_csv(
            stream,
            read_options=csv.ReadOptions(column_names=read.names, block_size=BLOCK, use_threads=False),
            parse_options=csv.ParseOptions(newlines_in_values=True),
            convert_options=options,
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV file" in str(error):
            return
        raise
    for batch in reader:
        yield _shaped(batch, wanted)


def _shaped(batch: pa.RecordBatch, wanted: pa.Schema) -> pa.RecordBatch:
    columns: list[Any] = batch.columns
    if "geometry" in wanted.names:
        columns = [*columns[:-1], _from_hex(columns[-1])]
    return pa.RecordBatch.from_arrays(columns, schema=wanted)


def _from_hex(texts: pa.StringArray) -> pa.BinaryArray:
    """All of a batch's geometries at once: the characters stand in one buffer, two for each byte."""
    _, offsets, characters = texts.buffers()
    ends = memoryview(offsets).cast("i")[texts.offset : texts.offset + len(texts) + 1]
    data = binascii.unhexlify(memoryview(characters)[ends[0] : ends[-1]])
    halved = pa.array([(end - ends[0]) // 2 for end in ends], pa.int32())
    made = pa.Array.from_buffers(pa.binary(), len(texts), [None, halved.buffers()[1], pa.py_buffer(data)])
    if not texts.null_count:
        return made
    return pc.if_else(texts.is_valid(), made, None)  # pyright: ignore[reportAttributeAccessIssue] (made on import)
