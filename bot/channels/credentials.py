"""What connectors are told: in credentials.yml, and by the environment for what is not written there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any


def told(
    settings: type, connector: str, prefix: str, credentials: Mapping[str, Any] | None, environ: Mapping[str, str]
) -> dict[str, Any]:
    """A value for each field of a dataclass of settings; an empty text where nothing is told.

    connector: the class, as credentials.yml names it. A key that is not written there is `<prefix>_<KEY>` of the environment.
    Raises ValueError for a key that there is not.
    """
    names = [each.name for each in fields(settings)]
    written = written_in(connector, credentials, names)
    return {name: written.get(name) or environ.get(f"{prefix}_{name.upper()}") or "" for name in names}


def told_texts(
    settings: type, connector: str, prefix: str, credentials: Mapping[str, Any] | None, environ: Mapping[str, str]
) -> dict[str, str]:
    """The same as texts, without what is not told: for it the settings have values of their own."""
    texts = {name: str(value).strip() for name, value in told(settings, connector, prefix, credentials, environ).items()}
    return {name: text for name, text in texts.items() if text}


def written_in(connector: str, credentials: Mapping[str, Any] | None, known: Collection[str]) -> dict[str, Any]:
    """What credentials.yml says of this connector. Raises ValueError for a key that is none of these."""
    written = {str(key): value for key, value in (credentials or {}).items()}
    if unknown := sorted(set(written) - set(known)):
        raise ValueError(f"credentials.yml, {connector}: unknown {', '.join(unknown)}")
    return written
