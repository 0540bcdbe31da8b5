"""The language in which a person is likely to write, by the country of their number: a guess, until they have written."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers

SPOKEN = {
    "es": "ES MX AR CO CL PE VE EC GT CU BO DO HN PY SV NI CR PA UY PR GQ",
    "pt": "BR PT AO MZ CV GW ST TL",
    "nb": "NO SJ",
    "en": "US CA GB IE AU NZ ZA NG GH KE JM TT BS BB GG JE IM GI",
}
LANGUAGES = {country: language for language, countries in SPOKEN.items() for country in countries.split()}


def language_of(user_id: str, phone: str | None) -> str | None:
    """user_id: begins with a country ("BR.x"). phone: E.164. None where neither tells one of the assistant's languages."""
    country = user_id[:2] if user_id[2:3] == "." else _country_of(phone)
    return LANGUAGES.get(country or "")


@lru_cache(maxsize=4096)
def _country_of(phone: str | None) -> str | None:
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(phone, None)) if phone else None
    except phonenumbers.NumberParseException:
        return None
