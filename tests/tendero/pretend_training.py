"""In the place of `tendero.rasa_jobs.train`, `.reword` and `.validate`: takes a while, and makes what they make.

`python -m tests.tendero.pretend_training [[BASE] OUTPUT] REPORT`. Environment: PRETEND_SECONDS, PRETEND_PROBLEMS (JSON),
PRETEND_LOG, a file that gets a line for each training that begins or ends.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path


def note(what: str) -> None:
    with Path(os.environ["PRETEND_LOG"]).open("a") as log:
        log.write(f"{what} {os.getpid()}\n")


def main(arguments: list[str]) -> None:
    *output, report = map(Path, arguments)
    if not output:
        report.write_text(json.dumps({"problems": json.loads(os.environ.get("PRETEND_PROBLEMS", "[]")), "unused": []}))
        return
    note("begun")
    time.sleep(float(os.environ["PRETEND_SECONDS"]))
    output[-1].write_text("a model")
    report.write_text(json.dumps({"examples": 3412} if len(output) == 1 else {}))
    note("ended")


if __name__ == "__main__":
    main(sys.argv[1:])
