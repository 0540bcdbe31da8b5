"""The names of a catalogue in messages: the demo's, a made one of 50,000, and a shop whose words designers do not know."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from bench.nlu.made_catalogue import asked, made_products, vocabulary_of
from commerce import catalog
from commerce.catalog import Vocabulary
from commerce.names.index import NameIndex
from commerce.names.mentions import Mention
from commerce.names.spelling import Spelling
from commerce.names.words import Words
from tests.commerce.catalogue_words import learnt_words

ODD_SHOP = Vocabulary(
    products={
        "kayak-river": {"en": "River Kayak Torrent", "es": "Kayak de río Torrente"},
        "kayak-sea": {"en": "Sea Kayak Meridian", "es": "Kayak de mar Meridiano"},
        "paddle-carbon": {"en": "Carbon Paddle Meridian", "es": "Remo de carbono Meridiano"},
        "home-rack": {"en": "Rack", "es": "Soporte"},
        "cap": {"en": "Tights", "es": "Mallas"},
    },
    brand_of={"kayak-river": "Wildwater", "kayak-sea": "Norte", "paddle-carbon": "Fin & Feather", "home-rack": "Norte"},
    categories={"boats": {"en": "Kayaks", "es": "Kayaks"}, "home": {"en": "Home", "es": "Casa"}},
    brands=("Fin & Feather", "Norte", "Wildwater"),
    options={"color": ("blue", "terracotta"), "size": ("10.5", "32x34", "M", "One Size")},
    stores={"bergen": "Paddlers Bryggen", "oslo": "Paddlers Aker Brygge"},
    cities=("Bergen", "Oslo"),
)
WORDS = Words.of(
    {
        "said": [
            ("color", "blue", "azul"),
            ("color", "blue", "blue"),
            ("category", "home", "for the home"),
            ("color", "red", "rojo"),
        ],
        "ordinary": ["norte", "home", "casa", "rack"],
        "elsewhere": ["order", "river"],
        "known": ["order", "terracota"],
        "joining": ["de", "del", "the", "for", "of", "i"],
        "separating": ["y", "and"],
        "brand": ["brand", "marca"],
        "size": ["size", "talla"],
    }
)


@pytest.fixture(scope="module")
def odd() -> NameIndex:
    return NameIndex(ODD_SHOP, WORDS)


@pytest.fixture
def ours(demo: Session) -> NameIndex:
    return NameIndex(catalog.vocabulary(demo), learnt_words())


def found(index: NameIndex, text: str, *kinds: str) -> set[tuple[str, str]]:
    return {(each.kind, each.value) for each in index.find(text) if not kinds or each.kind in kinds}


def only(mentions: list[Mention], kind: str) -> Mention:
    (mention,) = [each for each in mentions if each.kind == kind]
    return mention


# Every kind of name


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("is the sea kayak meridian in stock", "product", "kayak-sea"),
        ("anything by wildwater?", "brand", "Wildwater"),
        ("which kayaks are there", "category", "boats"),
        ("do you have it in terracotta", "color", "terracotta"),
        ("I need one size", "size", "One Size"),
        ("size 10.5 please", "size", "10.5"),
        ("un pantalon 32x34", "size", "32x34"),
        ("the shop in bergen", "city", "Bergen"),
        ("paddlers bryggen", "store", "bergen"),
        ("the store at aker brygge", "store", "oslo"),
    ],
)
def test_each_kind_of_name_is_found(odd: NameIndex, text: str, kind: str, value: str) -> None:
    assert found(odd, text, kind) == {(kind, value)}


def test_what_a_shop_does_not_have_is_not_found(odd: NameIndex) -> None:
    assert found(odd, "rojo") == set()
    assert found(odd, "in oxford green, in madrid, by nike") == set()


def test_place_in_the_text_and_the_catalogues_own_name_are_told(odd: NameIndex) -> None:
    text = "¿Tienen el KAYAK de mar, meridiano?"
    mention = only(odd.find("quiero el KAYAK de mar"), "product")
    assert (mention.name, mention.start, mention.end) == ("Kayak de mar Meridiano", 10, 22)
    assert text[slice(*_span(odd.find(text), "category"))] == "KAYAK"


def _span(mentions: list[Mention], kind: str) -> tuple[int, int]:
    mention = only(mentions, kind)
    return mention.start, mention.end


def test_place_that_is_something_else_is_left_alone(odd: NameIndex) -> None:
    text = "wildwater@example.com"
    assert odd.find(text) != []
    assert odd.find(text, [(0, len(text))]) == []


# Ordinary words


def test_ordinary_word_is_a_brand_only_beside_what_the_brand_sells(odd: NameIndex) -> None:
    assert found(odd, "envían al polo norte?", "brand") == set()
    assert found(odd, "carbon paddle norte", "brand") == set()  # another brand's
    assert found(odd, "sea kayak norte", "brand") == {("brand", "Norte")}
    assert found(odd, "algo de la marca norte", "brand") == {("brand", "Norte")}


def test_where_designers_say_how_a_kind_of_thing_is_called_its_own_name_does_not_count(odd: NameIndex) -> None:
    assert found(odd, "deliver it to my home, a mi casa") == set()


def test_ordinary_word_alone_is_no_product(odd: NameIndex) -> None:
    assert found(odd, "we went to the river") == set()
    assert found(odd, "river kayak", "product") == {("product", "kayak-river")}


def test_letter_alone_is_no_size(odd: NameIndex) -> None:
    assert found(odd, "i am 10.5 m tall") == set()
    assert found(odd, "talla m") == {("size", "M")}


def test_short_word_in_the_singular_is_another_word(odd: NameIndex) -> None:
    assert found(odd, "it is too tight") == set()
    assert found(odd, "black tights", "product") == {("product", "cap")}


# Typos


def test_misspelt_names_are_found(odd: NameIndex) -> None:
    assert found(odd, "sea kayka meridan", "product") == {("product", "kayak-sea")}
    assert found(odd, "wildwatter", "brand") == {("brand", "Wildwater")}
    assert found(odd, "terracota", "color") == set()  # a word that people do write
    assert found(odd, "azull kayak", "color") == {("color", "blue")}
    assert only(odd.find("wildwatter"), "brand").likeness < 1


def test_word_of_its_own_is_a_misspelling_only_beside_a_sure_name() -> None:
    spelling = Spelling(["playera", "camisa", "mochila", "zapatos"], frozenset({"mochita"}))
    assert (dict(spelling.read("player").alike), spelling.read("player").is_sure) == (
        {"playera": pytest.approx(0.857, abs=0.01)},
        False,
    )
    assert spelling.read("camiza").is_sure  # sounds the same
    assert spelling.read("cmaisa").is_sure  # two letters in each other's place
    assert spelling.read("mochila").is_sure
    assert dict(spelling.read("mochita").alike) == {}  # known as another word
    assert dict(spelling.read("cam").alike) == {}


# Several that fit


def test_runners_up_are_told_where_several_fit_about_as_well(odd: NameIndex) -> None:
    mention = only(odd.find("the meridian"), "product")
    assert [each.value for each in mention.candidates] == ["kayak-sea", "paddle-carbon"]
    assert mention.value == "kayak-sea"
    assert all(each.name and 0.5 <= each.likeness <= 1 for each in mention.candidates)


def test_one_that_fits_best_has_no_runners_up(odd: NameIndex) -> None:
    assert only(odd.find("meridian paddle"), "product").candidates == ()


def test_two_products_in_a_message_are_both_found(odd: NameIndex) -> None:
    assert found(odd, "sea kayak and carbon paddle", "product") == {("product", "kayak-sea"), ("product", "paddle-carbon")}
    assert found(odd, "river kayak torrent, carbon paddle", "product") == {
        ("product", "kayak-river"),
        ("product", "paddle-carbon"),
    }


# The demo shop, as people write in four languages


@pytest.mark.parametrize(
    ("text", "product"),
    [
        ("busco una camiza oxfor azul", "oxford-shirt"),
        ("la lampara de mesa llegó rota", "table-lamp"),
        ("BOTAS DE PIEL café", "leather-boots"),
        ("un vestido verde de verano", "summer-dress"),
        ("looking for oxfrod shirts", "oxford-shirt"),
        ("my runing shoes", "running-shoes"),
        ("set of mugs", "mug-set"),
        ("vocês têm luminária de mesa", "table-lamp"),
        ("uma bolsa marrom de couro", "leather-bag"),
        ("tênis de corida", "running-shoes"),
        ("har dere oxfordskjorta", "oxford-shirt"),
        ("kordfløyelsbukser i brunt", "corduroy-trousers"),
        ("løpeskoene jeg kjøpte", "running-shoes"),
    ],
)
def test_product_is_found_in_four_languages(ours: NameIndex, text: str, product: str) -> None:
    assert found(ours, text, "product") == {("product", product)}


ORDINARY = """
    ¿dónde está mi pedido 10234?|quiero cancelar mi pedido|mi paquete sigue en ruta|¿envían al polo norte?|la talla|buenas noches
    cuántos puntos tengo|me mudé a la calle Norte 15|no estoy en casa por la mañana|el mensajero no vino ayer
    quiero hablar con una persona
    se me olvidó la contraseña|por qué me cobraron dos veces|ya pasaron tres días y nada|estoy de viaje hasta el domingo
    el punto de entrega está cerrado|no me gusta cómo me atienden|cuándo me devuelven el dinero|está clara tu respuesta, gracias
    me equivoqué de dirección|hace mucho sol|qué brisa tan rica|vivo en la sierra|es para una boda
    where is my order 10236|i want my money back|the courier never showed up|what time do you open
    a bag full of problems with you people
    i will be home on sunday|it rained all night|can i pay in cash|nobody answers the phone|my account is locked|are you a robot
    the route changed|i moved to another city|please call me tomorrow morning|how do i use my points|the box was empty
    this is taking forever|i have been waiting in line|i changed my mind|that is clear, thanks|the light in the hall went out
    cadê meu pedido|quero cancelar a compra|a rota do entregador mudou|não estou em casa durante o dia|boa noite, tudo bem?
    esqueci a minha senha|quero falar com um atendente|quantos pontos eu tenho|vou viajar na semana que vem|o prazo já passou
    me cobraram duas vezes|mudei de cidade|choveu a noite toda|obrigado pela ajuda|moro na serra
    hvor er pakken min|jeg vil avbestille|når åpner dere|jeg er ikke hjemme før i kveld|det regnet hele natten
    kan jeg få pengene tilbake
    jeg vil snakke med et menneske|jeg har flyttet til en annen by|ruten stemmer ikke|takk for hjelpen|jeg har glemt passordet
    hvor mange poeng har jeg|kortet mitt ble avvist|jeg drar på tur i morgen|det er for sent
"""
SENTENCES = [each.strip() for line in ORDINARY.strip().splitlines() for each in line.split("|")]


def test_there_are_enough_ordinary_sentences() -> None:
    assert len(SENTENCES) >= 60


@pytest.mark.parametrize("text", SENTENCES)
def test_nothing_is_found_in_an_ordinary_sentence(ours: NameIndex, text: str) -> None:
    said_by_patterns = {"category"}  # "polo", "bag": what designers list is theirs to find
    assert found(ours, text) - {each for each in found(ours, text) if each[0] in said_by_patterns and _is_listed(text)} == set()


def _is_listed(text: str) -> bool:
    return any(word in text.split() for word in ("polo", "bag"))


# 50,000 names


@pytest.fixture(scope="module")
def large() -> NameIndex:
    return NameIndex(vocabulary_of(made_products(50_000)), WORDS)


def test_among_50_000_names_the_one_that_is_meant_is_found(large: NameIndex) -> None:
    products = made_products(50_000)
    assert len({each.name for each in products}) == 50_000
    messages = list(asked(products, 400, seed=7))
    right, offered = 0, 0
    for each in messages:
        mentions = [mention for mention in large.find(each.text) if mention.kind == "product"]
        right += bool(mentions) and mentions[0].value == each.product.handle
        offered += each.product.handle in {one.value for mention in mentions for one in (mention, *mention.candidates)}
    assert right >= 0.96 * len(messages)
    assert offered >= 0.99 * len(messages)


def test_among_50_000_names_a_kind_of_thing_is_no_product(large: NameIndex) -> None:
    for text in ("camisa azul", "do you have boots", "skjorter", "algo de lino", "red leather sneakers", "genser i ull"):
        assert found(large, text, "product") == set(), text
