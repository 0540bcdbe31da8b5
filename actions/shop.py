"""The shop's settings and policies, loaded on first use."""

from __future__ import annotations

import os
from functools import lru_cache

from actions.words import data_folder
from commerce.policies import Policies, load_policies


@lru_cache(maxsize=1)
def policies() -> Policies:
    return load_policies(data_folder() / "policies")


def shop_name() -> str:
    return os.environ.get("TENDERO_SHOP_NAME", "Mercado Aurora")


def default_language() -> str:
    return os.environ.get("TENDERO_LANGUAGE", "en")


def time_zone() -> str:
    return os.environ.get("TENDERO_TIME_ZONE", "America/Mexico_City")


def shop_country() -> str:
    """Where a phone number without a country code is from."""
    return os.environ.get("TENDERO_COUNTRY", "MX")
