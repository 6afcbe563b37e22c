"""Venice from an operator's side: its address, whether a key is good, and the models that can drive an agent."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx

PUBLIC_URL = "https://api.venice.ai/api/v1"

# What Letta keeps free of an agent's window unless an agent says otherwise
# (GLOBAL_MAX_CONTEXT_WINDOW_LIMIT).
LONGEST_WINDOW = 128_000

# Letta asks for this many tokens of every model that it does not know.
LETTA_OUTPUT_TOKENS = 16_384

# Letta stores vectors in columns of this width, and fills shorter ones up.
LONGEST_VECTOR = 4096

# Letta takes models of these names for OpenAI's own and sends them to /responses, which Venice
# keeps closed.
_SENT_ELSEWHERE = ("o1", "o3", "o4", "gpt-5")

_API = "/api/v1"
_TIMEOUT = httpx.Timeout(20, connect=10)


class VeniceError(Exception):
    """Venice can't be used as things are; one line that says what to do."""


class ChoiceError(ValueError):
    """What was asked for does not exist or does not fit; one line that names what does."""


@dataclass(frozen=True)
class ChatModel:
    """A model that can drive an agent: it chats, and it calls functions."""

    id: str
    window: int
    output_tokens: int
    """The most that it writes in one reply."""
    note: str = ""
    """What speaks against it."""


@dataclass(frozen=True)
class EmbeddingModel:
    """A model that makes vectors."""

    id: str
    dimensions: int


@dataclass(frozen=True)
class KeyVerdict:
    """What Venice says of a key."""

    state: Literal["good", "inference", "wrong", "unclear"]
    """`inference`: it is good, but not let in to the account's own pages."""
    told: str
    account: dict[str, Any]
    """The answer of GET /api_keys/rate_limits, where the key may see it."""


@dataclass(frozen=True)
class Venice:
    """A Venice, and a key for it."""

    base_url: str
    key: str = field(default="", repr=False)

    def ask(self, path: str, **query: str) -> httpx.Response:
        """Send a free GET.

        Raises:
            VeniceError: No answer came.
        """
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        try:
            return httpx.get(
                f"{self.base_url}{path}", params=query, headers=headers, timeout=_TIMEOUT
            )
        except httpx.HTTPError as error:
            raise VeniceError(
                f"{self.base_url} does not answer ({type(error).__name__}). Check VENICE_BASE_URL and the network."
            ) from None

    def models(self, kind: str) -> list[dict[str, Any]]:
        """The models of one type, as Venice lists them; this needs no key.

        Raises:
            VeniceError: It does not answer as Venice does.
        """
        listed = self._listing("/models", kind)
        if isinstance(listed, list):
            return [entry for entry in listed if isinstance(entry, dict) and "id" in entry]
        raise self._not_venice("/models")

    def traits(self) -> dict[str, str]:
        """Which text model Venice recommends for what.

        Raises:
            VeniceError: It does not answer as Venice does.
        """
        listed = self._listing("/models/traits", "text")
        if isinstance(listed, dict):
            return {trait: str(model) for trait, model in listed.items()}
        raise self._not_venice("/models/traits")

    def chat_models(self) -> list[ChatModel]:
        """The models that can drive an agent, the one to take first; settled ones precede those that may go."""
        recommended = self.traits()
        order = [recommended.get("function_calling_default"), recommended.get("default")]
        fit = [entry for entry in self.models("text") if not unfitness(entry)]
        ranked = sorted(fit, key=lambda entry: (bool(drawback(entry)), _place(entry["id"], order)))
        return [_chat_model(entry) for entry in ranked]

    def choose_chat_model(self, wanted: str = "") -> ChatModel:
        """The model `wanted`, else the one that Venice recommends for calling functions.

        Raises:
            ChoiceError: There is no such model, or it can't drive an agent.
            VeniceError: It does not answer as Venice does.
        """
        fit = self.chat_models()
        if not wanted and fit:
            return fit[0]
        for model in fit:
            if model.id == wanted:
                return model
        why = next(
            (unfitness(entry) for entry in self.models("all") if entry["id"] == wanted),
            "Venice has no such model",
        )
        near = _near(wanted, [model.id for model in fit])
        raise ChoiceError(f"{wanted!r:.80} can't drive an agent: {why}. These can: {near}.")

    def choose_embedding_model(self, wanted: str = "") -> EmbeddingModel:
        """The embedding model `wanted`, else the first that Venice lists and that Letta can store vectors of.

        Raises:
            ChoiceError: There is no such model.
            VeniceError: It does not answer as Venice does.
        """
        live = [entry for entry in self.models("embedding") if not _spec(entry).get("offline")]
        fit = [
            EmbeddingModel(entry["id"], dimensions)
            for entry in sorted(live, key=lambda entry: bool(drawback(entry)))
            if 0
            < (dimensions := int(_spec(entry).get("embeddingDimensions") or 0))
            <= LONGEST_VECTOR
        ]
        for model in fit:
            if wanted in ("", model.id):
                return model
        near = _near(wanted, [model.id for model in fit])
        raise ChoiceError(
            f"{wanted!r:.80} makes no vectors that Letta can store. These do: {near}."
        )

    def try_key(self) -> KeyVerdict:
        """Find out whether the key is good: GET /models would not tell, for Venice answers it to anybody.

        Raises:
            VeniceError: No answer came.
        """
        reply = self.ask("/api_keys/rate_limits")
        if reply.is_success:
            account = _json(reply).get("data")
            return KeyVerdict(
                "good", "Venice accepts it", account if isinstance(account, dict) else {}
            )
        if reply.status_code not in (401, 402, 403):
            return KeyVerdict("unclear", f"Venice answered {_answer(reply)}", {})
        # Venice's documents leave open whether an inference key may see its limits. Every good key
        # may see this:
        if self.ask("/characters", limit="1").is_success:
            return KeyVerdict(
                "inference", "Venice accepts it for inference, and does not show it the account", {}
            )
        return KeyVerdict("wrong", f"Venice refuses it: {_answer(reply)}", {})

    def _listing(self, path: str, kind: str) -> Any:
        reply = self.ask(path, type=kind)
        if reply.is_success and "data" in _json(reply):
            return _json(reply)["data"]
        raise self._not_venice(path, reply)

    def _not_venice(self, path: str, reply: httpx.Response | None = None) -> VeniceError:
        answer = (
            f"answers {_answer(reply)} to"
            if reply is not None
            else "does not answer as Venice does to"
        )
        return VeniceError(
            f"{self.base_url} {answer} GET {path}. Check VENICE_BASE_URL; Venice's own is {PUBLIC_URL}."
        )


def normal_url(text: str) -> str:
    """Venice's base URL as it should be, from what people paste: without the path, with a slash, or with an endpoint.

    Raises:
        ChoiceError: It is no address.
    """
    text = text.strip() or PUBLIC_URL
    try:
        parts = urlsplit(text)
        is_address = (
            parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        )
    except ValueError:
        is_address = False
    if (
        not is_address
        or any(mark in text for mark in "?#@")
        or any(sign.isspace() for sign in text)
    ):
        raise ChoiceError(f"VENICE_BASE_URL is no address of the form {PUBLIC_URL}.")
    path = parts.path.rstrip("/")
    if path in ("", "/api") or (path == "/v1" and parts.hostname == urlsplit(PUBLIC_URL).hostname):
        path = _API
    before, api, _ = path.partition(_API)
    return f"{parts.scheme}://{parts.netloc}{before}{api}"


def unfitness(entry: dict[str, Any]) -> str:
    """Why a listed model can't drive an agent; "" when it can."""
    if entry.get("type", "text") != "text":
        return f"it is of type {entry['type']}"
    if not (_spec(entry).get("capabilities") or {}).get("supportsFunctionCalling"):
        return "it calls no functions"
    if _spec(entry).get("offline"):
        return "it is offline"
    if entry["id"].startswith(_SENT_ELSEWHERE):
        return "Letta would send it to /responses, which Venice keeps closed"
    return ""


def drawback(entry: dict[str, Any]) -> str:
    """What speaks against a listed model; "" when nothing does."""
    spec = _spec(entry)
    if end := spec.get("deprecation"):
        day = str(end.get("removesAt") or end.get("date"))[:10]
        replacement = end.get("replacementModelId")
        return (
            f"it goes on {day}; Venice names {replacement} in its place"
            if replacement
            else f"it goes on {day}"
        )
    return "it is a beta" if spec.get("betaModel") or spec.get("beta") else ""


def _chat_model(entry: dict[str, Any]) -> ChatModel:
    spec = _spec(entry)
    window = int(
        entry.get("context_length") or spec.get("availableContextTokens") or LONGEST_WINDOW
    )
    return ChatModel(
        entry["id"],
        window,
        int(spec.get("maxCompletionTokens") or LETTA_OUTPUT_TOKENS),
        drawback(entry),
    )


def _spec(entry: dict[str, Any]) -> dict[str, Any]:
    spec = entry.get("model_spec")
    return spec if isinstance(spec, dict) else {}


def _place(model: str, order: list[str | None]) -> int:
    return order.index(model) if model in order else len(order)


def _near(wanted: str, known: Iterable[str]) -> str:
    return ", ".join(difflib.get_close_matches(wanted, list(known), n=5, cutoff=0)) or "none"


def _json(reply: httpx.Response) -> dict[str, Any]:
    try:
        content = reply.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _answer(reply: httpx.Response) -> str:
    """A reply's status, and Venice's own reason where it gives one."""
    error = _json(reply).get("error", "")
    reason = error.get("message", "") if isinstance(error, dict) else error
    return f"{reply.status_code} {' '.join(str(reason).split())[:200]}".strip()
