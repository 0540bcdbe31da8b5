"""Examples are joined as Rasa joins them, and not copied."""

from __future__ import annotations

from copy import copy

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.nlu.constants import ACTION_NAME, ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from tendero.rasa_jobs.examples import join_without_copies
from tendero.rasa_jobs.train import domain_as_yaml

RASAS = copy(TrainingData.merge)
RASAS_SANITIZE = TrainingData.sanitize_examples


@pytest.fixture(autouse=True)
def only_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TrainingData, "merge", TrainingData.merge)
    monkeypatch.setattr(TrainingData, "sanitize_examples", staticmethod(TrainingData.sanitize_examples))
    join_without_copies()


def some(*texts: str, **more: object) -> TrainingData:
    return TrainingData([Message({TEXT: text, INTENT: "greet"}) for text in texts], **more)


ORDERS = some("hello", "hi", entity_synonyms={"hei": "hi"}, regex_features=[{"name": "n", "pattern": "1"}])
RETURNS = some("hello", "good day", entity_synonyms={"dag": "good day"}, lookup_tables=[{"name": "t", "elements": ["a"]}])
ANSWERS = TrainingData(responses={"ask_faq/parking": [{"text": "Yes."}]})


@pytest.mark.parametrize("others", [(), (None,), (RETURNS,), (TrainingData(), RETURNS), (RETURNS, ANSWERS), (ANSWERS, RETURNS)])
@pytest.mark.parametrize("first", [ORDERS, TrainingData()])
def test_what_comes_out_is_what_rasa_makes(first: TrainingData, others: tuple[TrainingData | None, ...]) -> None:
    ours, rasas = first.merge(*others), RASAS(first, *others)
    assert [each.data for each in ours.training_examples] == [each.data for each in rasas.training_examples]
    assert ours.fingerprint() == rasas.fingerprint()


def test_what_is_there_twice_is_kept_once_as_in_rasa() -> None:
    data = [
        {TEXT: "hi", INTENT: " greet "},
        {TEXT: "hi", INTENT: "greet"},
        {TEXT: "hi", INTENT: "bye"},
        {TEXT: "ho", INTENT: "greet"},
    ]
    data += [{TEXT: "hi", INTENT: "greet", ENTITIES: [{"entity": "n", "value": 1}]}, {ACTION_NAME: "a"}, {ACTION_NAME: "a"}]
    ours, rasas = (
        [each.data for each in sanitize([Message(dict(each)) for each in data])]
        for sanitize in (TrainingData.sanitize_examples, RASAS_SANITIZE)
    )
    assert ours == rasas
    assert len(ours) == 5


def test_examples_of_which_no_text_is_there_twice_need_no_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Message, "fingerprint", lambda _: pytest.fail("a fingerprint was worked out"))
    assert len(some("hello", "hi").merge(some("hei")).training_examples) == 3


def test_an_example_is_joined_as_it_is() -> None:
    assert ORDERS.merge(RETURNS).training_examples[0] is ORDERS.training_examples[0]


@pytest.mark.parametrize("other", [RETURNS, ANSWERS])
def test_what_is_joined_stays_as_it_was(other: TrainingData) -> None:
    before = ORDERS.fingerprint()
    ORDERS.merge(other).training_examples.clear()
    assert ORDERS.fingerprint() == before


def test_what_was_looked_through_is_not_looked_through_again(monkeypatch: pytest.MonkeyPatch) -> None:
    known = some("hello", "hi")
    monkeypatch.setattr("tendero.rasa_jobs.examples.Counter", lambda _: pytest.fail("it was looked through"))
    assert len(known.merge(ANSWERS).training_examples) == 2


def test_a_domain_is_written_so_that_rasa_reads_the_same() -> None:
    domain = Domain.load("domain.yml")
    assert Domain.from_yaml(domain_as_yaml(domain)).as_dict() == domain.as_dict()
