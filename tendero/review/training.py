"""What was written is checked and taught, the two beside each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tendero.obstacles import check_home
from tendero.training import Training, TrainingFailed, current_model
from tendero.validation import RasaValidation, every_problem


@dataclass(frozen=True)
class Outcome:
    """problems: what `tendero validate` would say, a line each. told: what came of it, for the designer."""

    problems: list[str]
    told: str
    is_trained: bool


def check_and_train(home: Path) -> Outcome:
    """Validate, and train where something is new. Takes about a minute. Raises Obstacle: the folder cannot be used."""
    check_home(home)
    rasa = RasaValidation(home)
    training = None if current_model(home).is_file() else Training(home)
    try:
        problems, _ = every_problem(rasa)
        told = str(training.finish()) if training is not None else "nothing is new since the last training"
        return Outcome(problems, _sentence(told, problems), True)
    except TrainingFailed as error:
        return Outcome(problems, str(error), False)
    finally:
        rasa.stop()
        if training is not None:
            training.stop()


def _sentence(told: str, problems: list[str]) -> str:
    valid = "everything is valid" if not problems else f"{len(problems)} problem{'s' if len(problems) != 1 else ''} to look at"
    return f"{told[0].upper()}{told[1:]}; {valid}. `tendero run` answers with it from its next start."
