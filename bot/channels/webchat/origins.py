"""From which pages the chat may be used: the assistant's own, and those of the allow-list.

No cookies are used, so that CORS is never with credentials; and never for "*".
"""

from __future__ import annotations

from sanic import response
from sanic.request import Request
from sanic.response import HTTPResponse

from bot.channels.webchat.settings import WebChatSettings, normal_origin

METHODS = "GET, POST, OPTIONS"
HEADERS = "Authorization, Content-Type, X-File-Name"
REMEMBERED = "3600"  # seconds, that a browser may keep the answer to a preflight
SECURE = {"ws": "http", "wss": "https"}


def origin_of(request: Request) -> str | None:
    """The page's origin as the browser says. None: it says none, or "null" (a file, a sandboxed frame), or something else."""
    said = request.headers.getall("origin", [])
    return normal_origin(said[0]) if len(said) == 1 else None


def allowed(request: Request, settings: WebChatSettings) -> bool:
    """Whether the page that asks may use the chat."""
    origin = origin_of(request)
    return origin is not None and (origin in settings.origins or origin == own(request, settings.proxies))


def cors(request: Request, settings: WebChatSettings) -> dict[str, str]:
    """The headers of each answer; a cache must not give one origin's answer to another."""
    if not allowed(request, settings):
        return {"Vary": "Origin"}
    return {
        "Vary": "Origin",
        "Access-Control-Allow-Origin": request.headers["origin"].strip(),
        "Access-Control-Expose-Headers": "Retry-After",
    }


def preflight(request: Request, settings: WebChatSettings) -> HTTPResponse:
    """The answer to OPTIONS."""
    headers = cors(request, settings)
    if "Access-Control-Allow-Origin" not in headers:
        return response.empty(status=403, headers=headers)
    more = {
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": HEADERS,
        "Access-Control-Max-Age": REMEMBERED,
    }
    return response.empty(status=204, headers={**headers, **more})


def own(request: Request, proxies: int) -> str | None:
    """The assistant's own origin, as the request reached it, or our first proxy where there is one."""
    host = request.headers.get("host", "")
    host = _first_proxys(request, "x-forwarded-host", proxies) or host
    return normal_origin(f"{scheme_of(request, proxies)}://{host}")


def scheme_of(request: Request, proxies: int) -> str:
    """http or https: by which the request reached us, or our first proxy where there is one."""
    return _first_proxys(request, "x-forwarded-proto", proxies) or SECURE.get(request.scheme, request.scheme)


def _first_proxys(request: Request, header: str, proxies: int) -> str:
    """What our first proxy says, where each of them adds a value; what stands before it comes from anybody.

    Empty without proxies."""
    values = [value.strip() for line in request.headers.getall(header, []) for value in line.split(",")]
    return values[-min(proxies, len(values))] if proxies and values else ""
