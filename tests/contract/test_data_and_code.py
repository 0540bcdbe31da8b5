"""Conversation data and code agree: what one names, the other has."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from typing import Any

import pytest
from rasa_sdk import Action

import actions
from actions.task_form import Step, TaskForm, rasa_asks
from messaging.opt_out_words import wish_in
from tendero.answer_variables import different, variables
from tendero.validation import SAID_BY_RASA
from tests.contract import sources
from tests.contract.sources import labels, languages, read, responses, rule_steps, said_in_python

QUOTED = re.compile(r"[\"«“]([^\"»”]+)[\"»”]")


def _registered() -> dict[str, type[Action]]:
    for module in pkgutil.iter_modules(actions.__path__):
        importlib.import_module(f"actions.{module.name}")
    found: list[type[Action]] = [*Action.__subclasses__()]
    for each in found:
        found += each.__subclasses__()
    own = (each for each in found if each.__module__.startswith("actions") and not inspect.isabstract(each))
    return {each().name(): each for each in own}


def _domain_actions() -> set[str]:
    return {name if isinstance(name, str) else next(iter(name)) for name in read("domain.yml")["actions"]}


def test_every_action_of_the_domain_is_registered_and_every_registered_one_is_in_the_domain() -> None:
    assert set(_registered()) == _domain_actions()


@pytest.mark.parametrize("language", languages())
def test_every_response_named_in_python_exists_in_every_language(language: str) -> None:
    keys = responses(language)
    missing = [said for said in said_in_python() if not any(said.fits(key) for key in keys)]
    assert not missing


def test_every_language_has_the_same_responses_with_the_same_variables() -> None:
    first, *others = languages()
    for language in others:
        assert responses(language).keys() == responses(first).keys()
    assert list(different({language: responses(language) for language in languages()})) == []


def test_answers_that_differ_by_channel_do_so_in_every_language_and_during_a_task_too() -> None:
    """Else the channel would get another language's, or nothing: a variation of its channel outdoes all that are of none."""
    first, *others = languages()
    for key, variations in responses(first).items():
        of_none = _during_task(variations, None)
        channels = {each.get("channel") for each in variations}
        assert all(_during_task(variations, channel) == of_none for channel in channels), key
        elsewhere = [{each.get("channel") for each in responses(language)[key]} for language in others]
        assert elsewhere == [channels] * len(others), key


def _during_task(variations: list[dict[str, Any]], channel: str | None) -> set[bool]:
    return {bool(each.get("during_task")) for each in variations if each.get("channel") == channel}


def test_every_language_has_the_same_labels() -> None:
    first, *others = languages()
    for language in others:
        assert sources.labels(language).keys() == sources.labels(first).keys()


def test_every_response_is_said_by_a_rule_or_by_an_action() -> None:
    in_rules = {step["action"] for step in rule_steps() if "action" in step}
    patterns = list(said_in_python())
    asked = {f"utter_ask_{form}_{slot}" for form, slots in _form_slots().items() for slot in slots}
    asked |= {f"utter_ask_{slot}" for slots in _form_slots().values() for slot in slots}
    used = in_rules | asked | set(SAID_BY_RASA)
    unused = [k for k in responses("en") if k not in used and not any(said.fits(k) for said in patterns)]
    assert not unused


def test_every_action_in_a_rule_is_in_the_domain() -> None:
    known = _domain_actions() | set(responses("en")) | set(_form_slots()) | {"action_listen"}  # Rasa's own, which says nothing
    assert {step["action"] for step in rule_steps() if "action" in step} <= known


def test_every_form_slot_has_a_question() -> None:
    for form, slots in _form_slots().items():
        steps = _steps(form)
        unasked = [slot for slot in slots if not rasa_asks(form, slot) and type(steps[slot]).ask is Step.ask]
        allowed = {"order_number", "problem"} if form == "dispute_points_form" else set()  # settled by looking, never asked
        assert set(unasked) <= allowed, form


def test_a_form_has_the_steps_that_the_domain_lists_in_that_order() -> None:
    for form, slots in _form_slots().items():
        assert list(_steps(form)) == slots, form


def test_every_variable_of_a_response_in_a_rule_is_a_slot() -> None:
    slots = set(read("domain.yml")["slots"])
    in_rules = {step["action"] for step in rule_steps() if "action" in step}
    for key, value in responses("en").items():
        if key in in_rules or key.startswith("utter_ask_"):
            assert variables(value) <= slots, key


def test_every_intent_of_the_domain_is_handled_by_a_rule_and_the_other_way_round() -> None:
    handled = {step["intent"] for step in rule_steps() if "intent" in step} - {"nlu_fallback"}
    assert handled == set(read("domain.yml")["intents"])


def test_only_intents_that_channels_send_have_no_examples() -> None:
    from tendero.rasa_jobs.validate import sent_by_channels

    taught = {each["intent"] for file in sorted((sources.ROOT / "data/nlu/en").glob("*.yml")) for each in read(str(file))["nlu"]}
    assert set(read("domain.yml")["intents"]) - taught == sent_by_channels(sources.ROOT / "config.yml")


def test_every_refusal_of_the_policies_has_words() -> None:
    from actions.shop import policies

    keys = responses("en")
    reasons = {key.split(".", 1)[1] for key in policies().reason_keys()}
    silent = {"identify_first", "prove_first", "begun_long_ago"}  # answered by asking who it is; nothing is offered
    agents_only = {key.split(".", 1)[1] for key in policies().reason_keys() if key.startswith("agent_powers.")}
    worded = {reason for reason in reasons if any(k.endswith(f"_{reason}") and k.startswith("utter_refused") for k in keys)}
    assert reasons - worded - silent - agents_only == set()


def test_the_assistant_makes_no_exceptions() -> None:
    """`agent_powers` needs no answer for shoppers as long as no action asks it: its rules are met in tests/desk/acts."""
    asking = [file.name for file in sorted((sources.ROOT / "actions").glob("*.py")) if "powers" in file.read_text().lower()]
    assert asking == []


def test_every_nearest_thing_of_the_policies_is_known_to_the_actions() -> None:
    from actions.closing import NEAREST, SAID_IN_THE_REFUSAL
    from actions.shop import policies

    assert set(policies().nearest_keys()) <= {*NEAREST, *SAID_IN_THE_REFUSAL, "agent"}


def _form_slots() -> dict[str, list[str]]:
    return {form: list(content["required_slots"]) for form, content in read("domain.yml")["forms"].items()}


def _steps(form: str) -> dict[str, Step]:
    action = _registered()[f"validate_{form}"]()
    assert isinstance(action, TaskForm)
    return {step.slot: step for step in action.steps}


@pytest.mark.parametrize("language", languages())
def test_no_answer_asks_for_a_word_that_ends_the_shops_news(language: str) -> None:
    """On WhatsApp STOP as a whole message is a withdrawn consent: who is to leave a task must not be told to write it."""
    asked = [word for variations in responses(language).values() for each in variations for word in QUOTED.findall(each["text"])]
    assert len(asked) > 5
    assert [word for word in [*asked, *labels(language).values()] if wish_in(str(word)) == "stop"] == []
