"""When a message holds two requests, of made-up confidences."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.nlu.two_requests import Clause, Joints, Request, clauses, likeliest_pair, pieces, same_twice, without_joint

JOINTS = Joints(["and also", "by the way"], ["&", "and"], ["the"])
ONE_MATTER = [["return", "problem"]]
QUESTION = Clause("where is it", asks=True)


def request(intent: str, confidence: float = 0.99, text: str = "about so many words", joint: str = "and") -> Request:
    return Request(Clause(text, joint), intent, confidence)


def told(*requests: Request) -> list[str]:
    return [each.intent for each in likeliest_pair(requests, JOINTS, ONE_MATTER) or ()]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("one two and also three four", [Clause("one two"), Clause("three four", "and also")]),
        ("one two, and three four", [Clause("one two"), Clause("three four", "and")]),
        ("one two & three four", [Clause("one two"), Clause("three four", "&")]),
        ("one two. Three four!", [Clause("one two"), Clause("Three four!")]),
        ("one two\nthree four", [Clause("one two"), Clause("three four")]),
        ("one two? And three four?", [Clause("one two", asks=True), Clause("three four?", "and", asks=True)]),
        ("one two and three", [Clause("one two")]),
        ("a swap: one of 10207; three four", [Clause("a swap: one of 10207"), Clause("three four")]),
        ("brandy sandals", [Clause("brandy sandals")]),
    ],
)
def test_message_is_split_at_joints_ends_of_sentences_and_lines(text: str, parts: list[Clause]) -> None:
    assert clauses(text, JOINTS) == parts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hi there friend, do you sell belts", ["hi there friend", "do you sell belts"]),
        ("red shoes and also a bag: a blue one", ["red shoes", "a bag", "a blue one"]),
        ("one two... three four, five", ["one two", "three four"]),
        ("it is 39.90 euros", ["it is 39.90 euros"]),
        ("five", []),
    ],
)
def test_pieces_end_at_commas_too(text: str, said: list[str]) -> None:
    assert pieces(text, JOINTS) == said


def test_same_intent_twice_is_two_requests_where_each_names_something_else() -> None:
    shoes, bag, more = (request("search", text=text) for text in ("red shoes", "a bag", "size 39"))
    names = [frozenset({"shoes"}), frozenset[str](), frozenset({"bags"})]
    assert same_twice([shoes, more, bag], names) == (shoes, bag)
    assert same_twice([shoes, more], names[:2]) is None
    assert same_twice([shoes, bag], [frozenset({"shoes", "bags"}), frozenset({"bags"})]) is None
    assert same_twice([shoes, more, bag], None) == (shoes, more)
    assert same_twice([shoes], None) is None


def test_without_joints_nothing_is_split() -> None:
    assert clauses("one two? Three four", Joints([], [])) == [Clause("one two? Three four")]
    assert without_joint("and one two", Joints([], [])) == "and one two"


def test_joint_at_the_head_is_left_out() -> None:
    assert without_joint("By the way, how many points", JOINTS) == "how many points"
    assert without_joint("android phones please", JOINTS) == "android phones please"


def test_joints_are_read_of_all_languages_and_folded(tmp_path: Path) -> None:
    (tmp_path / "joints.yml").write_text(
        "joints: {es: [y también], en: [also]}\nweak: {es: [y]}\nthings: {es: [él]}", encoding="utf-8"
    )
    assert Joints.read(tmp_path / "joints.yml") == Joints(["also", "y tambien"], ["y"], ["el"])


def test_two_wishes_that_are_both_sure_are_two_requests() -> None:
    assert told(request("track", 0.999), request("points", 0.999)) == ["track", "points"]


def test_clause_that_is_none_too_sure_says_how_the_wish_came_about() -> None:
    """ "The firm went bust and the liquidator needs the bill"."""
    assert told(request("problem", 0.65), request("bill", 0.999)) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (request("track"), request("points", joint="and also")),
        (Request(QUESTION, "track", 0.99), request("points")),
        (request("track", 0.97, "where is 10234"), request("points", 0.97)),
        (request("track", 0.97), request("points", 0.97, "the points of 10234")),
    ],
)
def test_joint_question_or_number_tells_two_apart_that_are_less_sure(first: Request, second: Request) -> None:
    assert told(request("track", first.confidence), request("points", second.confidence)) == []
    assert told(first, second) == ["track", "points"]


def test_second_clause_of_few_words_is_the_end_of_the_first() -> None:
    assert told(request("track", 0.997), request("points", 0.997)) == ["track", "points"]
    assert told(request("track", 0.997), request("points", 0.997, "my points")) == []


def test_one_matter_is_two_only_by_a_number_of_the_second_ones_own() -> None:
    sure, numbered = request("problem", 0.97), request("problem", 0.97, "10233 came broken")
    assert told(numbered, request("return", 0.97)) == []
    assert told(numbered, request("other", 0.97)) == ["problem", "other"]
    assert told(sure, request("return", 0.97, "please send 10235 back")) == ["problem", "return"]
    assert told(sure, request("return", 0.97, "the scarf of 10235 instead")) == []
    assert told(numbered, request("return", 0.97, "the scarf of 10235 instead")) == ["problem", "return"]
    assert told(sure, request("other", 0.97, "the scarf of 10235 instead")) == ["problem", "other"]


def test_same_wish_twice_is_one() -> None:
    assert told(request("track", 0.999), request("track", 0.999)) == []


def test_surest_pair_of_three_is_told_in_its_order() -> None:
    """ "My daughter got the blue dress and it is too tight, can I swap it? And is the offer still on?" """
    background, swap, offer = request("search", 0.6), request("exchange", 0.999), request("offers", 0.999)
    assert told(background, swap, offer) == ["exchange", "offers"]
