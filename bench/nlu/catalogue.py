"""How fast and how well the names of a large catalogue are found in messages: `python -m bench.nlu.catalogue`.

    python -m bench.nlu.catalogue                   50,000 names; a minute
    python -m bench.nlu.catalogue --names 5000

Beside ours the plain way, `rapidfuzz.process.extract` over all names, in the same run on the same messages. Prints a table and
writes var/reports/catalogue.json. Times are processor time of this process.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import Any, TypeVar

import yaml
from rapidfuzz import fuzz, process, utils

from bench.nlu.examples import held_out, training_examples
from bench.nlu.made_catalogue import Asked, MadeProduct, asked, made_products, store, vocabulary_of
from bot.nlu.catalogue_entity_extractor import CatalogueEntityExtractor, read_words
from commerce import catalog
from commerce.names.changes import change_sign
from commerce.names.index import NameIndex
from commerce.names.words import Words
from database import Base, engine_for, transaction
from tendero.environment import PROJECT

REPORT = PROJECT / "var" / "reports" / "catalogue.json"
MESSAGES, SCANNED = 2_000, 60
SKU_WAYS = (str, str.lower, lambda sku: sku.lower().replace("-", " "), lambda sku: sku.replace("-", ""))
ENOUGH = 50  # percent: a scan's score from which it has found something

Found = tuple[str | None, list[str]]  # the likeliest product, and all that are offered
T = TypeVar("T")
Measures = dict[str, Any]


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--names", type=int, default=50_000)
    measures = compared(made_products(arguments.parse_args().names))
    for name, by_system in measures.items():
        print(f"{name:45}" + "".join(f"{system}: {value:<14.4g}" for system, value in by_system.items()))
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(measures, indent=1), encoding="utf-8")


def compared(products: list[MadeProduct]) -> dict[str, Measures]:
    messages = list(asked(products, MESSAGES))
    ordinary = [each.text for each in held_out()][:MESSAGES]
    words, vocabulary = _words(), vocabulary_of(products)
    before, began = _memory(), time.process_time()
    index = NameIndex(vocabulary, words)
    measures: dict[str, Measures] = {
        "names": {"ours": len(products)},
        "building the index, CPU (s)": {"ours": time.process_time() - began},
        "memory of the index (MB)": {"ours": _memory() - before},
        **_of_database(products),
        **_of_skus(index, vocabulary.skus),
    }
    ours, times = _asked(lambda text: _of_ours(index, text), messages)
    _, ordinary_times = _timed(lambda text: _of_ours(index, text), ordinary)
    scan = _Scan(products)
    scanned, scan_times = _asked(scan.find, messages[:SCANNED])
    measures |= {
        "message about a product, CPU median (ms)": {"ours": _ms(times), "scan": _ms(scan_times)},
        "message about a product, CPU p95 (ms)": {"ours": _ms(times, 95), "scan": _ms(scan_times, 95)},
        "any other message, CPU median (ms)": {"ours": _ms(ordinary_times)},
        "any other message, CPU p95 (ms)": {"ours": _ms(ordinary_times, 95)},
        "times as fast": {"ours": median(scan_times) / median(times[:SCANNED])},
    }
    for kind, is_of in (("all", lambda _: True), ("spelt right", lambda e: not e.typos), ("misspelt", lambda e: bool(e.typos))):
        measures[f"product right, {kind}"] = {"ours": _right(ours, messages, is_of), "scan": _right(scanned, messages, is_of)}
        measures[f"product offered, {kind}"] = {
            "ours": _offered(ours, messages, is_of),
            "scan": _offered(scanned, messages, is_of),
        }
    return measures


def _of_skus(index: NameIndex, skus: Sequence[str]) -> dict[str, Measures]:
    """SKUs as people write them; and with one sign more, which is another thing or nothing."""
    random, known = Random(3), set(skus)
    chosen = random.sample(skus, min(MESSAGES, len(skus)))
    written = [random.choice(SKU_WAYS)(sku) for sku in chosen]
    found, times = _timed(lambda sku: _skus_in(index, f"hola, tienen {sku}?"), written)
    longer = [f"{sku}{random.randrange(10)}" for sku in chosen]
    others = [[each for each in _skus_in(index, sku) if each in known and each != sku] for sku in longer]
    return {
        "SKUs": {"ours": len(skus)},
        "SKU right": {"ours": _share([each == [sku] for each, sku in zip(found, chosen, strict=True)])},
        "another SKU for one that there is not": {"ours": _share([bool(each) for each in others])},
        "message with a SKU, CPU median (ms)": {"ours": _ms(times)},
    }


def _skus_in(index: NameIndex, text: str) -> list[str]:
    return [each.value for each in index.find(text) if each.kind == "sku"]


def _of_database(products: Sequence[MadeProduct]) -> dict[str, Measures]:
    """What following a database costs: the look whether anything has changed, and reading it where it has."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/shop.db"
        Base.metadata.create_all(engine_for(url))
        with transaction(url) as session:
            store(session, products)
        with transaction(url, is_optimistic=True) as session:
            _, looks = _timed(lambda _: change_sign(session), ["", "", ""])
            _, readings = _timed(lambda _: catalog.vocabulary(session), [""])
    return {
        "looking for a change, CPU median (ms)": {"ours": _ms(looks)},
        "reading the names from the database, CPU (s)": {"ours": readings[0]},
    }


class _Scan:
    """Every name compared with the whole message."""

    def __init__(self, products: Sequence[MadeProduct]) -> None:
        self._names = {each.handle: utils.default_process(each.name) for each in products}

    def find(self, text: str) -> Found:
        found = process.extract(
            utils.default_process(text), self._names, scorer=fuzz.token_set_ratio, limit=5, score_cutoff=ENOUGH
        )
        return (found[0][2] if found else None), [handle for _, _, handle in found]


def _of_ours(index: NameIndex, text: str) -> Found:
    found = [each for each in index.find(text) if each.kind == "product"]
    return (found[0].value if found else None), [each.value for mention in found for each in (mention, *mention.candidates)]


def _asked(find: Callable[[str], Found], messages: Sequence[Asked]) -> tuple[list[Found], list[float]]:
    return _timed(find, [each.text for each in messages])


def _timed(find: Callable[[str], T], texts: Sequence[str]) -> tuple[list[T], list[float]]:
    """What was found, and the seconds of each; what a message of before had looked up may be remembered, as in a server."""
    found, times = [], []
    for text in texts:
        began = time.process_time()
        found.append(find(text))
        times.append(time.process_time() - began)
    return found, times


def _right(found: Sequence[Found], messages: Sequence[Asked], is_of: Callable[[Asked], bool]) -> float:
    """Share of the messages whose product is the likeliest, or is called by the very words of the one that is."""
    return _share([best == each.product.handle for (best, _), each in zip(found, messages, strict=False) if is_of(each)])


def _offered(found: Sequence[Found], messages: Sequence[Asked], is_of: Callable[[Asked], bool]) -> float:
    return _share([each.product.handle in offered for (_, offered), each in zip(found, messages, strict=False) if is_of(each)])


def _share(truths: Sequence[bool]) -> float:
    return sum(truths) / len(truths)


def _words() -> Words:
    examples = [(each.text, each.intent) for each in training_examples()]
    pipeline = yaml.safe_load((PROJECT / "config.yml").read_text(encoding="utf-8"))["pipeline"]
    configured = next(each for each in pipeline if each["name"].endswith(CatalogueEntityExtractor.__name__))
    config = {**CatalogueEntityExtractor.get_default_config(), **configured}
    return Words.of(read_words(PROJECT / config["patterns"], examples, config))


def _ms(times: Sequence[float], percent: int = 50) -> float:
    return 1000 * (median(times) if percent == 50 else quantiles(times, n=100)[percent - 1])


def _memory() -> float:
    """What this process holds now, in MB."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    main()
