"""Replies as Venice's document allows them, drawn by Hypothesis: whatever is optional may be missing."""

import base64
import functools
import ipaddress
import json
import random
import re
import string
from collections.abc import Callable
from typing import Any

import httpx
from hypothesis import strategies as st

from sanctum_venice_tools.emulator import film, pictures, sound
from sanctum_venice_tools.emulator.catalogue import catalogue
from sanctum_venice_tools.emulator.facts import Operation, Schema, facts, operations
from tests.tools.conftest import KEY, check_request, operation_of
from tests.tools.recorded import Call

Drawn = st.SearchStrategy[Any]
Draw = Callable[[Drawn], Any]

MOST = 10**12
TEXTS = [
    *(
        "",
        " ",
        "A fox.",
        "one\r\ntwo\u2028three\x1f",
        "na\u00efve \U0001f98a",
        "<b>Foxes &amp; bees</b>",
        "default",
    ),
    *("https://www.example.org/fox", "null", "{}"),
]
PRINTABLE = string.ascii_letters + string.digits + string.punctuation
NAMES = [
    "",
    "default",
    "fox-1.5",
    "16:9",
    "1K",
    "720p",
    "5s",
    "2026-08-01",
    "2026-08-01T10:00:00.000Z",
    "https://www.example.org/fox",
]
FILM, SPEECH = (
    operations()[path, "post"].requests["application/json"].properties()
    for path in ("/video/queue", "/audio/speech")
)
# What a model says of itself must be what requests may say.
LIMITS = {
    "durations": FILM["duration"]["enum"],
    **dict.fromkeys(("resolutions", "defaultResolution"), FILM["resolution"]["enum"]),
    **dict.fromkeys(
        ("aspect_ratios", "aspectRatios", "defaultAspectRatio"), FILM["aspect_ratio"]["enum"]
    ),
    **dict.fromkeys(("supported_formats", "default_format"), SPEECH["response_format"]["enum"]),
}
LONG_TEXTS = st.builds(
    str.__mul__, st.sampled_from(["word ", '"\n', "fox", "\U0001f98a"]), st.just(4000)
)
PROSE = re.compile(
    "(?i)text|content|title|description|message|name|error|prompt|label|result|policy|reason"
)
"""Names of fields whose texts may be of any length; names of models, jobs and the like are short."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(TEXTS[:5]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2)
    ),
    max_leaves=4,
)


def values(schema: dict[str, Any], name: str = "") -> Drawn:
    """Whatever a schema of the document allows; `name` is the field's."""
    if reference := schema.get("$ref"):
        return _defined(reference.removeprefix("#/$defs/"))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if union := schema.get("anyOf") or schema.get("oneOf"):
        either = st.one_of([values(part, name) for part in union])
        return either.filter(Schema(schema).validator.is_valid) if "oneOf" in schema else either
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return st.one_of([values({**schema, "type": kind}, name) for kind in kinds])
    match kinds:
        case "object":
            return _objects(schema)
        case "array":
            return st.lists(values(schema.get("items", {}), name), max_size=3)
        case "string":
            return _texts(schema, name)
        case "integer" | "number":
            return _numbers(schema, whole=kinds == "integer")
    return {"boolean": st.booleans(), "null": st.none()}.get(kinds or "", JSON)


@functools.cache
def _defined(name: str) -> Drawn:
    return values(facts()["$defs"][name])


def _objects(schema: dict[str, Any]) -> Drawn:
    """Objects with all that is required, and some of the rest."""
    parts = {name: values(part, name) for name, part in schema.get("properties", {}).items()}
    required = schema.get("required", [])
    named = st.fixed_dictionaries(
        {name: part for name, part in parts.items() if name in required},
        optional={name: part for name, part in parts.items() if name not in required},
    )
    more = schema.get("additionalProperties")
    if not isinstance(more, dict):
        return named
    names = st.sampled_from(NAMES).filter(lambda name: name not in parts)
    others = st.dictionaries(names, values(more), max_size=3)
    return st.builds(lambda first, second: {**second, **first}, named, others)


def _texts(schema: dict[str, Any], name: str) -> Drawn:
    """Texts of every kind: short, odd, and now and then so long that no reply may hold it."""
    if schema.get("format") == "date-time":
        return st.sampled_from(["2026-08-01T10:00:00.000Z", "2020-02-29T00:00:00Z"])
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True)
    if name in ("images", "b64_json"):
        return files("image/png").map(lambda file: base64.b64encode(file).decode())
    shortest = schema.get("minLength", 0)
    if name.endswith(("url", "Url")):
        return st.sampled_from(
            ["https://www.example.org/fox", "https://media.example.com/" + "fox/" * 600, "fox", ""]
        )
    if name in LIMITS:
        return st.sampled_from(LIMITS[name])
    if PROSE.search(name):
        return (
            st.sampled_from(TEXTS).filter(lambda text: len(text) >= shortest)
            | st.text(min_size=shortest)
            | LONG_TEXTS
        )
    return st.sampled_from(NAMES).filter(lambda text: len(text) >= shortest) | st.text(
        PRINTABLE, min_size=shortest, max_size=12
    )


def _numbers(schema: dict[str, Any], *, whole: bool) -> Drawn:
    """Numbers between the bounds that a schema has, or from very small to very large."""
    least, most = (
        schema.get("minimum", schema.get("exclusiveMinimum")),
        schema.get("maximum", 2 * MOST),
    )
    most, open_end = schema.get("exclusiveMaximum", most), "exclusiveMaximum" in schema
    least, open_start = -2 * MOST if least is None else least, "exclusiveMinimum" in schema
    if whole:
        return st.integers(least + open_start, most - open_end)
    wide = st.floats(least, most, exclude_min=open_start, exclude_max=open_end)
    usual = [number for number in (0, 1, 2.5, -1, 1024, MOST) if least < number < most]
    return st.sampled_from(usual) | wide if usual else wide


@functools.cache
def small_file(kind: str) -> bytes:
    """A small file of a content type."""
    group, _, form = kind.partition("/")
    if group == "image":
        return pictures.encode(pictures.draw("A fox", (256, 256), "1"), form)
    if group == "audio":
        form = {"mpeg": "mp3"}.get(form, form)
        return sound.encode(sound.murmur("A fox", "af_sky", 4, 24_000), 24_000, form)
    if group == "video":
        return film.make(
            pictures.draw("A fox", (64, 64), "1"), (64, 64), 0.25, "A fox", audio=False
        )
    return b"A fox sleeps."


@st.composite
def files(draw: Draw, kind: str) -> bytes:
    """A whole file of a content type mostly, and sometimes half of it, none, or anything."""
    whole, form = small_file(kind), draw(st.sampled_from(["whole"] * 6 + ["half", "empty", "odd"]))
    odd: bytes = draw(st.binary(max_size=40)) if form == "odd" else b""
    return {"whole": whole, "half": whole[: len(whole) // 2]}.get(form, odd)


CHAT = operations()["/chat/completions", "post"].responses["200"]["application/json"].properties()
PIECES = st.fixed_dictionaries(
    {"index": st.integers(0, 2)},
    optional={
        "id": st.sampled_from(["call_1", None]),
        "function": st.fixed_dictionaries(
            {},
            optional={
                "name": st.sampled_from(["look", None]),
                "arguments": st.sampled_from(["{", "}"]) | LONG_TEXTS,
            },
        ),
    },
)
SAID = st.none() | st.sampled_from(TEXTS) | st.text(max_size=12) | LONG_TEXTS
CHOICES = st.fixed_dictionaries(
    {"index": st.integers(0, 1)},
    optional={
        "delta": st.fixed_dictionaries(
            {},
            optional={
                "role": st.just("assistant"),
                "content": SAID,
                "reasoning_content": SAID,
                "tool_calls": st.none() | st.lists(PIECES, max_size=2),
            },
        ),
        "finish_reason": st.sampled_from([None, "stop", "length", "tool_calls", "content_filter"]),
    },
)
CHUNKS = st.fixed_dictionaries(
    {"object": st.just("chat.completion.chunk")},
    optional={
        "choices": st.lists(CHOICES, max_size=2),
        "usage": st.none() | values(CHAT["usage"]),
        "cost": values(CHAT["cost"]),
        "venice_parameters": values(CHAT["venice_parameters"]),
    },
)
FAULTS = st.sampled_from(
    [{"error": f"Bad {KEY}"}, {"error": {"message": "Overloaded", "code": None}}]
)


@st.composite
def streams(draw: Draw) -> bytes:
    """A streamed chat; the document only names it, so this is its reply in pieces, as OpenAI sends them."""
    chunks = draw(st.lists(CHUNKS, max_size=4)) + draw(st.lists(FAULTS, max_size=1))
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    stream: bytes = "".join(lines).encode() + draw(
        st.sampled_from([b"data: [DONE]\n\n", b": wait\n\n", b""])
    )
    missing: int = draw(st.sampled_from([0, 0, 0, 17]))
    return stream[: len(stream) - missing]


@functools.cache
def _bodies(path: str, method: str, status: str, kind: str) -> Drawn:
    """What the document allows as the body of a reply: bytes, or what stands in them as JSON.

    Made once: Hypothesis takes longer to check what it is to draw than to draw it.
    """
    schema = operations()[path, method].responses[status][kind].schema
    if kind == "application/json":
        return values(schema)
    if kind.startswith("text/"):
        return values(schema, "content").map(str.encode)
    return files(kind)


def _is_asked(kind: str, request: httpx.Request) -> bool:
    """Whether a reply may be of a content type; plain texts and tables come only where they are asked for."""
    asked = request.headers["accept"].encode() + b" ".join(
        re.findall(rb'response_format"\W+\w+', request.content)
    )
    return (
        not kind.startswith("text/")
        or kind.removeprefix("text/").replace("plain", "text").encode() in asked
    )


def thinned(value: Any, schema: dict[str, Any], chance: random.Random) -> Any:
    """A value without some of what its schema does not require."""
    if name := schema.get("$ref", "").removeprefix("#/$defs/"):
        return thinned(value, facts()["$defs"][name], chance)
    for part in schema.get("anyOf", schema.get("oneOf", [])):
        if Schema(part).validator.is_valid(value):
            return thinned(value, part, chance)
    if isinstance(value, list):
        return [thinned(item, schema.get("items", {}), chance) for item in value]
    if not isinstance(value, dict):
        return value
    parts, required = schema.get("properties", {}), schema.get("required", [])
    kept = [name for name in value if name in required or chance.random() < 0.7]
    return {name: thinned(value[name], parts.get(name, {}), chance) for name in kept}


class AnyVenice:
    """Answers each request with any reply that the document allows; a request that it does not allow is an error.

    Some replies are those that the local Venice gave to the same request, without what is optional.
    """

    def __init__(self, draw: Draw, base_url: str, call: Call) -> None:
        self.draw = draw
        self.base = httpx.URL(base_url)
        self.call = call

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Check a request, and answer it."""
        replies = self.call.replies.get((request.method, request.url.path), [])
        if request.url.netloc != self.base.netloc or not request.url.path.startswith(
            self.base.path
        ):
            return self.answer_elsewhere(request, replies)
        check_request(request)
        operation = operation_of(request)
        if operation.path == "/models" and self.draw(st.sampled_from([True, True, True, False])):
            kind = request.url.params.get("type", "text")
            return httpx.Response(
                200, json={"object": "list", "type": kind, "data": catalogue().listed(kind)}
            )
        if replies and self.draw(st.booleans()):
            return self.answer_as_before(self.draw(st.sampled_from(replies)), operation)
        good = [status for status in operation.responses if status.startswith("2")]
        status = self.draw(st.sampled_from(good * 20 + list(operation.responses)))
        kinds = operation.responses[status]
        if (
            operation.path == "/chat/completions"
            and status == "200"
            and json.loads(request.content).get("stream")
        ):
            return httpx.Response(
                200, content=self.draw(streams()), headers={"content-type": "text/event-stream"}
            )
        kind = self.draw(st.sampled_from([kind for kind in kinds if _is_asked(kind, request)]))
        body = self.draw(_bodies(operation.path, operation.method, status, kind))
        if kind != "application/json":
            return httpx.Response(int(status), content=body, headers={"content-type": kind})
        if operation.path == "/models" and status == "200":
            self.name_models(body["data"], request.url.params.get("type", "text"))
        return httpx.Response(int(status), json=body)

    def answer_as_before(self, reply: httpx.Response, operation: Operation) -> httpx.Response:
        """What the local Venice answered, without some of what is optional."""
        headers = {"content-type": reply.headers["content-type"]}
        schema = operation.responses[str(reply.status_code)].get(headers["content-type"])
        if schema is None or headers["content-type"] != "application/json":
            return httpx.Response(reply.status_code, content=reply.content, headers=headers)
        chance = self.draw(st.randoms(use_true_random=True))
        return httpx.Response(reply.status_code, json=thinned(reply.json(), schema.schema, chance))

    def name_models(self, models: list[dict[str, Any]], kind: str) -> None:
        """Make drawn models ones of the kind that was asked for, by names that requests may have."""
        for model in models:
            known = self.draw(st.sampled_from(catalogue().listed(kind)))
            model |= {"id": known["id"], "type": known["type"]}

    def answer_elsewhere(
        self, request: httpx.Request, replies: list[httpx.Response]
    ) -> httpx.Response:
        """What other hosts answer; only public ones may be asked, and never with the key."""
        assert replies or ipaddress.ip_address(request.url.host).is_global
        assert KEY not in repr(request.headers.raw)
        kind = self.draw(st.sampled_from(["image/png", "video/mp4", "audio/wav", "text/plain"]))
        away = {"location": self.draw(st.sampled_from(["http://127.0.0.1/", "/again"]))}
        content = replies[0].content if replies else self.draw(files(kind))
        status = self.draw(st.sampled_from([200] * 6 + [302, 404]))
        return httpx.Response(status, content=content, headers=away if status == 302 else {})
