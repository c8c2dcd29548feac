"""A declaration as it comes in: read from JSON or from a form's fields, with everything that is wrong at once. No SQL."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Self

from geo.columns import Column, Words, say, words
from geo.errors import BadInput, Problem
from geo.register.declared import COMMON, FACT, FACTS, Field, asked
from geo.space import on_earth

EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
"""An address that mail servers take as it stands; HTML's own fields accept the same."""

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
UNKNOWN = 20
"""So many unknown members are named; of more nobody learns anything."""

SAID: Mapping[str, Words] = {
    "object": words("doit être un objet JSON", "must be a JSON object", "muss ein JSON-Objekt sein"),
    "unknown": words("n’est pas un champ connu", "is not a known member", "ist kein bekanntes Feld"),
    "elsewhere": words("ne concerne pas cette technologie", "does not belong to this technology", "gehört nicht zu dieser Technik"),
    "missing": words("est à remplir", "is missing", "fehlt"),
    "text": words("doit être un texte", "must be text", "muss Text sein"),
    "number": words("doit être un nombre", "must be a number", "muss eine Zahl sein"),
    "integer": words("doit être un nombre entier", "must be a whole number", "muss eine ganze Zahl sein"),
    "boolean": words("doit être oui ou non", "must be true or false", "muss ja oder nein sein"),
    "choice": words("doit être l’un de : {choices}", "must be one of: {choices}", "muss eins sein von: {choices}"),
    "low": words("doit valoir au moins {least}", "must be at least {least}", "muss mindestens {least} sein"),
    "high": words("doit valoir au plus {most}", "must be at most {most}", "darf höchstens {most} sein"),
    "long": words("a plus de {most} caractères", "has more than {most} characters", "hat mehr als {most} Zeichen"),
    "characters": words("contient un caractère impossible à garder", "holds a character that cannot be kept", "enthält ein Zeichen, das nicht aufbewahrt werden kann"),
    "email": words("n’est pas une adresse électronique", "is not an e-mail address", "ist keine E-Mail-Adresse"),
    "point": words("doit être un point GeoJSON : longitude, latitude", "must be a GeoJSON point: longitude, latitude", "muss ein GeoJSON-Punkt sein: Länge, Breite"),
    "nowhere": words("choisissez l’endroit : une adresse, un lieu ou un point sur la carte", "choose the place: an address, a named place or a point on the map", "wählen Sie den Ort: eine Adresse, einen Ortsnamen oder einen Punkt auf der Karte"),
    "outside": words("est hors du territoire : {town} ne peut publier que ce qui s’y trouve", "lies outside the territory: {town} can only publish what lies in it", "liegt außerhalb des Gebiets: {town} kann nur veröffentlichen, was darin liegt"),
    "future": words("est à plus de cinq ans d’ici", "lies more than five years ahead", "liegt mehr als fünf Jahre in der Zukunft"),
    "agreed": words("est à cocher pour pouvoir déclarer", "must be true for a declaration to be kept", "muss angekreuzt sein, damit die Meldung angenommen wird"),
    "exact": words("est à cocher pour que l’endroit exact d’un particulier soit montré", "must be true for a private person's exact point to be shown", "muss angekreuzt sein, damit der genaue Ort einer Privatperson gezeigt wird"),
    "trapped": words("doit rester vide : il n’est là que pour arrêter les robots", "must stay empty: it is only there to stop robots", "muss leer bleiben: Es hält nur Roboter auf"),
    "hasty": words("le formulaire est parti trop vite : relisez, puis envoyez de nouveau", "the form was sent too quickly: read it again, then send it once more", "das Formular kam zu schnell: bitte noch einmal lesen, dann erneut senden"),
    "photo_empty": words("est un fichier vide", "is an empty file", "ist eine leere Datei"),
    "photo_large": words("dépasse 10 Mo", "is larger than 10 MB", "ist größer als 10 MB"),
    "photo_kind": words("doit être une photo JPEG, PNG, WebP ou HEIC", "must be a JPEG, PNG, WebP or HEIC photo", "muss ein Foto in JPEG, PNG, WebP oder HEIC sein"),
    "photo_pixels": words("a plus de 40 millions de pixels", "has more than 40 million pixels", "hat mehr als 40 Millionen Pixel"),
    "photo_broken": words("ne se laisse pas ouvrir comme une photo", "cannot be opened as a photo", "lässt sich nicht als Foto öffnen"),
    "unusual": words("semble beaucoup ({usual} au plus d’habitude) : corrigez, ou confirmez en bas du formulaire", "is unusually much (usually at most {usual}): correct it, or confirm it with `sure`", "ist ungewöhnlich viel (meist höchstens {usual}): berichtigen, oder unten bestätigen"),
    "unlikely": words("ne va pas avec « {other} » : corrigez, ou confirmez en bas du formulaire", "does not go with “{other}”: correct it, or confirm it with `sure`", "passt nicht zu „{other}“: berichtigen, oder unten bestätigen"),
}  # fmt: skip
"""What can be wrong, in the languages of the form; the English is also what JSON says."""

RATIOS = (("annual_mwh", "power_kw", 0.2, 1.7), ("power_kw", "modules", 0.05, 0.9))
"""Of photovoltaic systems: this, divided by that, usually lies between these."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with one field; `details` fill the words in and are never what was sent."""

    name: str
    code: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def say(self, lang: str) -> str:
        """The fault in words."""
        told = {name: say(value, lang) if isinstance(value, Mapping) else value for name, value in self.details.items()}
        return say(SAID[self.code], lang).format(**told)


class BadDraft(BadInput):
    """A declaration that cannot be kept as it stands; `faults` says why, for a form to show at its fields."""

    def __init__(self, *faults: Fault) -> None:
        """Keep the faults, and as problems what JSON clients are told."""
        self.faults = faults
        super().__init__(
            *(Problem(pointer=f"/{_escaped(one.name)}" if one.name else "", message=one.say("en")) for one in faults)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a resident tells about one installation: kW, m², kWh, MWh a year; the position in WGS 84 degrees."""

    technology: str
    location: tuple[float, float]
    email: str | None = None
    owner_kind: str = "private_person"
    status: str = "operating"
    year: int | None = None
    month: int | None = None
    precision: str = "cell_200m"
    exact_consent: bool = False
    visitors_welcome: bool = False
    words: str | None = None
    gain: str | None = None
    advice: str | None = None
    address: str | None = None
    located_by: str = "pin"
    language: str = "fr"
    facts: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The draft as it is handed in, without the person's address."""
        body = {
            name: value for name, value in asdict(self).items() if value is not None and name not in ("facts", "email")
        }
        return {**body, **self.facts, "location": {"type": "Point", "coordinates": list(self.location)}}

    @classmethod
    def kept(cls, body: Mapping[str, Any]) -> Self:
        """The draft that `as_json` wrote."""
        own = {name: value for name, value in body.items() if name in cls.__dataclass_fields__}
        facts = {name: value for name, value in body.items() if name in FACT}
        return cls(**{**own, "location": tuple(body["location"]["coordinates"]), "facts": facts})


def read(body: Any, *, now: datetime, known: bool = False) -> tuple[Draft | None, list[Fault]]:
    """The draft, if nothing is wrong with it but perhaps where it lies; and all that is wrong.

    `known` is true where the owner is known by a key: then neither an address nor the consents are asked again.
    """
    if not isinstance(body, Mapping):
        return None, [Fault("", "object")]
    faults: list[Fault] = []
    technology = body.get("technology")
    technology = technology if isinstance(technology, str) and technology in FACTS else None
    expected = asked(technology) if technology else {**COMMON, **FACT}
    faults += [Fault(_shown(name), "elsewhere" if name in FACT else "unknown")
               for name in islice((name for name in body if name not in expected and name != "location"), UNKNOWN)]  # fmt: skip
    values: dict[str, Any] = {}
    for name, one in expected.items():
        value, fault = _value(one, body.get(name), given=name in body)
        values[name] = value
        if fault:
            faults.append(fault)
    location, wrong = _location(body.get("location"))
    faults += wrong
    bad = {fault.name for fault in faults}
    faults += [fault for fault in _agreements(values, known=known) if fault.name not in bad]
    if values["year"] is not None and values["year"] > now.year + 5:
        faults.append(Fault("year", "future"))
    if not values.pop("sure") and technology:
        faults += [fault for fault in _unusual(values, expected) if fault.name not in bad]
    return (_draft(values, location) if not faults and location else None), faults


def place_of(body: Any) -> tuple[float, float] | None:
    """Where a body says that it lies, whatever else is wrong with it."""
    return _location(body.get("location"))[0] if isinstance(body, Mapping) else None


def _value(one: Field, value: Any, *, given: bool) -> tuple[Any, Fault | None]:
    if value is None and (not given or one.default is None):
        return one.default, Fault(one.name, "missing") if one.column.required else None
    code, details = CHECKS[one.column.type](one.column, value)
    if code:
        return one.default, Fault(one.name, code, details)
    if isinstance(value, str) and one.column.type == "text":
        if len(value) > one.longest:
            return None, Fault(one.name, "long", {"most": one.longest})
        return value.strip() or None, None
    return value, None


Checked = tuple[str, Mapping[str, Any]]
FINE: Checked = ("", {})


def _text(_: Column, value: Any) -> Checked:
    if not isinstance(value, str):
        return "text", {}
    # PostgreSQL keeps neither NUL nor half a surrogate pair; other control characters are nobody's words.
    return (
        ("characters", {})
        if any((ord(char) < 32 and char not in "\n\r\t") or "\ud800" <= char <= "\udfff" for char in value)
        else FINE
    )


def _number(column: Column, value: Any) -> Checked:
    whole = column.type == "integer"
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        return ("integer" if whole else "number"), {}
    if isinstance(value, float) and not math.isfinite(value):
        return "number", {}
    if column.minimum is not None and value < column.minimum:
        return "low", {"least": f"{column.minimum:g}"}
    return ("high", {"most": f"{column.maximum:g}"}) if column.maximum is not None and value > column.maximum else FINE


def _choice(column: Column, value: Any) -> Checked:
    choices = column.choices or {}
    return FINE if isinstance(value, str) and value in choices else ("choice", {"choices": ", ".join(choices)})


def _boolean(_: Column, value: Any) -> Checked:
    return FINE if isinstance(value, bool) else ("boolean", {})


CHECKS = {"text": _text, "number": _number, "integer": _number, "choice": _choice, "boolean": _boolean}


def _location(value: Any) -> tuple[tuple[float, float] | None, list[Fault]]:
    if value is None:
        return None, [Fault("location", "nowhere")]
    whole = isinstance(value, Mapping) and set(value) == {"type", "coordinates"} and value["type"] == "Point"
    position = value["coordinates"] if whole else None
    if not isinstance(position, list | tuple) or len(position) != 2 or not on_earth(position):
        return None, [Fault("location", "point")]
    return (float(position[0]), float(position[1])), []


def _agreements(values: dict[str, Any], *, known: bool) -> Iterator[Fault]:
    """What must be said or ticked; the consents leave the values here, but that for the exact point."""
    values["precision"] = values["precision"] or ("cell_200m" if values["owner_kind"] == "private_person" else "exact")
    consent, agrees = values.pop("consent"), values.pop("owner_agrees")
    if not known:
        if values["email"] is None:
            yield Fault("email", "missing")
        elif not EMAIL.fullmatch(values["email"]):
            yield Fault("email", "email")
        if not agrees:
            yield Fault("owner_agrees", "agreed")
        if not consent:
            yield Fault("consent", "agreed")
    if values["precision"] == "exact" and values["owner_kind"] == "private_person" and not values["exact_consent"]:
        yield Fault("exact_consent", "exact")


def _unusual(values: Mapping[str, Any], expected: Mapping[str, Field]) -> Iterator[Fault]:
    private = values["owner_kind"] == "private_person"
    for name, one in expected.items():
        most = one.usual and one.usual[0 if private else 1]
        if most is not None and values[name] is not None and values[name] > most:
            yield Fault(name, "unusual", {"usual": f"{most:g}"})
    if values["technology"] != "photovoltaic":
        return
    for name, other, least, most in RATIOS:
        if values[name] and values[other] and not least <= values[name] / values[other] <= most:
            yield Fault(name, "unlikely", {"other": expected[other].column.label})


def _draft(values: Mapping[str, Any], location: tuple[float, float]) -> Draft:
    own = {name: value for name, value in values.items() if name in Draft.__dataclass_fields__}
    facts = {name: value for name, value in values.items() if name in FACT and value is not None}
    email = own["email"].lower() if own["email"] else None
    return Draft(**{**own, "email": email, "location": location, "facts": facts})


def _shown(name: Any) -> str:
    """The name of an unknown member where it looks like one; whatever else a client sends is not sent back."""
    return name if isinstance(name, str) and NAME.fullmatch(name) else ""


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
