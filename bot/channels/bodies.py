"""Bodies of requests, read no further than they may be."""

from __future__ import annotations

from sanic.request import Request


async def body_of(request: Request, most: int) -> bytes | None:
    """The bytes as they came, of a route that streams; None where there are more than `most`, announced or not."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > most:
        return None
    parts, size = [], 0
    async for part in request.stream:
        size += len(part)
        if size > most:
            return None
        parts.append(part)
    return b"".join(parts)
