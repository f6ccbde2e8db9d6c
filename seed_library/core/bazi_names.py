"""Words for the facts of a pillar, per locale. They stand in prompts as data, so they are nominatives."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """The vocabulary of one locale."""

    polarity: dict[str, str]
    season: dict[str, str]
    season_part: dict[str, str]
    hours: tuple[str, ...]
    direction: dict[str, str]
    relation: dict[str, str]
    strength: dict[str, str]
    phase: dict[str, str]
    openings: tuple[str, ...]
    scenes: tuple[str, ...]
    closings: tuple[str, ...]


GERMAN = Words(
    polarity={"yang": "Yang", "yin": "Yin"},
    season={"spring": "Frühling", "summer": "Sommer", "autumn": "Herbst", "winter": "Winter"},
    season_part={"early": "Anfang", "mid": "Mitte", "late": "Ende"},
    hours=(
        "Mitternacht",
        "tiefe Nacht",
        "letzte Stunde vor der Dämmerung",
        "Morgengrauen",
        "früher Morgen",
        "Vormittag",
        "Mittag",
        "früher Nachmittag",
        "später Nachmittag",
        "früher Abend",
        "Abend",
        "später Abend",
    ),
    direction={
        "N": "Norden",
        "NNE": "Nordnordosten",
        "ENE": "Ostnordosten",
        "E": "Osten",
        "ESE": "Ostsüdosten",
        "SSE": "Südsüdosten",
        "S": "Süden",
        "SSW": "Südsüdwesten",
        "WSW": "Westsüdwesten",
        "W": "Westen",
        "WNW": "Westnordwesten",
        "NNW": "Nordnordwesten",
    },
    relation={
        "same": "Stamm und Zweig teilen ein Element: große Klarheit, wenig Gegengewicht",
        "stem_produces_branch": "Stamm nährt Zweig: gibt gern und viel, auch mehr als da ist",
        "stem_controls_branch": "Stamm zügelt Zweig: hält die Zügel, kostet Leichtigkeit",
        "branch_controls_stem": "Zweig zügelt Stamm: Gegenwind von unten, daran gewachsene Zähigkeit",
        "branch_produces_stem": "Zweig nährt Stamm: Rückenwind, mit der Gefahr, getragen zu werden statt zu gehen",
    },
    strength={"main": "stark", "middle": "mittel", "residual": "leise"},
    phase={"rising": "im Kommen, noch nicht fertig", "peak": "auf der Höhe", "waning": "nach innen gewandt, sparsam"},
    openings=(
        "eine kleine Geste",
        "ein aufgeschnappter Satz",
        "ein Gegenstand",
        "ein Ort",
        "eine Tageszeit",
        "eine Fehleinschätzung durch andere",
        "eine Gewohnheit unter Druck",
        "ein kleiner Widerspruch",
        "eine Frage an dich",
        "ein Sinneseindruck",
    ),
    scenes=(
        "Küche",
        "Besprechung",
        "Reise",
        "Telefonat",
        "Garten",
        "Gespräch über Geld",
        "Fest",
        "Warteschlange",
        "Reparatur",
        "schlaflose Nacht",
        "Erinnerung an die Schule",
        "Umzug",
    ),
    closings=(
        "eine Erlaubnis",
        "eine Beobachtung",
        "das Bild vom Anfang kehrt zurück",
        "ein winziger Versuch",
        "der Preis wird benannt",
        "eine stille Tatsache",
    ),
)

ENGLISH = Words(
    polarity={"yang": "Yang", "yin": "Yin"},
    season={"spring": "spring", "summer": "summer", "autumn": "autumn", "winter": "winter"},
    season_part={"early": "early", "mid": "mid", "late": "late"},
    hours=(
        "midnight",
        "the dead of night",
        "the last hour before dawn",
        "daybreak",
        "early morning",
        "mid-morning",
        "noon",
        "early afternoon",
        "late afternoon",
        "early evening",
        "evening",
        "late evening",
    ),
    direction={
        "N": "north",
        "NNE": "north-northeast",
        "ENE": "east-northeast",
        "E": "east",
        "ESE": "east-southeast",
        "SSE": "south-southeast",
        "S": "south",
        "SSW": "south-southwest",
        "WSW": "west-southwest",
        "W": "west",
        "WNW": "west-northwest",
        "NNW": "north-northwest",
    },
    relation={
        "same": "stem and branch share one element: great clarity, little counterweight",
        "stem_produces_branch": "stem feeds branch: gives readily, sometimes more than there is",
        "stem_controls_branch": "stem restrains branch: a firm grip that costs ease",
        "branch_controls_stem": "branch restrains stem: resistance from below, and the stamina it builds",
        "branch_produces_stem": "branch feeds stem: a tailwind, with the risk of being carried instead of walking",
    },
    strength={"main": "strong", "middle": "medium", "residual": "light"},
    phase={"rising": "arriving, not finished yet", "peak": "at full height", "waning": "turned inward, sparing"},
    openings=(
        "a small gesture",
        "an overheard sentence",
        "an object",
        "a place",
        "a time of day",
        "a misjudgement by others",
        "a habit under stress",
        "a small contradiction",
        "a question to the reader",
        "a sensory detail",
    ),
    scenes=(
        "kitchen",
        "office meeting",
        "journey",
        "phone call",
        "garden",
        "talk about money",
        "party",
        "queue",
        "repair",
        "sleepless night",
        "school memory",
        "moving house",
    ),
    closings=(
        "a permission",
        "an observation",
        "the opening image returns",
        "a tiny experiment",
        "the price is named",
        "a quiet fact",
    ),
)

WORDS = {"de": GERMAN, "en": ENGLISH}
