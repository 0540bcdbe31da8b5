"""A catalogue of any size that might be somebody's, and what shoppers would write of it; the same for the same seed.

A name is a kind of thing, its line, a material and a colour in one of four languages: "Camisa Torvala de lino azul". Lines and
brands are made of syllables: several products of a brand share a line and differ by material or colour.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from sqlalchemy.orm import Session

from commerce.catalog import Vocabulary
from commerce.models import Category, Location, Product, Variant

# Per language: kinds of things by category, materials, colours, how the parts are put together, and what is said around a name.
KINDS = {
    "es": {
        "shirts": ["camisa", "camiseta", "blusa"],
        "shoes": ["zapatillas", "botas", "sandalias"],
        "home": ["lámpara", "taza", "cortina"],
    },
    "en": {
        "shirts": ["shirt", "sweatshirt", "blouse"],
        "shoes": ["sneakers", "boots", "sandals"],
        "home": ["lamp", "mug", "curtain"],
    },
    "pt": {
        "shirts": ["camisa", "camiseta", "blusa"],
        "shoes": ["tênis", "botas", "sandálias"],
        "home": ["luminária", "caneca", "cortina"],
    },
    "nb": {
        "shirts": ["skjorte", "genser", "bluse"],
        "shoes": ["joggesko", "støvler", "sandaler"],
        "home": ["lampe", "krus", "gardin"],
    },
}
MATERIALS = {
    "es": ["lino", "algodón", "lana", "cuero", "bambú", "cáñamo"],
    "en": ["linen", "cotton", "wool", "leather", "bamboo", "hemp"],
    "pt": ["linho", "algodão", "lã", "couro", "bambu", "cânhamo"],
    "nb": ["lin", "bomull", "ull", "skinn", "bambus", "hamp"],
}
COLORS = {
    "blue": {"es": "azul", "en": "blue", "pt": "azul", "nb": "blå"},
    "black": {"es": "negro", "en": "black", "pt": "preto", "nb": "svart"},
    "white": {"es": "blanco", "en": "white", "pt": "branco", "nb": "hvit"},
    "green": {"es": "verde", "en": "green", "pt": "verde", "nb": "grønn"},
    "red": {"es": "rojo", "en": "red", "pt": "vermelho", "nb": "rød"},
}
PATTERNS = {
    "es": "{kind} {line} de {material} {color}",
    "en": "{color} {line} {material} {kind}",
    "pt": "{kind} {line} de {material} {color}",
    "nb": "{color} {line} {kind} i {material}",
}
AROUND = {
    "es": ["busco {}", "¿tienen {}?", "quiero devolver {} del pedido 10234", "hola, ¿cuánto cuesta {}?", "me llegó rota {}"],
    "en": ["do you have {}?", "i want to return {} from order 10234", "how much is {}", "my {} arrived broken", "looking for {}"],
    "pt": ["vocês têm {}?", "quero devolver {} do pedido 10234", "quanto custa {}?", "oi, procuro {}", "chegou com defeito {}"],
    "nb": [
        "har dere {}?",
        "jeg vil returnere {} fra bestilling 10234",
        "hva koster {}",
        "jeg leter etter {}",
        "jeg fikk feil {}",
    ],
}
LANGUAGES = tuple(KINDS)
CONSONANTS, VOWELS, ENDS = "bdfgklmnprstv", "aeiou", ["n", "r", "s", "l", "x", "", "", ""]
STORES = {"oslo": ("Torvet Oslo Grünerløkka", "Oslo"), "sevilla": ("Torvet Sevilla Triana", "Sevilla")}
SIZES = ("S", "M", "L", "40", "41", "32x34")


@dataclass(frozen=True)
class MadeProduct:
    handle: str
    language: str
    category: str
    brand: str
    parts: dict[str, str]  # kind, line, material, color
    color: str

    @property
    def name(self) -> str:
        name = PATTERNS[self.language].format(**self.parts)
        return name[0].upper() + name[1:]


@dataclass(frozen=True)
class Asked:
    """text: a message. product: whose name is in it, written in some way. typos: in that name."""

    text: str
    product: MadeProduct
    typos: int


def made_products(count: int, seed: int = 1) -> list[MadeProduct]:
    """`count` products, each with another name."""
    random = Random(seed)
    brands = _made_words(random, max(count // 200, 3))
    lines = {line: random.choice(brands) for line in _made_words(random, max(count // 8, 4), set(brands))}
    found: dict[str, MadeProduct] = {}
    while len(found) < count:
        for line, brand in lines.items():
            product = _made_product(random, len(found), line, brand)
            if len(found) < count:
                found.setdefault(product.name, product)
    return list(found.values())


def _made_product(random: Random, number: int, line: str, brand: str) -> MadeProduct:
    language = random.choice(LANGUAGES)
    category = random.choice(list(KINDS[language]))
    color = random.choice(list(COLORS))
    parts = {
        "kind": random.choice(KINDS[language][category]),
        "line": line.capitalize(),
        "material": random.choice(MATERIALS[language]),
        "color": COLORS[color][language],
    }
    return MadeProduct(f"product-{number}", language, category, brand.capitalize(), parts, color)


def _made_words(random: Random, count: int, but: set[str] | frozenset[str] = frozenset()) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        syllables = (
            random.choice(CONSONANTS) + random.choice(VOWELS) + random.choice(ENDS) for _ in range(random.choice((3, 3, 4)))
        )
        word = "".join(syllables)
        if word not in but:
            found[word] = None
    return list(found)


def vocabulary_of(products: list[MadeProduct]) -> Vocabulary:
    return Vocabulary(
        products={each.handle: {each.language: each.name} for each in products},
        brand_of={each.handle: each.brand for each in products},
        categories={category: {} for category in KINDS["en"]},
        brands=tuple(sorted({each.brand for each in products})),
        options={"color": tuple(COLORS), "size": SIZES},
        stores={code: name for code, (name, _) in STORES.items()},
        cities=tuple(city for _, city in STORES.values()),
        skus=tuple(_sku(each, size) for number, each in enumerate(products, start=1) for size in _sizes(number)),
        sizes_of={each.handle: frozenset(_sizes(number)) for number, each in enumerate(products, start=1)},
        category_of={each.handle: each.category for each in products},
    )


def _sku(product: MadeProduct, size: str) -> str:
    """ "SHI-00042-BLU-M"."""
    number = product.handle.rpartition("-")[2]
    return f"{product.category[:3]}-{number:0>5}-{product.color[:3]}-{size}".upper()


def _sizes(number: int) -> tuple[str, ...]:
    return SIZES[number % 2 :: 3]


def store(session: Session, products: list[MadeProduct]) -> None:
    """The products as rows of a shop that has no others, each in two sizes."""
    categories = {slug: number for number, slug in enumerate(KINDS["en"], start=1)}
    _insert(session, Category, [{"id": number, "slug": slug, "names": {}} for slug, number in categories.items()])
    located = [{"code": code, "kind": "store", "name": name, "city": city} for code, (name, city) in STORES.items()]
    _insert(session, Location, [{**each, "address": "", "country": "NO"} for each in located])
    rows = [
        {
            "id": number,
            "handle": each.handle,
            "category_id": categories[each.category],
            "brand": each.brand,
            "names": {each.language: each.name},
        }
        for number, each in enumerate(products, start=1)
    ]
    _insert(session, Product, rows)
    variants = (
        {"product_id": number, "sku": _sku(each, size), "options": {"color": each.color, "size": size}}
        for number, each in enumerate(products, start=1)
        for size in _sizes(number)
    )
    _insert(session, Variant, list(variants))


def _insert(session: Session, model: Any, rows: list[dict[str, Any]]) -> None:
    session.execute(model.__table__.insert(), rows)


def asked(products: list[MadeProduct], count: int, seed: int = 2) -> Iterator[Asked]:
    """Messages about products: whole names, parts of them, in another order, with and without a typo."""
    random = Random(seed)
    for _ in range(count):
        product = random.choice(products)
        said = _said_of(random, product)
        typos = random.choice((0, 0, 1))
        for _ in range(typos):
            said = misspelt(random, said)
        yield Asked(random.choice(AROUND[product.language]).format(said.lower()), product, typos)


def _said_of(random: Random, product: MadeProduct) -> str:
    kind, line, material, color = (product.parts[part] for part in ("kind", "line", "material", "color"))
    shuffled = [kind, line, material, color]
    random.shuffle(shuffled)
    ways = [product.name, product.name, f"{kind} {line} {color}", f"{line} {kind} {material}", " ".join(shuffled)]
    return random.choice([*ways, f"{kind} {product.brand} {line} {material} {color}"])


def misspelt(random: Random, text: str) -> str:
    """With one typo as on a phone in one of the long words: two letters swapped, one missing, twice there, or another."""
    words = text.split()
    place = random.choice([number for number, word in enumerate(words) if len(word) > 4])
    word, at = words[place], random.randrange(1, len(words[place]) - 1)
    another = random.choice("abcdefghijklmnopqrstuvwxyz")
    words[place] = random.choice(
        [
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + another + word[at + 1 :],
        ]
    )
    return " ".join(words)
