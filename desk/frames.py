"""Frames as they come from the desk's page; what is wrong with one goes no further than this."""

from __future__ import annotations

import json
from dataclasses import dataclass

VERSION = 1
LARGEST = 4 * 1024  # bytes
STATUSES = ("available", "away")
LAST_ID = 2**31 - 1


class BadFrame(Exception):
    """It is none of ours."""


@dataclass(frozen=True)
class Hello:
    language: str = ""


@dataclass(frozen=True)
class LookAt:
    """handoff: None: at none."""

    handoff: int | None


@dataclass(frozen=True)
class Types:
    handoff: int
    on: bool


@dataclass(frozen=True)
class Status:
    status: str


@dataclass(frozen=True)
class Ping:
    pass


@dataclass(frozen=True)
class Unknown:
    """Of a later version, perhaps: it is left alone."""


Frame = Hello | LookAt | Types | Status | Ping | Unknown


def parse(data: bytes) -> Frame:
    """Raises BadFrame."""
    if len(data) > LARGEST:
        raise BadFrame("too large")
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        raise BadFrame("no JSON") from None
    if not isinstance(told, dict) or not isinstance(told.get("type"), str):
        raise BadFrame("no frame")
    match told["type"]:
        case "hello":
            return _hello(told)
        case "watch":
            return LookAt(None if told.get("handoff") is None else _id(told.get("handoff")))
        case "typing":
            return Types(_id(told.get("handoff")), _flag(told.get("on")))
        case "status" if told.get("status") in STATUSES:
            return Status(str(told["status"]))
        case "status":
            raise BadFrame("no such status")
        case "ping":
            return Ping()
    return Unknown()


def _hello(told: dict[str, object]) -> Hello:
    language = told.get("language", "")
    if told.get("v") != VERSION or isinstance(told.get("v"), bool) or not isinstance(language, str):
        raise BadFrame("another version")
    return Hello(language[:5])


def _id(told: object) -> int:
    if not isinstance(told, int) or isinstance(told, bool) or not 0 < told <= LAST_ID:
        raise BadFrame("no id")
    return told


def _flag(told: object) -> bool:
    if not isinstance(told, bool):
        raise BadFrame("neither yes nor no")
    return told
