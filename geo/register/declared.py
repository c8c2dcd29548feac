"""What is declared: every field of a declaration once, with its bounds, unit and labels. Form, checks and JSON Schema follow.

No SQL stands here, and nothing knows whether a point lies in the territory.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from geo import energy
from geo.columns import LANGUAGES, Column, Words, boolean, choice, integer, number, text, words

PRECISIONS = {
    "cell_200m": words("dans un carré de 200 m", "within a square of 200 m", "in einem Quadrat von 200 m"),
    "cell_1km": words("dans un carré de 1 km", "within a square of 1 km", "in einem Quadrat von 1 km"),
    "statistics": words("seulement dans un total", "only in a sum", "nur in einer Summe"),
    "exact": words("à l’endroit exact", "at its exact place", "am genauen Ort"),
}
LANGUAGE_NAMES = {code: words(code, code, code) for code in LANGUAGES}
LOCATED_BY = {
    "pin": words("point sur la carte", "point on the map", "Punkt auf der Karte"),
    "address": words("adresse", "address", "Adresse"),
    "place": words("nom de lieu", "name of a place", "Ortsname"),
}
USES = {
    "hot_water": words("eau chaude", "hot water", "Warmwasser"),
    "heating": words("eau chaude et chauffage", "hot water and heating", "Warmwasser und Heizung"),
}
STORES = {
    "battery": words("batterie", "battery", "Batterie"),
    "heat": words("chaleur", "heat", "Wärme"),
    "hydrogen": words("hydrogène", "hydrogen", "Wasserstoff"),
}
LEAST = 0.01
"""The least measure: unknown is left out, and is not zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing that may be declared.

    `usual` is the most that a private person and that any other owner usually has: more is asked again, not refused.
    `step` says how it becomes public: None not at all, 0 as it is, else a private person's to the next step.
    """

    column: Column
    usual: tuple[float, float] | None = None
    step: float | None = None
    longest: int = 200
    default: str | bool | None = None

    @property
    def name(self) -> str:
        """Its name on the wire, in the form and in the database."""
        return self.column.name


def _measure(name: str, label: Words, unit: str, most: float, usual: tuple[float, float], step: float | None) -> Field:
    return Field(column=number(name, label, unit=unit, minimum=LEAST, maximum=most), usual=usual, step=step)


def _chosen(name: str, label: Words, choices: Mapping[str, Words], step: float | None = 0) -> Field:
    return Field(column=choice(name, label, choices), step=step)


def _power(private: float, other: float = 20_000) -> Field:
    return _measure("power_kw", words("puissance", "power", "Leistung"), "kW", 100_000, (private, other), 1)


def _yield(private: float, other: float = 20_000) -> Field:
    label = words("production annuelle", "annual yield", "Jahresertrag")
    return _measure("annual_mwh", label, "MWh", 1_000_000, (private, other), 1)


def _area(private: float, other: float = 50_000) -> Field:
    return _measure("area_m2", words("surface", "area", "Fläche"), "m²", 1_000_000, (private, other), 5)


def _store(private: float) -> Field:
    label = words("capacité de stockage", "storage capacity", "Speicherkapazität")
    return _measure("storage_kwh", label, "kWh", 1_000_000, (private, 5_000), 1)


MOUNT = _chosen("place", words("emplacement", "place", "Ort"), energy.MOUNTS)
ORIENTATION = _chosen("orientation", words("orientation", "orientation", "Ausrichtung"), energy.ORIENTATIONS)
TILT = Field(column=number("tilt_deg", words("inclinaison", "tilt", "Neigung"), unit="°", minimum=0, maximum=90))
MODULES = Field(
    column=integer("modules", words("nombre de modules", "number of modules", "Zahl der Module"), minimum=1, maximum=1_000_000),
    usual=(100, 50_000),
)  # fmt: skip
ENERGY_USE = _measure(
    "energy_kwh_m2_year",
    words("consommation d’énergie", "energy use", "Energieverbrauch"),
    "kWh/m²/a",
    2_000,
    (450, 450),
    0,
)
ENERGY_CLASS = _chosen(
    "energy_class", words("classe énergie (DPE)", "energy class", "Energieklasse"), energy.CLASSES, None
)
CLIMATE_CLASS = _chosen(
    "climate_class", words("classe climat (DPE)", "climate class", "Klimaklasse"), energy.CLASSES, None
)
GENERIC = (
    Field(column=text("what", words("de quoi s’agit-il ?", "what is it?", "worum handelt es sich?")), longest=200),
    _power(50),
    _yield(100),
)

FACTS: Mapping[str, tuple[Field, ...]] = {
    "photovoltaic": (_power(36), _area(200), MODULES, MOUNT, ORIENTATION, TILT, _yield(45), _store(50)),
    "solar_thermal": (
        _area(60),
        _power(50),
        MOUNT,
        ORIENTATION,
        TILT,
        _yield(40),
        _chosen("use", words("usage", "use", "Nutzung"), USES, None),
    ),
    "heat_pump": (
        _chosen("heat_pump_kind", words("type de pompe", "kind of heat pump", "Wärmepumpenart"), energy.HEAT_PUMPS),
        _power(40),
        Field(
            column=number("cop", words("rendement annuel (SCOP)", "seasonal COP", "Jahresarbeitszahl"), minimum=1, maximum=10),
            usual=(6, 6),
        ),
    ),
    "high_performance_building": (
        _chosen("label", words("label", "label", "Label"), energy.LABELS),
        Field(column=text("level", words("niveau", "level", "Stufe")), longest=100, step=0),
        _chosen("assurance", words("déclaré ou certifié", "declared or certified", "angegeben oder zertifiziert"), energy.ASSURANCES),
        ENERGY_USE,
        _area(500),
        ENERGY_CLASS,
        CLIMATE_CLASS,
    ),
    "biomass": (_chosen("fuel", words("combustible", "fuel", "Brennstoff"), energy.FUELS), _power(60), _yield(60)),
    "storage": (_chosen("store", words("type de stockage", "kind of storage", "Speicherart"), STORES, None), _store(50), _power(36)),
    **dict.fromkeys(("wind", "hydro", "biogas", "other"), GENERIC),
}  # fmt: skip
"""What is asked of each technology, in the order of the form."""

WHAT = (
    Field(column=choice("technology", words("technologie", "technology", "Technik"), energy.TECHNOLOGIES, required=True)),
    Field(column=choice("status", words("état", "status", "Zustand"), energy.STATUSES), default="operating"),
    Field(column=integer("year", words("année de mise en service", "year of commissioning", "Jahr der Inbetriebnahme"), minimum=1900, maximum=2200)),
    Field(column=integer("month", words("mois de mise en service", "month of commissioning", "Monat der Inbetriebnahme"), minimum=1, maximum=12)),
)  # fmt: skip
WORDS = tuple(
    Field(column=text(name, label), longest=1000)
    for name, label in (
        ("words", words("un mot aux voisins", "a word to the neighbours", "ein Wort an die Nachbarn")),
        ("gain", words("ce que cela vous apporte", "what it brought you", "was es Ihnen gebracht hat")),
        ("advice", words("votre conseil aux voisins", "your advice to neighbours", "Ihr Rat an die Nachbarn")),
    )
)
OWNER = (
    Field(
        column=choice("owner_kind", words("propriétaire", "owner", "Eigentümer"), energy.OWNER_KINDS),
        default="private_person",
    ),
    Field(
        column=boolean(
            "visitors_welcome",
            words(
                "les visites sont possibles, par la mairie",
                "visitors are welcome, through the town hall",
                "Besuch ist willkommen, über das Rathaus",
            ),
        ),
        default=False,
    ),
)
PLACE = (
    Field(column=text("address", words("adresse", "address", "Adresse")), longest=300),
    Field(column=choice("located_by", words("repéré par", "located by", "verortet durch"), LOCATED_BY), default="pin"),
    Field(column=choice("precision", words("visible sur la carte", "shown on the map", "auf der Karte"), PRECISIONS)),
)
PERSON = (
    Field(column=text("email", words("adresse électronique", "e-mail address", "E-Mail-Adresse")), longest=254),
    Field(column=choice("language", words("langue", "language", "Sprache"), LANGUAGE_NAMES), default="fr"),
)
TICKS = tuple(
    Field(column=boolean(name, label), default=False)
    for name, label in (
        (
            "owner_agrees",
            words(
                "Cette installation est à moi, ou j’ai l’accord de son propriétaire.",
                "This installation is mine, or I have its owner’s agreement.",
                "Diese Anlage gehört mir, oder ich habe das Einverständnis des Eigentümers.",
            ),
        ),
        (
            "consent",
            words(
                "J’accepte que la commune publie ce que je déclare ici, à la précision choisie, et garde mon adresse "
                "électronique pour m’écrire à ce sujet. Je peux changer d’avis à tout moment.",
                "I agree that the town publishes what I declare here, at the precision chosen, and keeps my e-mail "
                "address to write to me about it. I may change my mind at any time.",
                "Ich bin einverstanden, dass die Gemeinde veröffentlicht, was ich hier angebe, in der gewählten "
                "Genauigkeit, und meine E-Mail-Adresse behält, um mir dazu zu schreiben. Ich kann es jederzeit widerrufen.",
            ),
        ),
        (
            "exact_consent",
            words(
                "J’accepte en plus que l’endroit exact, donc mon adresse, soit visible de tous.",
                "I agree, in addition, that the exact place, and so my address, is visible to everybody.",
                "Ich bin außerdem einverstanden, dass der genaue Ort, also meine Adresse, für alle sichtbar ist.",
            ),
        ),
        (
            "sure",
            words(
                "Les valeurs signalées sont bien les bonnes.",
                "The values pointed out are right.",
                "Die genannten Werte stimmen.",
            ),
        ),
    )
)
COMMON: Mapping[str, Field] = {one.name: one for one in chain(WHAT, OWNER, PLACE, WORDS, PERSON, TICKS)}
"""What is asked whatever the technology, by name."""

FACT: Mapping[str, Field] = {one.name: one for one in chain.from_iterable(FACTS.values())}
"""What is asked of at least one technology, by name; the bounds of a measure differ only in what is usual."""

CONSENTS: Mapping[str, Words] = {
    "publication": COMMON["consent"].column.label,
    "exact": COMMON["exact_consent"].column.label,
}
"""The texts that a declaration agrees to; the version of a text is its hash, so a changed text is another version."""


def asked(technology: str) -> Mapping[str, Field]:
    """Everything that is asked about a technology, by name."""
    return {**COMMON, **{one.name: one for one in FACTS[technology]}}
