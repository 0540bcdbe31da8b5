"""What was understood is compared message by message: what is truly worse is told, noise is not."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.nlu.baseline import ALL, SURE, Baseline, baseline_of, changes, read, significantly_worse, write
from tests.nlu.understanding import Parsed

LANGUAGES = ("en", "es", "nb", "pt")
INTENTS = [f"intent_{number}" for number in range(40)]
MESSAGES = 30


def _said(is_right: Callable[[str, str, int], bool], messages: Iterable[int] = range(MESSAGES)) -> list[Parsed]:
    return [
        Parsed(language, intent, intent if is_right(language, intent, number) else "other", 0.9, f"{language} {intent} {number}")
        for language in LANGUAGES
        for intent in INTENTS
        for number in messages
    ]


BEFORE = baseline_of(_said(lambda language, intent, number: number >= 3), {})  # three of thirty were wrong


def _worse(parsed: list[Parsed]) -> list[tuple[str, str]]:
    return [(each.language, each.intent) for each in significantly_worse(changes(parsed, BEFORE))]


def test_topic_of_one_language_that_lost_a_fourth_is_significantly_worse() -> None:
    lost = {("nb", "intent_7"): 8}
    now = _said(lambda language, intent, number: number >= 3 + lost.get((language, intent), 0))
    assert _worse(now) == [(ALL, "intent_7"), ("nb", "intent_7")]


def test_topic_that_lost_a_little_in_every_language_is_significantly_worse_over_all() -> None:
    now = _said(lambda language, intent, number: number >= (6 if intent == "intent_7" else 3))
    assert _worse(now) == [(ALL, "intent_7")]


def test_worse_topic_is_found_amid_the_noise_of_all_others() -> None:
    chance = random.Random(1)
    noise = {text: chance.random() < 0.03 for text in (each.text for each in _said(lambda *_: True))}

    def is_right(language: str, intent: str, number: int) -> bool:
        if (language, intent) == ("es", "intent_20"):
            return number >= 18
        return (number >= 3) != noise[f"{language} {intent} {number}"]

    assert ("es", "intent_20") in _worse(_said(is_right))


def test_noise_raises_no_more_alarms_than_it_may() -> None:
    """As many messages become wrong as right, in mean: another seed, another order of words."""
    alarms = sum(bool(_worse(_noisy(random.Random(seed)))) for seed in range(60))
    assert alarms <= 60 * SURE * 2


def _noisy(chance: random.Random) -> list[Parsed]:
    """Of the three messages that were wrong and three that were right, each is now the other with the same chance."""
    return _said(lambda _language, _intent, number: (number >= 3) != (number < 6 and chance.random() < 0.15))


def test_better_topic_is_not_worse() -> None:
    assert _worse(_said(lambda *_: True)) == []


def test_messages_that_are_new_or_gone_are_left_out() -> None:
    assert changes(_said(lambda *_: False, range(MESSAGES, 2 * MESSAGES)), BEFORE) == []
    assert changes(_said(lambda language, intent, number: number >= 3, range(2, MESSAGES)), BEFORE) == []


def test_what_became_of_which_message_is_told() -> None:
    now = _said(lambda language, intent, number: number >= 3)
    text = "en intent_0 5"
    now = [Parsed("en", "intent_0", "other", 0.9, text) if each.text == text else each for each in now]
    [everywhere, change] = changes(now, BEFORE)
    assert (everywhere.language, change.language, change.intent) == (ALL, "en", "intent_0")
    assert [each.text for each in change.newly_wrong] == [text]
    assert change.newly_right == ()


def test_baseline_is_read_as_it_was_written_and_changes_by_the_line(tmp_path: Path) -> None:
    file, other = tmp_path / "baseline.yml", tmp_path / "other.yml"
    write(BEFORE, file)
    assert read(file) == BEFORE
    write(
        baseline_of(_said(lambda language, intent, number: number >= (4 if (language, intent) == ("en", "intent_0") else 3)), {}),
        other,
    )
    pairs = zip(file.read_text().splitlines(), other.read_text().splitlines(), strict=True)
    assert sum(one != another for one, another in pairs) == 1


def test_without_a_baseline_nothing_is_worse() -> None:
    assert significantly_worse(changes(_said(lambda *_: False), Baseline())) == []
