"""The words around names as the bot has learnt them from the project's own examples."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from bot.nlu.catalogue_entity_extractor import CatalogueEntityExtractor, read_words
from commerce.names.words import Words
from tendero.examples import trained_with

PATTERNS = Path(__file__).parents[2] / "data" / "patterns"


@lru_cache(maxsize=1)
def learnt_words() -> Words:
    return Words.of(
        read_words(
            PATTERNS, [(text, intent) for text, intent, _ in trained_with()], CatalogueEntityExtractor.get_default_config()
        )
    )
