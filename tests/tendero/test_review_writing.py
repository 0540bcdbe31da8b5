"""Examples written in place: read back by Rasa's own loader, and everything else byte for byte as it was."""

from __future__ import annotations

import re
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
from rasa.shared.nlu.training_data.formats.rasa_yaml import RasaYAMLReader

from bot.importer import faq_questions
from tendero.examples import examples_of
from tendero.review import writing
from tendero.review.errors import CannotRead, CannotWrite
from tendero.review.writing import add_example, as_example, take_back
from tests.conversations.stage import ROOT
from tests.tendero.talks import small_project

TRAPS = [
    "status: where is it?",
    "# of my order",
    "#10234",
    "- with a hyphen",
    "-5 degrees",
    "[an entity](product)",
    '[one more]{"entity": "product"}',
    "{curly} and [square]",
    "it's \"quoted\" 'twice'",
    "yes",
    "null",
    "1e3 pieces",
    "*star",
    "&and",
    "!bang",
    "%percent",
    "@handle",
    "`tick`",
    "? question",
    "> more",
    "| pipe",
    "a \\ backslash \\n",
    "a colon at the end:",
    "comment # not one",
    "two\nlines\r\nand\u2028three",
    "  spaces   around  ",
    "tab\tin between",
    "una familia 👨‍👩‍👧 ¿sí?",
    "bell\x07 rings",
    "${HOME} is mine",
]
HOMES = {
    "track_order": "nlu/en/orders.yml",  # a block of lines
    "list_orders": "nlu/en/conversation.yml",  # a list
    "ask_faq/store_parking": "faq/en/store.yml",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return small_project(tmp_path)


def by_rasa(file: Path, place: str) -> list[str]:
    """What Rasa (for the FAQ: our importer) reads as examples of the place."""
    if place.startswith("ask_faq/"):
        return [question for _, question, intent in faq_questions(file.parents[1]) if intent == "ask_faq"]
    read = RasaYAMLReader().reads(file.read_text(encoding="utf-8"))
    assert all(not each.get("entities") for each in read.intent_examples)
    return [each.get("text") for each in read.intent_examples if each.get("intent") == place]


@pytest.mark.parametrize("place", HOMES)
@pytest.mark.parametrize("trap", TRAPS)
def test_text_is_read_back_as_it_was_written_and_nothing_else_has_changed(trap: str, place: str, project: Path) -> None:
    file = project / "data" / HOMES[place]
    before, examples = file.read_bytes(), by_rasa(file, place)
    text = as_example(trap)
    written = add_example(project, "en", place, text)
    assert by_rasa(file, place) == [*examples, text]
    assert file.read_bytes().replace(f"{written.line}\n".encode(), b"", 1) == before
    take_back(project, written)
    assert file.read_bytes() == before


def test_only_brackets_that_rasa_would_take_for_an_entity_become_others() -> None:
    assert as_example("[an entity](product)") == "(an entity)(product)"
    assert as_example("my [very] old order") == "my [very] old order"


def test_list_keeps_its_own_style_and_the_comment_below_it(project: Path) -> None:
    add_example(project, "en", "list_orders", "list: all")
    assert (
        '      all of my orders\n  - text: "list: all"\n\n  # nothing below\n'
        in (project / "data/nlu/en/conversation.yml").read_text()
    )


def test_example_goes_to_the_files_of_its_language(project: Path) -> None:
    english = (project / "data/nlu/en/orders.yml").read_bytes()
    written = add_example(project, "es", "track_order", "y mi paquetito")
    assert written.file == project / "data/nlu/es/orders.yml"
    assert (project / "data/nlu/en/orders.yml").read_bytes() == english


def test_faq_question_that_trains_another_intent_is_written_below_its_entry(project: Path) -> None:
    add_example(project, "en", "ask_faq/how_to_return", "ways of returning")
    assert ("en", "ways of returning", "request_return") in list(faq_questions(project / "data/faq"))


def test_windows_line_ends_stay(project: Path) -> None:
    file = project / "data/nlu/en/orders.yml"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    before = file.read_bytes()
    add_example(project, "en", "track_order", "me parcel")
    assert file.read_bytes() == before.replace(b"shipped yet\r\n", b"shipped yet\r\n    - me parcel\r\n")


def test_file_without_a_last_line_end_is_added_to_and_restored(project: Path) -> None:
    file = project / "data/nlu/en/orders.yml"
    file.write_bytes(file.read_bytes().rstrip())
    before = file.read_bytes()
    written = add_example(project, "en", "cancel_order", "call it off")
    assert file.read_bytes() == before + b"\n    - call it off"
    take_back(project, written)
    assert file.read_bytes() == before


def test_rights_of_the_file_and_a_link_to_it_stay(project: Path, tmp_path: Path) -> None:
    link, real = project / "data/nlu/en/orders.yml", tmp_path / "elsewhere.yml"
    link.rename(real)
    real.chmod(0o640)
    link.symlink_to(real)
    add_example(project, "en", "track_order", "me parcel")
    assert link.is_symlink()
    assert "me parcel" in real.read_text()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert sorted(each.name for each in real.parent.glob(".*")) == []


def test_file_that_somebody_saves_at_this_moment_is_not_overwritten(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = project / "data/nlu/en/orders.yml"
    check = writing._check

    def saved_meanwhile(*arguments: Any) -> None:
        check(*arguments)
        file.write_text(file.read_text() + "# a designer's own line\n")

    monkeypatch.setattr(writing, "_check", saved_meanwhile)
    with pytest.raises(CannotWrite, match="changed at this moment"):
        add_example(project, "en", "track_order", "me parcel")
    assert file.read_text().endswith("# a designer's own line\n")
    assert "me parcel" not in file.read_text()
    assert list(file.parent.glob(".*")) == []


def test_what_a_designer_has_added_since_stays_when_an_example_is_taken_back(project: Path) -> None:
    file = project / "data/nlu/en/orders.yml"
    before = file.read_text()
    written = add_example(project, "en", "track_order", "me parcel")
    file.write_text(file.read_text().replace("    - me parcel\n", "    - me parcel\n    - by hand\n"))
    take_back(project, written)
    assert file.read_text() == before.replace("    - has it shipped yet\n", "    - has it shipped yet\n    - by hand\n")
    with pytest.raises(CannotWrite, match="not there any more"):
        take_back(project, written)


def test_text_that_rasa_would_read_as_something_else_is_refused(project: Path) -> None:
    file = project / "data/nlu/en/orders.yml"  # Rasa decodes \u in files that are all ASCII
    before = file.read_bytes()
    with pytest.raises(CannotWrite, match="Rasa would read"):
        add_example(project, "en", "track_order", "my file is C:\\u0041bc")
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("nlu:\n- intent: track_order\n  examples: [one, two]\n", "stand below each other"),
        ('nlu:\n- intent: track_order\n  examples: "- one"\n', "stand below each other"),
        ("nlu:\n- intent: greet\n  examples: |\n    - hi\n", "stands nowhere in data/nlu/en"),
        ("nlu: [", "cannot be read"),
    ],
)
def test_place_that_cannot_be_written_to_is_told_and_left_alone(content: str, why: str, project: Path) -> None:
    file = project / "data/nlu/en/orders.yml"
    file.write_text(content)
    with pytest.raises((CannotWrite, CannotRead), match=why):
        add_example(project, "en", "track_order", "me parcel")
    assert file.read_text() == content


def test_of_two_files_with_the_intent_the_one_with_more_examples_is_written_to(project: Path) -> None:
    other = project / "data/nlu/en/a_first.yml"
    other.write_text("nlu:\n- intent: track_order\n  examples: |\n    - passing by\n")
    assert add_example(project, "en", "track_order", "me parcel").file.name == "orders.yml"
    assert "me parcel" not in other.read_text()


def test_every_kind_of_file_of_this_project_can_be_written_to(tmp_path: Path) -> None:
    for folder in ("nlu", "faq"):
        shutil.copytree(ROOT / "data" / folder / "pt", tmp_path / "data" / folder / "pt")
    places: set[str] = set()  # the last of each file
    for file in sorted((tmp_path / "data").glob("*/pt/*.yml")):
        found = re.findall(r"^ *- (?:intent|id): (\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
        places |= {f"{'ask_faq/' if file.parts[-3] == 'faq' else ''}{name}" for name in found[-1:]}
    assert len(places) > 20
    for place in places:
        add_example(tmp_path, "pt", place, f"exemplo: {place}")
    known = {(each.text, each.place) for each in examples_of(tmp_path)}
    assert {(f"exemplo: {place}", place) for place in places} <= known
