"""`/_simulator/...`: what the page and tests do with the simulator. JSON both ways; what cannot be done is a 400 with `error`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields
from typing import Any

from sanic import Sanic, response
from sanic.request import Request
from sanic.response import HTTPResponse

from tendero.simulator import incoming, statuses
from tendero.simulator.media import kind_of
from tendero.simulator.shoppers import Shopper
from tendero.simulator.templates import Template
from tendero.simulator.world import READS, World

LONGEST_WAIT = 25.0  # seconds
FASTEST = 1_000_000.0
SHOWN = 400  # messages of a chat, of the newest

Handler = Callable[..., Awaitable[Any]]


def add_control_routes(app: Sanic, world: World) -> None:
    controls = Controls(world)
    person = "shoppers/<key:[^/]+>"
    routes: tuple[tuple[str, str, Handler], ...] = (
        ("GET", "state", controls.state),
        ("GET", "webhooks", controls.webhooks),
        ("POST", "webhooks", controls.send_raw),
        ("POST", "verify", controls.verify),
        ("POST", "shoppers", controls.add),
        ("GET", f"{person}/entries", controls.entries),
        ("POST", f"{person}/messages", controls.write),
        ("POST", f"{person}/read", controls.read),
        ("POST", f"{person}/move", controls.move),
        ("POST", f"{person}/preferences", controls.prefer),
        ("POST", person, controls.change),
        ("POST", "clock", controls.set_clock),
        ("POST", "delivery", controls.set_delivery),
        ("POST", "delivery/flush", controls.flush),
        ("POST", "statuses", controls.set_statuses),
        ("POST", "limits", controls.set_limits),
        ("POST", "faults", controls.add_fault),
        ("DELETE", "faults", controls.clear_faults),
        ("POST", "token", controls.set_token),
        ("POST", "templates", controls.put_template),
        ("POST", "reset", controls.reset),
    )
    for method, path, handler in routes:
        name = f"control_{method}_{handler.__name__}"
        app.add_route(_answering(handler), f"/_simulator/{path}", methods=[method], name=name)
    app.add_route(controls.file, "/_simulator/files/<media_id:[0-9]+>", methods=["GET"], name="control_file")


def _answering(handler: Handler) -> Handler:
    async def answer(request: Request, **named: str) -> HTTPResponse:
        try:
            return response.json(await handler(request, **named))
        except LookupError as error:
            return response.json({"error": str(error.args[0])}, status=404)
        except (ValueError, TypeError) as error:
            return response.json({"error": str(error)}, status=400)

    return answer


class Controls:
    def __init__(self, world: World) -> None:
        self._world = world

    async def state(self, request: Request) -> dict[str, Any]:
        """Everything the page shows. since: wait for a newer version; shopper: whose chat."""
        since = int(request.args.get("since", "-1"))
        await self._world.changed_since(since, min(float(request.args.get("wait", LONGEST_WAIT)), LONGEST_WAIT))
        world = self._world
        chosen = world.shoppers.by_key(request.args.get("shopper", ""))
        return {
            "version": world.version,
            "now": world.clock.now(),
            "factor": world.clock.factor,
            "business": {"name": world.account.verified_name, "phone": world.account.display_phone_number},
            "is_verified": world.is_verified,
            "has_expired": world.account.has_expired,
            "webhook": world.delivery.url,
            "delivery": world.delivery.as_json(),
            "statuses": asdict(world.status_manner),
            "counts": world.counts,
            "refused": list(world.refused),
            "unreachable": list(world.unreachable),
            "shoppers": [self._summary(each) for each in world.shoppers],
            "entries": [entry.as_json() for entry in chosen.entries[-SHOWN:]] if chosen else [],
        }

    async def webhooks(self, _request: Request) -> dict[str, Any]:
        return {"webhooks": [asdict(each) for each in self._world.delivery.webhooks]}

    async def send_raw(self, request: Request) -> dict[str, Any]:
        """text: the body as it is to be sent; signature: good, wrong, missing, or the header's value."""
        asked = _object(request)
        body = str(asked["text"]).encode()
        good = self._world.delivery.sign(body)
        known = {"good": good, "wrong": good[:-4] + ("0000" if not good.endswith("0000") else "1111"), "missing": None}
        signature = str(asked.get("signature", "good"))
        webhook = self._world.delivery.send_raw(body, known.get(signature, signature))
        while not webhook.has_ended:
            await self._world.changed_since(self._world.version, 1.0)
        return {"status": webhook.tries[-1]}

    async def verify(self, _request: Request) -> dict[str, Any]:
        self._world.is_verified = await self._world.delivery.verify()
        self._world.touch()
        return {"is_verified": self._world.is_verified}

    async def add(self, request: Request) -> dict[str, Any]:
        asked = _object(request)
        shows = bool(asked.get("shows_phone", True))
        added = self._world.shoppers.add(
            str(asked["name"]), str(asked["phone"]), username=asked.get("username"), shows_phone=shows
        )
        self._world.touch()
        return self._summary(added)

    async def entries(self, request: Request, key: str) -> dict[str, Any]:
        shopper = self._find(key)
        after = int(request.args.get("after", "0"))
        return {"shopper": self._summary(shopper), "entries": [each.as_json() for each in shopper.entries[after:]]}

    async def write(self, request: Request, key: str) -> dict[str, Any]:
        return incoming.write(self._world, self._find(key), _object(request)).as_json()

    async def read(self, _request: Request, key: str) -> dict[str, Any]:
        shopper = self._find(key)
        statuses.see(self._world, shopper)
        return self._summary(shopper)

    async def move(self, request: Request, key: str) -> dict[str, Any]:
        """phone: to another number; without it only the user id changes."""
        shopper = self._find(key)
        incoming.move(self._world, shopper, _object(request).get("phone"))
        return self._summary(shopper)

    async def prefer(self, request: Request, key: str) -> dict[str, Any]:
        shopper = self._find(key)
        incoming.prefer(self._world, shopper, str(_object(request).get("value")))
        return self._summary(shopper)

    async def change(self, request: Request, key: str) -> dict[str, Any]:
        """name, username, shows_phone, is_online, blocks_shop, takes_marketing."""
        shopper, asked = self._find(key), _object(request)
        allowed = ("name", "username", "shows_phone", "blocks_shop", "takes_marketing")
        for name in set(asked) & set(allowed):
            setattr(shopper, name, asked[name])
        if "is_online" in asked:
            statuses.switch_on(self._world, shopper, bool(asked["is_online"]))
        self._world.touch()
        return self._summary(shopper)

    async def set_clock(self, request: Request) -> dict[str, Any]:
        """factor: simulated seconds a second; advance: seconds to put it forward."""
        asked, clock = _object(request), self._world.clock
        if "factor" in asked:
            factor = float(asked["factor"])
            if not 0.001 <= factor <= FASTEST:
                raise ValueError(f"factor must be from 0.001 to {FASTEST:.0f}")
            clock.run(factor)
        advance = float(asked.get("advance", 0))
        if advance < 0:
            raise ValueError("advance must not be negative: the clock does not go back")
        clock.advance(advance)
        self._world.touch()
        return {"now": clock.now(), "factor": clock.factor}

    async def set_delivery(self, request: Request) -> dict[str, Any]:
        manner = self._world.delivery.manner
        _set(manner, _object(request))
        manner.batch, manner.repeat = max(1, manner.batch), max(1, manner.repeat)
        if not manner.is_held:
            self._world.delivery.flush()
        return self._world.delivery.as_json()

    async def flush(self, _request: Request) -> dict[str, Any]:
        self._world.delivery.flush()
        return self._world.delivery.as_json()

    async def set_statuses(self, request: Request) -> dict[str, Any]:
        asked = _object(request)
        if asked.get("read", READS[0]) not in READS:
            raise ValueError(f"read must be one of {', '.join(READS)}")
        _set(self._world.status_manner, asked)
        return asdict(self._world.status_manner)

    async def set_limits(self, request: Request) -> dict[str, Any]:
        """pair: seconds_a_message, burst; number: a_second."""
        asked = _object(request)
        _set(self._world.pair, asked.get("pair", {}))
        _set(self._world.number, asked.get("number", {}))
        return {"pair": self._world.pair.burst, "number": self._world.number.a_second}

    async def add_fault(self, request: Request) -> dict[str, Any]:
        """kind: send, later or media, and the names of `simulator.faults`."""
        asked = _object(request)
        self._world.faults.add(str(asked.pop("kind", "")), asked)
        return asdict(self._world.faults)

    async def clear_faults(self, _request: Request) -> dict[str, Any]:
        self._world.faults.clear()
        return asdict(self._world.faults)

    async def set_token(self, request: Request) -> dict[str, Any]:
        """has_expired; add: another token that is let in from now on."""
        asked, account = _object(request), self._world.account
        account.has_expired = bool(asked.get("has_expired", account.has_expired))
        if asked.get("add"):
            account.access_tokens.append(str(asked["add"]))
        self._world.touch()
        return {"has_expired": account.has_expired}

    async def put_template(self, request: Request) -> dict[str, Any]:
        """name, language, components, status, category, as in Meta's list."""
        template = Template.of(_object(request))
        self._world.templates.put(template)
        return template.as_json()

    async def reset(self, _request: Request) -> dict[str, Any]:
        """As new: only the people and the templates stay, and the clock, which never goes back."""
        self._world.begin_anew()
        return {"version": self._world.version}

    async def file(self, _request: Request, media_id: str) -> HTTPResponse:
        """What the page shows; anything that a browser could run is only for saving."""
        file = self._world.media.find(media_id)
        if file is None:
            return response.text("gone", status=404)
        is_known = kind_of(file.type) is not None
        headers = {"Content-Security-Policy": "default-src 'none'; sandbox"}
        if not is_known or file.kind == "document":
            headers["Content-Disposition"] = "attachment"
        return response.raw(file.content, content_type=file.type if is_known else "application/octet-stream", headers=headers)

    def _find(self, key: str) -> Shopper:
        shopper = self._world.shoppers.by_key(key)
        if shopper is None:
            raise LookupError(f"There is no shopper {key}.")
        return shopper

    def _summary(self, shopper: Shopper) -> dict[str, Any]:
        now = self._world.clock.now()
        return {
            **shopper.as_json(),
            "total": len(shopper.entries),
            "unread": len(statuses.unread(shopper)),
            "is_open": shopper.may_get_anything(now),
            "shop_types": shopper.shop_types_until > now,
            "newest": shopper.entries[-1].shown if shopper.entries else None,
        }


def _object(request: Request) -> dict[str, Any]:
    body = request.json if request.body else {}
    if not isinstance(body, dict):
        raise ValueError("The body must be a JSON object.")
    return body


def _set(target: Any, values: dict[str, Any]) -> None:
    known = {each.name for each in fields(target) if not each.name.startswith("_")}
    if unknown := sorted(set(values) - known):
        raise ValueError(f"There is no {', '.join(unknown)}; there is {', '.join(sorted(known))}.")
    for name, value in values.items():
        setattr(target, name, value)
