"""`tendero review`: which stored messages are shown, in which order, and what becomes of a decision."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rasa.shared.core.events import ActionExecuted
from sqlalchemy import insert, select

from commerce.models import Customer
from database import transaction
from messaging.models import ChannelIdentity, Handoff, ReviewedMessage
from tendero import environment, migrating
from tendero.cli import cli
from tendero.review import terminal
from tendero.review.errors import CannotWrite, NotListed, ReviewError, UnknownPlace
from tendero.review.ranking import score
from tendero.review.session import Review
from tendero.review.training import Outcome
from tests.tendero.talks import Said, missed, small_project, talk, understood


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return small_project(tmp_path / "project")


@pytest.fixture
def reviewed(project: Path, shop: str) -> Callable[[], Review]:
    """A sitting that begins when it is called for."""
    return lambda: Review(project)


def texts(review: Review) -> list[str]:
    return [row.text for row in review.rows]


def handed_over(sender: str, reason: str, at: datetime) -> None:
    row = {"sender_id": sender, "channel": "web", "language": "en", "reason": reason, "status": "resolved", "created_at": at}
    with transaction() as session:
        session.execute(insert(Handoff).values(collected={}, tried=[], transcript=[], note="", **row))


# --- What is shown ---

BROKE_OFF = [ActionExecuted("action_default_fallback")]
SIGNS: dict[str, tuple[Said, ...]] = {
    "not understood": (missed("whats up with me parcel"),),
    "guessed": (Said("whats up with me parcel", answered="utter_faq"),),
    "unsure": (Said("whats up with me parcel", "track_order", 0.45, (("list_orders", 0.1),)),),
    "out of scope": (Said("whats up with me parcel", "out_of_scope", 0.9, ()),),
    "corrected": (understood("whats up with me parcel"), understood("no, I meant the boots", "correct_choice")),
    "asked again": (
        Said("cancel it", "cancel_order", 0.95, (), answered="utter_ask_order_number"),
        Said("whats up with me parcel", "inform", 0.95, (), answered="utter_ask_order_number"),
    ),
}


@pytest.mark.parametrize("sign", SIGNS)
def test_message_with_a_sign_of_not_being_understood_is_shown_with_it(sign: str, shop: str, reviewed: Any) -> None:
    talk(shop, "web-1", *SIGNS[sign])
    [row] = reviewed().rows
    assert (row.text, row.reasons) == ("whats up with me parcel", (sign,))


def test_near_tie_is_unsure_and_a_clear_lead_is_not(shop: str, reviewed: Any) -> None:
    talk(shop, "web-1", Said("boots or shoes", "track_order", 0.55, (("list_orders", 0.44),)))
    talk(shop, "web-2", Said("socks or hats", "track_order", 0.75, (("list_orders", 0.2),)))
    assert texts(reviewed()) == ["boots or shoes"]


def test_same_request_again_right_away_is_a_correction_and_hours_later_it_is_not(shop: str, reviewed: Any) -> None:
    talk(shop, "web-1", understood("send me the invoice thing"), understood("send me the invoice thing!!"))
    talk(shop, "web-2", understood("the warranty card please"), days_ago=1.0)
    talk(shop, "web-2", understood("the warranty card please"), days_ago=0.5)
    [row] = reviewed().rows
    assert (row.text, row.reasons) == ("send me the invoice thing", ("corrected",))


def test_broken_off_turn_is_not_understood(shop: str, reviewed: Any) -> None:
    talk(shop, "web-1", Said("me parcel innit", "track_order", 0.9, (), events=BROKE_OFF))
    assert reviewed().rows[0].reasons == ("not understood",)


def test_message_before_the_wish_for_a_person_led_to_them(shop: str, reviewed: Any) -> None:
    talk(
        shop,
        "web-1",
        understood("hello there mate", "greet"),
        understood("me parcel innit"),
        understood("a human!", "human_agent"),
    )
    handed_over("web-1", "asked", datetime.now(timezone.utc))
    [row] = reviewed().rows
    assert (row.text, row.reasons) == ("me parcel innit", ("led to a person",))


def test_message_that_was_understood_is_not_shown(shop: str, reviewed: Any) -> None:
    talk(shop, "web-1", understood("me parcel innit"), understood("thank you loads", "thank"))
    assert reviewed().rows == []


LEFT_OUT = {
    "an example already, but for capitals and signs": "WHERE is my order?!",
    "a question of the FAQ already": "Where can I park",
    "a bare number": "10388",
    "a bare e-mail": "bob.smith@gmail.com",
    "a button": "/affirm",
    "a card number": "my card is 4111 1111 1111 1111",
    "erased": "my mail is [erased] and no parcel",
    "a letter": "so " * 200,
}


@pytest.mark.parametrize("why", LEFT_OUT)
def test_message_is_left_out_that_is(why: str, shop: str, reviewed: Any) -> None:
    talk(shop, "web-1", missed(LEFT_OUT[why]))
    assert reviewed().rows == []


@pytest.mark.parametrize("slot", ["code", "contact", "new_address", "newsletter_address"])
def test_answer_that_tells_who_somebody_is_is_left_out(slot: str, shop: str, reviewed: Any) -> None:
    talk(shop, "web-1", understood("move my parcel over", asks_for=slot), missed("Little Whinging, the house with the hedge"))
    assert reviewed().rows == []


def test_what_was_written_to_a_person_is_not_shown(shop: str, reviewed: Any) -> None:
    talk(shop, "web-1", understood("a human!", "human_agent"), Said("so the zip broke again you see", reply=""))
    assert reviewed().rows == []


def test_what_was_said_before_the_given_days_is_not_shown(shop: str, project: Path) -> None:
    talk(shop, "web-1", missed("an old thing"), days_ago=20)
    assert texts(Review(project, days=10)) == []
    assert texts(Review(project, days=30)) == ["an old thing"]


def test_two_lines_before_the_message_are_shown_with_stand_ins(shop: str, reviewed: Any) -> None:
    talk(
        shop,
        "web-1",
        understood("hi"),
        understood("where is 10388", reply="Order 10388 is on its way."),
        missed("me parcel innit"),
    )
    [row] = reviewed().rows
    assert [(line.by, line.text) for line in row.before] == [
        ("shopper", "where is 10234"),
        ("assistant", "Order 10234 is on its way."),
    ]


def test_language_is_that_of_the_message(shop: str, reviewed: Any) -> None:
    talk(shop, "web-1", missed("qué onda con mi paquetito", language="es"))
    assert reviewed().rows[0].language == "es"


# --- Grouping and order ---


def test_messages_that_say_the_same_are_one_row(shop: str, reviewed: Any) -> None:
    talk(shop, "web-1", missed("wheres me parcel 10388"), missed("Wheres me parcel 10243!!"))
    talk(shop, "web-2", missed("wheres me parcels 10777"))
    [row] = reviewed().rows
    assert (row.text.lower(), row.count, row.people) == ("wheres me parcel 10234!!", 3, 2)


def test_same_words_in_two_languages_are_two_rows(shop: str, reviewed: Any) -> None:
    talk(shop, "web-1", missed("status parcel", language="en"), missed("status parcel", language="es"))
    assert {row.language for row in reviewed().rows} == {"en", "es"}


def test_score_is_frequent_times_uncertain_times_recent() -> None:
    assert score(3, ["guessed", "unsure"], 30) == pytest.approx(2 * 0.7 * 0.5)
    assert score(1, ["not understood"], 0) == 1.0


def test_most_useful_row_is_first(shop: str, reviewed: Any) -> None:
    for sender in ("web-1", "web-2", "web-3"):
        talk(shop, sender, missed("asked by three people"))
    talk(shop, "web-4", missed("asked once, not understood"))
    talk(shop, "web-5", missed("asked once a month ago"), days_ago=31)
    talk(shop, "web-6", Said("asked once, unsure", "track_order", 0.45, ()))
    assert texts(reviewed()) == [
        "asked by three people",
        "asked once, not understood",
        "asked once, unsure",
        "asked once a month ago",
    ]


# --- Where the conversations are ---


def test_review_works_on_postgresql(project: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENDERO_DATABASE_URL", postgres_url)
    migrating.upgrade(postgres_url)
    talk(postgres_url, "web-1", understood("my code", asks_for="code"), missed("it is abc"), missed("wheres me parcel 10388"))
    review = Review(project)
    assert [(row.text, row.reasons) for row in review.rows] == [("wheres me parcel 10234", ("not understood",))]
    review.skip(review.rows[0].id)
    assert Review(project).rows == []
    review.undo()
    assert texts(Review(project)) == ["wheres me parcel 10234"]


def test_database_without_conversations_has_nothing_to_review(shop: str, reviewed: Any) -> None:
    assert reviewed().rows == []


# --- People ---


def customer_in(sender: str, name: str, email: str) -> None:
    now = datetime.now(timezone.utc)
    about = {"number": "C-10001", "language": "en", "country": "US", "currency": "USD", "created_at": now}
    with transaction() as session:
        session.execute(insert(Customer).values(id=1, name=name, email=email, accepts_marketing=False, **about))
        known = {"channel": "web", "sender_id": sender, "customer_id": 1, "level": "proven", "verified_at": now}
        session.execute(insert(ChannelIdentity).values(**known))


def test_customers_own_name_gets_a_stand_in_in_their_conversation(shop: str, reviewed: Any) -> None:
    customer_in("web-1", "rosalind fern", "fern@example.com")
    talk(shop, "web-1", missed("where is my order, has fern written"))
    talk(shop, "web-2", missed("a fern in a pot innit"))
    assert sorted(texts(reviewed())) == ["a fern in a pot innit", "where is my order, has Ana written"]


def test_messages_of_an_erased_customer_are_gone_also_from_a_sitting_that_had_them(
    shop: str, runner: CliRunner, reviewed: Any
) -> None:
    customer_in("web-1", "Rosalind Fern", "fern@example.com")
    talk(shop, "web-1", missed("me parcel innit"))
    review = reviewed()
    review.skip(review.rows[0].id)
    erased = runner.invoke(cli, ["erase-customer", "fern@example.com", "--yes"])
    assert erased.exit_code == 0, erased.output
    review.undo()
    assert review.rows == []


def test_decision_keeps_no_words(shop: str, reviewed: Any) -> None:
    talk(shop, "web-1", missed("me parcel innit"))
    review = reviewed()
    review.assign(review.rows[0].id, "track_order")
    with transaction() as session:
        kept = json.dumps([list(map(str, row)) for row in session.execute(select(*ReviewedMessage.__table__.columns))])
    assert "track_order" in kept
    assert "parcel" not in kept


# --- Decisions ---


def test_assigned_message_is_written_and_not_shown_again(shop: str, project: Path, reviewed: Any) -> None:
    talk(shop, "web-1", missed("wheres me parcel 10388"))
    review = reviewed()
    written = review.assign(review.rows[0].id, "track_order")
    assert (written.text, review.rows) == ("wheres me parcel 10234", [])
    assert "    - has it shipped yet\n    - wheres me parcel 10234\n\n" in (project / "data/nlu/en/orders.yml").read_text()
    assert Review(project).rows == []


def test_assigned_message_stays_dealt_with_where_its_text_was_edited(shop: str, project: Path, reviewed: Any) -> None:
    talk(shop, "web-1", missed("wheres me parcel 10388 and by the way nice day"))
    review = reviewed()
    review.assign(review.rows[0].id, "track_order", "wheres me parcel")
    assert Review(project).rows == []


def test_skipped_message_is_not_shown_again_also_in_another_wording_of_its_row(shop: str, project: Path, reviewed: Any) -> None:
    talk(shop, "web-1", missed("wheres me parcel innit"), missed("wheres me parcels innit"))
    review = reviewed()
    review.skip(review.rows[0].id)
    talk(shop, "web-2", missed("Wheres me parcels innit??"))
    assert Review(project).rows == []


def test_undo_takes_back_the_last_decision_and_its_line(shop: str, project: Path, reviewed: Any) -> None:
    talk(shop, "web-1", missed("wheres me parcel innit"))
    talk(shop, "web-2", missed("sing me a song mate"))
    before = (project / "data/nlu/en/orders.yml").read_bytes()
    review = reviewed()
    parcel = next(row for row in review.rows if "parcel" in row.text)
    review.skip(next(row for row in review.rows if "song" in row.text).id)
    review.assign(parcel.id, "cancel_order")
    assert review.undo().text == parcel.text
    assert (project / "data/nlu/en/orders.yml").read_bytes() == before
    assert [parcel.text] == texts(review) == texts(Review(project))
    assert review.undo().text == "sing me a song mate"
    with pytest.raises(ReviewError, match="nothing to undo"):
        review.undo()


def test_edited_text_gets_stand_ins_too(shop: str, reviewed: Any) -> None:
    talk(shop, "web-1", missed("wheres me parcel innit"))
    review = reviewed()
    written = review.assign(review.rows[0].id, "track_order", "my name is Bob Geldof, where is 10999")
    assert written.text == "my name is Ana, where is 10234"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("my password is hunter2", "password"),
        ("10388", "nothing in it to learn"),
        ("where IS my order??", "already an example of track_order"),
        ("word " * 80, "too long"),
    ],
)
def test_text_that_makes_no_example_is_refused_and_the_message_stays(text: str, why: str, shop: str, reviewed: Any) -> None:
    talk(shop, "web-1", missed("wheres me parcel innit"))
    review = reviewed()
    with pytest.raises(CannotWrite, match=why):
        review.assign(review.rows[0].id, "track_order", text)
    assert len(review.rows) == 1


def test_faq_entry_gets_the_message_where_its_questions_stand(shop: str, project: Path, reviewed: Any) -> None:
    talk(shop, "web-1", Said("can me van stand at yours", answered="utter_faq"))
    review = reviewed()
    review.assign(review.rows[0].id, "store parking")
    assert (
        "      - parking at the store\n      - can me van stand at yours\n    answer"
        in (project / "data/faq/en/store.yml").read_text()
    )


def test_suggestions_are_what_was_likely_and_what_is_near(shop: str, reviewed: Any) -> None:
    talk(shop, "web-1", missed("where can i park me van"))
    review = reviewed()
    first, *others = review.suggestions(review.rows[0])
    assert (first.place, first.probability) == ("track_order", 0.28)
    near = next(each for each in others if each.place == "ask_faq/store_parking")
    assert (near.example, near.probability) == ("where can i park", None)
    assert near.likeness == pytest.approx(0.82, abs=0.03)


def test_intent_that_is_misspelt_is_asked_back(shop: str, reviewed: Any) -> None:
    assert reviewed().place_named("Track Order") == "track_order"
    with pytest.raises(UnknownPlace, match="Is track_order or list_orders meant"):
        reviewed().place_named("trak_ordr")


def test_message_of_an_unknown_id_is_refused(shop: str, reviewed: Any) -> None:
    with pytest.raises(NotListed):
        reviewed().skip("nothing")


# --- The command ---


@pytest.fixture
def in_project(project: Path, shop: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(environment, "PROJECT", project)
    return project


def test_list_as_json_is_nothing_but_json(in_project: Path, shop: str, runner: CliRunner) -> None:
    talk(shop, "web-1", missed("wheres me parcel 10388"))
    [row] = json.loads(runner.invoke(cli, ["review", "--json"]).output)
    assert (row["text"], row["language"], row["reasons"]) == ("wheres me parcel 10234", "en", ["not understood"])
    assert row["understood"][0] == {"intent": "track_order", "probability": 0.28}
    assert row["suggestions"][0]["place"] == "track_order"


def test_script_assigns_and_skips_by_id(in_project: Path, shop: str, runner: CliRunner) -> None:
    talk(shop, "web-1", missed("wheres me parcel innit"), missed("sing me a song mate"))
    by_text = {row["text"]: row["id"] for row in json.loads(runner.invoke(cli, ["review", "--json"]).output)}
    done = runner.invoke(
        cli, ["review", "--assign", by_text["wheres me parcel innit"], "track_order", "--text", "wheres me stuff"]
    )
    assert "track_order (en): wheres me stuff" in done.output
    assert runner.invoke(cli, ["review", "--skip", by_text["sing me a song mate"]]).exit_code == 0
    assert json.loads(runner.invoke(cli, ["review", "--json"]).output) == []
    assert "- wheres me stuff\n" in (in_project / "data/nlu/en/orders.yml").read_text()


def test_without_a_terminal_the_list_is_shown_and_nothing_is_asked(in_project: Path, shop: str, runner: CliRunner) -> None:
    talk(shop, "web-1", missed("wheres me parcel innit"))
    done = runner.invoke(cli, ["review"])
    assert done.exit_code == 0
    assert "wheres me parcel innit" in done.output
    assert "--assign ID INTENT" in done.output


@pytest.mark.parametrize("is_trained", [True, False])
def test_train_checks_and_trains_afterwards(
    is_trained: bool, in_project: Path, shop: str, runner: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = Outcome(["data/nlu/en/orders.yml: a problem"], "Trained 3 examples in 5 s", is_trained)
    monkeypatch.setattr("tendero.review.training.check_and_train", lambda _home: outcome)
    done = runner.invoke(cli, ["review", "--train"])
    assert done.exit_code == (0 if is_trained else 1)
    assert "Trained 3 examples in 5 s" in done.output
    assert "data/nlu/en/orders.yml: a problem" in done.output


# --- At the terminal ---


def typed(*answers: str) -> terminal.Ask:
    left: Iterator[str] = iter(answers)

    def ask(_prompt: str, _before: str, _words: Sequence[str]) -> str:
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    return ask


def test_a_number_not_ours_a_name_and_skip_at_the_terminal(
    shop: str, project: Path, reviewed: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for place, words in enumerate(["wheres me parcel innit", "sing me a song mate", "call the whole thing off", "blah blah"]):
        talk(shop, f"web-{place}", missed(words), days_ago=1 + 10 * place)
    review = reviewed()
    terminal.sit(review, typed("1", "n", "trak_ordr", "cancel_order", "s"))
    assert [(each.place, each.text) for each in review.assigned] == [
        ("track_order", "wheres me parcel innit"),
        ("out_of_scope", "sing me a song mate"),
        ("cancel_order", "call the whole thing off"),
    ]
    assert review.rows == []
    shown = capsys.readouterr().out
    assert "Is track_order or list_orders meant?" in shown
    assert "1   28%  track_order" in shown


def test_undo_at_the_terminal_shows_the_message_again_and_an_edit_is_written(
    shop: str, project: Path, reviewed: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    talk(shop, "web-1", missed("blah blah"), days_ago=5)
    talk(shop, "web-2", missed("wheres me parcel innit"))
    review = reviewed()
    terminal.sit(review, typed("s", "u", "e", "hello hello", "l", "es", "l", "fr", "l", "en", "greet"))
    assert "Undone: “wheres me parcel innit”" in capsys.readouterr().out
    assert [(each.place, each.language, each.text) for each in review.assigned] == [("greet", "en", "hello hello")]


def test_what_was_decided_before_quitting_is_kept(shop: str, project: Path, reviewed: Any) -> None:
    talk(shop, "web-1", missed("wheres me parcel innit"), missed("sing me a song mate"))
    review = reviewed()
    first = review.rows[0].text
    terminal.sit(review, typed("1", "q", "1"))
    assert len(review.assigned) == 1
    assert first not in texts(Review(project))
    assert len(Review(project).rows) == 1


def test_line_is_edited_and_completed_at_a_real_prompt() -> None:
    from prompt_toolkit.application import create_app_session
    from prompt_toolkit.input import create_pipe_input
    from prompt_toolkit.output import DummyOutput

    source = create_pipe_input()
    try:
        source.send_text("\x7f!\r")  # the last letter goes, a sign comes
        with create_app_session(input=source, output=DummyOutput()):
            assert terminal.ask_at_terminal("text> ", "hello", ()) == "hell!"
    finally:
        source.close()


def test_newest_wording_is_recent(shop: str, reviewed: Any) -> None:
    talk(shop, "web-1", missed("wheres me parcel innit"), days_ago=3)
    newest = datetime.fromtimestamp(reviewed().rows[0].newest, timezone.utc)
    assert timedelta(days=2.9) < datetime.now(timezone.utc) - newest < timedelta(days=3.1)
