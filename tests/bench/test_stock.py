"""The configuration that ours is compared with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rasa
import yaml

from bench.stock import stock_config

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = Path(rasa.__file__).parent / "engine" / "recipes" / "config_files" / "default_config.yml"


def read(file: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(file.read_text(encoding="utf-8")))


def of_rasa(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [part for part in parts if not part["name"].startswith("bot.")]


def test_stock_is_what_rasa_init_gives() -> None:
    stock, default = read(ROOT / "config.stock.yml"), read(DEFAULT)
    assert [of_rasa(stock["pipeline"]), of_rasa(stock["policies"])] == [default["pipeline"], default["policies"]]


def test_what_is_ours_is_configured_as_in_config_yml() -> None:
    stock, ours = read(ROOT / "config.stock.yml"), read(ROOT / "config.yml")
    assert stock["importers"] == ours["importers"]
    for part in ("pipeline", "policies"):
        assert all(each in ours[part] for each in stock[part] if each not in of_rasa(stock[part]))


def test_epochs_are_changed_wherever_there_are_some() -> None:
    quick = stock_config(20)
    assert {each["epochs"] for each in (*quick["pipeline"], *quick["policies"]) if "epochs" in each} == {20}
