"""An address as somebody types it in one line: street and number, postcode, city, and perhaps more."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

from babel import Locale

CEP = r"\d{5}-?\d{3}|\d{2}\.\d{3}-\d{3}"  # a Brazilian postcode; many type it without its dash
POSTCODE = re.compile(rf"\b({CEP}|\d{{5}}(?:-\d{{4}})?|\d{{4}})\b")
POSTCODE_NAME = re.compile(r"\b(?:cep|c\.? ?p|zip(?: code)?|postnr|postnummer)\b[\s.:]*(?=\d)", re.IGNORECASE)  # "CEP: 01001-000"
IN_ONE_BREATH = re.compile(
    rf"(?P<line1>.*\D\d+(?:\w|\s[A-Z])?)\s+(?P<rest>(?:{CEP}|\d{{4,5}})\s+\D+)$"  # "Calle Luna 12 06700 Ciudad de México"
    rf"|(?P<street>.*\D\d{{1,4}}\w?)\s+(?P<place>[^\d\s]\D*\s(?:{CEP}))$"  # "Rua das Flores 12 São Paulo SP 01001-000"
)
BETWEEN = re.compile(r"[,;\n]|\s[-–—]\s|(?<=\w\w)\s?/\s?(?=[A-Z]{2}\b)")  # "Rua das Flores, 12 - Centro, São Paulo/SP"
REGION = re.compile(r"[A-Z]{2,3}|[a-z]{2}")  # "MA" of "Boston, MA 02139"
CITY_AND_REGION = re.compile(r"(?P<city>.*[^\W\dA-Z])\s+(?P<region>[A-Z]{2})")  # "São Paulo SP"
OWN_NUMBER = re.compile(  # a house's number that stands for itself: "nº 12", "12 apto 5"
    r"(?P<number>(?:n[º°o]?\.?|n[uú]mero|#)?\s?[1-9]\d{0,4}\s?[a-z]?)"
    r"(?:\s+(?P<more>(?:ap|apto|apt|apartamento|bl|bloco|casa|sala|fundos)\b.*))?",
    re.IGNORECASE,
)
LONG_NUMBER = re.compile(r"\d{5}")
EIGHT_DIGITS = re.compile(r"\d{8}")
BESIDE_A_CITY = re.compile(r"\d{4,5}\s+[^\W\d]")
HOUSE_NUMBER = re.compile(r"(?<![\w-])\d{1,4}[A-Za-z]?(?![\w-])")


def address_said(text: str, locale: Locale, lead_ins: str) -> dict[str, str] | None:
    """The address in a message, without the words that ask for it: "send it to 12 Oak Street, 02139 Boston".

    lead_ins: what may come right before an address, separated by |; # stands for an order's number.
    """
    begun = [match.end() for match in _lead_in(lead_ins).finditer(_folded(text))]
    found = (parse_address(text[begin:].strip(" :,.;-"), locale) for begin in reversed(begun))
    return next((address for address in found if address is not None), None) or parse_address(text, locale)


def postcode_in(text: str, locale: Locale, lead_ins: str) -> str | None:
    """The postcode of the address that a message holds; None where it holds none with a house's number."""
    address = address_said(text, locale, lead_ins)
    return address["postcode"] if address is not None and HOUSE_NUMBER.search(address["line1"]) else None


def with_house_number(address: Mapping[str, str], text: str) -> dict[str, str] | None:
    """The same address with the number that a correction names ("it's 223, not 222"); None where it names none or no other."""
    last = next(reversed(list(HOUSE_NUMBER.finditer(address.get("line1", "")))), None)
    named = [number for number in HOUSE_NUMBER.findall(text) if last is not None and number.lower() != last[0].lower()]
    if last is None or len(named) != 1:
        return None
    line1 = address["line1"]
    return {**address, "line1": f"{line1[: last.start()]}{named[0]}{line1[last.end() :]}"}


def with_postcode(address: Mapping[str, str], text: str) -> dict[str, str] | None:
    """The same address with the postcode that a correction names; None where it names none or no other."""
    named = [code for code in map(_written, POSTCODE.findall(text)) if code != address["postcode"]]
    return {**address, "postcode": named[0]} if len(named) == 1 else None


@lru_cache(maxsize=8)
def _lead_in(lead_ins: str) -> re.Pattern[str]:
    phrases = sorted((_folded(phrase.strip()) for phrase in lead_ins.split("|")), key=len, reverse=True)
    return re.compile("|".join(rf"\b{re.escape(each)}(?=[\s:,])".replace(r"\b\#", r"\b\d{5}") for each in phrases))


def _folded(text: str) -> str:
    """In small letters without accents, of the same length."""
    return "".join(unicodedata.normalize("NFKD", sign)[0] for sign in text.lower().replace("ø", "o"))


def parse_address(text: str, locale: Locale) -> dict[str, str] | None:
    """line1, line2, city, region, postcode, and country where one is named; None where street, postcode or city is missing."""
    pieces = _with_house_number_beside(_pieces(text))
    if len(pieces) == 1 and (match := IN_ONE_BREATH.match(pieces[0])):
        pieces = [each.strip() for each in (match["line1"] or match["street"], match["rest"] or match["place"])]
    country = country_code(pieces[-1], locale) if len(pieces) > 2 else None
    street, rest = pieces[0] if pieces else "", pieces[1:-1] if country else pieces[1:]
    found = _with_postcode(rest)
    if found is None or not any(sign.isalpha() for sign in street):
        return None
    place, postcode = found
    before, after = rest[:place], rest[place + 1 :]
    city, region = _city(POSTCODE.sub("", rest[place]).strip(" -."), before, after)
    address = {"line1": street, "line2": ", ".join(before), "city": city, "region": region, "postcode": postcode}
    return {**address, "country": country or ""} if city else None


def _pieces(text: str) -> list[str]:
    pieces = (piece.strip(" .") for piece in BETWEEN.split(POSTCODE_NAME.sub("", text)))
    return [piece for piece in pieces if piece]


def _with_house_number_beside(pieces: list[str]) -> list[str]:
    """The pieces with the house's number beside its street, also where a comma parts them: "Rua das Flores, 12"."""
    match = OWN_NUMBER.fullmatch(pieces[1]) if len(pieces) > 2 else None
    if match is None or re.search(r"\d\s?\w?$", pieces[0]) or not any(sign.isalpha() for sign in pieces[0]):
        return pieces
    has_digits = any(sign.isdigit() for sign in pieces[0])
    is_number = _with_postcode(pieces[2:]) is not None or (not has_digits and not LONG_NUMBER.search(match["number"]))
    rest = [match["more"], *pieces[2:]] if match["more"] else pieces[2:]
    return [f"{pieces[0]}, {match['number']}", *rest] if is_number else pieces


def _with_postcode(pieces: Sequence[str]) -> tuple[int, str] | None:
    """Which piece has the postcode, the last one that could be."""
    found = [(place, _written(match[1])) for place, piece in enumerate(pieces) if (match := POSTCODE.search(piece))]
    if found and EIGHT_DIGITS.fullmatch(pieces[found[-1][0]]):  # or a phone number after "0155 Oslo"
        found = [each for each in found if BESIDE_A_CITY.match(pieces[each[0]])] or found
    return found[-1] if found else None


def _written(postcode: str) -> str:
    """A Brazilian postcode with its dash, any other as it is: "01001000" is "01001-000"."""
    digits = re.sub(r"\D", "", postcode)
    return f"{digits[:5]}-{digits[5:]}" if len(digits) == 8 else postcode


def _city(beside: str, before: list[str], after: list[str]) -> tuple[str, str]:
    """(city, region): the city beside the postcode, after it, or before it. What is used is taken out of the lists."""
    if match := CITY_AND_REGION.fullmatch(beside):
        return match["city"], match["region"]
    if beside and not REGION.fullmatch(beside):
        return beside, after[0] if after else ""
    if after:
        return after[0], beside or (after[1] if len(after) > 1 else "")
    if not beside and len(before) > 1 and REGION.fullmatch(before[-1]):  # "São Paulo, SP, 01001-000"
        beside = before.pop()
    return (before.pop(), beside) if before else ("", "")


def country_code(name: str, locale: Locale) -> str | None:
    """ "España" is "ES", in this language or in English."""
    wanted = name.casefold()
    for each in (locale, Locale("en")):
        known = {str(title).casefold(): code for code, title in each.territories.items() if len(code) == 2}
        if wanted in known:
            return known[wanted]
    return None
