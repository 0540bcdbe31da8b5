"""Stand-ins: whatever tells who a shopper is gets the demo's in its place, and the rest of the message stays."""

from __future__ import annotations

import pytest

from tendero.examples import examples_of
from tendero.review.personal import NAME, Names, StandIns, Vocabulary

CUSTOMERS = Names(frozenset({"maria lopez"}), frozenset({"maria", "lopez", "ramon"}), {"web-1": frozenset({"lucia"})})


@pytest.fixture(scope="module")
def stand_ins() -> StandIns:
    """With the words of this project's examples."""
    return StandIns(CUSTOMERS, Vocabulary.of((each.text for each in examples_of()), ["Dyson hair dryer"]))


REPLACED = {
    "where is 10388": "where is 10234",
    "not 10388, it's 10243, sorry 10388": "not 10234, it's 10235, sorry 10234",
    "order #10-388 pls": "order #10234 pls",
    "RMA-24455 and CLM 30999": "RMA-20001 and CLM-30001",
    "track US99887766554": "track US00123456789GB",
    "the code is 918273": "the code is 123456",
    "write to Ana.Lopez+x@gmail.com": "write to ana@example.com",
    "soy ana punto lopez arroba gmail punto com": "soy ana@example.com",
    "llámame al 55 1234 5678": "llámame al +525555010001",
    "mi cliente es C-77001": "mi cliente es C-12345",
    "my iban is NO93 8601 1117 947": "my iban is NO12 3456 7890 123",
    "born 04.07.1991": "born 12.34.5678",
    "me llamo Ana María López quiero cambiar": "me llamo Ana quiero cambiar",
    "my name is john smith and I want a refund": "my name is Ana and I want a refund",
    "soy pepito grillo y quiero devolver": "soy Ana y quiero devolver",
    "jeg heter Bjørnar Moe og venter": "jeg heter Ana og venter",
    "aqui é a Cidinha de novo": "aqui é a Ana de novo",
    "where is it? Regards Bob": "where is it? Regards Ana",
    "hola, maria lopez otra vez": "hola, Ana otra vez",
    "un regalo para mi tío Ramón": "un regalo para mi tío Ana",  # a customer is called so
    "a present for Zebedee": "a present for Ana",  # nobody knows the word
    "cambia la dirección a calle Luna 5, 3B, 28013 Madrid": "cambia la dirección a calle Mayor 1",
    "send it to 12 Baker Street, London": "send it to 1 Main Street",
    "lever til Bjørnstjernegata 14b, 0550 Oslo": "lever til Storgata 1",
    "muda para rua das Acácias 45, Recife": "muda para rua Mayor 1",
    "see https://shop.example/o/18382?k=abc": "see https://example.com",
    "i'm @juan_p there": "i'm @ana there",
}
KEPT = [
    "soy cliente nuevo",
    "my name is spelt wrong on the parcel",
    "I'm waiting for my order",
    "this is the third time",
    "gracias por todo",
    "shoes under 80 euros, size 38",
    "quiero canjear 1500 puntos",
    "it came on Tuesday",
    "is the Dyson still there",  # the shop sells it
    "Where Is My Order Please",
    "it is URGENTISSIMO",
]


@pytest.mark.parametrize("text", REPLACED)
def test_who_somebody_is_is_replaced(text: str, stand_ins: StandIns) -> None:
    assert stand_ins.put_in(text).text == REPLACED[text]


@pytest.mark.parametrize("text", REPLACED)
def test_stand_ins_stay_what_they_are(text: str, stand_ins: StandIns) -> None:
    assert stand_ins.put_in(REPLACED[text]).text == REPLACED[text]


@pytest.mark.parametrize("text", KEPT)
def test_what_tells_nothing_of_anybody_stays(text: str, stand_ins: StandIns) -> None:
    assert stand_ins.put_in(text).text == text


def test_a_customers_name_is_theirs_only_in_their_conversation(stand_ins: StandIns) -> None:
    assert stand_ins.put_in("pone lucia en la caja", "web-1").text == "pone Ana en la caja"
    assert stand_ins.put_in("pone lucia en la caja", "web-2").text == "pone lucia en la caja"


def test_secret_is_known_also_where_it_was_masked_before(stand_ins: StandIns) -> None:
    assert stand_ins.put_in("my card is 4111 1111 1111 1111").had_secret
    assert stand_ins.put_in("my card is [card]").had_secret
    assert not stand_ins.put_in("my card is lost").had_secret


def test_of_a_bare_number_nothing_is_said(stand_ins: StandIns) -> None:
    assert not stand_ins.put_in("10388, ana@gmail.com!").says_something
    assert stand_ins.put_in("10388 cancel").says_something


def test_ordinary_examples_seldom_get_a_name_that_they_had_not(stand_ins: StandIns) -> None:
    texts = [each.text for each in examples_of() if each.language in ("es", "en")][::9]
    changed = [text for text in texts if stand_ins.put_in(text).text.count(NAME) > text.count(NAME)]
    assert len(changed) / len(texts) < 0.01
