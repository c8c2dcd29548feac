"""The words for what answers say: members and properties by name, with their units and the values that they may have.

A question's own page and form are made from its description; these are the part of it that all questions share.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from geo.columns import Words, say, words
from geo.kinds import KINDS


@dataclass(frozen=True, slots=True)
class Term:
    """What a name stands for. `unit` as in kinds; `share` is a fraction of one, `year` and `number` are no quantities."""

    title: Words
    unit: str | None = None
    values: Mapping[str, Words] = field(default_factory=dict)

    def as_json(self, lang: str) -> dict[str, Any]:
        """As a description carries it."""
        unit = {"unit": self.unit} if self.unit else {}
        values = {name: say(said, lang) for name, said in self.values.items()}
        return {"title": say(self.title, lang), **unit, **({"values": values} if values else {})}


CHOICES: Mapping[str, Words] = {
    "intersection": words("ce qui est dedans", "what lies inside", "was innen liegt"),
    "difference": words("ce qui est dehors", "what lies outside", "was außen liegt"),
    "territory": words("tout le territoire", "the whole territory", "das ganze Gebiet"),
    "commune": words("commune", "commune", "Gemeinde"),
    "cell_200m": words("maille de 200 m", "200 m cell", "200-m-Zelle"),
    "cell_1km": words("maille de 1 km", "1 km cell", "1-km-Zelle"),
    "areas": words("surface", "area", "Fläche"),
    "points": words("les points envoyés", "the points sent", "die gesendeten Punkte"),
    "area": words("l’emprise", "the area", "das Gebiet"),
    "count": words("nombre", "count", "Anzahl"),
    "length_m": words("longueur", "length", "Länge"),
    "area_m2": words("surface", "area", "Fläche"),
    "covered": words("couvert", "covered", "abgedeckt"),
    "uncovered": words("non couvert", "not covered", "nicht abgedeckt"),
    "gap": words("lacune", "gap", "Lücke"),
    "dead end": words("impasse", "dead end", "Sackgasse"),
    "part": words("partie reliée", "connected part", "verbundener Teil"),
    "way": words("chemin le plus court", "shortest way", "kürzester Weg"),
}
"""Values that inputs may be given, and that answers may say."""

REASONS: Mapping[str, Words] = {
    "schematic": words("tracé schématique", "schematic", "schematisch"),
    "coarser_than_the_zones": words(
        "position moins fine que les zones", "position coarser than the zones", "Lage gröber als die Zonen"
    ),
    "in_no_zone": words("dans aucune zone", "in no zone", "in keiner Zone"),
}
"""Why something was left out."""

_M, _M2 = "m", "m²"
_CATEGORIES: Mapping[str, Words] = {
    value: said
    for kind in KINDS.values()
    for column in kind.columns
    if column.name == "category" and column.choices
    for value, said in column.choices.items()
}
TERMS: Mapping[str, Term] = {
    "name": Term(words("Nom", "Name", "Name")),
    "collection": Term(words("Collection", "Collection", "Sammlung")),
    "collections": Term(words("Collections", "Collections", "Sammlungen")),
    "distance_m": Term(words("Distance", "Distance", "Entfernung"), _M),
    "position": Term(words("Position", "Position", "Lage")),
    "accuracy_m": Term(words("Exactitude", "Accuracy", "Genauigkeit"), _M),
    "position_accuracy_m": Term(words("Exactitude", "Accuracy", "Genauigkeit"), _M),
    "part": Term(words("Partie", "Part", "Teil"), None, CHOICES),
    "what": Term(words("Nature", "What", "Was"), None, CHOICES),
    "count": Term(words("Nombre", "Count", "Anzahl")),
    "count_sum": Term(words("Somme des nombres", "Sum of counts", "Summe der Anzahlen")),
    "length_m": Term(words("Longueur", "Length", "Länge"), _M),
    "area_m2": Term(words("Surface", "Area", "Fläche"), _M2),
    "metres": Term(words("Longueur", "Length", "Länge"), _M),
    "joins_m": Term(words("Longueur reliée", "Length joined", "Verbundene Länge"), _M),
    "rank": Term(words("Rang", "Rank", "Rang")),
    "value": Term(words("Valeur", "Value", "Wert")),
    "zone": Term(words("Zone", "Zone", "Zone"), None, {"territory": CHOICES["territory"]}),
    "year": Term(words("Année", "Year", "Jahr"), "year"),
    "kind": Term(words("Catégorie", "Kind", "Art"), None, _CATEGORIES),
    "pieces": Term(words("Morceaux", "Pieces", "Stücke")),
    "item": Term(words("Objet n°", "Item no.", "Objekt Nr."), "number"),
    "items": Term(words("Objets", "Items", "Objekte")),
    "more": Term(words("Il y en a d’autres", "There are more", "Es gibt weitere")),
    "measure": Term(words("Mesure", "Measure", "Maß"), None, CHOICES),
    "operation": Term(words("Opération", "Operation", "Operation"), None, CHOICES),
    "total": Term(words("Total", "Total", "Gesamt"), "measure"),
    "covered": Term(words("Couvert", "Covered", "Abgedeckt"), "measure"),
    "share": Term(words("Part couverte", "Share covered", "Anteil"), "share"),
    "near": Term(words("Proche de", "Near", "In der Nähe von")),
    "of": Term(words("Part de", "Share of", "Anteil von"), None, CHOICES),
    "by": Term(words("Par", "By", "Nach"), None, CHOICES),
    "by_year": Term(words("Par année", "By year", "Nach Jahr")),
    "by_kind": Term(words("Par catégorie", "By kind", "Nach Art")),
    "schematic": Term(words("Dont schématiques", "Schematic among them", "Davon schematisch")),
    "touches": Term(words("Ce que le projet touche", "What the proposal touches", "Was das Vorhaben berührt")),
    "nearest": Term(words("Le plus proche", "Nearest", "Am nächsten")),
    "coverage": Term(words("Couverture", "Coverage", "Abdeckung")),
    "connection": Term(words("Liaisons", "Connection", "Verbindung")),
    "before": Term(words("Avant", "Before", "Vorher")),
    "after": Term(words("Après", "After", "Nachher")),
    "covers": Term(words("S’ajoute à", "Adds to", "Ergänzt")),
    "tolerance_m": Term(words("Joints à moins de", "Joined within", "Verbunden bis"), _M),
    "parts": Term(words("Parties reliées", "Connected parts", "Verbundene Teile")),
    "part_lengths_m": Term(words("Longueur des parties", "Lengths of the parts", "Länge der Teile"), _M),
    "longest_m": Term(words("La plus longue", "The longest", "Der längste"), _M),
    "gaps_found": Term(words("Lacunes", "Gaps", "Lücken")),
    "dead_ends": Term(words("Impasses", "Dead ends", "Sackgassen")),
    "dead_ends_shown": Term(words("Impasses montrées", "Dead ends shown", "Gezeigte Sackgassen")),
    "way": Term(words("Chemin le plus court", "Shortest way", "Kürzester Weg")),
    "of_which_to_the_path_m": Term(words("dont accès", "of which to the path", "davon bis zum Weg"), _M),
    "of_which_from_the_path_m": Term(words("dont sortie", "of which from the path", "davon vom Weg"), _M),
}
"""The names that answers use. A name that is missing here is shown as it is."""


def terms(lang: str) -> dict[str, Any]:
    """Every term in that language; sums of kinds' columns have the columns' own words."""
    summed = {column.name: Term(column.label, column.unit) for kind in KINDS.values() for column in kind.summables}
    return {name: one.as_json(lang) for name, one in {**summed, **TERMS}.items()}


def reasons(lang: str) -> dict[str, str]:
    """Why something was left out, in that language."""
    return {name: say(said, lang) for name, said in REASONS.items()}
