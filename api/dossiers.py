"""A declaration in the reader's words, for the town hall's pages: labels, units, dates, and what is marked in a text."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from api import pages
from geo.columns import say
from geo.register.declared import COMMON, FACT
from geo.register.dossier import Amendment, Done, Dossier, Place
from geo.register.findings import findings, parts
from geo.register.moderation import owed, possible
from geo.register.worklist import TEXTS, Waiting

COLUMNS = {name: field.column for name, field in {**FACT, **COMMON}.items()}


UNCOMPARED = {"technology", "precision", "visitors_welcome", *TEXTS}
"""What does not help to tell a duplicate: it is always the same, or a wish, or long."""


def line(one: Waiting, lang: str, *, now: datetime) -> dict[str, Any]:
    """A line of the queue."""
    facts = {"power_kw": one.power_kw, "year": one.year, "owner_kind": one.owner_kind}
    return {
        "id": str(one.id),
        "state": one.state,
        "title": value("technology", one.technology, lang),
        "told": [value(name, known, lang) for name, known in facts.items() if known is not None],
        "precision": one.precision,
        "since": one.since.isoformat(),
        "days": max(0, (now - one.since).days),
        "photo": one.photo,
        "twin": one.twin,
        "sharp": one.sharp,
        "reports": one.reports,
    }


def page(found: Dossier, lang: str, *, now: datetime) -> dict[str, Any]:
    """The whole declaration."""
    texts = {name: text for name, text in found.facts.items() if name in TEXTS}
    shown = found.amendment.facts if found.amendment else found.facts
    return {
        "id": str(found.id),
        "state": found.state,
        "seen": found.seen,
        "title": value("technology", found.facts["technology"], lang),
        "received": found.received_at.isoformat(),
        "days": max(0, (now - found.received_at).days),
        "precision": found.facts["precision"],
        "public": found.facts["owner_kind"] == "municipality",
        "facts": [told for told in _told(found.facts, lang) if told["name"] not in (*TEXTS, "technology", "precision")],
        "texts": [_text(name, text, lang) for name, text in texts.items()],
        "place": _place(found.place),
        "photos": list(found.photos),
        "twins": _twins(found, lang),
        "amendment": found.amendment and _amendment(found.amendment, lang),
        "reports": [{**_report(one)} for one in found.reports],
        "kept": found.kept_at and found.kept_at.isoformat(),
        "item": found.public_item,
        "trail": [_done(one) for one in found.trail],
        "owed": list(owed(texts=any(shown.get(name) for name in TEXTS), photo=bool(found.photos))),
        "drawn": _drawn(found),
    }


def acts(found: Dossier) -> Collection[str]:
    """The decisions that make sense for it now."""
    reported = any(one.settled_at is None for one in found.reports)
    return possible(found.state, amended=found.amendment is not None, reported=reported)


def value(name: str, known: Any, lang: str) -> str:
    """One value in words, as pages write it."""
    return pages.value_words(COLUMNS[name], known, {}, lang)


def label(name: str, lang: str) -> str:
    """What a field is called."""
    return say(COLUMNS[name].label, lang)


def _told(facts: Mapping[str, Any], lang: str) -> list[dict[str, str]]:
    return [
        {"name": name, "label": label(name, lang), "text": value(name, known, lang)} for name, known in facts.items()
    ]


def _text(name: str, text: str, lang: str) -> dict[str, Any]:
    pieces = [{"text": piece, "what": what} for piece, what in parts(text)]
    return {"label": label(name, lang), "pieces": pieces, "sharp": sorted({one.what for one in findings(text)})}


def _place(place: Place) -> dict[str, Any]:
    return {"at": list(place.at), "cell": place.cell}


def _twins(found: Dossier, lang: str) -> dict[str, Any] | None:
    """The duplicates side by side: a row a field, a column an entry, this declaration first."""
    if not found.twins:
        return None
    heads = [
        {
            "id": str(one.id) if one.id else None,
            "item": one.item,
            "state": one.state,
            "metres": round(one.metres),
            "same_person": one.same_person,
        }
        for one in found.twins
    ]
    every = [found.facts, *(one.facts for one in found.twins)]
    names = [name for name in COLUMNS if name not in UNCOMPARED and any(facts.get(name) is not None for facts in every)]
    ordered = [name for name in found.facts if name in names] + [name for name in names if name not in found.facts]
    rows = [
        {
            "label": label(name, lang),
            "values": [value(name, facts[name], lang) if facts.get(name) is not None else "" for facts in every],
        }
        for name in ordered
    ]
    return {"heads": heads, "rows": rows}


def _amendment(amendment: Amendment, lang: str) -> dict[str, Any]:
    def words(name: str, known: Any) -> str:
        return value(name, known, lang) if known is not None else ""

    return {
        "at": amendment.at.isoformat(),
        "metres": round(amendment.metres),
        "place": _place(amendment.place),
        "changes": [
            {
                "label": label(one.name, lang),
                "before": words(one.name, one.before),
                "after": [{"text": piece, "what": what} for piece, what in parts(words(one.name, one.after))]
                if one.name in TEXTS
                else [{"text": words(one.name, one.after), "what": None}],
            }
            for one in amendment.changes
        ],
    }


def _report(one: Any) -> dict[str, Any]:
    return {
        "reason": one.reason,
        "words": one.words,
        "at": one.confirmed_at.isoformat(),
        "settled": one.settled_at is not None,
    }


def _done(one: Done) -> dict[str, Any]:
    bare = one.actor.partition(":")[0].partition(",")[0]
    return {
        "act": one.act,
        "actor": "gone" if bare == "staff" else bare,
        "by": one.by,
        "reason": one.reason,
        "at": one.at.isoformat(),
        "checked": list(one.checked),
    }


def _drawn(found: Dossier) -> dict[str, Any]:
    """What the little map draws: exact points, squares by their INSPIRE names."""
    points = [{"kind": "this", "label": "", "at": list(found.place.at)}]
    squares = [{"kind": "this", "cell": found.place.cell}] if found.place.cell else []
    if found.amendment and found.amendment.metres >= 1:
        points.append({"kind": "after", "label": "", "at": list(found.amendment.place.at)})
    if found.amendment and found.amendment.place.cell and found.amendment.place.cell != found.place.cell:
        squares.append({"kind": "after", "cell": found.amendment.place.cell})
    for number, one in enumerate(found.twins, 1):
        points.append({"kind": "twin", "label": str(number), "at": list(one.at)})
    return {"points": points, "squares": squares}
