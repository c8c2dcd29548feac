"""CQL2 JSON as it comes: read strictly, for Python's own reader takes NaN, and numbers of any length."""

import json
from typing import Any, NoReturn

from geo.cql2.words import BadFilter


def from_json(text: str) -> Any:
    """The tree of a filter in CQL2 JSON."""
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise BadFilter("is not valid JSON") from None


def _no_number(_name: str) -> NoReturn:
    raise BadFilter("has a number that is none")
