"""The form of a declaration as a document: fields, what was typed, what is wrong where. It asks and decides nothing."""

import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from api import pages
from geo.collections import Territory
from geo.columns import say
from geo.energy import TECHNOLOGIES
from geo.kinds import COMMUNES
from geo.register import Draft, Fault
from geo.register.declared import COMMON, CONSENTS, FACTS, OWNER, PERSON, PLACE, TICKS, WHAT, WORDS
from geo.register.findings import findings, parts
from geo.register.named import Named
from geo.register.photos import LARGEST

UNUSUAL = ("unusual", "unlikely")
PLACES = ("form", "location", "address", "precision", "exact_consent", "status")
"""What the form asks first; what is wrong is told in the order of the form."""

SAID = ("words", "gain", "advice")
"""What residents say in their own words, in the order of the form."""

Values = Mapping[str, Any]


def start(lang: str) -> dict[str, Any]:
    """The first page: which technology is to be declared."""
    about = pages.words(lang, "declare")["about"]
    listed = [{"id": id, "label": say(label, lang), "about": about[id]} for id, label in TECHNOLOGIES.items()]
    return {"technology": None, "token": None, "technologies": listed}


def sheet(
    technology: str,
    lang: str,
    *,
    territory: Territory,
    places: Sequence[Named],
    values: Values,
    now: datetime,
    faults: Sequence[Fault] = (),
    notice: str | None = None,
    preview: Mapping[str, Any] | None = None,
    token: str | None = None,
    photo: str | None = None,
    basemap: str | None = None,
) -> dict[str, Any]:
    """The form with what was typed. A `token` makes it the owner's correction: then no address and no consent is asked."""
    labels = {
        one.name: say(one.column.label, lang).rstrip(".")
        for one in (*WHAT, *PLACE, *OWNER, *WORDS, *PERSON, *TICKS, *FACTS[technology])
    }
    words = pages.words(lang, "declare")
    labels |= {"location": words["where"], "photo": words["photo"], "website": words["trap"], "form": words["title"]}
    labels |= {"consent": words["agree"]}
    order = [*PLACES, *(one.name for one in FACTS[technology]), *COMMON]
    return {
        "technology": technology,
        "label": say(TECHNOLOGIES[technology], lang),
        "facts": FACTS[technology],
        "common": COMMON,
        "values": defaultdict(str, values),
        "faults": [
            {"name": one.name, "label": labels.get(one.name, one.name), "message": one.say(lang)}
            for one in sorted(faults, key=lambda fault: order.index(fault.name) if fault.name in order else 99)
        ],
        "wrong": defaultdict(str, {one.name: one.say(lang) for one in faults}),
        "ask_sure": any(one.code in UNUSUAL for one in faults) or bool(values.get("sure")),
        "places": places,
        "notice": notice,
        "preview": preview,
        "said": _said(values, lang) if preview else (),
        "token": token,
        "photo": photo,
        "began": values.get("began") or int(now.timestamp()),
        "key": values.get("key") or secrets.token_urlsafe(18),
        "consents": CONSENTS,
        "setup": {
            "lang": lang,
            "words": {**words, "maplibre": pages.words(lang)["maplibre"]},
            "bounds": territory.body["bounds"],
            "communes": list(territory.body.get("communes", ())),
            "outlines": [one.id for one in territory.collections.values() if one.kind is COMMUNES],
            "basemap": basemap,
            "largest_photo": LARGEST,
        },
    }


def _said(values: Values, lang: str) -> list[dict[str, Any]]:
    """The resident's own words in pieces, with what in them may point at somebody: told before it is sent, not refused."""
    names = pages.words(lang, "declare")["findings"]
    written = [str(values[name]) for name in SAID if values.get(name)]
    return [
        {
            "pieces": [{"text": piece, "what": what} for piece, what in parts(text)],
            "found": [names[what] for what in dict.fromkeys(one.what for one in findings(text))],
        }
        for text in written
    ]


def values_of(draft: Draft) -> dict[str, Any]:
    """What is to stand in the fields for a draft that exists."""
    body = draft.as_json()
    lon, lat = draft.location
    shown = {name: f"{value:.10g}" if isinstance(value, float) else value for name, value in body.items()}
    return {**shown, "lon": f"{lon:.7g}", "lat": f"{lat:.7g}"}
