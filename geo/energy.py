"""The vocabulary of installations: closed lists of technologies, owners, heat pumps, places, in words; and the coefficients that estimates
are made with. No column stands here.
"""

from dataclasses import dataclass

from geo.columns import Words, words

TECHNOLOGIES = {
    "photovoltaic": words("photovoltaïque", "photovoltaics", "Photovoltaik"),
    "solar_thermal": words("solaire thermique", "solar thermal", "Solarthermie"),
    "heat_pump": words("pompe à chaleur", "heat pump", "Wärmepumpe"),
    "high_performance_building": words("bâtiment performant", "high-performance building", "hocheffizientes Gebäude"),
    "biomass": words("biomasse", "biomass", "Biomasse"),
    "storage": words("stockage", "storage", "Speicher"),
    "wind": words("éolien", "wind", "Windkraft"),
    "hydro": words("hydraulique", "hydropower", "Wasserkraft"),
    "biogas": words("biogaz", "biogas", "Biogas"),
    "other": words("autre", "other", "andere"),
}
OWNER_KINDS = {
    "private_person": words("particulier", "private person", "Privatperson"),
    "citizens_company": words("société citoyenne", "citizens' company", "Bürgergesellschaft"),
    "company": words("entreprise", "company", "Unternehmen"),
    "social_landlord": words("bailleur social", "social landlord", "Wohnungsgesellschaft"),
    "association": words("association", "association", "Verein"),
    "municipality": words("collectivité", "municipality", "Kommune"),
}
STATUSES = {
    "planned": words("en projet", "planned", "geplant"),
    "operating": words("en service", "operating", "in Betrieb"),
    "stopped": words("à l’arrêt", "stopped", "stillgelegt"),
}
HEAT_PUMPS = {
    "air_air": words("air/air", "air to air", "Luft/Luft"),
    "air_water": words("air/eau", "air to water", "Luft/Wasser"),
    "water_water": words("eau/eau", "water to water", "Wasser/Wasser"),
    "brine_water": words("eau glycolée/eau", "brine to water", "Sole/Wasser"),
    "ground_water": words("sol/eau", "ground to water", "Erdreich/Wasser"),
    "water_heater": words("chauffe-eau thermodynamique", "heat pump water heater", "Warmwasser-Wärmepumpe"),
    "hybrid": words("hybride", "hybrid", "Hybrid"),
}
FUELS = {
    "logs": words("bûches", "logs", "Scheitholz"),
    "pellets": words("granulés", "pellets", "Pellets"),
    "chips": words("plaquettes", "wood chips", "Hackschnitzel"),
    "other": words("autre", "other", "andere"),
}
MOUNTS = {
    "roof": words("toit", "roof", "Dach"),
    "facade": words("façade", "façade", "Fassade"),
    "ground": words("sol", "ground", "Freifläche"),
    "balcony": words("balcon", "balcony", "Balkon"),
    "carport": words("ombrière", "carport", "Carport"),
}
ORIENTATIONS = {
    "south": words("sud", "south", "Süd"),
    "south_east": words("sud-est", "south-east", "Südost"),
    "south_west": words("sud-ouest", "south-west", "Südwest"),
    "east": words("est", "east", "Ost"),
    "west": words("ouest", "west", "West"),
    "east_west": words("est et ouest", "east and west", "Ost und West"),
    "north_east": words("nord-est", "north-east", "Nordost"),
    "north_west": words("nord-ouest", "north-west", "Nordwest"),
    "north": words("nord", "north", "Nord"),
    "tracking": words("suit le soleil", "tracks the sun", "nachgeführt"),
}
ASSURANCES = {
    "declared": words("déclaré", "declared", "angegeben"),
    "certified": words("certifié", "certified", "zertifiziert"),
}
LABELS = {
    name: words(name, name, name)
    for name in (
        "BBC-Effinergie",
        "Effinergie+",
        "BEPOS-Effinergie",
        "BBC-Effinergie Rénovation",
        "Passivhaus",
        "EnerPHit",
        "Minergie",
        "HQE",
        "RT2012",
        "RE2020",
        "E+C-",
    )
} | {"other": words("autre", "other", "anderes")}
CLASSES = {letter: words(letter, letter, letter) for letter in "ABCDEFG"}
"""The classes of the energy-performance diagnosis (DPE)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficient:
    """A number that estimates are made with, for some technologies: with its unit, what it says, and who said so when.

    `date` is the day of the source, or the year that it speaks of.
    """

    id: str
    value: float
    unit: str
    technologies: tuple[str, ...]
    meaning: Words
    source: str
    source_url: str
    date: str


YIELD = Coefficient(
    id="photovoltaic_yield",
    value=0.914,
    unit="MWh/kW",
    technologies=("photovoltaic",),
    meaning=words(
        "production annuelle par kW installé, d’après le toit de l’église Saint-Vaast de Loos-en-Gohelle : 32 MWh par an pour 35 kW",
        "annual yield of an installed kW, after the roof of the church Saint-Vaast at Loos-en-Gohelle: 32 MWh a year from 35 kW",
        "Jahresertrag eines installierten kW, nach dem Dach der Kirche Saint-Vaast in Loos-en-Gohelle: 32 MWh im Jahr aus 35 kW",
    ),
    source="Églises et écologies",
    source_url="https://eglisesetecologies.com/2013/06/04/au-nord-le-soleil-dans-le-coeur-et-sur-le-toit-des-eglises/",
    date="2013-06-04",
)
GRID = Coefficient(
    id="grid_intensity",
    value=0.0217,
    unit="t CO₂e/MWh",
    technologies=("photovoltaic", "wind", "hydro"),
    meaning=words(
        "émissions de la production d’électricité en France : ce qu’émettrait la même électricité venue du réseau",
        "emissions of electricity production in France: what the same electricity from the grid would emit",
        "Emissionen der Stromerzeugung in Frankreich: was derselbe Strom aus dem Netz ausstoßen würde",
    ),
    source="RTE, Bilan électrique 2024",
    source_url="https://analysesetdonnees.rte-france.com/index.php/bilan-electrique-2024/emissions",
    date="2024",
)
COEFFICIENTS = (YIELD, GRID)
"""All of them. A technology that none names gets no estimate: heat needs a coefficient that nobody has stated here."""
