"""What was offered, and which of it a reply picks: a tapped button, "the second", "la azul", or the title with a typo."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz

from actions.words import label, languages
from messaging.kept import kept

CLEARLY_MEANT = 86  # rapidfuzz ratio, 0 to 100
CLEARLY_BETTER = 6
NAMES = ("product", "brand", "city")  # say more of a thing than the options do, and nothing else than its words
_PLAIN = str.maketrans({"ø": "o", "æ": "ae"})  # letters that are no other letter with an accent


@dataclass(frozen=True)
class Look:
    """How an option is shown where the channel has cards. say: the button's title."""

    title: str
    details: str
    picture: str | None
    say: str


@dataclass(frozen=True)
class Option:
    """`value` is what it stands for, `title` what the shopper sees, `also` more words by which it may be named."""

    value: str
    title: str
    also: tuple[str, ...] = ()
    look: Look | None = None

    def stored(self) -> dict[str, Any]:
        return {"value": self.value, "title": self.title, "also": list(self.also)}

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Option:
        return cls(stored["value"], stored["title"], tuple(stored.get("also", ())))


def button(slot: str, option: Option) -> dict[str, str]:
    """A button whose payload names slot and value, so that a tap on an old button is known to be old."""
    return {"title": option.title, "payload": f'/inform{{"choice": "{slot}:{option.value}"}}'}


def card(slot: str, option: Option, look: Look) -> dict[str, Any]:
    """One of Rasa's `elements`: tapping it is tapping the option's button."""
    shown = {"title": look.title, "subtitle": look.details, "buttons": [{**button(slot, option), "title": look.say}]}
    return {**shown, "image_url": look.picture} if look.picture else shown


def tapped(slot: str, entities: Iterable[Mapping[str, Any]]) -> str | None:
    """The value of a tapped button that belongs to this slot."""
    values = [str(entity["value"]) for entity in entities if entity["entity"] == "choice"]
    return next((value[len(slot) + 1 :] for value in values if value.startswith(f"{slot}:")), None)


def picked(text: str, entities: Sequence[Mapping[str, Any]], offered: Sequence[Option]) -> str | None:
    """The value of the one option that this reply picks; None where it picks none or more than one."""
    if not offered:
        return None
    by_sight = picked_by_position(text, entities, offered) or _by_value(entities, offered)
    return by_sight or _by_words(text, offered) or _by_count(text, offered)


def picked_by_position(text: str, entities: Sequence[Mapping[str, Any]], offered: Sequence[Option]) -> str | None:
    """The value of the one that is named by its place: "the second", "2", "the last one"."""
    named = next((entity for entity in entities if entity["entity"] == "ordinal"), None)
    if named is not None and not _is_about_the_choice(text, named, offered):
        return None
    said = str(named["value"]) if named is not None else text.strip().rstrip(".)")
    if said == "last" and offered:
        return offered[-1].value
    return offered[int(said) - 1].value if said.isdigit() and 1 <= int(said) <= len(offered) <= 20 else None


def _is_about_the_choice(text: str, named: Mapping[str, Any], offered: Sequence[Option]) -> bool:
    """Whether the place is what is chosen, and no "first" before another matter: "no, the points first"."""
    start, end = int(named.get("start", 0)), int(named.get("end", 0))
    if len(folded_words(text[start:end])) != 1:  # "the first one", or no words at all: a button
        return True
    beside = {*_beside_a_choice(), *(word for option in offered for word in folded_words(option.title))}
    return all(word in beside for word in folded_words(f"{text[:start]} {text[end:]}"))


@kept
def _beside_a_choice() -> frozenset[str]:
    return frozenset(folded_words(" ".join(label("beside_a_choice", language) for language in languages())))


def _by_value(entities: Sequence[Mapping[str, Any]], offered: Sequence[Option]) -> str | None:
    """An entity's canonical value among the options' values or other words."""
    named = {str(entity["value"]).lower() for entity in entities if entity["entity"] not in NAMES}
    fitting = [option for option in offered if named & {option.value.lower(), *(word.lower() for word in option.also)}]
    if len(fitting) > 1:  # "the blue M": the option that all of it fits
        fitting = [option for option in fitting if named <= {option.value.lower(), *(w.lower() for w in option.also)}]
    return fitting[0].value if len(fitting) == 1 else None


def _by_words(text: str, offered: Sequence[Option]) -> str | None:
    scored = sorted(((_likeness(text, option), index) for index, option in enumerate(offered)), reverse=True)
    best, index = scored[0]
    runner_up = scored[1][0] if len(scored) > 1 else 0.0
    return offered[index].value if best >= CLEARLY_MEANT and best - runner_up >= CLEARLY_BETTER else None


def _by_count(text: str, offered: Sequence[Option]) -> str | None:
    """ "Both", where one of the options is two pieces of something."""
    said = [word for word in folded_words(text) if word not in _beside_a_choice()]
    both = {tuple(folded_words(word)) for language in languages() for word in label("both_words", language).split("|")}
    pairs = [option.value for option in offered if folded_words(option.title)[:1] == ["2"]]
    return pairs[0] if len(pairs) == 1 and {tuple(said), tuple(folded_words(text))} & both else None


def _likeness(text: str, option: Option) -> float:
    said = folded(text)
    names = [folded(name) for name in (option.title, *option.also) if len(name) > 2]
    return max((max(fuzz.ratio(said, name), _contained(said, name)) for name in names), default=0.0)


def _contained(said: str, name: str) -> float:
    # "it's too small for me" contains "too small"; very short names would be contained everywhere
    return fuzz.token_set_ratio(said, name) if len(name) > 4 and set(name.split()) <= set(said.split()) else 0.0


def folded_words(text: str) -> list[str]:
    """The words of a text in small letters without accents and signs."""
    return "".join(sign if sign.isalnum() else " " for sign in folded(text)).split()


def folded(text: str) -> str:
    """In small letters without accents, and without the signs around it; of another length where a letter becomes two."""
    decomposed = unicodedata.normalize("NFKD", text.lower().translate(_PLAIN))
    return "".join(c for c in decomposed if not unicodedata.combining(c)).strip(" .!?¡¿")
