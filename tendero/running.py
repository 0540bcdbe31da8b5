"""One command to a shop that answers: prepare what is missing, start both servers, keep an eye on them, stop them."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timezone
from pathlib import Path
from socket import socket

from tendero import migrating, rasa_files
from tendero.children import Child, answers
from tendero.environment import PROJECT
from tendero.holding import hold, hold_watch
from tendero.obstacles import Obstacle, check, check_home, listen_for_actions
from tendero.settings import Settings
from tendero.stopping import Stopped, ignore_signals, stoppable
from tendero.terminal import Watch, say, warn, working
from tendero.training import Training, current_model

LONGEST_START_SECONDS = 240.0
LOOK_EVERY_SECONDS = 0.2
DEMO_GROWS_OLD_AFTER = 5  # days: then what was "on its way" is late
OWN_KEY = "WEBCHAT_JWT_SECRET"  # with which a shop signs its customers in
DEMO_KEY = "TENDERO_DEMO_SIGN_IN_KEY"  # with which the demo shop's page does; it has no other
MODEL_FAILED = "Could not load model due to"  # Rasa goes on without a model and answers nobody


@dataclass(frozen=True)
class Shop:
    """What was found or made before the servers start."""

    model: Path
    demo_day: date | None  # from which the demo's dates count; None: no demo
    desk_password: Path | None = None  # the file with that of the demo's people

    @property
    def is_demo(self) -> bool:
        return self.demo_day is not None


@dataclass(frozen=True)
class Beside:
    """Something that runs as long as the shop does. told: said when all of it answers."""

    start: Callable[[], Child]
    told: Sequence[str] = ()


def run(settings: Settings, beside: Beside | None = None) -> int:
    """Run the shop until it is stopped; the exit code. Raises Obstacle and what the modules around raise, all in words."""
    watch = Watch()
    with stoppable(), ExitStack() as stack:
        try:
            check_home(settings.home)
            stack.enter_context(hold(settings.home))
            check(settings)
            others = _start_beside(beside, stack)
            listening = stack.enter_context(listen_for_actions(settings.action_port))
            action_port = int(listening.getsockname()[1])
            shop, actions = _prepare(settings, listening, stack)
            rasa = _start_rasa(settings, shop, action_port, stack)
            _wait_until_they_answer(settings, action_port, actions, rasa)
            _start_mail(settings, stack)
            _welcome(settings, shop, watch, beside.told if beside else ())
            _keep_running(settings, [actions, rasa, *others], stack)
        except Stopped:
            ignore_signals()
            say("Stopping ...")
            stack.close()
            say("Stopped. Everything is kept: `make run` goes on from here.")
    return 0


def _prepare(settings: Settings, listening: socket, stack: ExitStack) -> tuple[Shop, Child]:
    """Tables, model and demo shop; the training, the loading and the action server's start go on side by side."""
    if not migrating.is_current(settings.database_url):
        migrating.upgrade(settings.database_url)
    actions = _start_actions(settings, listening, stack)
    model = current_model(settings.home)
    training = None if model.is_file() else stack.enter_context(_training(settings))
    _fill_demo(settings)
    shop = _shop(settings, model)
    if training is not None:
        with working("Training the assistant on the examples in data/"):
            say(f"  {training.finish()}")
    model.touch()  # the newest are kept
    return shop, actions


def _shop(settings: Settings, model: Path) -> Shop:
    """What the database holds; for the demo, with its page's goods and the people of its desk."""
    demo_day = _demo_day(settings) if settings.with_demo else None
    if demo_day is None:
        return Shop(model, None)
    _write_shop_window(settings)
    return Shop(model, demo_day, _make_demo_agents(settings))


@contextmanager
def _training(settings: Settings) -> Iterator[Training]:
    training = Training(settings.home)
    try:
        yield training
    finally:
        training.stop()


def _fill_demo(settings: Settings) -> None:
    from tendero import demo_shop

    if not settings.with_demo or not demo_shop.is_empty(settings.database_url):
        return
    with working("Filling the demo shop"):
        counts = demo_shop.fill(settings.database_url, datetime.now(timezone.utc))
    say(f"  {counts['variant']} variants, {counts['customer']} customers, {counts['orders']:,} orders")


def _write_shop_window(settings: Settings) -> None:
    from tendero import shop_window

    shop_window.write(settings.home, settings.database_url)


def _make_demo_agents(settings: Settings) -> Path | None:
    from tendero import demo_agents

    return demo_agents.make(settings.home, settings.database_url, datetime.now(timezone.utc))


def _demo_day(settings: Settings) -> date | None:
    from tendero import demo_shop

    return demo_shop.demo_day(settings.database_url)


def _start_actions(settings: Settings, listening: socket, stack: ExitStack) -> Child:
    """listening: becomes the server's, and is closed here, so that nobody waits for one that has ended."""
    log, number = settings.home / "logs" / "actions.log", listening.fileno()
    with listening:
        arguments = ["--socket", str(number)]
        child = Child("action server", "actions.server", arguments, log, [number], **_our_state(settings))
    stack.callback(child.stop)
    return child


def _start_rasa(settings: Settings, shop: Shop, action_port: int, stack: ExitStack) -> Child:
    endpoints = rasa_files.write_endpoints(settings.home, action_port)
    credentials = rasa_files.write_credentials(settings.home, shop.is_demo)
    arguments = ["--model", str(shop.model), "--endpoints", str(endpoints), "--credentials", str(credentials)]
    where = ["-i", settings.host, "-p", str(settings.port)]
    environ = {**_our_state(settings), **(_demo_sign_in(os.environ) if shop.is_demo else {})}
    child = Child("Rasa server", "bot.server", [*arguments, *where], settings.home / "logs" / "rasa.log", **environ)
    stack.callback(child.stop)  # called before the action server's: turns that are under way can still end
    return child


def _demo_sign_in(environ: Mapping[str, str]) -> dict[str, str]:
    """With whose key the demo shop's page signs its made-up customers in: one that is made at each start and kept nowhere.

    A shop that has a secret of its own for this keeps it, and nobody is signed in without it: what the demo signs is worth
    nothing there.
    """
    if environ.get(OWN_KEY):
        return {}
    key = secrets.token_hex(32)
    return {OWN_KEY: key, DEMO_KEY: key}


def _start_beside(beside: Beside | None, stack: ExitStack) -> list[Child]:
    if beside is None:
        return []
    child = beside.start()
    stack.callback(child.stop)
    return [child]


def _our_state(settings: Settings) -> dict[str, str]:
    return {"TENDERO_HOME": str(settings.home), "TENDERO_DATABASE_URL": settings.database_url}


def _wait_until_they_answer(settings: Settings, action_port: int, actions: Child, rasa: Child) -> None:
    watch = Watch()
    with working("Starting the assistant"):
        while not (answers("127.0.0.1", action_port, "/health") and answers(settings.probe_host, settings.port, "/health")):
            _raise_if_dead(actions, rasa)
            if watch.seconds > LONGEST_START_SECONDS:
                raise Obstacle(f"The servers do not answer after {watch}. Their words are in {settings.home / 'logs'}.")
            time.sleep(LOOK_EVERY_SECONDS)
    failures = [line for line in rasa.log.newest if MODEL_FAILED in line]
    if failures:
        raise Obstacle(f"Rasa cannot load the model: {failures[-1]}\nTrain anew with `tendero train --force`. {rasa.log.path}")


def _raise_if_dead(*children: Child) -> None:
    for child in children:
        child.raise_if_dead()


def _start_mail(settings: Settings, stack: ExitStack) -> None:
    from tendero.mail_rounds import MailRounds

    rounds = MailRounds(settings)
    stack.callback(rounds.stop)
    rounds.start()


def _welcome(settings: Settings, shop: Shop, watch: Watch, more: Sequence[str]) -> None:
    say(f"\nTendero answers at {settings.address}  (ready in {watch})\n")
    if shop.is_demo:
        say('  Try it      open the page and type "Where is my order?" or "¿Dónde está mi pedido?"')
        say("  As whom     `tendero demo` says who you can be and what to type")
        if shop.desk_password is not None:
            say(f"  The desk    {settings.address}desk  (as marta or luis; their password is in {shop.desk_password})")
        say(f"  For code    POST {settings.address}webhooks/rest/webhook  (REST trusts whoever calls: demo only)")
    say(f"  Its mail    {settings.home / 'outbox'}  (`tendero outbox` shows the newest: one-time codes arrive there)")
    say(f"  Its logs    {settings.home / 'logs'}")
    for line in more:
        say(f"  {line}")
    say("  To stop     Ctrl-C\n")
    if shop.demo_day is not None and (datetime.now(timezone.utc).date() - shop.demo_day).days > DEMO_GROWS_OLD_AFTER:
        say(f"The demo's orders are from around {shop.demo_day}: `tendero reset --yes` makes it new at the next start.\n")
    if not settings.is_local:
        warn(f"Note: on {settings.host} everybody in the network can reach it.")
    sys.stdout.flush()


def _keep_running(settings: Settings, children: Sequence[Child], stack: ExitStack) -> None:
    rounds = _watched(settings, stack) if settings.watches else _unwatched()
    for _ in rounds:
        _raise_if_dead(*children)


def _unwatched() -> Iterator[None]:
    while True:
        time.sleep(LOOK_EVERY_SECONDS)
        yield


def _watched(settings: Settings, stack: ExitStack) -> Iterator[None]:
    from tendero.saves import saves
    from tendero.watching import Watcher

    stack.enter_context(hold_watch(settings.home))
    watcher = stack.enter_context(closing(Watcher(settings.home)))
    for is_saved in saves(PROJECT):
        watcher.round(is_saved)
        yield
