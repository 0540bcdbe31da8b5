"""Train a model of the project in the working folder: `python -m tendero.rasa_jobs.train OUTPUT REPORT`.

OUTPUT is the model's file; REPORT gets JSON: {"examples": number} or {"error": what is wrong}.
"""

from __future__ import annotations

import json
import random
import sys
import traceback
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bot.without_tensorflow import leave_out_of_training
from tendero.rasa_jobs import prepare

SEED = 20260101


def main(output: Path, report: Path) -> int:
    prepare()
    try:
        answer = train(output)
    except Exception as error:  # whatever it is, whoever typed the command gets it in words; the log has the rest
        traceback.print_exc()
        answer = {"error": str(error) or type(error).__name__}
    report.write_text(json.dumps(answer), encoding="utf-8")
    return 0 if "error" not in answer else 1


def train(output: Path) -> dict[str, Any]:
    import numpy
    from rasa import model_training
    from rasa.shared.importers.importer import TrainingDataImporter

    random.seed(SEED)
    numpy.random.seed(SEED)
    files = ("config.yml", "domain.yml", ["data"])
    importer = TrainingDataImporter.load_from_config(*files)
    # Rasa makes an importer of its own, which would read every file once more than is needed to count the examples.
    with patch.object(TrainingDataImporter, "load_from_config", return_value=importer):
        result = model_training.train(
            config=files[0],
            domain=files[1],
            training_files=files[2],
            output=str(output.parent),
            fixed_model_name=output.name,
            force_training=True,
        )
    if result.code != 0 or not output.is_file():
        return {"error": "Rasa trained no model"}
    return {"examples": len(importer.get_nlu_data().intent_examples)}


if __name__ == "__main__":
    leave_out_of_training("config.yml")  # before Rasa is imported
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
