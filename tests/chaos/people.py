"""The person of a trial, who works in the same table as the program: what they draw from its seed, and what they do.

They edit texts and titles, write rows of items that are still to come, take rows out, save rows without changing them,
and keep rows whose keys are like the catalog's and are none of it. All of it in single statements, at the same moments
as the program or between its lives; sometimes just when one of its writes has arrived and is not carried out yet.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from servers.supabase import Supabase

from chaos.tables import CATEGORY, LOCALE, TABLE, Slowness, as_array

_STORE = "POST /rest/v1/rpc/seed_library_store"
_DELETION = "DELETE /rest/v1/content_library"
_ALL = 60
_MOST_ACTS = 3
_KEY_TYPES = {"text": 70, "char(40)": 10, "varchar(40)": 10, "name": 10}
_REFUSALS = {"": 82, "some": 9, "all": 9}
_PRUNINGS = {"": 80, "end": 12, "kill": 8}
_SLOWNESS = (Slowness(row=12, limit=450), Slowness(row=20, limit=700))

# What somebody does to some rows; `some` picks them, `salt` makes the words new each time.
_SOME = (
    f"key in (select key from {TABLE} where key::text = any({{catalog}})"
    " order by md5(key::text || '{salt}') limit {rows})"
)
_EDIT_TEXTS = f"update {TABLE} set description = 'Von Hand ({{salt}}): ' || key where {_SOME}"
_EDIT_TITLES = f"update {TABLE} set title = 'Titel von Hand ({{salt}})' where {_SOME}"
_SAVE_UNCHANGED = f"update {TABLE} set description = description where {_SOME}"
_TAKE_OUT = f"delete from {TABLE} where {_SOME}"
_WRITE_NEW = f"""
insert into {TABLE} (category, key, locale, title, description)
select '{CATEGORY}', k, '{LOCALE}', 'Von Hand', 'Eigene Worte ({{salt}}): ' || k from unnest({{catalog}}) as k
 where not exists (select from {TABLE} as t where t.key::text = k)
 order by md5(k || '{{salt}}') limit {{rows}}
on conflict do nothing"""
# Keys that an address reads as another one where they are not quoted, each beside the good row that it is made of.
_KEEP_ODD_ONES = f"""
insert into {TABLE} (category, key, locale, title, description)
select '{CATEGORY}', replace(form, 'k', t.key), '{LOCALE}', 'Kein Eintrag', 'Etwas Eigenes ({{salt}}): ' || form
  from (select k as key from unnest({{catalog}}) as k left join {TABLE} as there on there.key::text = k
         order by there.key is null, md5(k || '{{salt}}') limit {{rows}}) as t,
       unnest(array[' k', 'k,x', '"k"', '(k)', 'k\\', '*k', 'k.x', ' k ,x', '']) as form
on conflict do nothing"""
_EDIT_ODD_ONES = f"update {TABLE} set description = 'Noch einmal ({{salt}})' where not key::text = any({{catalog}})"
_DEEDS = {
    "edits": _EDIT_TEXTS,
    "titles": _EDIT_TITLES,
    "writes": _WRITE_NEW,
    "takes out": _TAKE_OUT,
    "saves": _SAVE_UNCHANGED,
}
_WEIGHTS = {"edits": 40, "titles": 10, "writes": 30, "takes out": 15, "saves": 5}
# What the database says to whoever waits for a row in another order than somebody else, or is refused a row.
_REFUSED = ("40P01", "23503")


@dataclass(frozen=True, slots=True)
class Deed:
    """What the person does to so many rows."""

    name: str
    rows: int
    salt: str

    def sql(self, catalog: Collection[str]) -> str:
        """Return the statement, for a catalog of these keys."""
        deed = _DEEDS.get(self.name) or {"keeps odd ones": _KEEP_ODD_ONES, "edits odd ones": _EDIT_ODD_ONES}[self.name]
        return deed.format(catalog=as_array(catalog), salt=self.salt, rows=self.rows)


@dataclass(frozen=True, slots=True)
class Company:
    """What happens to a life besides its own dangers.

    Attributes:
        refresh: its run replaces all texts.
        refused: which new rows the table refuses while it lasts: "some", "all", or none.
        acts: what the person does, each after so many events of the life.
        just_then: what the person does when a write has arrived: after how many others, and how often.
        between: what the person does when the life is over.
        pruning: whether rows that no catalog asks for are removed then, and how that ends.
        pause: seconds until a pruning is killed.
    """

    refresh: bool
    refused: str
    acts: tuple[tuple[int, Deed], ...]
    just_then: tuple[tuple[int, int, Deed], ...]
    between: tuple[Deed, ...]
    pruning: str
    pause: float

    def refused_of(self, catalog: Collection[str]) -> Collection[str]:
        """Return the keys whose new rows the table refuses."""
        return {"": [], "some": sorted(catalog)[::2], "all": catalog}[self.refused]

    @property
    def faults(self) -> list[tuple[str, int, int, Deed]]:
        """The person's doings that the arrival of a request calls for: match, skip, times, deed."""
        return [(_STORE, skip, times, deed) for skip, times, deed in self.just_then]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a trial draws besides the dangers of its lives; `company` has one for each of them."""

    person: bool
    key_type: str
    slowness: Slowness | None
    company: tuple[Company, ...]

    @classmethod
    def draw(cls, seed: int, lives: int) -> Surroundings:
        """Draw them from a seed."""
        dice = random.Random(f"people {seed}")
        person = dice.random() < 1 / 2
        return cls(
            person=person,
            key_type=_one_of(dice, _KEY_TYPES),
            slowness=dice.choice(_SLOWNESS) if dice.random() < 1 / 8 else None,
            company=tuple(_company(dice, person=person, first=number == 0) for number in range(lives)),
        )


def _company(dice: random.Random, *, person: bool, first: bool) -> Company:
    acts = range(dice.randint(0, _MOST_ACTS) if person else 0)
    return Company(
        refresh=dice.random() < (1 / 8 if first else 1 / 2),
        refused=_one_of(dice, _REFUSALS),
        acts=tuple((dice.choice((1, 2, 4, 10, 30, 60, 100)), _deed(dice)) for _ in acts),
        just_then=((dice.randint(0, 3), dice.randint(1, 3), _deed(dice)),) if person and dice.random() < 1 / 3 else (),
        between=(_deed(dice),) if person and dice.random() < 1 / 3 else (),
        pruning=_one_of(dice, _PRUNINGS) if person else "",
        pause=dice.uniform(0, 1.2),
    )


def _deed(dice: random.Random) -> Deed:
    return Deed(_one_of(dice, _WEIGHTS), dice.choice((1, 3, 10, _ALL)), f"{dice.getrandbits(32):08x}")


def _one_of(dice: random.Random, weights: dict[str, int]) -> str:
    return dice.choices(list(weights), list(weights.values()))[0]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with the database before them."""

    supabase: Supabase
    catalog: Collection[str]
    met: Counter[str]

    def do(self, deed: Deed) -> None:
        """Do it; what the database refuses is left."""
        self.met[f"somebody {deed.name}"] += 1
        try:
            self.supabase.sql(deed.sql(self.catalog))
        except RuntimeError as error:
            if not str(error).startswith(_REFUSED):
                raise
            self.met["somebody was refused"] += 1

    def ready_for(self, company: Company) -> list[dict[str, Any]]:
        """Return as faults of the server what the person does when writes of a life arrive."""
        return [
            {"match": match, "skip": skip, "times": times, "sql": deed.sql(self.catalog)}
            for match, skip, times, deed in company.faults
        ]

    def keep_odd_ones(self, dice: random.Random) -> list[dict[str, Any]]:
        """Make rows that no catalog asks for; return what happens when one of them is about to go."""
        salt = f"{dice.getrandbits(32):08x}"
        self.do(Deed("keeps odd ones", dice.choice((1, 3)), salt))
        edit = {"sql": Deed("edits odd ones", 0, f"{salt} 2").sql(self.catalog)}
        happens = dice.choice(({}, {}, edit, {"drop": True, "after": True}, {"status": 503}))
        return [{"match": _DELETION, "skip": dice.randint(0, 5), "times": 1, **happens}] if happens else []
