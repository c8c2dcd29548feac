"""A reader of Mapbox Vector Tiles of the tests' own, so that what we write is not judged by what wrote it."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature; `parts` are its points, lines or rings in the tile's units."""

    id: int | None
    type: int
    parts: list[list[Point]]
    properties: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a tile."""

    name: str
    version: int
    extent: int
    features: list[Feature]


def read(data: bytes) -> dict[str, Layer]:
    """The layers of a tile by name; two of one name are a fault."""
    layers = [_layer(value) for field, value in _fields(data) if field == 3]
    found = {layer.name: layer for layer in layers}
    assert len(found) == len(layers), "two layers of one name"
    return found


def _layer(data: bytes) -> Layer:
    name, version, extent = "", 1, 4096
    keys: list[str] = []
    values: list[Any] = []
    raw: list[bytes] = []
    for field, value in _fields(data):
        if field == 1:
            name = value.decode()
        elif field == 2:
            raw.append(value)
        elif field == 3:
            keys.append(value.decode())
        elif field == 4:
            values.append(_value(value))
        elif field == 5:
            extent = value
        elif field == 15:
            version = value
    return Layer(name, version, extent, [_feature(one, keys, values) for one in raw])


def _feature(data: bytes, keys: list[str], values: list[Any]) -> Feature:
    id, type_, tags, geometry = None, 0, [], []
    for field, value in _fields(data):
        if field == 1:
            id = value
        elif field == 2:
            tags = list(_varints(value))
        elif field == 3:
            type_ = value
        elif field == 4:
            geometry = list(_varints(value))
    pairs = zip(tags[::2], tags[1::2], strict=True)
    return Feature(id, type_, _parts(geometry), {keys[key]: values[value] for key, value in pairs})


def _value(data: bytes) -> Any:
    ((field, value),) = _fields(data)
    if field == 1:
        return value.decode()
    if field in (2, 3):
        return struct.unpack("<f" if field == 2 else "<d", value)[0]
    if field == 4:
        return value - (1 << 64) if value >> 63 else value
    return _zigzag(value) if field == 6 else bool(value) if field == 7 else value


def _parts(commands: list[int]) -> list[list[Point]]:
    """Move, line and close, as deltas from the point before."""
    parts: list[list[Point]] = []
    x = y = at = 0
    while at < len(commands):
        command, count = commands[at] & 7, commands[at] >> 3
        at += 1
        for _ in range(count):
            if command == 7:
                parts[-1].append(parts[-1][0])
                continue
            x, y = x + _zigzag(commands[at]), y + _zigzag(commands[at + 1])
            at += 2
            if command == 1:
                parts.append([])
            parts[-1].append((x, y))
    return parts


def _zigzag(value: int) -> int:
    return (value >> 1) ^ -(value & 1)


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(data, at)
        else:
            size, at = _varint(data, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
            value, at = data[at : at + size], at + size
            assert len(value) == size, "cut short"
        yield tag >> 3, value


def _varints(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        value, at = _varint(data, at)
        yield value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
