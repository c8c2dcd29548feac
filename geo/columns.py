"""The vocabulary in which kinds are written: typed columns with labels and units. No kind stands here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypedDict, Unpack

LANGUAGES = ("fr", "en", "de")

Words = Mapping[str, str]
"""One text by language; every text of the software itself has all of LANGUAGES."""

Type = Literal["text", "choice", "integer", "number", "boolean", "date", "timestamp", "url", "references"]


def words(fr: str, en: str, de: str) -> Words:
    """The same words in French, English and German."""
    return {"fr": fr, "en": en, "de": de}


def say(texts: Words, lang: str) -> str:
    """The text in `lang`, else in the first language that has it; empty when there is none at all."""
    return texts.get(lang) or next((text for text in texts.values() if text), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One typed column of a kind.

    `unit` is a UCUM-like symbol (m, ha, kW). `queryable` columns narrow collections and pages, `summable` ones may be added up,
    `translated` ones may have a text in other languages than the territory's in `translations`.
    A column that is not `public` never leaves the database.
    """

    name: str
    type: Type
    label: Words
    unit: str | None = None
    choices: Mapping[str, Words] | None = None
    minimum: float | None = None
    maximum: float | None = None
    required: bool = False
    queryable: bool = False
    summable: bool = False
    translated: bool = False
    public: bool = True


PRECISIONS = {
    "year": words("année", "year", "Jahr"),
    "month": words("mois", "month", "Monat"),
    "day": words("jour", "day", "Tag"),
}


def text(name: str, label: Words, *, queryable: bool = False, required: bool = False) -> Column:
    """Words that are the same in all languages: names of organisations, codes, sources."""
    return Column(name=name, type="text", label=label, queryable=queryable, required=required)


def prose(name: str, label: Words, *, queryable: bool = False, required: bool = False) -> Column:
    """Words in the territory's language, with translations."""
    return Column(name=name, type="text", label=label, queryable=queryable, required=required, translated=True)


def url(name: str, label: Words) -> Column:
    """An http(s) address."""
    return Column(name=name, type="url", label=label)


def choice(name: str, label: Words, choices: Mapping[str, Words], *, required: bool = False) -> Column:
    """One of a closed list; the database's CHECK holds the same list."""
    return Column(name=name, type="choice", label=label, choices=choices, queryable=True, required=required)


class Measure(TypedDict, total=False):
    """What a number may be declared with."""

    unit: str
    minimum: float
    maximum: float
    queryable: bool
    required: bool
    summable: bool


def number(name: str, label: Words, **measure: Unpack[Measure]) -> Column:
    """A measure, in its unit."""
    return Column(name=name, type="number", label=label, **measure)


def integer(name: str, label: Words, **measure: Unpack[Measure]) -> Column:
    """A count or a year."""
    return Column(name=name, type="integer", label=label, **measure)


def boolean(name: str, label: Words) -> Column:
    """Yes, no or unknown."""
    return Column(name=name, type="boolean", label=label, queryable=True)


def date(name: str, label: Words) -> Column:
    """A calendar day; where only a year or month is known, its first day, with a precision column beside it."""
    return Column(name=name, type="date", label=label)


def precision(name: str, label: Words) -> Column:
    """How much of the date beside it is known."""
    return Column(name=name, type="choice", label=label, choices=PRECISIONS)


def references(name: str, label: Words) -> Column:
    """What a row is about: a JSON array of `{"collection": ..., "source_key": ...}`."""
    return Column(name=name, type="references", label=label)


POSITIONS = {
    "surveyed": words("relevée", "surveyed", "vermessen"),
    "digitised": words("numérisée", "digitised", "digitalisiert"),
    "approximate": words("approximative", "approximate", "ungefähr"),
    "schematic": words("schématique", "schematic", "schematisch"),
    "cell": words("à la maille", "by grid cell", "nach Rasterzelle"),
}

ID = integer("id", words("identifiant", "identifier", "Kennung"), minimum=0)
"""The number of a feature: no property of it, but a queryable."""

STORY = (
    prose("name", words("nom", "name", "Name"), queryable=True, required=True),
    prose("description", words("description", "description", "Beschreibung")),
)
"""What every kind says of itself first."""

LIFE = (
    date("since", words("depuis", "since", "seit")),
    precision("since_precision", words("précision du début", "precision of the start", "Genauigkeit des Beginns")),
    date("until", words("jusqu'à", "until", "bis")),
    precision("until_precision", words("précision de la fin", "precision of the end", "Genauigkeit des Endes")),
)
"""How long a thing on the map has existed."""

ORIGIN = (
    text("source", words("source", "source", "Quelle"), required=True),
    url("source_url", words("adresse de la source", "address of the source", "Adresse der Quelle")),
    date("source_date", words("date de la source", "date of the source", "Datum der Quelle")),
    text("licence", words("licence", "licence", "Lizenz"), required=True),
    text("source_key", words("clé à la source", "key at the source", "Schlüssel der Quelle"), queryable=True),
    Column(name="dataset", type="text", label=words("jeu de données", "dataset", "Datensatz"), public=False),
    Column(name="updated_at", type="timestamp", label=words("mis à jour le", "updated", "aktualisiert")),
)
"""Where every kind says that it comes from."""

PLACE = (
    text("commune", words("commune (code INSEE)", "commune (INSEE code)", "Gemeinde (INSEE-Code)"), queryable=True),
    choice("position", words("qualité de la position", "position quality", "Lagequalität"), POSITIONS, required=True),
    number(
        "position_accuracy_m",
        words("précision de la position", "position accuracy", "Lagegenauigkeit"),
        unit="m",
        minimum=0,
    ),
)
"""What only kinds with a geometry have."""


def names(columns: tuple[Column, ...]) -> Iterator[str]:
    """The columns' names, in order."""
    return (column.name for column in columns)
