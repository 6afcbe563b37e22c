"""The way of every request: fault, key, body and query by the document, endpoint, headers, log."""

import json
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sanctum_venice_tools.emulator import errors
from sanctum_venice_tools.emulator.account import now as moment
from sanctum_venice_tools.emulator.account import stamp
from sanctum_venice_tools.emulator.budget import SECONDS
from sanctum_venice_tools.emulator.errors import ApiError, standard
from sanctum_venice_tools.emulator.facts import Operation, facts
from sanctum_venice_tools.emulator.faults import Fault
from sanctum_venice_tools.emulator.service import Call, Key, Service
from sanctum_venice_tools.emulator.uploads import parse_form

BIGGEST_BODY = 160 * 2**20
BIGGEST_JSON = 35 * 2**20
DEEPEST_BODY = 200
ADMIN_ONLY = ("/api_keys", "/billing/")

Endpoint = Callable[[Call], Awaitable[Response]]

# The document wants a key for these, but Venice's own site asks for a price without one.
PRICES_FOR_ALL = {"/video/quote", "/audio/quote"}

LOGGER = logging.getLogger(__name__)


class Door:
    """An operation of Venice's as an ASGI application."""

    def __init__(self, service: Service, operation: Operation, endpoint: Endpoint) -> None:
        self.service = service
        self.operation = operation
        self.endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens, and write it down."""
        request = Request(scope, receive)
        entry = Entry(self.service, request)
        # The route's own template says nothing of the slug or id, so faults match the path as it
        # was asked.
        fault = self.service.faults.take(request.method, entry.path)
        try:
            raw = await read(request)
            response = await self.answer(request, raw, entry, fault)
            if fault:
                response = await fault.alter(response)
            response.headers.update(common_headers())
            entry.status = response.status_code
            if fault:
                await fault.deliver(response, scope, receive, send)
            else:
                await response(scope, receive, send)
        except (ConnectionResetError, ClientDisconnect):
            entry.status = 0
        finally:
            entry.write()

    async def answer(
        self, request: Request, raw: bytes, entry: "Entry", fault: Fault | None
    ) -> Response:
        """The reply to a request whose body was read."""
        try:
            kind, body = await self.parse(request, raw, entry)
            if fault and (response := fault.reply()):
                return response
            return await self.serve(request, kind, body, fault)
        except ApiError as error:
            return error.response()
        except Exception:
            LOGGER.exception("%s %s", request.method, entry.path)
            return standard(500, "An unknown error occurred").response()

    async def serve(self, request: Request, kind: str, body: Any, fault: Fault | None) -> Response:
        """Venice's own reply, which tells what is left of the key's error budget."""
        key = self.authenticate(request)
        if isinstance(body, ApiError):  # this early, it is not counted
            raise body
        if key is None:
            return await self.carry_out(request, key, kind, body, fault)
        bucket = self.service.budget.bucket(key.id, body)
        if fault and fault.fault == "error-budget":
            bucket.block(fault.seconds or SECONDS)
        try:
            bucket.check()
            response = await self.carry_out(request, key, kind, body, fault)
        except ApiError as error:
            response = error.response()
        bucket.count(response.status_code)
        response.headers.update(bucket.headers())
        return response

    async def carry_out(
        self, request: Request, key: Key | None, kind: str, body: Any, fault: Fault | None
    ) -> Response:
        """What the endpoint answers, if the request is one that Venice's document allows."""
        if kind:
            self.operation.check_body(kind, body)
        given = {name: request.query_params.getlist(name) for name in request.query_params}
        call = Call(
            request, self.service, self.operation, key, self.operation.check_query(given), body
        )
        call.fault = fault.fault if fault else ""
        if "siwx" in self.operation.access:
            if key:
                self.service.account.afford(key.id, key.limits.get("usd"), key.period)
            call.headers |= self.service.account.balance_headers()
        response = await self.endpoint(call)
        for name, value in call.headers.items():
            response.headers.setdefault(name, value)
        return response

    def authenticate(self, request: Request) -> Key | None:
        """The key of a request, or None where none is needed."""
        access, path = self.operation.access, self.operation.path
        if "public" in access or path in PRICES_FOR_ALL:
            return None
        if "BearerAuth" not in access:
            raise standard(401, "Invalid SIGN-IN-WITH-X header")
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        secret = secret.strip()
        if not secret or scheme.lower() != "bearer":
            raise errors.no_credentials(path) if "siwx" in access else errors.wrong_key()
        key = self.service.keys.get(secret)
        if key is None or (key.expires and key.expires < moment()):
            raise errors.wrong_key()
        if request.client and not key.is_open_to(request.client.host):
            raise errors.other_address()
        if key.kind != "ADMIN" and path.startswith(ADMIN_ONLY) and path != "/api_keys/rate_limits":
            raise errors.admin_only()
        key.used = moment()
        return key

    async def parse(self, request: Request, raw: bytes, entry: "Entry") -> tuple[str, Any]:
        """The content type and value of a request's body.

        A body that is none comes back as the error it earns.
        """
        kinds = self.operation.requests
        if not kinds:
            return "", None
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not raw and not kind:
            return next(iter(kinds)), {}
        if kind not in kinds:
            entry.body = raw.decode("utf-8", "replace")
            return next(iter(kinds)), standard(400, "'Content-Type' must be 'application/json'")
        if kind == "application/json" and len(raw) > BIGGEST_JSON:
            return kind, errors.too_large_body()
        try:
            entry.body = (
                parse_json(raw)
                if kind == "application/json"
                else await parse_form(raw, request.headers, kinds[kind])
            )
        except ValueError as error:
            entry.body = raw.decode("utf-8", "replace")
            return kind, errors.custom("", f"Invalid request body: {error}")
        return kind, entry.body


class Entry:
    """A request's line in the log."""

    def __init__(self, service: Service, request: Request) -> None:
        self.service = service
        self.request = request
        self.path = request.url.path.removeprefix("/api/v1")
        self.time = stamp(moment())
        self.started = time.perf_counter()
        self.body: Any = None
        self.status = 0

    def write(self) -> None:
        """Write the line; status 0 means that the caller got none."""
        self.service.log.write(
            {
                "time": self.time,
                "method": self.request.method,
                "path": self.path,
                "query": self.request.url.query,
                "body": self.body,
                "status": self.status,
                "milliseconds": round((time.perf_counter() - self.started) * 1000, 1),
            }
        )


async def read(request: Request) -> bytes:
    """The whole body, up to a size that no documented request reaches."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size <= BIGGEST_BODY:
            parts.append(part)
    return b"".join(parts)


def parse_json(raw: bytes) -> Any:
    """A JSON body with nothing in it that JSON or UTF-8 cannot hold."""
    try:
        value = json.loads(raw, parse_constant=_not_json, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deep") from None
    # Only a body with many brackets can be deep, only one with escapes can hold half a surrogate
    # pair.
    if raw.count(b"[") + raw.count(b"{") > DEEPEST_BODY or b"\\ud" in raw.lower():
        return _tidy(value, DEEPEST_BODY)
    return value


def _not_json(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise ValueError("a number is out of range")
    return number


def _tidy(value: Any, room: int) -> Any:
    """The value with halves of surrogate pairs replaced; too deep a value is refused."""
    if room < 0:
        raise ValueError("nested too deep")
    if isinstance(value, dict):
        return {_tidy(name, room): _tidy(part, room - 1) for name, part in value.items()}
    if isinstance(value, list):
        return [_tidy(part, room - 1) for part in value]
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def common_headers() -> dict[str, str]:
    """What every reply carries.

    Each connection serves one request, for Letta stalls on kept ones.
    """
    return {
        "connection": "close",
        "cf-ray": f"{secrets.token_hex(8)}-LOC",
        "x-venice-version": facts()["version"],
    }
