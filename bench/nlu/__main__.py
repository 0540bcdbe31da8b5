"""How well and how fast intents are told, ours and others, trained on the same examples: `python -m bench.nlu`.

    python -m bench.nlu                      ours, ours without the sentence encoder, a plain scikit-learn model: a minute
    python -m bench.nlu --cross-validate     besides, on the training examples themselves, four parts
    python -m bench.nlu --pipeline --stock   besides, whole parses, and DIET as `rasa init` has it (its training: an hour or more)
    python -m bench.nlu --few 10             ten examples of each intent and language for all, with DIET alone among them: minutes

Prints a table and the errors of ours; writes var/reports/nlu.json. Each trains in a process of its own and is asked in another.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from tendero.environment import PROJECT

REPORT = PROJECT / "var" / "reports" / "nlu.json"
NO_ENTITIES = ("ours", "ours, n-grams alone", "scikit-learn")
WHOLE = ("our whole pipeline", "stock DIET")  # trained with all of the project, whatever the examples
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}


def main() -> None:
    arguments = _arguments()
    if arguments.step:
        print(json.dumps(STEPS[arguments.step](arguments.system, Path(arguments.folder), arguments.few)))
        return
    found = {name: compared(name, arguments.cross_validate, arguments.few) for name in _systems(arguments)}
    _print_table({name: measures["measures"] for name, measures in found.items()})
    _print_errors(found["ours"]["errors"])
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(found, indent=1, ensure_ascii=False), encoding="utf-8")


def compared(name: str, cross_validate: bool, few: int) -> dict[str, Any]:
    """few: as the option; 0 for all examples."""
    with tempfile.TemporaryDirectory() as folder:
        training, asking = _step("train", name, folder, few), _step("ask", name, folder, few)
        result = {"measures": {**training, **asking["measures"]}, "errors": asking["errors"]}
        if cross_validate and name not in WHOLE:
            result["measures"] |= _step("cross-validate", name, folder, few)
        return result


def train(name: str, folder: Path, few: int) -> dict[str, float]:
    from bench.nlu.systems import SYSTEMS

    system, examples = SYSTEMS[name](), _examples(few)
    began = time.process_time()
    costs = system.train(examples, folder) or {"cpu_seconds": time.process_time() - began, "memory": _peak()}
    return {"training CPU (s)": costs["cpu_seconds"], "training memory (MB)": costs["memory"]}


def ask(name: str, folder: Path, few: int) -> dict[str, Any]:
    from bench.nlu.examples import held_out
    from bench.nlu.measures import SECRET, quality
    from bench.nlu.systems import SYSTEMS

    system, examples = SYSTEMS[name](), held_out()
    before = _resident()
    system.load(folder)
    system.likeliest("hola")  # what is read once, is read
    model = {"memory of the model (MB)": _resident() - before}
    taken: list[float] = []
    predictions = [_asked(system, each, taken) for each in examples]
    speed = {"CPU median (ms)": median(taken), "CPU p95 (ms)": quantiles(taken, n=20)[-1], **model}
    errors = [
        [each.language, each.intent, found.predicted, found.confidence, each.text]
        for each, found in zip(examples, predictions, strict=True)
        if not found.is_right and each.intent != SECRET
    ]
    return {"measures": {**quality(predictions), **speed}, "errors": errors}


def cross_validate(name: str, folder: Path, few: int) -> dict[str, float]:
    """Trained on three parts of four, asked of the fourth, each in turn."""
    from bench.nlu.examples import folds
    from bench.nlu.measures import quality
    from bench.nlu.systems import SYSTEMS

    parts = folds(_examples(few))
    predictions = []
    for part in parts:
        system, home = SYSTEMS[name](), folder / f"fold-{len(predictions)}"
        home.mkdir()
        system.train([each for other in parts if other is not part for each in other], home)
        system.load(home)
        predictions += [_asked(system, each, []) for each in part]
    return {f"cross-validated {measure}": value for measure, value in quality(predictions).items()}


def _examples(number: int) -> list[Any]:
    from bench.nlu.examples import few, training_examples

    return few(training_examples(), number) if number else training_examples()


STEPS: dict[str, Any] = {"train": train, "ask": ask, "cross-validate": cross_validate}


def _asked(system: Any, example: Any, taken: list[float]) -> Any:
    from bench.nlu.measures import Prediction

    with _processor_time(taken):
        predicted, confidence = system.likeliest(example.text)
    return Prediction(example.language, example.intent, predicted, confidence)


@contextmanager
def _processor_time(taken: list[float]) -> Iterator[None]:
    """Adds the milliseconds that this process used."""
    began = time.process_time()
    yield
    taken.append((time.process_time() - began) * 1000)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1024 / 1024


def _step(step: str, name: str, folder: str, few: int) -> dict[str, Any]:
    options = ["--step", step, "--system", name, "--folder", folder, "--few", str(few)]
    command = [sys.executable, "-W", "ignore", "-m", "bench.nlu", *options]
    done = subprocess.run(command, cwd=PROJECT, env={**os.environ, **ONE_THREAD}, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _systems(arguments: argparse.Namespace) -> Sequence[str]:
    more = [name for name, wanted in zip(WHOLE, (arguments.pipeline, arguments.stock), strict=True) if wanted]
    return [*NO_ENTITIES, *(["DIET alone"] if arguments.few else []), *more]


def _print_table(found: dict[str, dict[str, float]]) -> None:
    print(f"{'':38}" + "".join(f"{name:>21}" for name in found))
    for measure in dict.fromkeys(measure for measures in found.values() for measure in measures):
        print(f"{measure:38}" + "".join(f"{_number(measure, measures.get(measure)):>21}" for measures in found.values()))


def _number(measure: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if measure.endswith(")") else f"{value:.1%}"


def _print_errors(errors: list[list[Any]]) -> None:
    print(f"\n{len(errors)} errors of ours:")
    for language, intent, predicted, confidence, text in errors:
        print(f"  {language} {intent:22} taken for {predicted:22} {confidence:4.0%}  {text}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.nlu", description=__doc__.splitlines()[0])
    parser.add_argument("--cross-validate", action="store_true")
    parser.add_argument("--pipeline", action="store_true", help="whole parses of our model, with entities and language")
    parser.add_argument("--stock", action="store_true", help="DIET as `rasa init` has it")
    parser.add_argument("--few", type=int, default=0, metavar="N", help="only N examples of each intent and language")
    for internal in ("--step", "--system", "--folder"):
        parser.add_argument(internal, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
