"""The registry of kinds: an allow-list of tables and of their columns. A new kind is one migration and one entry here.

What the world sees of a kind are *collections*; those are data of a territory pack and never named in code.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from geo import cycling, energy
from geo.columns import (
    ID,
    LIFE,
    ORIGIN,
    PLACE,
    STORY,
    Column,
    Words,
    boolean,
    choice,
    date,
    integer,
    number,
    precision,
    prose,
    references,
    text,
    url,
    words,
)
from geo.exchange import Scheme

ROLLED_UP = (11, 14)
"""The zooms of the cells of which the database keeps counts and sums, coarsest first."""

GeometryType = Literal["Point", "MultiLineString", "MultiPolygon"]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A table of `territory`: typed columns and at most one geometry. `interval` names its start and end dates.

    `classed_by` names the column by which tiles count their cells; of a kind that is `rolled_up` the database keeps
    the sums of cells. What nobody writes `by_hand` comes by imports alone: new packs have no file of it. `schemes`
    are the national schemas that its columns can fill.
    """

    id: str
    title: Words
    geometry: GeometryType | None
    own: tuple[Column, ...]
    interval: tuple[str, str] = ("since", "until")
    classed_by: str | None = None
    rolled_up: bool = False
    by_hand: bool = True
    schemes: tuple[Scheme, ...] = ()

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """All columns but `id` and the geometries, in the order in which they are shown."""
        located = (*LIFE, *PLACE) if self.geometry else ()
        return (*STORY, *self.own, *located, *ORIGIN)

    @cached_property
    def public(self) -> tuple[Column, ...]:
        """The columns that leave the database."""
        return tuple(column for column in self.columns if column.public)

    @cached_property
    def queryables(self) -> dict[str, Column]:
        """The columns that packs and pages narrow collections by, by name."""
        return {column.name: column for column in self.public if column.queryable}

    @cached_property
    def filterables(self) -> dict[str, Column]:
        """The columns that filters ask about and pages are sorted by: all that hold one value, by name."""
        return {column.name: column for column in (ID, *self.public) if column.type != "references"}

    @cached_property
    def summables(self) -> tuple[Column, ...]:
        """The columns that may be added up."""
        return tuple(column for column in self.public if column.summable)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError if the kind has none."""
        return next((column for column in self.columns if column.name == name), None) or _missing(self.id, name)


def _missing(kind: str, name: str) -> Column:
    raise KeyError(f"{kind} has no column {name}")


COMMUNES = Kind(
    id="communes",
    title=words("Communes", "Communes", "Gemeinden"),
    geometry="MultiPolygon",
    own=(
        text("insee", words("code INSEE", "INSEE code", "INSEE-Code"), queryable=True),
        integer(
            "population", words("population", "population", "Einwohner"), unit="inhabitants", minimum=0, summable=True
        ),
        number("area_km2", words("superficie", "area", "Fläche"), unit="km²", minimum=0, summable=True),
    ),
)

AREAS = Kind(
    id="areas",
    title=words("Espaces", "Areas", "Flächen"),
    geometry="MultiPolygon",
    own=(
        choice(
            "category",
            words("catégorie", "category", "Kategorie"),
            {
                "belt": words("ceinture verte", "green belt", "Grüngürtel"),
                "corridor": words("corridor biologique", "ecological corridor", "Biotopverbund"),
                "spoil_tip": words("terril", "spoil tip", "Halde"),
                "park": words("parc", "park", "Park"),
                "woodland": words("bois", "woodland", "Wald"),
                "protected_farmland": words("parvis agricole protégé", "protected farmland", "geschütztes Ackerland"),
                "organic_farmland": words("agriculture biologique", "organic farmland", "Biolandwirtschaft"),
                "retention": words("rétention des eaux de pluie", "rainwater retention", "Regenrückhaltung"),
            },
            required=True,
        ),
        number("area_ha", words("surface", "area", "Fläche"), unit="ha", minimum=0, summable=True),
        prose("access", words("accès", "access", "Zugang")),
    ),
)

PATHS = Kind(
    id="paths",
    title=words("Chemins", "Paths", "Wege"),
    geometry="MultiLineString",
    own=(
        choice(
            "category",
            words("catégorie", "category", "Kategorie"),
            {
                "greenway": words("voie verte", "greenway", "Grüner Weg"),
                "cycleway": words("voie cyclable", "cycleway", "Radweg"),
                "footpath": words("sentier", "footpath", "Fußweg"),
                "track": words("chemin", "track", "Feldweg"),
                "disused_railway": words("ancien cavalier", "disused mine railway", "ehemalige Zechenbahn"),
            },
            required=True,
        ),
        number("length_m", words("longueur", "length", "Länge"), unit="m", minimum=0, summable=True),
        prose("open_to", words("ouvert à", "open to", "offen für")),
        *cycling.COLUMNS,
    ),
    schemes=(cycling.AMENAGEMENTS_CYCLABLES,),
)

PLACES = Kind(
    id="places",
    title=words("Lieux", "Places", "Orte"),
    geometry="Point",
    own=(
        choice(
            "category",
            words("catégorie", "category", "Kategorie"),
            {
                "site": words("site", "site", "Gelände"),
                "tenant": words("structure installée", "tenant", "Ansässige Einrichtung"),
                "headframe": words("chevalement", "headframe", "Förderturm"),
                "mine_shaft": words("puits de mine", "mine shaft", "Schacht"),
                "shared_garden": words("jardin partagé", "shared garden", "Gemeinschaftsgarten"),
                "co_designed_street": words(
                    "rue conçue avec ses habitants", "street designed with its residents", "mitgestaltete Straße"
                ),
                "fifty_fifty": words("projet fifty-fifty", "fifty-fifty project", "Fifty-fifty-Projekt"),
                "public_meeting": words(
                    "lieu de réunion publique", "public meeting place", "Ort der Bürgerversammlung"
                ),
                "memorial": words("mémorial", "memorial", "Gedenkstätte"),
                "cemetery": words("cimetière", "cemetery", "Friedhof"),
                "monument": words("monument historique", "listed monument", "Baudenkmal"),
                "culture": words("culture", "culture", "Kultur"),
                "trailhead": words("départ de promenade", "trailhead", "Startpunkt"),
                "station": words("gare", "railway station", "Bahnhof"),
                "carpool": words("aire de covoiturage", "car-sharing place", "Mitfahrplatz"),
                "brownfield": words("friche", "brownfield", "Brache"),
                "other": words("autre lieu", "other place", "anderer Ort"),
            },
            required=True,
        ),
        text("site", words("site", "site", "Standort"), queryable=True),
        text("organisation", words("organisme", "organisation", "Organisation"), queryable=True),
        number("depth_m", words("profondeur", "depth", "Teufe"), unit="m", minimum=0),
        number("height_m", words("hauteur", "height", "Höhe"), unit="m", minimum=0),
        number("area_m2", words("surface", "area", "Fläche"), unit="m²", minimum=0, summable=True),
    ),
)

HERITAGE = Kind(
    id="heritage",
    title=words("Patrimoine", "Heritage", "Erbe"),
    geometry="MultiPolygon",
    own=(
        choice(
            "category",
            words("catégorie", "category", "Kategorie"),
            {
                "estate": words("cité minière", "miners' estate", "Bergarbeitersiedlung"),
                "building": words("bâtiment", "building", "Gebäude"),
                "spoil_tip": words("terril", "spoil tip", "Halde"),
                "railway": words("cavalier", "mine railway", "Zechenbahn"),
                "pond": words("étang d'affaissement", "subsidence pond", "Senkungsteich"),
                "perimeter": words("périmètre", "perimeter", "Schutzgebiet"),
            },
            required=True,
        ),
        text("protection", words("protection", "protection", "Schutzstatus"), queryable=True),
        date("listed_on", words("protégé le", "listed on", "geschützt seit")),
    ),
)

BUILDINGS = Kind(
    id="buildings",
    title=words("Bâtiments", "Buildings", "Gebäude"),
    geometry="Point",
    own=(
        choice(
            "category",
            words("catégorie", "category", "Kategorie"),
            {
                "new": words("neuf", "new building", "Neubau"),
                "renovation": words("rénovation", "renovation", "Sanierung"),
                "demonstrator": words("démonstrateur", "demonstrator", "Demonstrator"),
                "public": words("équipement public", "public building", "öffentliches Gebäude"),
            },
            required=True,
        ),
        text("label", words("label", "label", "Label"), queryable=True),
        text("level", words("niveau", "level", "Stufe"), queryable=True),
        boolean("certified", words("certifié", "certified", "zertifiziert")),
        integer("dwellings", words("logements", "dwellings", "Wohnungen"), minimum=0, summable=True),
        number("area_m2", words("surface", "floor area", "Fläche"), unit="m²", minimum=0, summable=True),
        number(
            "energy_kwh_m2_year",
            words("consommation d'énergie", "energy use", "Energieverbrauch"),
            unit="kWh/m²/a",
            minimum=0,
        ),
        number(
            "rain_tank_l", words("citerne d'eau de pluie", "rainwater tank", "Regenwassertank"), unit="l", minimum=0
        ),
        prose("techniques", words("techniques", "techniques", "Techniken")),
    ),
)

INSTALLATIONS = Kind(
    id="installations",
    title=words("Installations", "Installations", "Anlagen"),
    geometry="Point",
    own=(
        choice("technology", words("technologie", "technology", "Technik"), energy.TECHNOLOGIES, required=True),
        number(
            "power_kw", words("puissance", "power", "Leistung"), unit="kW", minimum=0, queryable=True, summable=True
        ),
        number("area_m2", words("surface", "area", "Fläche"), unit="m²", minimum=0, summable=True),
        number(
            "annual_mwh",
            words("production annuelle", "annual yield", "Jahresertrag"),
            unit="MWh",
            minimum=0,
            summable=True,
        ),
        integer("year", words("année", "year", "Jahr"), minimum=1800, maximum=2200, queryable=True),
        choice("owner_kind", words("propriétaire", "owner", "Eigentümer"), energy.OWNER_KINDS),
        boolean("visitors_welcome", words("visites possibles", "visitors welcome", "Besuch willkommen")),
        choice("status", words("état", "status", "Zustand"), energy.STATUSES),
        choice("heat_pump_kind", words("type de pompe", "kind of heat pump", "Wärmepumpenart"), energy.HEAT_PUMPS),
        choice("fuel", words("combustible", "fuel", "Brennstoff"), energy.FUELS),
        text("label", words("label", "label", "Label"), queryable=True),
        text("level", words("niveau", "level", "Stufe")),
        choice("assurance", words("attestation", "assurance", "Nachweis"), energy.ASSURANCES),
        number(
            "energy_kwh_m2_year",
            words("consommation d’énergie", "energy use", "Energieverbrauch"),
            unit="kWh/m²/a",
            minimum=0,
        ),
        choice("place", words("emplacement", "place", "Ort"), energy.MOUNTS),
        choice("orientation", words("orientation", "orientation", "Ausrichtung"), energy.ORIENTATIONS),
        number("storage_kwh", words("stockage", "storage", "Speicher"), unit="kWh", minimum=0),
        text("words", words("un mot aux voisins", "a word to the neighbours", "ein Wort an die Nachbarn")),
        text("gain", words("ce que cela apporte", "what it brought", "was es gebracht hat")),
        text("advice", words("conseil aux voisins", "advice to neighbours", "Rat an die Nachbarn")),
        text("photo", words("photo", "photo", "Foto")),
        text("cell", words("maille INSPIRE", "INSPIRE grid cell", "INSPIRE-Rasterzelle"), queryable=True),
    ),
    classed_by="technology",
    rolled_up=True,
)

DETECTIONS = Kind(
    id="detections",
    title=words("Détections", "Detections", "Erkennungen"),
    geometry="Point",
    own=(
        text("method", words("méthode", "method", "Methode"), queryable=True),
        integer("count", words("nombre", "count", "Anzahl"), minimum=0, summable=True),
        number("power_kw", words("puissance", "power", "Leistung"), unit="kW", minimum=0, summable=True),
        number("precision", words("précision", "precision", "Genauigkeit"), minimum=0, maximum=1),
        number("recall", words("rappel", "recall", "Trefferquote"), minimum=0, maximum=1),
    ),
    rolled_up=True,
)

FIGURES = Kind(
    id="figures",
    title=words("Chiffres clés", "Key figures", "Kennzahlen"),
    geometry=None,
    own=(
        text("indicator", words("indicateur", "indicator", "Kennzahl"), queryable=True, required=True),
        number("value", words("valeur", "value", "Wert")),
        prose("unit", words("unité", "unit", "Einheit")),
        date("value_date", words("date de la valeur", "date of the value", "Stand")),
        precision(
            "value_date_precision", words("précision de la date", "precision of the date", "Genauigkeit des Datums")
        ),
        prose("definition", words("définition", "definition", "Definition")),
        choice(
            "status",
            words("statut", "status", "Status"),
            {
                "retained": words("retenu", "retained", "übernommen"),
                "contested": words("discordant", "contested", "abweichend"),
            },
            required=True,
        ),
        references("about", words("à propos de", "about", "über")),
    ),
    interval=("value_date", "value_date"),
)

MILESTONES = Kind(
    id="milestones",
    title=words("Jalons", "Milestones", "Meilensteine"),
    geometry=None,
    own=(
        date("date", words("date", "date", "Datum")),
        precision("date_precision", words("précision de la date", "precision of the date", "Genauigkeit des Datums")),
        references("about", words("à propos de", "about", "über")),
    ),
    interval=("date", "date"),
)

DOCUMENTS = Kind(
    id="documents",
    title=words("Documents", "Documents", "Dokumente"),
    geometry=None,
    own=(
        url("url", words("adresse", "address", "Adresse")),
        prose("subject", words("sujet", "subject", "Thema"), queryable=True),
        text("publisher", words("éditeur", "publisher", "Herausgeber"), queryable=True),
        date("published_on", words("paru le", "published on", "erschienen am")),
        precision(
            "published_on_precision", words("précision de la date", "precision of the date", "Genauigkeit des Datums")
        ),
        references("about", words("à propos de", "about", "über")),
    ),
    interval=("published_on", "published_on"),
)

REGISTRATIONS = Kind(
    id="registrations",
    title=words("Registre national", "National register", "Nationales Register"),
    geometry=None,
    own=(
        text(
            "commune",
            words("commune (code INSEE)", "commune (INSEE code)", "Gemeinde (INSEE-Code)"),
            queryable=True,
            required=True,
        ),
        choice("technology", words("technologie", "technology", "Technologie"), energy.TECHNOLOGIES, required=True),
        integer("count", words("nombre", "count", "Anzahl"), minimum=1, summable=True, required=True),
        number("power_kw", words("puissance", "power", "Leistung"), unit="kW", minimum=0, summable=True),
        date("commissioned_on", words("mise en service", "commissioned on", "in Betrieb seit")),
        precision(
            "commissioned_on_precision",
            words("précision de la date", "precision of the date", "Genauigkeit des Datums"),
        ),
        text("regime", words("régime", "regime", "Status"), queryable=True),
    ),
    interval=("commissioned_on", "commissioned_on"),
    by_hand=False,
)

KINDS = {
    kind.id: kind
    for kind in (
        COMMUNES,
        AREAS,
        PATHS,
        PLACES,
        HERITAGE,
        BUILDINGS,
        INSTALLATIONS,
        DETECTIONS,
        FIGURES,
        MILESTONES,
        DOCUMENTS,
        REGISTRATIONS,
    )
}
"""Every kind, by id."""

SCHEMES = {scheme.id: scheme for kind in KINDS.values() for scheme in kind.schemes}
"""Every national schema that some kind can fill, by the name of its format."""
