"""What a page has to load for our chat, read from the modules themselves."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from bench.webchat import own
from bench.webchat.bundles import FIRST_PAINT_MOST, LEVEL


def test_launcher_needs_at_most_20_kb() -> None:
    size = sum(len(gzip.compress(file.read_bytes(), LEVEL)) for file in own.at_first_paint())
    assert size <= FIRST_PAINT_MOST == 20_480


def test_open_panel_loads_more_than_the_launcher_and_not_everything() -> None:
    first, opened, everything = (set(files()) for files in (own.at_first_paint, own.when_opened, own.all_there_is))
    assert first < opened < everything


def test_what_is_imported_counts_and_what_is_imported_later_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "widget.js").write_text(
        'import { a } from "./widget/a.js";\nimport {\n  b,\n} from "./widget/b.js";\n// import "./widget/d.js"\n'
        'const later = () => import("./widget/c.js");\n'
    )
    (tmp_path / "widget").mkdir()
    (tmp_path / "widget/a.js").write_text('export { b } from "./b.js";\nexport const text = "./widget/c.js";\n')
    for name in ("b", "c", "d"):
        (tmp_path / f"widget/{name}.js").write_text("")
    monkeypatch.setattr(own, "ENTRY", tmp_path / "widget.js")
    assert [file.name for file in own.at_first_paint()] == ["widget.js", "a.js", "b.js"]
