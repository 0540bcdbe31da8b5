"""The same bot on Rasa's own configuration: that of `rasa init`, `rasa run`, `rasa run actions`, SQLTrackerStore on SQLite.

Of ours stays what the bot needs to act the same, since its rules and actions build on it:
the importer (answers and FAQ questions by language), PatternEntityExtractor (order numbers, e-mails, product words),
MessageLanguageDetector (Spanish or English), FollowupPolicy (ends a turn after a called action) and OwnershipPolicy (silent
while a person has the conversation). Everything else is as `rasa init` leaves it. There are no stories, only rules: TEDPolicy
and UnexpecTEDIntentPolicy have nothing to train and predict nothing, which is to the stock configuration's advantage.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from tendero.environment import PROJECT, for_child
from tendero.fingerprints import trained_files

EPOCHS, FEWER_EPOCHS = 100, 20


def stock_config(epochs: int = EPOCHS) -> dict[str, Any]:
    """`config.stock.yml`, with so many epochs."""
    stock: dict[str, Any] = yaml.safe_load((PROJECT / "config.stock.yml").read_text(encoding="utf-8"))
    for each in (*stock["pipeline"], *stock["policies"]):
        if "epochs" in each:
            each["epochs"] = epochs
    return stock


class StockProject:
    """A Rasa project folder with this project's domain and data, below `folder`; its model is trained once for its content."""

    def __init__(self, folder: Path, epochs: int = EPOCHS) -> None:
        config = yaml.safe_dump(stock_config(epochs), sort_keys=False)
        self.folder = folder / f"stock-{_fingerprint(config)}"
        self.model = self.folder / "models" / "stock.tar.gz"
        self._report = self.folder / "training.json"
        self._lay_out(config)

    @property
    def training(self) -> dict[str, Any]:
        """seconds: how long the training took; cpu_seconds; memory: at most, in MB."""
        return dict(json.loads(self._report.read_text(encoding="utf-8")))

    def train(self) -> None:
        if not (self.model.is_file() and self._report.is_file()):
            command = ["-m", "rasa", "train", "--fixed-model-name", "stock"]
            report = timed_training(command, self.folder, self._environment, self.folder / "training.log")
            self._report.write_text(json.dumps(report), encoding="utf-8")

    @property
    def _environment(self) -> dict[str, str]:
        """As ours: the same quiet, and our packages to import from."""
        return {**for_child(), "PYTHONPATH": str(PROJECT)}

    def write_endpoints(self, home: Path, action_port: int) -> Path:
        """Files of one run, kept in its home: the channel, the action server, and conversations in SQLite."""
        endpoints = {
            "action_endpoint": {"url": f"http://127.0.0.1:{action_port}/webhook"},
            "tracker_store": {"type": "SQL", "dialect": "sqlite", "db": str(home / "tracker.db")},
        }
        (home / "credentials.yml").write_text("rest:\n", encoding="utf-8")
        (home / "endpoints.yml").write_text(yaml.safe_dump(endpoints), encoding="utf-8")
        return home / "endpoints.yml"

    def _lay_out(self, config: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "config.yml").write_text(config, encoding="utf-8")
        shutil.copy(PROJECT / "domain.yml", self.folder / "domain.yml")
        shutil.copytree(PROJECT / "data", self.folder / "data", dirs_exist_ok=True)


def _fingerprint(config: str) -> str:
    digest = hashlib.sha256(config.encode())
    for file in trained_files(PROJECT):
        if file.is_relative_to(PROJECT / "data") or file.name == "domain.yml":
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def timed_training(arguments: list[str], folder: Path, environment: dict[str, str], log: Path) -> dict[str, Any]:
    """A training in a process of its own, and what it took."""
    began = time.monotonic()
    with log.open("wb") as output:
        command = [sys.executable, "-W", "ignore", *arguments]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
    if status != 0:
        raise RuntimeError(f"the training failed: {log}")
    return {
        "seconds": round(time.monotonic() - began, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "memory": round(used.ru_maxrss / 1024),
    }
