"""HTML forms as they arrive: fields as text, at most one file, and how a declaration's fields become its JSON body."""

import math
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from starlette.datastructures import UploadFile
from starlette.requests import Request

from geo.columns import Column
from geo.register.declared import COMMON, FACT, FACTS, asked

FIELDS = 100
LARGEST_FIELD = 20_000

LARGEST_FORM = 40_000_000
"""Bytes of a form with a photo: one that is too large is told at its field, with all else that was typed, up to this."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a form sent: its fields, the last where a name comes twice, and its file."""

    fields: Mapping[str, str]
    upload: UploadFile | None

    def __getitem__(self, name: str) -> str:
        """The text of a field; empty where it was not sent."""
        return self.fields.get(name, "")

    def file(self, most: int) -> bytes | None:
        """The file, or its first bytes beyond `most`; None where none was chosen."""
        if self.upload is None or not self.upload.filename:
            return None
        return self.upload.file.read(most + 1)


async def _form(request: Request) -> AsyncIterator[Form]:
    """Read the form; the file lies in memory or in a nameless temporary file, and is gone when the answer is made."""
    async with request.form(max_files=1, max_fields=FIELDS, max_part_size=LARGEST_FIELD) as sent:
        texts = {name: value for name, value in sent.multi_items() if isinstance(value, str)}
        files = [value for value in sent.values() if isinstance(value, UploadFile)]
        yield Form(texts, files[0] if files else None)


Sent = Annotated[Form, Depends(_form)]


def body_of(form: Form) -> dict[str, Any]:
    """The declaration that a form's fields mean, as JSON would say it. What cannot be read stays as it was typed."""
    technology = form["technology"]
    expected = asked(technology) if technology in FACTS else {**COMMON, **FACT}
    told = {name: _value(one.column, form.fields[name]) for name, one in expected.items() if form[name].strip()}
    return {**told, **dict(_place(form))}


def _value(column: Column, text: str) -> Any:
    if column.type == "boolean":
        return True
    if column.type == "integer":
        return int(text) if text.strip().isdecimal() and len(text) < 20 else text
    if column.type == "number":
        return _number(text)
    return text.replace("\r\n", "\n")


def _number(text: str) -> float | str:
    """A number as people write it: 8.4, 8,4 or 1 200."""
    plain = "".join(text.split()).replace(",", ".")
    try:
        number = float(plain) if plain.isascii() and len(plain) < 40 else math.nan
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def _place(form: Form) -> Iterator[tuple[str, Any]]:
    """The pin, else the named place; what was chosen last in the list moves the pin where there is a script."""
    pin = _point(form["lon"], form["lat"])
    named = _point(*form["place_name"].split(",")[:2]) if form["place_name"].count(",") == 1 else None
    at = pin or named
    if at:
        yield "location", {"type": "Point", "coordinates": at}
        if pin is None:
            yield "located_by", "place"


def _point(lon: str, lat: str) -> list[float] | None:
    point = [_number(lon), _number(lat)]
    return (
        [number for number in point if isinstance(number, float)] if all(isinstance(n, float) for n in point) else None
    )
