"""Rasa's own validation of the project in the working folder: `python -m tendero.rasa_jobs.validate REPORT`.

REPORT gets JSON: {"problems": [one line each], "unused": [answers that no rule or story says]}.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

import yaml

from bot.without_tensorflow import leave_out_of_training
from tendero.rasa_jobs import prepare

UNUSED = re.compile(r"The utterance '(?P<name>[^']+)' is not used in any story or rule\.")

UNTAUGHT = re.compile(r"The intent '(?P<name>[^']+)' is listed in the domain file, but is not found in the NLU training data\.")


def main(report: Path) -> int:
    prepare()
    try:
        answer = validate()
    except Exception as error:
        traceback.print_exc()
        answer = {"problems": [str(error) or type(error).__name__], "unused": []}
    report.write_text(json.dumps(answer), encoding="utf-8")
    return 0


def validate() -> dict[str, Any]:
    from rasa.shared.importers.importer import TrainingDataImporter
    from rasa.validator import Validator

    said = _Said()
    logging.getLogger("rasa").addHandler(said)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        importer = TrainingDataImporter.load_from_config("config.yml", "domain.yml", ["data"])
        validator = Validator.from_importer(importer)
        validator.warn_if_config_mandatory_keys_are_not_set()
        is_sound = validator.verify_domain_validity() and _verify(validator)
    lines = [*dict.fromkeys(str(each.message) for each in caught if _is_meant(each)), *said.lines]
    unused = [found["name"] for line in lines if (found := UNUSED.fullmatch(line))]
    known = [line for line in lines if (found := UNTAUGHT.fullmatch(line)) and found["name"] in sent_by_channels()]
    problems = [line for line in lines if not UNUSED.fullmatch(line) and line not in known]
    if not is_sound and not problems and not known:
        problems.append("Rasa finds the project not valid and does not say why: `rasa data validate` shows more")
    return {"problems": problems, "unused": unused}


def sent_by_channels(config: Path = Path("config.yml")) -> frozenset[str]:
    """The intents that need no examples: no shopper can say them."""
    importers = yaml.safe_load(config.read_text(encoding="utf-8")).get("importers") or []
    return frozenset(intent for each in importers for intent in each.get("sent_by_channels") or ())


def _is_meant(warning: warnings.WarningMessage) -> bool:
    """Whether it is about this project: Rasa's words are of no special kind, and some it does not show anybody."""
    from rasa.utils.common import EXPECTED_WARNINGS

    text = str(warning.message)
    expected = any(warning.category is kind and re.match(pattern, text) for kind, pattern in EXPECTED_WARNINGS)
    return warning.category is UserWarning and not expected


def _verify(validator: Any) -> bool:
    checks = (
        lambda: validator.verify_nlu(ignore_warnings=False),
        validator.verify_actions_in_stories_rules,
        validator.verify_forms_in_stories_rules,
        validator.verify_form_slots,
        validator.verify_slot_mappings,
        lambda: validator.verify_story_structure(ignore_warnings=False),
    )
    verdicts = [check() for check in checks]  # each of them is to speak
    return all(verdicts)


class _Said(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


if __name__ == "__main__":
    leave_out_of_training("config.yml")  # before Rasa is imported
    sys.exit(main(Path(sys.argv[1])))
