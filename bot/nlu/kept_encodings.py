"""What the sentences of a training were encoded to, kept beside Rasa's cache: most of them are the same in the next training."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from rasa.engine.caching import CACHE_LOCATION_ENV, DEFAULT_CACHE_LOCATION

from bot.nlu.sentence_encoder import Numbers, SentenceEncoder

FEWEST = 1000  # texts for which a file is worth it; 20 MB for 20,000


def encoded(texts: Sequence[str], encoder: SentenceEncoder, folder: Path | None = None) -> Numbers:
    """As `encoder.encode`, to three digits, whether kept or new, so that the same texts always give the same model."""
    if len(texts) < FEWEST:
        return _rounded(encoder.encode(texts))
    home = folder or Path(os.environ.get(CACHE_LOCATION_ENV, DEFAULT_CACHE_LOCATION))
    file = home / f"encoded-{encoder.name}.npz"
    keys = [_key(text) for text in texts]
    kept = _read(file)
    new = {key: text for key, text in zip(keys, texts, strict=True) if key not in kept}
    if new:
        kept.update(zip(new, encoder.encode(list(new.values())).astype(np.float16), strict=True))
        _write(file, {key: kept[key] for key in keys})
    return np.array([kept[key] for key in keys], dtype=np.float32)


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=12).digest()


def _rounded(rows: Numbers) -> Numbers:
    return rows.astype(np.float16).astype(np.float32)


def _read(file: Path) -> dict[bytes, Numbers]:
    """Nothing where there is no file, or none that can be read."""
    try:
        with np.load(file) as content:
            return dict(zip((bytes(key) for key in content["keys"]), content["rows"], strict=True))
    except (OSError, ValueError, KeyError, BadZipFile):
        return {}


def _write(file: Path, kept: dict[bytes, Numbers]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".unfinished.npz")
    keys = np.array([np.frombuffer(key, dtype=np.uint8) for key in kept])
    np.savez(unfinished, keys=keys, rows=np.array(list(kept.values())))
    unfinished.replace(file)
