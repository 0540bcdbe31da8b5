"""What sentences were encoded to, kept beside Rasa's cache: most of them are asked for again by the next training."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from rasa.engine.caching import CACHE_LOCATION_ENV, DEFAULT_CACHE_LOCATION

from bot.nlu.sentence_encoder import Numbers, SentenceEncoder

FEWEST = 1000  # texts for which a file is worth it; 20 MB for 20,000
LONGEST = 20  # how many times others are kept without it, until a text is forgotten for which nobody asks any more


def encoded(texts: Sequence[str], encoder: SentenceEncoder, folder: Path | None = None) -> Numbers:
    """As `encoder.encode`, but in 16 bits, whether kept or new, so that the same texts always give the same model."""
    if len(texts) < FEWEST:
        return encoder.encode(texts).astype(np.float16)
    home = folder or Path(os.environ.get(CACHE_LOCATION_ENV, DEFAULT_CACHE_LOCATION))
    file = home / f"encoded-{encoder.name}.npz"
    keys = [_key(text) for text in texts]
    kept, _ = _read(file)
    new = {key: text for key, text in zip(keys, texts, strict=True) if key not in kept}
    if new:
        kept.update(zip(new, encoder.encode(list(new.values())).astype(np.float16), strict=True))
        _keep({key: kept[key] for key in keys}, file)
    return np.array([kept[key] for key in keys])


def _keep(asked: dict[bytes, Numbers], file: Path) -> None:
    """Beside what others have kept: a training asks for other texts than a cross-validation, and both may be under way."""
    kept, unasked = _read(file)
    times = {key: count + 1 for key, count in unasked.items() if count < LONGEST} | dict.fromkeys(asked, 0)
    rows = kept | asked
    _write(file, {key: rows[key] for key in times}, list(times.values()))


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=12).digest()


def _read(file: Path) -> tuple[dict[bytes, Numbers], dict[bytes, int]]:
    """The rows, and how many times others were kept since somebody asked for each. Nothing where no file can be read."""
    try:
        with np.load(file) as content:
            keys = [bytes(key) for key in content["keys"]]
            return dict(zip(keys, content["rows"], strict=True)), dict(zip(keys, content["unasked"].tolist(), strict=True))
    except (OSError, ValueError, KeyError, BadZipFile):
        return {}, {}


def _write(file: Path, kept: Mapping[bytes, Numbers], unasked: Sequence[int]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(f".{os.getpid()}.npz")
    keys = np.array([np.frombuffer(key, dtype=np.uint8) for key in kept])
    np.savez(unfinished, keys=keys, rows=np.array(list(kept.values())), unasked=np.array(unasked, dtype=np.uint8))
    unfinished.replace(file)
