"""Ordinary sentences of the kind that library texts are made of, written by hand, and paragraphs put together of them.

They were written without a look at the lists of the gates, with weather, trades, idioms, quotations, and everyday uses
of words. None of the twelve animals of the cycle is in them: to name one is what a gate of the pillars refuses.
"""

from __future__ import annotations

import random

GERMAN = """
Du kommst als Letzte zur Tür herein und weißt trotzdem, wo der freie Stuhl steht.
In der Küche deiner Großmutter war immer ein Topf auf dem Herd, auch wenn niemand kam.
Wer dich zum ersten Mal trifft, hält dich für ruhig, dabei zählst du nur leise mit.
Am Montag räumst du die Schublade auf, die alle anderen seit Wochen übersehen.
Deine Hände sind schneller als deine Sätze, und das merkt man beim Packen.
Es kostet dich einen ganzen Abend, eine Kleinigkeit nicht zu verbessern.
Manchmal bleibst du im Treppenhaus stehen, weil oben jemand Klavier übt.
Du hast gelernt, zuerst zu fragen und dann zu tragen, nicht umgekehrt.
Im Büro legen sie dir die schwierigen Fälle hin, ohne ein Wort darüber zu verlieren.
Du sagst selten Nein, aber dein Kalender sagt es für dich.
Auf Reisen suchst du zuerst den Ausgang und dann das Fenster.
Der Regen stört dich weniger als Menschen, die über den Regen reden.
Früher hast du Briefe geschrieben, heute sammelst du die Marken.
Wenn das Telefon klingelt, atmest du einmal durch, bevor du abhebst.
Bei Tisch gibst du die größere Hälfte weiter und nennst sie die kleinere.
Du reparierst das Fahrrad im Flur, obwohl der Keller dafür gemacht wäre.
Nachts hörst du die Straßenbahn und weißt, wie spät es ist.
Andere erzählen dir Dinge, die sie sonst niemandem sagen, und du behältst sie.
Du wirst ungeduldig, sobald jemand zum dritten Mal dasselbe erklärt.
Auf dem Markt kennst du den Mann mit den Äpfeln und seinen Terrier beim Namen.
Was du anfängst, machst du fertig, nur nicht an dem Tag, an dem du es versprochen hast.
Ein leerer Schreibtisch beruhigt dich mehr als ein voller Schrank.
Du erkennst am Klang der Schritte, wer die Treppe heraufkommt.
Beim Abschied stehst du länger an der Tür als die Gäste.
Du trägst die Einkäufe in einer Hand, damit die andere frei bleibt.
Seit dem Umzug liegt der Schlüssel in einer Schale, die niemand mag.
„Lass gut sein“, sagen sie, und du lässt es gut sein, bis sie schlafen.
Im Garten wächst bei dir, was andere wegwerfen.
Du glaubst einer Karte mehr als einer Wegbeschreibung.
Wer dich unterbricht, bekommt den Satz später noch einmal, kürzer und schärfer.
Die Uhr in deiner Küche geht fünf Minuten vor, und du rechnest sie jedes Mal zurück.
Du hast ein gutes Auge für das, was fehlt, und ein schlechtes für das, was da ist.
Am liebsten arbeitest du, wenn das Haus noch schläft und der Kaffee zu stark ist.
Für eine Entschuldigung brauchst du drei Anläufe, für ein Kompliment keinen.
Du lachst an der falschen Stelle und meinst es genau dort.
Im Gespräch über Geld wirst du höflich, und das ist kein gutes Zeichen.
Eine verlorene Stunde tut dir mehr weh als ein verlorener Schein.
Du hältst Wort, auch wenn sich keiner mehr daran erinnert.
Die Nachbarin leiht sich deine Leiter und bringt sie mit Pflaumen zurück.
Vor Prüfungen hast du die Hefte sortiert, statt sie zu lesen.
Deine Geduld endet dort, wo jemand mit Absicht langsam wird.
Du merkst dir, wer den Zucker weglässt, und stellst ihn trotzdem hin.
Wenn du müde bist, wirst du genau, und wenn du genau bist, wirst du einsam.
Der alte Mantel hängt noch da, weil in der Tasche eine Fahrkarte steckt.
Du findest Wege, die auf keinem Plan stehen, und verläufst dich auf den breiten.
Im Streit wirst du leise, was andere für Zustimmung halten.
Probier morgen, die erste Antwort gelten zu lassen.
Heute Abend darf das Geschirr stehen bleiben, es läuft dir nicht weg.
Bleib einmal sitzen, wenn alle aufstehen, und schau, wer sich umdreht.
Das Fenster lässt du offen, und damit ist alles gesagt.
Du kennst das Wetter der Familie, bevor jemand den Raum betritt.
Auf Fotos stehst du am Rand, weil du sie meistens machst.
Dein Fleiß hat einen Preis, den du erst am Sonntag spürst.
Du brauchst keinen Applaus, nur einen, der beim Abbauen hilft.
Als die Lampe ausfiel, hast du weitererzählt, als wäre nichts gewesen.
Du hebst Schrauben auf, die zu nichts gehören, und irgendwann gehört eine.
Wenn es ernst wird, fragst du nach dem Werkzeug und nicht nach der Schuld.
Du hast den Schalter längst gefunden, aber du lässt die anderen noch suchen.
Ein Satz von dir bleibt oft bis zum nächsten Tag im Raum.
Du wunderst dich, dass andere den Brunnen im Hof nie gehört haben.
""".strip().splitlines()
ENGLISH = """
You come through the door last and still know where the empty chair is.
There was always a pot on the stove in your grandmother's kitchen, even when nobody came.
People who meet you for the first time think you are quiet, but you are only counting along.
On Mondays you tidy the drawer that everybody else has overlooked for weeks.
Your hands are faster than your sentences, and it shows when you pack.
It costs you a whole evening not to improve some small thing.
Sometimes you stop on the stairs because somebody is practising the piano above.
You have learned to ask first and carry later, rather than the other way round.
At the office they put the hard cases on your desk without a word.
You seldom say no, but your calendar says it for you.
On journeys you look for the exit first and for the window second.
Rain bothers you less than people who talk about rain.
You used to write letters; now you keep the stamps.
When the phone rings you take one breath before you answer.
At the table you pass on the larger half and call it the smaller one.
You mend the bicycle in the hall, although the cellar was made for that.
At night you hear the tram and know what time it is.
Others tell you things they tell nobody else, and you keep them.
You grow impatient as soon as somebody explains the same thing a third time.
At the market you know the man with the apples, and his terrier by name.
Whatever you start you finish, just not on the day you promised.
An empty desk calms you more than a full cupboard.
You can tell by the sound of the steps who is coming up the stairs.
When guests leave, you stand at the door longer than they do.
You carry the shopping in one hand so that the other stays free.
Since the move the key has been lying in a bowl that nobody likes.
"Leave it," they say, and you leave it until they are asleep.
In your garden things grow that others throw away.
You trust a map more than directions.
Whoever interrupts you gets the sentence again later, shorter and sharper.
The clock in your kitchen is five minutes fast, and you subtract them every time.
You have a good eye for what is missing and a poor one for what is there.
You like to work while the house is still asleep and the coffee is too strong.
An apology takes you three attempts, a compliment none.
You laugh in the wrong place and mean it exactly there.
When money comes up you turn polite, which is not a good sign.
A lost hour hurts you more than a lost note.
You keep your word even when nobody remembers it.
The neighbour borrows your ladder and brings it back with plums.
Before exams you sorted your notebooks instead of reading them.
Your patience ends where somebody is slow on purpose.
You remember who takes no sugar, and put it on the table all the same.
When you are tired you get precise, and when you are precise you get lonely.
The old coat still hangs there because there is a ticket in its pocket.
You find paths that are on no map and lose your way on the wide ones.
In a quarrel you go quiet, which others take for agreement.
Try tomorrow to let the first answer stand.
Tonight the dishes may wait; they will not walk away.
Stay in your seat once when everybody gets up, and see who turns round.
You leave the window open, and that says it all.
You know the weather of the family before anybody enters the room.
In photographs you stand at the edge because you usually take them.
Your diligence has a price that you only feel on Sundays.
You need no applause, only one person who helps to clear away.
When the lamp went out you kept telling the story as if nothing had happened.
You pick up screws that belong to nothing, and one day one of them does.
When things get serious you ask for the tools and not for the culprit.
You found the switch long ago, but you let the others go on looking.
A sentence of yours often stays in the room until the next day.
You are surprised that nobody else has ever heard the well in the yard.
""".strip().splitlines()


def paragraphs(sentences: list[str], count: int, seed: int = 1) -> list[str]:
    """Return paragraphs of six to nine different sentences, as long as a library text."""
    dice = random.Random(seed)
    made: list[str] = []
    while len(made) < count:
        text = " ".join(dice.sample(sentences, dice.randint(6, 9)))
        if 80 <= len(text.split()) <= 105:
            made.append(text)
    return made
