"""The log lines of a server: one JSON object each, and no values of others' in them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

PROLOGUE = """
import logging, warnings
import structlog
from messaging.turns import logs, trace
foreign_events = structlog.get_logger("rasa.core.processor")
logging.getLogger("sanic.root").addHandler(logging.StreamHandler())
logs.configure()
ours, sanic = logging.getLogger("bot.server"), logging.getLogger("sanic.error")
WORDS = "I am Ana Torres, ana@example.com"
"""


def logged(code: str) -> list[dict[str, Any]]:
    """What a process that runs this code logs; all of its output has to be such lines."""
    command = [sys.executable, "-W", "ignore", "-c", PROLOGUE + code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_line_has_time_level_logger_message_trace_id_and_facts() -> None:
    (line,) = logged("ours.info('turn %s', 7, extra={'trace_id': 'f' * 32, 'state': 'done', 'try': 1})")
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "INFO",
        "logger": "bot.server",
        "message": "turn 7",
        "trace_id": "f" * 32,
        "state": "done",
        "try": 1,
    }


def test_the_trace_of_the_task_is_in_every_line_of_it() -> None:
    lines = logged(
        "ours.info('before')\nwith trace.followed('a' * 32):\n    ours.info('within'); sanic.error('too')\nours.info('after')\n"
    )
    assert [line.get("trace_id") for line in lines] == [None, "a" * 32, "a" * 32, None]


def test_others_are_heard_from_warnings_on_and_only_with_what_stands_in_their_code() -> None:
    lines = logged(
        "sanic.info('Goin fast')\n"
        "sanic.warning('Slow down')\n"
        "sanic.error('Bad text: %s', WORDS, extra={'text': WORDS})\n"
        "sanic.error(f'Bad text: {WORDS}')\n"
        "sanic.error(WORDS + '!')\n"
        "logging.getLogger('sanic.root').warning('Once')\n"
    )
    messages = [line["message"] for line in lines]
    assert messages[:2] == ["Slow down", "Bad text: %s"]
    assert messages[4] == "Once"
    assert "Ana" not in json.dumps(lines)
    assert all("text" not in line for line in lines)


def test_rasas_events_keep_their_name_and_nothing_of_the_conversation() -> None:
    lines = logged(
        "foreign_events.debug('processor.message.parse', text=WORDS)\n"
        "foreign_events.warning('processor.message.odd', text=WORDS, event_info='about ' + WORDS)\n"
        "foreign_events.error(WORDS)\n"
    )
    assert [line["message"] for line in lines] == ["processor.message.odd", "an event"]
    assert "Ana" not in json.dumps(lines)


def test_of_an_exception_the_type_and_the_place_are_kept_not_its_words() -> None:
    lines = logged(
        "def read(text):\n"
        "    raise ValueError(text)\n"
        "for logger in (ours, sanic, foreign_events):\n"
        "    try:\n"
        "        try:\n"
        "            read(WORDS)\n"
        "        except ValueError as error:\n"
        "            raise RuntimeError(WORDS) from error\n"
        "    except RuntimeError:\n"
        "        logger.exception('it.failed')\n"
    )
    assert [line["exception"] for line in lines] == ["RuntimeError from ValueError"] * 3
    assert all("<string>" in line["stack"][0] for line in lines)
    assert "Ana" not in json.dumps(lines)


def test_warnings_of_libraries_are_not_logged() -> None:
    assert logged("warnings.simplefilter('always'); warnings.warn(WORDS)") == []
