"""The national schema of cycle facilities: its vocabulary, the columns that hold it, and the file that is made of them."""

from collections.abc import Iterator
from typing import Any

from geo.columns import Column, Words, boolean, choice, integer, number, text, words
from geo.exchange import Field, Scheme

# The national cycle schema (schéma des aménagements cyclables) names these attributes: left (g) and right (d).
AMENAGEMENTS = {
    "PISTE CYCLABLE": words("piste cyclable", "cycle track", "Radweg"),
    "BANDE CYCLABLE": words("bande cyclable", "cycle lane", "Radfahrstreifen"),
    "DOUBLE SENS CYCLABLE PISTE": words("double sens, piste", "contraflow track", "Gegenrichtung, Radweg"),
    "DOUBLE SENS CYCLABLE BANDE": words("double sens, bande", "contraflow lane", "Gegenrichtung, Streifen"),
    "DOUBLE SENS CYCLABLE NON MATERIALISE": words(
        "double sens non matérialisé", "unmarked contraflow", "Gegenrichtung ohne Markierung"
    ),
    "VOIE VERTE": words("voie verte", "greenway", "Grüner Weg"),
    "VELO RUE": words("vélorue", "cycle street", "Fahrradstraße"),
    "COULOIR BUS+VELO": words("couloir bus et vélo", "bus and cycle lane", "Bus- und Radspur"),
    "RAMPE": words("rampe", "ramp", "Rampe"),
    "GOULOTTE": words("goulotte", "wheel channel", "Schieberinne"),
    "AMENAGEMENT MIXTE PIETON VELO HORS VOIE VERTE": words(
        "mixte piéton et vélo", "shared foot and cycle path", "gemeinsamer Geh- und Radweg"
    ),
    "CHAUSSEE A VOIE CENTRALE BANALISEE": words("chaussidou", "2-1 road", "Straße mit Schutzstreifen"),
    "ACCOTEMENT REVETU HORS CVCB": words("accotement revêtu", "paved shoulder", "befestigter Seitenstreifen"),
    "AUCUN": words("aucun", "none", "keine"),
    "AUTRE": words("autre", "other", "andere"),
}
SENS = {
    "UNIDIRECTIONNEL": words("un sens", "one way", "eine Richtung"),
    "BIDIRECTIONNEL": words("deux sens", "both ways", "beide Richtungen"),
}
STATUTS = {
    "EN TRAVAUX": words("en travaux", "under construction", "im Bau"),
    "EN SERVICE": words("en service", "in service", "in Betrieb"),
    "PROVISOIRE": words("provisoire", "temporary", "vorläufig"),
}
REVETEMENTS = {
    "LISSE": words("lisse", "smooth", "glatt"),
    "RUGUEUX": words("rugueux", "rough", "rau"),
    "MEUBLE": words("meuble", "loose", "lose"),
}


def _sides() -> Iterator[Column]:
    for suffix, side in (("d", words("à droite", "right", "rechts")), ("g", words("à gauche", "left", "links"))):

        def of(fr: str, en: str, de: str, side: Words = side) -> Words:
            return words(f"{fr} {side['fr']}", f"{en}, {side['en']}", f"{de}, {side['de']}")

        yield text(f"code_com_{suffix}", of("commune", "commune", "Gemeinde"))
        yield choice(f"ame_{suffix}", of("aménagement", "facility", "Anlage"), AMENAGEMENTS)
        yield text(f"regime_{suffix}", of("régime", "regime", "Verkehrsregelung"))
        yield choice(f"sens_{suffix}", of("sens", "direction", "Richtung"), SENS)
        yield number(f"largeur_{suffix}", of("largeur", "width", "Breite"), unit="m", minimum=0)
        yield text(f"local_{suffix}", of("localisation", "place in the street", "Lage"))
        yield choice(f"statut_{suffix}", of("statut", "status", "Status"), STATUTS)
        yield choice(f"revet_{suffix}", of("revêtement", "surface", "Belag"), REVETEMENTS)


COLUMNS = (
    *_sides(),
    text("access_ame", words("accès", "vehicles admitted", "zugelassene Fahrräder")),
    integer("trafic_vit", words("vitesse du trafic", "speed of traffic", "Tempo des Verkehrs"), unit="km/h", minimum=0),
    boolean("lumiere", words("éclairage", "lighting", "Beleuchtung")),
    text("reseau_loc", words("réseau local", "local network", "lokales Netz")),
    text("nom_loc", words("nom local", "local name", "lokaler Name")),
    text("id_osm", words("identifiant OpenStreetMap", "OpenStreetMap id", "OpenStreetMap-Id")),
    text("num_iti", words("itinéraire", "route number", "Routennummer")),
)
"""What the schema says of a stretch of path, in its own names."""

# Lists that the columns do not check, for files in the wild hold other words as well; schema 0.3.4 allows only these.
REGIMES = ("ZONE 30", "AIRE PIETONNE", "ZONE DE RENCONTRE", "EN AGGLOMERATION", "HORS AGGLOMERATION", "AUTRE")
LOCALISATIONS = ("TROTTOIR", "INTERMEDIAIRE", "CHAUSSEE")
ACCESSES = ("ROLLER", "VELO DE ROUTE", "VTC", "VTT")
NETWORKS = ("REV", "Structurant", "Autre")
INSEE = r"^([013-9]\d|2[AB1-9])\d{3}"


def _of_side(side: str) -> Iterator[Field]:
    """The fields of the right (d) or the left (g) side."""

    def field(stem: str, *choices: str, **more: Any) -> Field:
        return Field(name=f"{stem}_{side}", type="string", columns=(f"{stem}_{side}",), choices=choices, **more)

    # The commune that the line lies in is that of both its sides, where no source says more.
    yield Field(
        name=f"code_com_{side}", type="string", columns=(f"code_com_{side}", "commune"), pattern=INSEE, required=True
    )
    yield field("ame", *AMENAGEMENTS, required=True)
    yield field("regime", *REGIMES)
    yield field("sens", *SENS)
    yield Field(name=f"largeur_{side}", type="number", columns=(f"largeur_{side}",))
    yield field("local", *LOCALISATIONS)
    yield field("statut", *STATUTS)
    yield field("revet", *REVETEMENTS)


AMENAGEMENTS_CYCLABLES = Scheme(
    id="amenagements-cyclables",
    title="Aménagements cyclables",
    version="0.3.4",
    source="https://schema.data.gouv.fr/schemas/etalab/schema-amenagements-cyclables/0.3.4/schema_amenagements_cyclables.json",
    fields=(
        # As seed/datasets/cycle-paths.toml makes keys of them: a file that comes back finds its rows again.
        Field(name="id_local", type="string", columns=("source_key",), prefix="ame-", required=True),
        Field(name="reseau_loc", type="string", columns=("reseau_loc",), choices=NETWORKS),
        Field(name="nom_loc", type="strings", columns=("nom_loc",)),
        Field(name="id_osm", type="string", columns=("id_osm",)),
        Field(name="num_iti", type="string", columns=("num_iti",)),
        *_of_side("d"),
        *_of_side("g"),
        Field(name="access_ame", type="string", columns=("access_ame",), choices=ACCESSES),
        Field(name="date_maj", type="date", columns=("source_date",)),
        Field(name="trafic_vit", type="integer", columns=("trafic_vit",)),
        Field(name="lumiere", type="boolean", columns=("lumiere",)),
        Field(name="d_service", type="year", columns=("since",)),
        Field(name="comm", type="string", columns=("description",)),
        Field(name="source", type="string", columns=("source",)),
    ),
)
"""Schema of transport.data.gouv.fr and Vélo & Territoires. `project_c` and `ref_geo`, both optional, have no column here."""
