"""Sentences that rehearsal texts are put together from. They hold for anything and promise nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrases:
    """The sentences of one locale. `{title}` and `{facts}` are filled in."""

    openings: tuple[str, ...]
    facts: str
    sentences: tuple[str, ...]
    last_resort: str


GERMAN = Phrases(
    openings=(
        "Zur Probe steht hier ein Text für {title}, noch ganz ohne Auftrag an ein Modell.",
        "Statt des echten Textes hält dieser Absatz den Platz für {title} frei.",
        "Wer das hier liest, sieht die Generalprobe für {title}.",
        "Noch ist nichts bezahlt: Dieser Absatz vertritt {title}.",
        "Auf dieser Karte wird später {title} stehen, heute nur ein Platzhalter.",
        "Hier probt ein Absatz, wie sich {title} auf der Karte macht.",
        "Ein Platzhalter für {title}, damit du Länge und Umbruch prüfen kannst.",
        "Gleich nach der Probe bekommt {title} einen eigenen Text.",
    ),
    facts="Vermerkt sind dazu: {facts}.",
    sentences=(
        "Am Fenster steht eine Tasse, und jemand hat vergessen, sie auszutrinken.",
        "Du legst den Stift weg, schaust noch einmal auf die Liste und streichst zwei Zeilen.",
        "Im Flur hängen drei Jacken, aber nur eine davon wird heute gebraucht.",
        "Die Tür klemmt ein wenig, wie jeden Morgen, und du hebst sie an, ohne darüber nachzudenken.",
        "Am Nachmittag wird es leiser, und genau dann fällt dir ein, was du sagen wolltest.",
        "Zwei Stühle bleiben leer, das stört niemanden, nur dich ein bisschen.",
        "Du zählst bis vier, atmest aus und fängst noch einmal von vorne an.",
        "Auf dem Tisch liegt ein Zettel mit einer Uhrzeit, die schon vorbei ist.",
        "Der Bus kommt zu spät, dafür setzt sich diesmal niemand neben dich.",
        "Das Radio läuft im Nebenzimmer, gerade laut genug, um nicht wegzuhören.",
        "Du hast den Schlüssel schon in der Hand, bevor du weißt, wohin du gehst.",
        "Im Garten liegt ein Schlauch quer über dem Weg, und alle steigen darüber.",
        "Ein Satz aus dem letzten Gespräch kommt wieder, diesmal in einem freundlicheren Ton.",
        "Das Licht im Treppenhaus geht aus, kurz bevor du oben bist.",
        "Du schreibst die Nachricht, liest sie laut vor und lässt die Hälfte weg.",
        "Der Preis dafür ist klein, aber er wird jede Woche neu bezahlt.",
        "Manchmal hilft es, das Fenster zu öffnen und nichts weiter zu tun.",
        "Morgen früh sieht derselbe Tisch anders aus, obwohl niemand ihn berührt hat.",
        "Du bleibst noch einen Moment stehen, und das reicht für heute.",
        "Der Koffer steht gepackt an der Wand, obwohl die Reise erst übermorgen beginnt.",
        "Jemand lacht im Hof, und du merkst, dass du mitgelacht hast.",
        "So bleibt am Ende eine Kleinigkeit liegen, die du leicht aufheben kannst.",
    ),
    last_resort="Probe",
)

ENGLISH = Phrases(
    openings=(
        "For rehearsal only, this paragraph keeps the place of {title}.",
        "No model was asked yet: here is a stand-in for {title}.",
        "What you read here is the dress rehearsal for {title}.",
        "This card will carry {title} later; today it holds a placeholder.",
        "A paragraph tries out how {title} will look on the card.",
        "Right after the rehearsal, {title} gets a text of its own.",
        "Nothing is paid so far, and {title} waits behind these lines.",
        "Think of this as the empty frame around {title}.",
    ),
    facts="Noted for it: {facts}.",
    sentences=(
        "A cup stands by the window, and somebody forgot to finish it.",
        "You put the pen down, look at the list once more and cross out two lines.",
        "Three coats hang in the hall, but only one of them is needed today.",
        "The door sticks a little, as it does every morning, and you lift it without thinking.",
        "In the afternoon it gets quieter, and just then you remember what you meant to say.",
        "Two chairs stay empty, which bothers nobody, or only you a little.",
        "You count to four, breathe out and start again from the beginning.",
        "A note on the table names a time that has already passed.",
        "The bus is late, but at least nobody takes the seat beside you.",
        "The radio plays in the next room, just loud enough to keep you listening.",
        "You hold the key in your hand before you know where you are going.",
        "A hose lies across the garden path, and everyone steps over it.",
        "A sentence from the last conversation comes back, this time in a kinder tone.",
        "The light in the stairwell goes out shortly before you reach the top.",
        "You write the message, read it aloud and leave out half of it.",
        "The price is small, but it has to be paid again every week.",
        "Sometimes it helps to open the window and do nothing else.",
        "Tomorrow morning the same table looks different, although nobody has touched it.",
        "You stay for another moment, and that is enough for today.",
        "The suitcase stands packed by the wall, although the journey starts the day after tomorrow.",
        "Somebody laughs in the yard, and you notice that you laughed along.",
        "So in the end a small thing is left that you can easily pick up.",
    ),
    last_resort="Rehearsal",
)


def phrases_for(locale: str) -> Phrases:
    """Return the sentences of a locale; English where there are none."""
    return GERMAN if locale.split("-", maxsplit=1)[0].split("_", maxsplit=1)[0] == "de" else ENGLISH
