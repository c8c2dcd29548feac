"""The statistics of what is on the map, as JSON and as a page; beside them, never in them, those who are only counted."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.house import Ask, Asked
from api.links import here
from api.query import Misread, Parameters, one_of
from api.territory import BOTH
from geo import comparison, statistics
from geo.columns import say
from geo.comparison import Comparison
from geo.energy import COEFFICIENTS, OWNER_KINDS, STATUSES, TECHNOLOGIES
from geo.register import sums
from geo.register.sums import Sum
from geo.statistics import Group, Statistics

router = APIRouter()

WORDS = {"technology": TECHNOLOGIES, "owner_kind": OWNER_KINDS}


@router.get("/statistics")
def figures(ask: Asked) -> Response:
    """Installations on the map by technology, year, commune and owner, and the installed power through the years."""
    with ask.house.db.read() as tx:
        territory = ask.house.catalogue.territory(tx)
        narrowed = _narrowed(ask.settle(territory))
        seen = statistics.versions(territory)
        if (same := ask.unchanged(seen)) is not None:
            return same
        found = statistics.statistics(tx, territory, narrowed)
        counted = sums.told(tx)
        compared = comparison.comparison(tx, territory, narrowed)
    document = {
        "total": asdict(found.total),
        **{f"by_{name}": [_group(ask, found, name, one) for one in found.groups[name]] for name in found.groups},
        "through_the_years": [asdict(one) for one in found.years],
        "left_out": [
            {"status": status, "label": say(STATUSES[status], ask.lang), "count": count}
            for status, count in found.left_out.items()
        ],
        # Whatever the statistics are narrowed by, these stay the same: they are a publication of their own.
        "counted_without_being_shown": [
            {
                **asdict(one),
                "label": say(TECHNOLOGIES[one.technology], ask.lang),
                "commune_name": found.communes.get(one.commune),
            }
            for one in counted
        ],
        "national_register": _compared(ask, compared, counted, found.communes) if compared else None,
        "coefficients": [{**asdict(one), "meaning": say(one.meaning, ask.lang)} for one in COEFFICIENTS],
        "narrowed": dict(narrowed),
        "links": here(ask, *BOTH),
    }
    return ask.answer(document, versions=seen, territory=territory, template="statistics.html")


def _compared(ask: Ask, found: Comparison, counted: Sequence[Sum], names: Mapping[str, str]) -> dict[str, Any]:
    """What the map, the sums of those who are only counted, and the national register say: side by side, never added."""

    def beside(technology: str) -> dict[str, Any]:
        told = [one for one in counted if one.technology == technology and one.commune in found.communes]
        powers = [one.power_kw for one in told if one.power_kw is not None]
        return {"count": sum(one.count for one in told), "power_kw": sum(powers) if powers else None}

    return {
        "communes": [{"commune": code, "name": names.get(code)} for code in found.communes],
        "sources": [_dated(asdict(one)) for one in found.origins],
        "by_technology": [
            {
                "technology": one.technology,
                "label": say(TECHNOLOGIES[one.technology], ask.lang),
                "on_map": asdict(one.on_map),
                "counted_without_being_shown": beside(one.technology),
                "register": _dated({**asdict(one.register), "newest": one.newest}),
            }
            for one in found.pairs
        ],
    }


def _dated(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in told.items()}


def _narrowed(parameters: Parameters) -> Mapping[str, str]:
    given = {
        "technology": parameters.take("technology", one_of(list(TECHNOLOGIES)), None),
        "owner_kind": parameters.take("owner_kind", one_of(list(OWNER_KINDS)), None),
        "commune": parameters.take("commune", _code, None),
    }
    parameters.finish()
    return {name: value for name, value in given.items() if value is not None}


def _code(text: str) -> str:
    if not (text.isascii() and text.isalnum() and len(text) <= 12):
        raise Misread("must be the code of a commune")
    return text


def _group(ask: Ask, found: Statistics, name: str, one: Group) -> dict[str, Any]:
    label: str | None = None if one.value is None else str(one.value)
    if one.value is not None and name in WORDS:
        label = say(WORDS[name][str(one.value)], ask.lang)
    elif name == "commune":
        label = found.communes.get(str(one.value), label)
    return {name: one.value, "label": label, **asdict(one.total)}
