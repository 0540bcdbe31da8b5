"""Logs for machines to read: a JSON object a line, by trace id, without a shopper's words, name or address.

Our own messages are written with that in mind. Of others' (Rasa, sanic, drivers) only what is literally in their code is kept:
values may be anything that somebody typed. Of exceptions the type and the places are kept, never the text.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from datetime import datetime, timezone
from types import FrameType
from typing import Any

import structlog

from messaging.turns import trace

OURS = frozenset({"actions", "bot", "commerce", "database", "desk", "messaging", "tendero"})
DEEPEST = 12  # frames of a stack, the innermost

_KNOWN = frozenset({*vars(logging.LogRecord("", 0, "", 0, "", (), None)), "message", "asctime", "taskName"})
_EVENT = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")


class JsonLines(logging.Formatter):
    """time, level, logger, message; trace_id, where there is one; the facts of `extra`; exception and stack."""

    def format(self, record: logging.LogRecord) -> str:
        is_ours = record.name.partition(".")[0] in OURS
        facts = {name: value for name, value in vars(record).items() if name not in _KNOWN} if is_ours else {}
        line = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage() if is_ours else _literal(record),
            "trace_id": facts.pop("trace_id", None) or trace.current() or None,
            **facts,
            **_exception(record.exc_info),
        }
        known = {name: value for name, value in line.items() if value is not None}
        return json.dumps(known, ensure_ascii=False, default=lambda value: type(value).__name__)


def configure() -> None:
    """Everything goes to the standard output: ours from INFO on, others' from WARNING on. May be called again."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    for known in list(logging.root.manager.loggerDict.values()):
        if isinstance(known, logging.Logger):
            known.handlers.clear()  # some libraries bring their own
            known.propagate = True
            known.setLevel(logging.NOTSET)
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.INFO)
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").setLevel(logging.ERROR)  # they are for developers, and some quote values
    structlog.configure(
        processors=[_only_its_name],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _only_its_name(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> tuple[tuple[str], Mapping[str, Any]]:
    """Rasa names its events, "processor.message.parse"; what comes with the name is the conversation."""
    name = str(event.get("event"))
    said = name if _EVENT.fullmatch(name) else "an event"
    return (said,), {"exc_info": event.get("exc_info"), "extra": {"event_name": said}}


def _literal(record: logging.LogRecord) -> str:
    """What the code that logs this has written down itself: its place, where a value is part of the message."""
    event = getattr(record, "event_name", None)
    if event is not None:
        return str(event)
    if isinstance(record.msg, str) and any(record.msg in frame.f_code.co_consts for frame in _frames_of(record)):
        return record.msg
    return f"{record.module}.py, line {record.lineno}"


def _frames_of(record: logging.LogRecord) -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if (frame.f_code.co_filename, frame.f_lineno) == (record.pathname, record.lineno):
            yield frame
        frame = frame.f_back


def _exception(exc_info: Any) -> dict[str, Any]:
    error = exc_info[1] if isinstance(exc_info, tuple) else None
    if error is None:
        return {}
    types: list[str] = []
    seen = error
    while seen is not None and len(types) < DEEPEST:
        types.append(type(seen).__name__)
        seen = seen.__cause__ or seen.__context__
    frames = traceback.extract_tb(error.__traceback__)[-DEEPEST:]
    return {"exception": " from ".join(types), "stack": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]}
