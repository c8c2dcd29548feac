"""The vocabulary of installations: closed lists of technologies, owners, heat pumps, places, in words. No column stands here."""

from geo.columns import words

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
