"""What is wrong in the files, all of it, and what an import did."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class Problem:
    """One thing to mend. `line` counts from 1, the header included; 0 is the file itself. `column` may be empty."""

    file: str
    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.column}: {self.reason}" if self.column else f"{place}: {self.reason}"


class ImportFailed(Exception):
    """Nothing was imported. `problems` has every one, by file and line."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


@dataclass
class FileReport:
    """What became of a file's rows. `skipped`: rows of erased customers, whose data must not come back."""

    name: str
    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0


@dataclass
class ImportReport:
    """The files that were read, in the order in which they were."""

    files: list[FileReport] = field(default_factory=list)

    @property
    def has_changes(self) -> bool:
        return any(each.added or each.changed for each in self.files)

    def __getitem__(self, name: str) -> FileReport:
        return next(each for each in self.files if each.name == name)
