"""Validation names file and fault, for every language that there is."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tendero.designer_files import misshapen
from tendero.environment import PROJECT
from tendero.validation import can_rasa_read, languages, own_problems, placed


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project's own data, sound or not, with the code that uses it."""
    for folder in ("data", "actions", "bot", "commerce", "desk", "messaging"):
        shutil.copytree(PROJECT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("domain.yml", "config.yml", "endpoints.yml", "credentials.yml"):
        shutil.copy(PROJECT / name, tmp_path / name)
    return tmp_path


@pytest.fixture(scope="module")
def before() -> set[str]:
    """What is wrong with the project anyway."""
    return set(own_problems())


def new(project: Path, before: set[str]) -> list[str]:
    return sorted(set(own_problems(project)) - before)


def test_languages_are_the_folders() -> None:
    assert languages(PROJECT / "data") == ["en", "es", "nb", "pt"]


def test_the_project_has_no_problems() -> None:
    assert own_problems() == []


def test_answer_in_one_language_only_is_a_problem(project: Path, before: set[str]) -> None:
    (project / "data/responses/es/weather.yml").write_text("responses:\n  utter_weather:\n  - text: Sol\n")
    assert new(project, before) == ["data/responses/es/weather.yml: utter_weather is missing in en, nb, pt"]


def test_label_in_one_language_only_is_a_problem(project: Path, before: set[str]) -> None:
    (project / "data/labels/en/weather.yml").write_text("weather_sun: Sun\n")
    assert new(project, before) == ["data/labels/en/weather.yml: weather_sun is missing in es, nb, pt"]


def test_examples_in_one_language_only_are_a_problem(project: Path, before: set[str]) -> None:
    (project / "data/nlu/en/weather.yml").write_text("nlu:\n- intent: ask_weather\n  examples: |\n    - rain?\n")
    assert new(project, before) == ["data/nlu/en/weather.yml: ask_weather is missing in es, nb, pt"]


def test_new_language_has_to_be_whole(project: Path, before: set[str]) -> None:
    (project / "data/responses/fr").mkdir()
    (project / "data/responses/fr/conversation.yml").write_text("responses: {}\n")
    assert any("is missing in fr" in problem for problem in new(project, before))


def test_unreadable_file_is_named(project: Path, before: set[str]) -> None:
    (project / "data/labels/en/broken.yml").write_text("a: [1\n")
    assert [problem.split(":")[0] for problem in new(project, before)] == ["data/labels/en/broken.yml"]


def test_answer_that_the_code_says_and_nobody_wrote_is_a_problem(project: Path, before: set[str]) -> None:
    (project / "actions/weather.py").write_text('turn.say("utter_weather")\n')
    assert new(project, before) == ["actions/weather.py:1: utter_weather has no answer in data/responses"]


def test_policy_with_a_gap_is_a_problem(project: Path, before: set[str]) -> None:
    (project / "data/policies/weather.yml").write_text("tables: nonsense\n")
    assert any("weather.yml" in problem for problem in new(project, before))


def test_word_of_the_widget_that_a_language_lacks_is_a_problem(project: Path, before: set[str]) -> None:
    words = project / "data/widget/en.yml"
    words.write_text(words.read_text() + "weather: Sunny\n")
    missing = [f"data/widget/{language}.yml: weather is missing" for language in ("es", "nb", "pt")]
    assert new(project, before) == missing


@pytest.mark.parametrize(
    ("line", "instead", "problem"),
    [
        (
            "remove: Remove {name}",
            "remove: Remove it",
            "data/widget/en.yml: remove does not use {name}, as another language does",
        ),
        ("  - How many points do I have?\n", "", "data/widget: ideas: not as many in every language"),
    ],
)
def test_word_of_the_widget_that_says_less_is_a_problem(
    project: Path, before: set[str], line: str, instead: str, problem: str
) -> None:
    words = project / "data/widget/en.yml"
    text = words.read_text()
    assert line in text
    words.write_text(text.replace(line, instead, 1))
    assert new(project, before) == [problem]


def test_missing_mail_text_is_a_problem(project: Path, before: set[str]) -> None:
    mail = project / "data/mail/en.yml"
    mail.write_text(mail.read_text() + "  weather: {subject: Sun, body: Shines}\n")
    assert any("data/mail/es.yml: weather: is missing" in problem for problem in new(project, before))


def test_word_that_the_demo_shops_page_lacks_in_a_language_is_a_problem(project: Path, before: set[str]) -> None:
    words = project / "data/demo-page/es.yml"
    words.write_text(words.read_text().replace("checkout: ", "check_out: ", 1))
    assert "data/demo-page/es.yml: checkout is missing" in new(project, before)


# Broken files, of every kind that a designer edits

KINDS = (
    "data/nlu/es/orders.yml",
    "data/responses/es/orders.yml",
    "data/labels/es/shop.yml",
    "data/faq/es/orders.yml",
    "data/faq/es/words.yml",
    "data/policies/orders.yml",
    "data/policies/support.yml",
    "data/rules/orders.yml",
    "data/mail/es.yml",
    "data/widget/es.yml",
    "data/patterns/es.yml",
    "data/patterns/numbers.yml",
    "data/patterns/catalogue.yml",
    "data/patterns/joints.yml",
    "data/patterns/secrets.yml",
    "data/demo/es.yml",
    "data/demo-page/es.yml",
    "domain.yml",
    "config.yml",
)
BROKEN = (
    ("\tkey: value", "is not YAML: a tab where spaces are needed"),
    ("key: one: two", "is not YAML: a colon where none can be: quote the text, or mend the indentation"),
    ('key: "never closed', "is not YAML: a quote that is opened and never closed"),
)


@pytest.mark.parametrize("name", KINDS)
def test_file_that_is_not_yaml_is_named_with_its_line_and_what_is_wrong(project: Path, name: str) -> None:
    file = project / name
    sound = file.read_text(encoding="utf-8")
    line = len(sound.rstrip().splitlines()) + 1
    for wrong, told in BROKEN:
        file.write_text(f"{sound.rstrip()}\n{wrong}\n", encoding="utf-8")
        assert [problem.of(Path(name)) for problem in misshapen(project)[file]] == [f"{name}:{line}: {told}"]


@pytest.mark.parametrize("name", KINDS)
def test_file_of_the_wrong_shape_is_named_and_nothing_breaks(project: Path, name: str) -> None:
    file = project / name
    for content in ("- a\n- b\n", "hello\n", "", "5\n", "null\n", "á: é\n"):
        file.write_text(content, encoding="latin-1")
        assert misshapen(project)[file], content
    file.write_text("strange_key: {a: [5, {b: c}]}\n", encoding="utf-8")
    found = own_problems(project)
    assert [problem for problem in found if problem.startswith(name)]
    assert not [problem for problem in found if "cannot be checked" in problem]


@pytest.mark.parametrize(
    ("name", "written", "told"),
    [
        (
            "responses/es",
            "responses:\n  utter_x:\n  - txt: a\n",
            "3: responses: utter_x: txt is no key that is known here: is text meant?",
        ),
        ("responses/es", "responses:\n  greet:\n  - text: a\n", "2: responses: greet is no name for an answer: utter_..."),
        ("responses/es", "responses:\n  utter_x: a\n  utter_x: b\n", "3: responses: utter_x is here twice (first in line 2)"),
        ("labels/es", "a: yes\n", "1: a: yes is read as a number, a date or yes/no: put it in quotes"),
        ("labels/es", "a:\n- b\n", "2: a: should be a text, and is a list"),
        (
            "nlu/es",
            "nlu:\n- intent: a\n  examples: |\n    - b\n    c\n",
            '5: nlu: examples: an example has to begin with "- ": c',
        ),
        ("rules", "rules:\n- rule: a\n  stepz: []\n", "2: rules: steps is missing"),
        (
            "patterns",
            "shapes:\n  code:\n  - '(a'\n",
            "3: shapes: code: is no regular expression: missing ), unterminated subpattern at position 0",
        ),
    ],
)
def test_fault_is_told_with_its_line(project: Path, name: str, written: str, told: str) -> None:
    file = project / "data" / name / "new.yml"
    file.write_text(written)
    assert told in [f"{problem.line}: {problem.text}" for problem in misshapen(project)[file]]


def test_calendar_and_guide_are_checked(project: Path, before: set[str]) -> None:
    calendar, guide = project / "data/policies/support.yml", project / "data/demo/es.yml"
    calendar.write_text(calendar.read_text().replace('monday: ["09:00-20:00"]', 'monday: ["09:00-8 pm"]', 1))
    guide.write_text(guide.read_text().replace("as: ana", "as: anna", 1))
    calendar_told, guide_told = sorted(new(project, before), reverse=True)
    assert calendar_told.startswith('data/policies/support.yml: support, monday: cannot read the hours "09:00-8 pm"')
    assert guide_told == "data/demo/es.yml and the demo's people differ in anna"


def test_component_that_does_not_exist_is_named_with_its_line(project: Path, before: set[str]) -> None:
    config = project / "config.yml"
    config.write_text(config.read_text().replace("SecretMasker", "SecretMaskr"))
    (told,) = new(project, before)
    assert re.fullmatch(r"config\.yml:\d+: there is no bot\.nlu\.secret_masker\.SecretMaskr", told)


def test_rasa_is_not_asked_about_files_that_it_cannot_read(project: Path) -> None:
    assert can_rasa_read(project)
    (project / "data/labels/es/broken.yml").write_text("a: [")
    assert can_rasa_read(project)  # labels are not for Rasa
    (project / "data/responses/es/broken.yml").write_text("a: [")
    assert not can_rasa_read(project)


def test_file_with_the_other_ending_is_named(project: Path, before: set[str]) -> None:
    (project / "data/responses/es/weather.yaml").write_text("responses: {}\n")
    assert new(project, before) == ["data/responses/es/weather.yaml: its name has to end in .yml, or it is overlooked"]


def test_what_breaks_a_check_is_told_without_a_traceback(project: Path) -> None:
    (project / "actions/broken.py").write_text("def (:\n")
    assert any(problem.startswith("data/responses: cannot be checked: SyntaxError") for problem in own_problems(project))


# One validation after another, as `tendero watch` does it


def test_what_was_broken_mended_and_broken_again_is_told_each_time(project: Path, before: set[str]) -> None:
    for name in ("actions/shop.py", "data/faq/es/orders.yml", "data/policies/orders.yml"):
        file = project / name
        sound = file.read_text(encoding="utf-8")
        for _ in range(2):
            file.write_text(f"{sound}\n)][\n", encoding="utf-8")
            assert new(project, before), name
            file.write_text(sound, encoding="utf-8")
            assert new(project, before) == [], name


def test_code_that_has_not_changed_is_not_parsed_again(project: Path, before: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = set()

    def parse(source: str, *how: Any, **exactly: Any) -> ast.AST:
        parsed.add(source)
        return sound(source, *how, **exactly)

    sound = ast.parse
    (project / "actions/weather.py").write_text(code := 'turn.say("utter_weather")  # as no other test has it\n')
    with monkeypatch.context() as patched:
        patched.setattr(ast, "parse", parse)
        own_problems(project)
    assert parsed == {code}


# The variables of answers


def change(project: Path, file: str, before: str, after: str) -> None:
    text = (project / file).read_text(encoding="utf-8")
    assert before in text
    (project / file).write_text(text.replace(before, after, 1), encoding="utf-8")


def without_lines(problems: list[str]) -> list[str]:
    return [re.sub(r"\.yml:\d+:", ".yml:", problem) for problem in problems]


def test_variable_that_is_wrong_in_one_language_is_a_problem_of_that_language(project: Path, before: set[str]) -> None:
    change(project, "data/responses/es/conversation.yml", "Estábamos en esto: {task}", "Estábamos en esto: {tsak}")
    lacks, uses = without_lines(new(project, before))
    assert lacks == "data/responses/es/conversation.yml: utter_recap_task_short does not use {task}, as another language does"
    assert uses.startswith("data/responses/es/conversation.yml: utter_recap_task_short uses {tsak}, which nobody fills in: ")
    assert uses.endswith(" gives {task}")


def test_known_variable_that_only_one_language_uses_is_a_problem(project: Path, before: set[str]) -> None:
    change(project, "data/responses/es/orders.yml", "{order_number}", "su pedido")
    (told,) = without_lines(new(project, before))
    assert re.fullmatch(r"data/responses/es/orders\.yml: utter_\w+ does not use \{order_number\}, as another language does", told)


def test_variable_that_is_wrong_in_every_language_is_a_problem(project: Path, before: set[str]) -> None:
    said = {"es": "del pedido", "en": "order", "pt": "o pedido", "nb": "bestilling"}
    for language, words in ((language, f"{lead} {{order_number}}: {{task}}") for language, lead in said.items()):
        file = f"data/responses/{language}/conversation.yml"
        change(project, file, words, words.replace("order_number", "order_numbr"))
    told = new(project, before)
    assert len(told) == 4
    assert all("utter_recap_about_order uses {order_numbr}, which nobody fills in: " in each for each in told)


def test_variable_that_the_code_does_not_give_to_this_answer_is_a_problem(project: Path, before: set[str]) -> None:
    for language in languages(PROJECT / "data"):
        with (project / f"data/responses/{language}/weather.yml").open("w") as file:
            file.write('responses:\n  utter_weather:\n  - text: "{items}"\n')
    (project / "actions/weather.py").write_text('turn.say("utter_weather", orders=1, item=2)\n')
    assert new(project, before) == [
        f"data/responses/{language}/weather.yml:2: utter_weather uses {{items}}, which nobody fills in: "
        "actions/weather.py:1 gives {item}, {orders}"
        for language in languages(PROJECT / "data")
    ]


def test_variable_of_an_answer_that_a_rule_says_has_to_be_a_slot(project: Path, before: set[str]) -> None:
    for language in languages(PROJECT / "data"):
        file = project / f"data/responses/{language}/conversation.yml"
        place = file.read_text().index("- text: ", file.read_text().index("  utter_sorry:")) + len('- text: "')
        file.write_text(file.read_text()[:place] + "{items} " + file.read_text()[place:])
    told = new(project, before)
    assert len(told) == 4
    assert all("utter_sorry uses {items}, which nobody fills in: a rule or a form says it" in each for each in told)


def test_brace_that_is_no_variable_is_a_problem(project: Path, before: set[str]) -> None:
    change(project, "data/responses/es/conversation.yml", "Estábamos en esto: {task}", "Estábamos en esto: {task} {order number}")
    (told,) = new(project, before)
    assert re.search(
        r"^data/responses/es/conversation\.yml:\d+: utter_recap_task_short: a brace that is no \{variable\}: Hola", told
    )


# What Rasa says


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "Issue found in 'data/rules/handoff.yml': Found intent 'human_agent' in stories which is not part of the domain.",
            r"data/rules/handoff\.yml:\d+: Found intent 'human_agent' in stories which is not part of the domain\.",
        ),
        ("The action 'action_handoff' is used twice", r"data/rules/handoff\.yml:\d+: The action 'action_handoff' is used twice"),
        ("Failed to validate 'domain.yml'.", r"domain\.yml: Failed to validate 'domain\.yml'\."),
        ("data/nlu/es/x.yml:3: no", r"data/nlu/es/x\.yml:3: no"),
        ("Something is odd.", r"domain\.yml, config\.yml or data/: Something is odd\."),
    ],
)
def test_line_of_rasa_gets_the_place_that_it_is_about(project: Path, said: str, told: str) -> None:
    assert re.fullmatch(told, placed(said, project))


# What WhatsApp would refuse

SENDABLE = """  - text: "{payment_link}"
    custom: {link: {title: Pay, url: "{payment_link}"}, location: {latitude: "{balance}", longitude: 1}}
"""
PICTURE = "  - text: Sun\n    image: %s\n"
BUTTON = "  - text: Sun\n    buttons:\n    - {title: %s, %s}\n"
LINK = "  - text: Sun\n    custom: {link: {title: Look%s}}\n"
NO_LINK = "a link has to begin with https://: shop.example"
TOO_LONG = "a title so long that WhatsApp does not show it where it is tapped"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (SENDABLE, None),
        (PICTURE % "https://shop.example/sun.png", None),
        (PICTURE % "/static/sun.png", "a picture needs an address that begins with https://"),
        (PICTURE % "https://shop.example/sun.gif", "WhatsApp shows JPEG and PNG pictures only: https://shop.example/sun.gif"),
        (PICTURE % "sun.gif" + "    channel: webchat\n", None),
        (BUTTON % ("long " * 15 + "er", "payload: /a"), None),
        (BUTTON % ("long " * 30, "payload: /a"), TOO_LONG),
        (BUTTON % ("Look", "url: shop.example"), NO_LINK),
        (LINK % ", url: shop.example", NO_LINK),
        (LINK % "", "WhatsApp would refuse it: link needs a url"),
        ("  - custom: {location_request: true}\n", "WhatsApp would refuse it: body is empty"),
        ("  - custom: {template: {name: Sun, language: en}}\n", "WhatsApp would refuse it: template name 'Sun'"),
    ],
)
def test_answer_that_whatsapp_would_refuse_is_a_problem(tmp_path: Path, written: str, told: str | None) -> None:
    file = tmp_path / "data/responses/en/weather.yml"
    file.parent.mkdir(parents=True)
    file.write_text(f"responses:\n  utter_sun:\n{written}")
    assert misshapen(tmp_path) == {}
    found = [problem for problem in own_problems(tmp_path) if "nobody fills in" not in problem and "utter_sun" in problem]
    assert len(found) == (1 if told else 0)
    assert all(problem.startswith(f"data/responses/en/weather.yml:2: utter_sun: {told}") for problem in found)


def test_label_of_a_button_that_whatsapp_cannot_show_is_a_problem(project: Path, before: set[str]) -> None:
    file = project / "data/labels/en/shop.yml"
    file.write_text(file.read_text().replace("task_list_orders: My orders", f"task_list_orders: {'My orders ' * 12}"))
    [problem] = new(project, before)
    assert problem.startswith(f"data/labels/en/shop.yml:4: task_list_orders: {TOO_LONG}")


def test_word_that_opens_a_list_has_to_fit(project: Path, before: set[str]) -> None:
    file = project / "data/labels/nb/conversation.yml"
    file.write_text(file.read_text().replace('list_button: "Velg"', "list_button: velg en av disse mulighetene"))
    [problem] = new(project, before)
    assert problem.endswith("list_button: WhatsApp has room for 20 characters: velg en av disse mulighetene")


def in_desk_rules(project: Path, old: str, new_: str) -> None:
    file = project / "data/policies/desk.yml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new_, 1))


@pytest.mark.parametrize(
    ("old", "new_", "problem"),
    [
        ("request_exchange", "request_refund", "data/policies/desk.yml: topics: there is no request_refund"),
        ("gold: 10", "platinum: 10", "data/policies/desk.yml: tiers: there is no platinum"),
        ("name: returns", "name: returns\n      languages: [fr]", "data/policies/desk.yml: languages: there is no fr"),
        ("name: returns", "name: returns\n      calendar: moon", "data/policies/desk.yml: calendar: there is no moon"),
        ("name: orders", "name: parcels", "data/labels/en/desk.yml: desk_queue_parcels is missing"),
        (
            "capacity: 4 ",
            "capacity: many ",
            "data/policies/desk.yml: limits, capacity: 'many' must be a whole number from 1 to 1000000",
        ),
    ],
)
def test_desk_rule_that_names_what_there_is_not_is_a_problem(
    project: Path, before: set[str], old: str, new_: str, problem: str
) -> None:
    in_desk_rules(project, old, new_)
    assert new(project, before) == [problem]


def test_language_in_which_nobody_can_be_found_to_ask_again_is_a_problem(project: Path, before: set[str]) -> None:
    (project / "data/desk/asked_again/nb.yml").unlink()
    assert "data/desk/asked_again/nb.yml: facts: order_number is missing" in new(project, before)
