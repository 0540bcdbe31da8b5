"""Files change, validation and training happen at once, and the running assistant goes on with what came of it.

What is on disk decides, not what was announced: whatever was saved, how often and in which order, the newest state is checked,
trained where there is no model of it, and told to the servers. What is broken is told, and nothing else happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from bot.own_code import fingerprint_of_code
from messaging.turns import wishes
from messaging.turns.wishes import Role
from tendero.environment import PROJECT
from tendero.holding import is_held
from tendero.saves import changed, contents, takes
from tendero.terminal import Watch, say
from tendero.training import Training, TrainingFailed, current_model
from tendero.validation import RasaValidation, first_problems

MOST_TOLD = 5  # problems; `tendero validate` has them all
ANSWERS_WITHIN = 120.0  # seconds
NAMES: dict[Role, str] = {"assistant": "assistant", "actions": "action server"}
START_ANEW = "start the assistant anew (Ctrl-C in its terminal, then `make run`)"


class Watcher:
    """`round` is to be called several times a second; in between, a training may go on in processes of its own."""

    def __init__(self, home: Path, project: Path = PROJECT) -> None:
        self._home = home
        self._project = project
        self._contents = contents(project)
        self._work: _Work | None = None
        self._telling: _Telling | None = None
        self._is_sound = True
        self._has_begun = False
        self._met: set[str] = set()  # assistants that are known to have, or to be told, the newest

    def round(self, is_saved: bool) -> None:
        """is_saved: whether some file was, since the last round."""
        if not self._has_begun:
            self._begin()
        if is_saved:
            try:
                self._look()
            except OSError as error:  # a file that went while it was read, a full disk: the next save is looked at again
                _tell(f"What was saved cannot be used now: {error}")
        self._go_on_working()
        self._go_on_telling()
        self._meet_newcomers()

    def close(self) -> None:
        """Stop what is under way."""
        if self._work is not None:
            self._work.stop()
            self._work = None

    # What was saved

    def _begin(self) -> None:
        """What was saved before: `tendero run`, where it is just starting, sees to that by itself."""
        if is_held(self._home) and not self._assistants():
            return
        self._has_begun = True
        _tell("Watching data/, domain.yml and config.yml. Ctrl-C ends it.")
        model = current_model(self._home, self._project)
        if not model.is_file():
            self._take_up(["what was changed before"])
        self._met = {each.name for each in self._assistants() if each.model == model.name}

    def _look(self) -> None:
        now = contents(self._project)
        paths = changed(self._contents, now)
        by_start = [path for path in paths if takes(path) == "restart"]
        if by_start:
            _tell(f"{_named(by_start)}: to have it in use, {START_ANEW}.")
        if others := [path for path in paths if takes(path) != "restart"]:
            self._take_up(others)
        self._contents = now

    def _take_up(self, paths: Sequence[str]) -> None:
        model = current_model(self._home, self._project)
        was_under_way = self._work is not None and self._work.model != model
        if was_under_way:
            self.close()
        problems = first_problems(self._project)
        self._is_sound = not problems
        if problems:
            _tell_problems(problems)
        elif all(path.startswith("data/demo/") for path in paths):
            _tell(f"{_named(paths)}: in order. `tendero demo` prints it.")
        elif self._work is not None:
            _tell(f"{_named(paths)}: comes with the training that is under way.")
        elif model.is_file():
            is_known = all(takes(path) == "read" for path in paths)
            self._tell_servers(model, f"{_named(paths)}: {'needs no training' if is_known else 'trained before'}")
        elif self._is_of_other_code():
            _tell(f"bot/ is not what it was when the assistant was started: to train and use this, {START_ANEW}.")
        else:
            self._work = _Work(model, self._home, self._project)
            doing = "only answers are new, no training needed" if self._work.is_of_words_only else "training"
            _tell(f"{_named(paths)}: {doing}{' anew' if was_under_way else ''} ...")

    # What is made of it

    def _go_on_working(self) -> None:
        if self._work is None:
            return
        try:
            outcome = self._work.outcome()
        except (TrainingFailed, OSError) as error:
            outcome = str(error).splitlines()
        if outcome is None:
            return
        model = self._work.model
        self.close()
        if isinstance(outcome, list):
            _tell_problems(outcome)
        elif self._is_sound:
            self._tell_servers(model, outcome)
        else:
            _tell(f"{outcome}. It is used once every file is in order.")

    def _tell_servers(self, model: Path, done: str) -> None:
        model.touch()  # the newest are kept
        if not self._assistants():
            self._telling = None
            _tell(f"{done}. No assistant runs on {self._home}: the next `make run` begins with it.")
        elif self._is_of_other_code():
            _tell(f"{done}. bot/ is not what it was when the assistant was started: to use it, {START_ANEW}.")
        else:
            self._met = {each.name for each in self._assistants()}
            self._telling = _Telling(self._home, model.name, done)

    def _go_on_telling(self) -> None:
        outcome = self._telling.outcome() if self._telling is not None else None
        if outcome is not None:
            self._telling = None
            _tell(outcome)

    def _meet_newcomers(self) -> None:
        """One that was started meanwhile, or before this was, may have an older model."""
        newcomers = [each for each in self._assistants() if each.name not in self._met]
        if not newcomers or not self._has_begun or not self._is_sound or self._work is not None or self._telling is not None:
            return
        model = current_model(self._home, self._project)
        self._met |= {each.name for each in newcomers}
        if model.is_file() and any(each.model != model.name for each in newcomers):
            self._tell_servers(model, "There is a newer model")

    def _assistants(self) -> list[wishes.Server]:
        return [each for each in wishes.running(self._home) if each.role == "assistant"]

    def _is_of_other_code(self) -> bool:
        """A model that is made by other code than a server runs may not fit it."""
        return any(each.code != fingerprint_of_code(self._project / "bot") for each in self._assistants())


class _Work:
    """A training, and beside it what Rasa finds wrong in the same files."""

    def __init__(self, model: Path, home: Path, project: Path) -> None:
        self.model = model
        self._training = Training(home, project)
        self.is_of_words_only = self._training.is_of_words_only
        # Rasa looks at no answer's words; what else there is was looked at when it was trained.
        self._validation = None if self.is_of_words_only else RasaValidation(home, project)

    def outcome(self) -> str | list[str] | None:
        """What was trained, or the problems; None while it goes on. Raises TrainingFailed."""
        if self._validation is not None and not self._validation.is_under_way:
            if problems := self._validation.problems():
                return problems
            self._validation.stop()
            self._validation = None
        if self._validation is not None or self._training.is_under_way:
            return None
        return str(self._training.finish())

    def stop(self) -> None:
        self._training.stop()
        if self._validation is not None:
            self._validation.stop()


class _Telling:
    """First the assistant, then its actions: what these say has to be known by the model, and so a model that is refused
    leaves them as they are."""

    def __init__(self, home: Path, model: str, done: str) -> None:
        self._home = home
        self._done = done
        self._watch = Watch()
        self._left: list[tuple[Role, str | None]] = [("assistant", model), ("actions", None)]
        self._next()

    def _next(self) -> None:
        self._role, model = self._left.pop(0)
        self._wish = wishes.wish(self._home, self._role, model)

    def outcome(self) -> str | None:
        """What to say of it; None while it is not known."""
        servers = [each for each in wishes.running(self._home) if each.role == self._role]
        if any(each.wish != self._wish for each in servers):
            is_late = self._watch.seconds > ANSWERS_WITHIN
            return f"{self._done}. The {NAMES[self._role]} has not taken it up within {self._watch}." if is_late else None
        if errors := [each.error for each in servers if each.error]:
            return f"{self._done}, but the {NAMES[self._role]} goes on as before: {errors[0]}"
        if self._left:
            self._next()
            return None
        return f"{self._done}, the assistant uses it now."


def _named(paths: Sequence[str]) -> str:
    if len(paths) <= 2:
        return " and ".join(paths)
    folders = sorted({path.rpartition("/")[0] or path for path in paths})
    return f"{len(paths)} files in {', '.join(folders[:3])}{' and elsewhere' if len(folders) > 3 else ''}"


def _tell_problems(problems: Sequence[str]) -> None:
    more = len(problems) - MOST_TOLD
    _tell("\n".join([*problems[:MOST_TOLD], *([f"and {more} more: `tendero validate` lists them"] if more > 0 else [])]))
    _tell("Nothing is changed until this is in order.")


def _tell(text: str) -> None:
    say(f"{datetime.now().astimezone():%H:%M:%S}  {text}")
