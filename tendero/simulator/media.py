"""Files: uploaded by the shop or sent by shoppers, each with its lifetime, type and size."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tendero.simulator.clock import Clock
from tendero.simulator.errors import GraphError, unknown_object
from tendero.simulator.names import Names

DAY = 24 * 3600.0
UPLOADED_LIVES, RECEIVED_LIVES = 30 * DAY, 7 * DAY  # seconds
ADDRESS_LIVES = 300.0
MB = 1024 * 1024
# kind: (most bytes, types)
ALLOWED: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "image": (5 * MB, ("image/jpeg", "image/png")),
    "sticker": (500 * 1024, ("image/webp",)),
    "audio": (16 * MB, ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg")),
    "video": (16 * MB, ("video/mp4", "video/3gpp")),
    "document": (
        100 * MB,
        (
            "application/pdf", "text/plain", "application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        ),
    ),
}  # fmt: skip
_MAGIC: tuple[tuple[bytes, int, str], ...] = (
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"WEBP", 8, "image/webp"),
    (b"%PDF-", 0, "application/pdf"),
    (b"OggS", 0, "audio/ogg"),
    (b"ID3", 0, "audio/mpeg"),
    (b"ftyp", 4, "video/mp4"),
)
_ALSO = {("video/mp4", "audio/mp4"), ("video/mp4", "video/3gpp")}  # one container


@dataclass(frozen=True)
class File:
    """ends_at: simulated. type: with its parameters, such as "audio/ogg; codecs=opus"."""

    id: str
    content: bytes
    type: str
    name: str
    ends_at: float

    @property
    def kind(self) -> str:
        return kind_of(self.type) or "document"

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.content).digest()

    def as_message(self) -> dict[str, Any]:
        """As a webhook tells of it."""
        return {"id": self.id, "mime_type": self.type, "sha256": base64.b64encode(self.digest).decode()}


class Media:
    def __init__(self, clock: Clock, names: Names) -> None:
        self._clock, self._names = clock, names
        self._files: dict[str, File] = {}
        self._addresses: dict[str, tuple[str, float]] = {}  # key: (media id, simulated end)

    def upload(self, content: bytes, declared: str, name: str) -> File:
        """Raises GraphError 131053 for a type or a size that WhatsApp does not take."""
        why = refusal(content, declared)
        if why:
            raise GraphError(131053, why)
        return self._keep(content, declared, name, UPLOADED_LIVES)

    def receive(self, content: bytes, kind: str, name: str) -> File:
        """What a shopper sends: of any type."""
        return self._keep(content, kind, name, RECEIVED_LIVES)

    def _keep(self, content: bytes, kind: str, name: str, lives: float) -> File:
        file = File(self._names.media(), content, kind, name, self._clock.now() + lives)
        self._files[file.id] = file
        return file

    def find(self, media_id: str) -> File | None:
        file = self._files.get(media_id)
        return file if file and self._clock.now() < file.ends_at else None

    def get(self, media_id: str, method: str = "get") -> File:
        """Raises GraphError 100/33."""
        file = self.find(media_id)
        if file is None:
            raise unknown_object(media_id, method)
        return file

    def delete(self, media_id: str) -> None:
        del self._files[self.get(media_id, "delete").id]

    def address(self, file: File) -> str:
        """A key that opens the file for five minutes."""
        key = f"{file.id}-{self._names.trace()}"
        self._addresses[key] = (file.id, self._clock.now() + ADDRESS_LIVES)
        return key

    def opened_by(self, key: str) -> File | None:
        media_id, ends_at = self._addresses.get(key, ("", 0.0))
        return self.find(media_id) if self._clock.now() < ends_at else None


def kind_of(type_: str) -> str | None:
    """image, sticker, audio, video or document; None for what WhatsApp does not take."""
    bare = type_.partition(";")[0].strip().lower()
    return next((kind for kind, (_, types) in ALLOWED.items() if bare in types), None)


def refusal(content: bytes, declared: str, kind: str | None = None) -> str | None:
    """Why WhatsApp would not take this file, in words. kind: what it is sent as, where that is known."""
    bare = declared.partition(";")[0].strip().lower()
    found = kind_of(bare)
    if found is None or (kind is not None and kind not in (found, "document")):
        return f"Param file must be a file with one of the types that are supported; {bare or 'none'} is not."
    most = ALLOWED[kind or found][0]
    if not content or len(content) > most:
        return f"The file has {len(content)} bytes. {(kind or found).capitalize()}: 1 to {most}."
    seen = _seen(content)
    if seen and seen != bare and (seen, bare) not in _ALSO:
        return f"The file is {seen}, not {bare} as it was declared."
    if bare.startswith(("image/", "application/pdf")) and not seen:
        return f"The file is not {bare} as it was declared."
    return None


def _seen(content: bytes) -> str | None:
    return next((type_ for magic, at, type_ in _MAGIC if content[at : at + len(magic)] == magic), None)
