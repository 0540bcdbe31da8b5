"""The shop's name, language, clock and country, as the environment says."""

from __future__ import annotations

import os


def shop_name() -> str:
    return os.environ.get("TENDERO_SHOP_NAME", "Mercado Aurora")


def default_language() -> str:
    return os.environ.get("TENDERO_LANGUAGE", "en")


def time_zone() -> str:
    return os.environ.get("TENDERO_TIME_ZONE", "America/Mexico_City")


def shop_country() -> str:
    """Where a phone number without a country code is from."""
    return os.environ.get("TENDERO_COUNTRY", "MX")
