"""The report of a scenario: the proposal on a map, what it touches, what is nearest, and before beside after.

All numbers are the answer's own; here they are put into words and drawn.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from geo.collections import Collection
from geo.columns import LANGUAGES, Words, say, words
from geo.planning import coverage, grounds
from geo.planning.question import Asked
from geo.planning.report import Amount, Cell, Item, Layer, Look, Position, Report, Table, Unit
from geo.planning.sheet import AROUND, Sheet, outlines, sheet

LISTED = 60
"""Touched items that the report lists one by one, the largest parts first; all are counted."""

PROPOSAL = words("Le projet", "The proposal", "Das Vorhaben")
TOUCHED = words("Ce que le projet touche", "What the proposal touches", "Was das Vorhaben berührt")
COLLECTION = words("Collection", "Collection", "Sammlung")
ITEM = words("Objet", "Item", "Objekt")
ITEMS = words("Objets touchés", "Items touched", "Berührte Objekte")
LENGTH = words("Longueur", "Length", "Länge")
AREA = words("Surface", "Area", "Fläche")
QUALITY = words("Position", "Position", "Lage")
BEFORE, AFTER = words("Avant", "Before", "Vorher"), words("Après", "After", "Nachher")
CHANGE = words("Évolution", "Change", "Veränderung")
MEASURE = words("Mesure", "Measure", "Maß")


class Question(Protocol):
    """What the report needs of a scenario's inputs."""

    geometry: dict[str, Any]
    collections: list[str]
    covers: str | None
    covered: str | None
    distance: float
    paths: str | None
    schematic: bool
    title: str | None


def report(asked: Asked, question: Any, answer: Mapping[str, Any]) -> Report:
    """What goes before the council, from the inputs and the answer."""
    told, features = answer["scenario"], answer["features"]
    shape = json.dumps(question.geometry)
    map = sheet(asked.tx, shape, around=question.distance if question.covers else 0.0)
    marks = [
        (n, *place)
        for n, one in enumerate(told["nearest"], 1)
        if one["item"]
        and (place := map.nearest(asked.tx, shape, asked.territory.collection(one["collection"]), one["item"]))
    ]
    return Report(
        name=question.title,
        drawing=map.drawing(list(_layers(asked, question, map, shape, features)), marks),
        tables=list(_tables(asked, told, features)),
        origins=[one for id in _used(question) for one in grounds.origins(asked.tx, asked.territory.collection(id))],
        resting={name: told[name] for name in ("grounds", "accuracy_m", "accuracy_unstated")},
    )


def _used(question: Question) -> list[str]:
    named = [*question.collections, question.covers, question.covered, question.paths]
    return list(dict.fromkeys(id for id in named if id is not None))


# The map, from the ground up


def _layers(
    asked: Asked, question: Question, map: Sheet, shape: str, features: Sequence[Mapping[str, Any]]
) -> Iterator[Layer]:
    tx, territory = asked.tx, asked.territory
    used = [territory.collection(id) for id in _used(question)]
    yield from (map.stored(tx, one, "outline") for one in outlines(territory) if one not in used)
    if question.covers and question.covered:
        yield from _reach(asked, question, map, shape)
    classed = _classed(asked, question)
    shown = [one for one in used if one is not classed]
    yield from (map.stored(tx, one, "outline" if one.kind.id == "communes" else "context") for one in shown)
    if classed:
        yield from _points(asked, question, map, shape, classed)
    yield from _parts(asked, map, features)
    yield map.given(tx, "proposal", PROPOSAL, [question.geometry])


def _parts(asked: Asked, map: Sheet, features: Sequence[Mapping[str, Any]]) -> Iterator[Layer]:
    """What is touched; a commune's outline, which a proposal seldom leaves, would only paint it over."""
    collections = asked.territory.collections
    shapes = [one["geometry"] for one in features if collections[one["properties"]["collection"]].kind.id != "communes"]
    for end, title in (
        ("Polygon", words("Surfaces touchées", "Areas touched", "Berührte Flächen")),
        ("LineString", words("Lignes touchées", "Lines touched", "Berührte Linien")),
    ):
        yield map.given(asked.tx, "touched", title, [one for one in shapes if one and one["type"].endswith(end)])


def _near(asked: Asked, question: Question) -> grounds.Source:
    assert question.covers  # noqa: S101 (asked for only where it is there)
    return grounds.source(asked.territory.collection(question.covers), prefix="n_", schematic=question.schematic)


def _reach(asked: Asked, question: Question, map: Sheet, shape: str) -> Iterator[Layer]:
    near, distance = _near(asked, question), question.distance
    within = _each(near.collection.title, fr="À moins de {m} m : {a}", en="Within {m} m: {a}", de="Im Umkreis von {m} m: {a}", m=distance)  # fmt: skip
    gained = _each({}, fr="Zone gagnée, à {m} m du projet", en="Gained, within {m} m of the proposal", de="Hinzugewonnen, im Umkreis von {m} m", m=distance)  # fmt: skip
    yield map.reach(asked.tx, within, near, distance)
    yield map.reach(asked.tx, gained, near, distance, shape)


def _classed(asked: Asked, question: Question) -> Collection | None:
    """The collection whose points the map tells apart by whether they are covered."""
    found = asked.territory.collection(question.covered) if question.covered else None
    return found if found and found.kind.geometry == "Point" else None


def _points(asked: Asked, question: Question, map: Sheet, shape: str, one: Collection) -> Iterator[Layer]:
    near = _near(asked, question)
    subject = grounds.source(one, prefix="s_", schematic=question.schematic)
    values = {**near.values, **subject.values, **map.box(), "distance": question.distance, "added": shape}
    before, after = coverage.reached(near, added=False), coverage.reached(near, added=True)
    stored = coverage.STORED.format(kind=subject.kind, where=f"{subject.counted} and {AROUND}")
    classes: tuple[tuple[Look, str, Words], ...] = (
        ("before", before, _each(one.title, fr="{a} : déjà couverts", en="{a}: covered before", de="{a}: schon abgedeckt")),
        ("after", f"({after}) and not ({before})", _each(one.title, fr="{a} : couverts par le projet", en="{a}: covered by the proposal", de="{a}: durch das Vorhaben abgedeckt")),
        ("never", f"not ({after})", _each(one.title, fr="{a} : non couverts", en="{a}: not covered", de="{a}: nicht abgedeckt")),
    )  # fmt: skip
    for look, condition, title in classes:
        rows = f"select s.geom from ({stored}) s where {condition}"
        yield map.layer(asked.tx, look, title, rows, values, colour=one.colour)


# The tables


def _tables(asked: Asked, told: Mapping[str, Any], features: Sequence[Mapping[str, Any]]) -> Iterator[Table]:
    titles = {one.id: one.title for one in asked.territory.collections.values()}
    if "coverage" in told:
        yield _coverage(told["coverage"], titles)
    if "connection" in told:
        yield _connection(told["connection"])
    yield _sizes(told)
    yield _touched(told["touches"], titles)
    if features:
        yield _pieces(features, titles)
    yield _nearest(told["nearest"], titles)


def _sizes(told: Mapping[str, Any]) -> Table:
    """The proposal's own measures; a point has none."""
    kinds: tuple[tuple[Words, str, Unit], ...] = ((LENGTH, "length_m", "m"), (AREA, "area_m2", "m2"))
    rows = [(title, Amount(told[name], unit)) for title, name, unit in kinds if told[name]]
    return Table(title=PROPOSAL, head=(MEASURE, words("Valeur", "Value", "Wert")), rows=rows, empty=words("Un point : ni longueur, ni surface.", "A point: no length, no area.", "Ein Punkt: keine Länge, keine Fläche."))  # fmt: skip


def _touched(touches: Sequence[Mapping[str, Any]], titles: Mapping[str, Words]) -> Table:
    rows = [
        (titles[one["collection"]], Amount(one["items"], "count"), _much(one["length_m"], "m"), _much(one["area_m2"], "m2"))
        for one in touches
    ]  # fmt: skip
    cut = any(one["more"] for one in touches)
    note = words("D’une collection au moins, seuls les premiers objets sont comptés.", "Of a collection at least, only the first items are counted.", "Von mindestens einer Sammlung sind nur die ersten Objekte gezählt.") if cut else None  # fmt: skip
    return Table(title=TOUCHED, head=(COLLECTION, ITEMS, LENGTH, AREA), rows=rows, note=note)


def _much(value: float, unit: Unit) -> Amount:
    """A length or an area; points have none, lines no area."""
    return Amount(value or None, unit)


def _pieces(features: Sequence[Mapping[str, Any]], titles: Mapping[str, Words]) -> Table:
    told = sorted((one["properties"] for one in features), key=lambda one: (-one["area_m2"], -one["length_m"]))
    rows: list[Sequence[Cell]] = [
        (Item(one["collection"], one["item"], one["name"]), titles[one["collection"]], _much(one["length_m"], "m"), _much(one["area_m2"], "m2"), Position(one["position"], None))
        for one in told[:LISTED]
    ]  # fmt: skip
    note = _each({}, fr="Les {m} plus grandes parts ; les autres sont comptées plus haut.", en="The {m} largest parts; the others are counted above.", de="Die {m} größten Teile; die übrigen sind oben gezählt.", m=LISTED)  # fmt: skip
    title = words("Objet par objet", "Item by item", "Objekt für Objekt")
    return Table(title=title, head=(ITEM, COLLECTION, LENGTH, AREA, QUALITY), rows=rows, note=note if len(told) > LISTED else None)  # fmt: skip


def _nearest(nearest: Sequence[Mapping[str, Any]], titles: Mapping[str, Words]) -> Table:
    rows: list[Sequence[Cell]] = [
        (str(n), Item(one["collection"], one["item"], one["name"]), titles[one["collection"]], Amount(one["distance_m"], "m"), Position(one["position"], one["accuracy_m"]))
        for n, one in enumerate(nearest, 1)
        if one["item"]
    ]  # fmt: skip
    title = words("L’objet le plus proche de chaque collection", "The nearest item of each collection", "Das nächste Objekt jeder Sammlung")  # fmt: skip
    head = (words("N°", "No.", "Nr."), ITEM, COLLECTION, words("Distance", "Distance", "Entfernung"), QUALITY)
    return Table(title=title, head=head, rows=rows, empty=words("Rien à moins de 50 km.", "Nothing within 50 km.", "Nichts im Umkreis von 50 km."))  # fmt: skip


_UNITS: Mapping[str, tuple[Unit, Words]] = {
    "count": ("count", words("Nombre", "Count", "Anzahl")),
    "length_m": ("m", LENGTH),
    "area_m2": ("m2", AREA),
}


def _coverage(told: Mapping[str, Any], titles: Mapping[str, Words]) -> Table:
    before, after = told["before"], told["after"]
    unit, measure = _UNITS[before["measure"]]
    covered = _each(measure, fr="{a} couvert", en="{a} covered", de="{a}, abgedeckt")
    share = _change(words("Part couverte", "Share covered", "Abgedeckter Anteil"), before["share"], after["share"], "share")  # fmt: skip
    whole = _change(_each(measure, fr="{a} en tout", en="{a} in all", de="{a}, insgesamt"), before["total"], after["total"], unit)  # fmt: skip
    title = {
        lang: text.format(a=say(titles[told["covered"]], lang), b=say(titles[told["covers"]], lang), m=round(told["distance_m"]))
        for lang, text in _COVERAGE.items()
    }  # fmt: skip
    return Table(title=title, head=(MEASURE, BEFORE, AFTER, CHANGE), rows=[share, _change(covered, before["covered"], after["covered"], unit), whole])  # fmt: skip


_COVERAGE = words(
    "Couverture : {a} à moins de {m} m de {b}",
    "Coverage: {a} within {m} m of {b}",
    "Abdeckung: {a} im Umkreis von {m} m um {b}",
)


def _connection(told: Mapping[str, Any]) -> Table:
    before, after = told["before"], told["after"]
    names: tuple[tuple[Words, str, Unit], ...] = (
        (words("Parties séparées", "Separate parts", "Getrennte Teile"), "parts", "count"),
        (words("Plus longue partie", "Longest part", "Längster Teil"), "longest_m", "m"),
        (words("Longueur en tout", "Length in all", "Länge insgesamt"), "length_m", "m"),
    )
    rows = [_change(title, before[name], after[name], unit) for title, name, unit in names]
    note = _each({}, fr="Des bouts à moins de {m} m se touchent : c’est l’exactitude des données.", en="Ends within {m} m meet: that is how exact the data are.", de="Enden im Abstand bis {m} m berühren sich: so genau sind die Daten.", m=told["tolerance_m"])  # fmt: skip
    title = words("Liaisons du réseau", "Connection of the network", "Verbindung des Netzes")
    return Table(title=title, head=(MEASURE, BEFORE, AFTER, CHANGE), rows=rows, note=note)


def _change(title: Words, before: float | None, after: float | None, unit: Unit) -> Sequence[Cell]:
    gained = None if before is None or after is None else after - before
    return (title, Amount(before, unit), Amount(after, unit), Amount(gained, unit, change=True))


def _each(subject: Words, *, fr: str, en: str, de: str, m: float = 0) -> Words:
    """A sentence in each language, with the subject in the same and a number."""
    said = words(fr, en, de)
    return {lang: said[lang].format(a=say(subject, lang), m=f"{m:g}") for lang in LANGUAGES}
