"""Files are saved: what is wrong with them is told, or they are trained, and the servers that run are told to take them up.

Files, processes and servers' wishes are real; only what a training process does is replaced (`pretend_training`).
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bot.own_code import fingerprint_of_code
from messaging.turns.wishes import Refused, Role, Wish, follow
from tendero import training, validation, watching
from tendero.children import Child
from tendero.environment import PROJECT
from tendero.obstacles import Obstacle
from tendero.saves import saves
from tendero.training import current_model
from tendero.watching import Watcher

EXAMPLES, RULES, LABELS = "data/nlu/en/orders.yml", "data/rules/orders.yml", "data/labels/en/shop.yml"
ANSWERS = "data/responses/en/orders.yml"
FILES = (
    EXAMPLES,
    RULES,
    LABELS,
    "data/policies/returns.yml",
    "data/demo/en.yml",
    "domain.yml",
    "config.yml",
    "actions/orders.py",
    "bot/importer.py",
)
PATIENCE = 60.0  # seconds, on a busy machine


class Desk:
    """Somebody who writes, with `tendero watch` beside them."""

    def __init__(self, project: Path, home: Path, said: list[str]) -> None:
        self.project, self.home, self.said = project, home, said
        self.watcher = Watcher(home, project)
        self.saves = saves(project)
        self.work_until("Watching data/")

    def save(self, path: str, text: str) -> None:
        """As editors do it: another file, which is then put in the place of the old one."""
        draft = (self.project / path).with_name(".draft.swp")
        draft.write_text(text)
        draft.replace(self.project / path)

    def work_until(self, said: str | Callable[[], bool], seconds: float = PATIENCE) -> None:
        until = time.monotonic() + seconds
        is_so = said if callable(said) else lambda: any(str(said) in line for line in self.said)
        while not is_so():
            assert time.monotonic() < until, f"{said!r} is not so after {seconds} s: {self.said}"
            self.watcher.round(next(self.saves))

    def work_for(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.watcher.round(next(self.saves))

    @property
    def trainings(self) -> list[str]:
        """begun, ended: in their order."""
        log = Path(os.environ["PRETEND_LOG"])
        return [line.split()[0] for line in log.read_text().splitlines()] if log.exists() else []

    @property
    def model(self) -> str:
        return current_model(self.home, self.project).name


class Servers:
    """An assistant and an action server that follow wishes, in a thread."""

    def __init__(self, home: Path, project: Path) -> None:
        self.wishes: list[tuple[Role, str | None]] = []
        self.refuses = ""
        self._home, self._code = home, fingerprint_of_code(project / "bot")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._ends: list[Callable[[], None]] = []

    def start(self, model: str) -> None:
        async def begin() -> None:
            for role in ("assistant", "actions"):
                self._ends.append(follow(self._home, role, self._fulfil(role, model), model=model, code=self._code))  # type: ignore[arg-type]

        asyncio.run_coroutine_threadsafe(begin(), self._loop).result(10)

    def _fulfil(self, role: Role, model: str) -> Callable[..., object]:
        async def fulfil(wish: Wish) -> str:
            self.wishes.append((role, wish.model))
            if self.refuses:
                raise Refused(self.refuses)
            return wish.model or model

        return fulfil

    def stop(self) -> None:
        for end in self._ends:
            self._loop.call_soon_threadsafe(end)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    for name in FILES:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(f"# {name}\n")
    (project / ANSWERS).parent.mkdir(parents=True)
    (project / ANSWERS).write_text("responses:\n  utter_a: A\n")
    return project


@pytest.fixture
def desk(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    home = tmp_path / "home"
    (home / "models").mkdir(parents=True)
    monkeypatch.setenv("PRETEND_LOG", str(tmp_path / "trainings"))
    monkeypatch.setenv("PRETEND_SECONDS", "0.5")
    monkeypatch.setattr(training, "Child", pretended)
    monkeypatch.setattr(validation, "Child", pretended)
    monkeypatch.setattr(watching, "first_problems", problems_in)
    said: list[str] = []
    monkeypatch.setattr(watching, "say", said.append)
    current_model(home, project).write_text("the first model")
    desk = Desk(project, home, said)
    yield desk
    desk.watcher.close()


@pytest.fixture
def servers(desk: Desk) -> Iterator[Servers]:
    servers = Servers(desk.home, desk.project)
    servers.start(desk.model)
    yield servers
    servers.stop()


def pretended(name: str, _module: str, arguments: list[str], log: Path) -> Child:
    return Child(name, "tests.tendero.pretend_training", arguments, log)


def problems_in(project: Path) -> list[str]:
    files = sorted(project.rglob("*.yml"))
    return [f"{file.relative_to(project)}:1: is broken" for file in files if "broken" in file.read_text()]


def test_what_is_saved_is_trained_and_the_assistant_uses_it(desk: Desk, servers: Servers) -> None:
    desk.save(EXAMPLES, "new")
    desk.work_until("uses it now")
    assert [line[10:] for line in desk.said[1:]] == [
        f"{EXAMPLES}: training ...",
        "trained 3,412 examples in 1 s, the assistant uses it now.",
    ]
    assert servers.wishes == [("assistant", desk.model), ("actions", None)]
    assert current_model(desk.home, desk.project).read_text() == "a model"


def test_several_saves_in_a_row_are_one_training(desk: Desk, servers: Servers) -> None:
    for number in range(6):
        desk.save(EXAMPLES, f"version {number}")
        desk.save(RULES, f"version {number}")
        time.sleep(0.1)
    desk.work_until("uses it now")
    assert desk.trainings == ["begun", "ended"]
    assert f"{EXAMPLES} and {RULES}: training ..." in desk.said[1]


def test_hundreds_of_files_at_once_are_one_training_and_one_line(desk: Desk, servers: Servers) -> None:
    for number in range(300):
        (desk.project / "data" / "nlu" / "en" / f"more{number}.yml").write_text(f"{number}")
    desk.work_until("uses it now")
    assert desk.trainings == ["begun", "ended"]
    assert desk.said[1].endswith("300 files in data/nlu/en: training ...")


def test_a_broken_file_is_told_by_place_and_nothing_else_happens(desk: Desk, servers: Servers) -> None:
    desk.save(EXAMPLES, "broken")
    desk.work_until("Nothing is changed until this is in order.")
    desk.work_for(1.5)
    assert [line[10:] for line in desk.said[1:]] == [f"{EXAMPLES}:1: is broken", "Nothing is changed until this is in order."]
    assert (desk.trainings, servers.wishes) == ([], [])
    desk.save(EXAMPLES, "mended")
    desk.work_until("uses it now")


def test_a_save_during_a_training_stops_it_and_begins_anew(desk: Desk, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRETEND_SECONDS", "600")
    desk.save(EXAMPLES, "first")
    desk.work_until(lambda: desk.trainings == ["begun"])
    monkeypatch.setenv("PRETEND_SECONDS", "0.5")
    desk.save(EXAMPLES, "second")
    desk.work_until("uses it now")
    assert desk.trainings == ["begun", "begun", "ended"]
    assert f"{EXAMPLES}: training anew ..." in desk.said[2]
    assert servers.wishes == [("assistant", desk.model), ("actions", None)]
    assert not is_alive(trainer_of(0))


def test_a_file_that_breaks_during_a_training_stops_it(desk: Desk, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRETEND_SECONDS", "600")
    desk.save(EXAMPLES, "first")
    desk.work_until(lambda: desk.trainings == ["begun"])
    desk.save(RULES, "broken")
    desk.work_until("Nothing is changed until this is in order.")
    assert not is_alive(trainer_of(0))
    assert servers.wishes == []


def test_what_rasa_finds_wrong_stops_the_training(desk: Desk, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRETEND_SECONDS", "600")
    monkeypatch.setenv("PRETEND_PROBLEMS", json.dumps([f"{RULES}:3: two rules contradict each other"]))
    desk.save(RULES, "contradiction")
    desk.work_until("Nothing is changed until this is in order.")
    assert any("two rules contradict each other" in line for line in desk.said)
    assert servers.wishes == []
    assert not [process for process in Path("/proc").glob("[0-9]*") if is_pretending(process)]


def test_labels_need_no_training_and_wait_for_one_that_is_under_way(
    desk: Desk, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.save(LABELS, "new words")
    desk.work_until(f"{LABELS}: needs no training, the assistant uses it now.")
    assert (desk.trainings, servers.wishes) == ([], [("assistant", desk.model), ("actions", None)])
    monkeypatch.setenv("PRETEND_SECONDS", "3")
    desk.save(EXAMPLES, "new")
    desk.work_until(lambda: desk.trainings == ["begun"])
    desk.save(LABELS, "newer words")
    desk.work_until(f"{LABELS}: comes with the training that is under way.")
    assert len(servers.wishes) == 2
    desk.work_until("trained 3,412 examples")
    assert desk.trainings == ["begun", "ended"]


def test_new_answers_are_put_into_the_model_that_has_learnt_the_rest(
    desk: Desk, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.save(EXAMPLES, "new")
    desk.work_until("uses it now")
    monkeypatch.setenv("PRETEND_PROBLEMS", '["Rasa is not asked"]')
    desk.save(ANSWERS, "responses:\n  utter_a: other words\n")
    desk.work_until("took up new answers in 1 s, the assistant uses it now.")
    assert f"{ANSWERS}: only answers are new, no training needed ..." in desk.said[-2]
    assert servers.wishes[-2:] == [("assistant", desk.model), ("actions", None)]


def test_the_guide_of_the_demo_is_no_matter_of_the_servers(desk: Desk, servers: Servers) -> None:
    desk.save("data/demo/en.yml", "try: this\n")
    desk.work_until("data/demo/en.yml: in order. `tendero demo` prints it.")
    desk.work_for(1)
    assert (desk.trainings, servers.wishes) == ([], [])


def test_going_back_to_what_was_trained_before_trains_nothing(desk: Desk, servers: Servers) -> None:
    first, before = desk.model, (desk.project / EXAMPLES).read_text()
    desk.save(EXAMPLES, "new")
    desk.work_until("uses it now")
    desk.save(EXAMPLES, before)
    desk.work_until(f"{EXAMPLES}: trained before, the assistant uses it now.")
    assert desk.trainings == ["begun", "ended"]
    assert servers.wishes[-2:] == [("assistant", first), ("actions", None)]


def test_a_save_that_changes_nothing_says_nothing(desk: Desk, servers: Servers) -> None:
    desk.save(EXAMPLES, (desk.project / EXAMPLES).read_text())
    (desk.project / "data" / "nlu" / "en" / "orders.yml~").write_text("an editor's copy")
    desk.work_for(2)
    assert len(desk.said) == 1
    assert desk.trainings == []


def test_what_cannot_be_looked_at_is_told_and_looked_at_with_the_next_save(
    desk: Desk, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def vanished(_project: Path) -> list[str]:
        raise FileNotFoundError(2, "No such file", "data/x.yml")

    with monkeypatch.context() as while_a_file_goes:
        while_a_file_goes.setattr(watching, "first_problems", vanished)
        desk.save(EXAMPLES, "new")
        desk.work_until("What was saved cannot be used now")
    desk.save(RULES, "new")
    desk.work_until("uses it now")
    assert f"{EXAMPLES} and {RULES}: training ..." in desk.said[2]


def test_a_file_system_that_can_be_watched_no_more_is_told_in_words(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def watch(*_paths: Path, **_options: object) -> Iterator[set[object]]:
        raise OSError("OS file watch limit reached.")
        yield set()

    monkeypatch.setattr("tendero.saves.watch", watch)
    with pytest.raises(Obstacle, match=r"cannot be watched \(OS file watch limit reached\.\)\. Set WATCHFILES_FORCE_POLLING=1"):
        next(saves(project))


def test_a_model_that_is_refused_is_told_and_actions_stay_as_they_are(desk: Desk, servers: Servers) -> None:
    servers.refuses = "it may need TensorFlow"
    desk.save(EXAMPLES, "new")
    desk.work_until("but the assistant goes on as before: it may need TensorFlow")
    desk.work_for(1)
    assert [role for role, _ in servers.wishes] == ["assistant"]


def test_without_an_assistant_the_model_waits_for_one_and_who_starts_with_an_older_is_told(desk: Desk, project: Path) -> None:
    older = desk.model
    desk.save(EXAMPLES, "new")
    desk.work_until("No assistant runs")
    servers = Servers(desk.home, project)
    servers.start(older)
    desk.work_until("There is a newer model, the assistant uses it now.")
    assert servers.wishes[0] == ("assistant", desk.model)
    servers.stop()


def test_code_takes_a_new_start(desk: Desk, servers: Servers) -> None:
    desk.save("actions/orders.py", "code = 1\n")
    desk.work_until("actions/orders.py: to have it in use, start the assistant anew")
    desk.save("bot/importer.py", "code = 1\n")
    desk.work_until("bot/importer.py: to have it in use, start the assistant anew")
    desk.save(EXAMPLES, "new")
    desk.work_until("bot/ is not what it was when the assistant was started")
    assert (desk.trainings, servers.wishes) == ([], [])


def test_without_news_from_the_file_system_the_files_are_looked_at(desk: Desk, servers: Servers, project: Path) -> None:
    desk.saves = saves(project, polls=True)
    desk.work_for(1)
    desk.save(LABELS, "new words")
    desk.save("domain.yml", "new words")
    desk.work_until("uses it now")
    assert f"{LABELS} and domain.yml: training ..." in desk.said[1]


def test_a_real_file_that_is_broken_is_told_by_file_and_line(tmp_path: Path) -> None:
    shutil.copytree(PROJECT / "data", tmp_path / "data")
    for name in ("domain.yml", "config.yml"):
        shutil.copy(PROJECT / name, tmp_path / name)
    file = tmp_path / "data" / "responses" / "en" / "conversation.yml"
    file.write_text(file.read_text().replace("  utter_welcome:\n", "  utter_welcome:\n    text 'x'\n", 1))
    [problem] = validation.first_problems(tmp_path)
    assert problem.startswith("data/responses/en/conversation.yml:")


COMMAND = """
import sys
from tendero import training, validation
from tests.tendero.test_watching import pretended
training.Child = validation.Child = pretended
from tendero.cli import main
sys.argv = ["tendero", "watch"]
main()
"""


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    """The command itself, as it begins with a training."""
    environ = {"TENDERO_HOME": str(tmp_path), "PRETEND_LOG": str(tmp_path / "trainings"), "PRETEND_SECONDS": "600"}
    command = [sys.executable, "-c", COMMAND]
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, cwd=PROJECT, env={**os.environ, **environ}, text=True, **both)
    until = time.monotonic() + PATIENCE
    while not (tmp_path / "trainings").exists():
        assert time.monotonic() < until
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    said, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (0, "")
    assert said.endswith("Stopped watching.\n")
    assert not is_alive(int((tmp_path / "trainings").read_text().split()[1]))
    assert [file.name for file in (tmp_path / "models").rglob("*") if file.is_file()] == []


def trainer_of(number: int) -> int:
    return int(Path(os.environ["PRETEND_LOG"]).read_text().splitlines()[number].split()[1])


def is_alive(pid: int) -> bool:
    with suppress(OSError):
        return "(zombie)" not in Path(f"/proc/{pid}/status").read_text()
    return False


def is_pretending(process: Path) -> bool:
    with suppress(OSError):
        return os.environ["PRETEND_LOG"].encode() in (process / "environ").read_bytes()
    return False
