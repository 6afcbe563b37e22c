"""Venice from an operator's side: its address, its verdict on a key, its models for agents."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx

from sanctum_venice_tools.letta.venice_replies import Account, FormError, ListedModel, read
from sanctum_venice_tools.network import make_client

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

# Letta takes this end of any model's name for a wish of its own: it asks for the model without it,
# with a `service_tier`, a field that Venice refuses (letta 0.16.8, llm_api/openai_client.py).
_TAKEN_APART = "-fast"

# Of the models that Venice recommends, those for agents, the best first.
_TRAITS_FOR_AGENTS = ("function_calling_default", "default", "default_vision")

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
    sees: bool = False
    """Whether it takes pictures: with one that does not, a picture ends the conversation."""


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
    account: Account = field(default_factory=Account)
    """What Venice tells of the account, where the key may see it."""


@dataclass(frozen=True)
class Venice:
    """A Venice, and a key for it."""

    base_url: str
    key: str = field(default="", repr=False)

    def ask(self, path: str, **query: str) -> httpx.Response:
        """Send a free GET.

        Raises:
            VeniceError: No answer came.
            NetworkSettingsError: The environment's proxies or certificates can't be used.
        """
        url = f"{self.base_url}{path}"
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        try:
            with make_client(headers=headers, timeout=_TIMEOUT) as client:
                return client.get(url, params=query)
        except (httpx.HTTPError, UnicodeError, OverflowError) as error:  # of a proxy's address
            told = f"{self.base_url} does not answer ({type(error).__name__})"
            raise VeniceError(f"{told}. Check VENICE_BASE_URL and the network.") from None

    def models(self, kind: str) -> list[ListedModel]:
        """The models of one type, as Venice lists them; this needs no key.

        Raises:
            VeniceError: It does not answer as Venice does.
        """
        listed: list[ListedModel] = self._listing("/models", kind, list[ListedModel])
        return listed

    def traits(self) -> dict[str, str]:
        """Which text model Venice recommends for what.

        Raises:
            VeniceError: It does not answer as Venice does.
        """
        recommended: dict[str, str] = self._listing("/models/traits", "text", dict[str, str])
        return recommended

    def chat_models(self, *, blind: bool = False) -> list[ChatModel]:
        """The models that can drive an agent, the one to take first.

        Settled ones precede those that may go, those that see precede those that don't, and what
        Venice recommends precedes the rest.

        Args:
            blind: Whether it does not matter that a model sees.
        """
        recommended = self.traits()
        order = [recommended.get(trait) for trait in _TRAITS_FOR_AGENTS]

        def rank(model: ChatModel) -> tuple[bool, bool, int]:
            may_go = bool(model.note)
            lacks_sight = not (model.sees or blind)
            return may_go, lacks_sight, _place(model.id, order)

        fit = [_chat_model(entry) for entry in self.models("text") if not unfitness(entry)]
        return sorted(fit, key=rank)

    def choose_chat_model(self, wanted: str = "", *, blind: bool = False) -> ChatModel:
        """The model `wanted`, else the first that calls functions and, unless `blind`, sees.

        Raises:
            ChoiceError: There is no such model, or it can't drive an agent.
            VeniceError: It does not answer as Venice does.
        """
        fit = self.chat_models(blind=blind)
        if not wanted and fit:
            return fit[0]
        for model in fit:
            if model.id == wanted:
                return model

        named = [entry for entry in self.models("all") if entry.id == wanted]
        why = unfitness(named[0]) if named else "Venice has no such model"
        near = _near(wanted, [model.id for model in fit])
        raise ChoiceError(f"{wanted!r:.80} can't drive an agent: {why}. These can: {near}.")

    def choose_embedding_model(self, wanted: str = "") -> EmbeddingModel:
        """The embedding model `wanted`, else the first whose vectors Letta can store.

        Raises:
            ChoiceError: There is no such model.
            VeniceError: It does not answer as Venice does.
        """
        live = [entry for entry in self.models("embedding") if not entry.model_spec.offline]
        live.sort(key=lambda entry: bool(drawback(entry)))
        fit = []
        for entry in live:
            dimensions = entry.model_spec.embeddingDimensions
            if 0 < dimensions <= LONGEST_VECTOR:
                fit.append(EmbeddingModel(entry.id, dimensions))
        for model in fit:
            if wanted in ("", model.id):
                return model
        near = _near(wanted, [model.id for model in fit])
        told = f"{wanted!r:.80} makes no vectors that Letta can store"
        raise ChoiceError(f"{told}. These do: {near}.")

    def try_key(self) -> KeyVerdict:
        """Find out whether the key is good.

        GET /models would not tell, for Venice answers it to anybody.

        Raises:
            VeniceError: No answer came.
        """
        reply = self.ask("/api_keys/rate_limits")
        if reply.is_success:
            return KeyVerdict("good", "Venice accepts it", _account_in(reply))
        if reply.status_code not in (401, 402, 403):
            return KeyVerdict("unclear", f"Venice answered {words_of(reply, self.key)}")
        # Venice's documents leave open whether an inference key may see its limits. Every good key
        # may see this:
        if self.ask("/characters", limit="1").is_success:
            told = "Venice accepts it for inference, and does not show it the account"
            return KeyVerdict("inference", told)
        return KeyVerdict("wrong", f"Venice refuses it: {words_of(reply, self.key)}")

    def _listing(self, path: str, kind: str, form: Any) -> Any:
        """What a page lists under "data", in its form."""
        reply = self.ask(path, type=kind)
        if not reply.is_success or "data" not in _json(reply):
            raise self._not_venice(f"answers {words_of(reply, self.key)} to GET {path}")
        try:
            return read(form, _json(reply)["data"], where="data")
        except FormError as error:
            told = f"does not answer as Venice does to GET {path} ({error})"
            raise self._not_venice(told) from None

    def _not_venice(self, told: str) -> VeniceError:
        advice = f"Check VENICE_BASE_URL; Venice's own is {PUBLIC_URL}."
        return VeniceError(f"{self.base_url} {told}. {advice}")


def normal_url(text: str) -> str:
    """Venice's base URL as it should be, from what people paste.

    That may be without the path, with a slash at the end, or with an endpoint.

    Raises:
        ChoiceError: It is no address.
    """
    text = text.strip() or PUBLIC_URL
    if not _is_address(text):
        raise ChoiceError(f"VENICE_BASE_URL is no address of the form {PUBLIC_URL}.")
    parts = urlsplit(text)
    path = parts.path.rstrip("/")
    is_public = parts.hostname == urlsplit(PUBLIC_URL).hostname
    if path in ("", "/api") or (path == "/v1" and is_public):
        path = _API
    before, api, _ = path.partition(_API)
    return f"{parts.scheme}://{parts.netloc}{before}{api}"


def _is_address(text: str) -> bool:
    """Whether a text is an http address, without a name, a query or a fragment."""
    if any(sign in "?#@" or sign.isspace() for sign in text):
        return False
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0


def unfitness(entry: ListedModel) -> str:
    """Why a listed model can't drive an agent; "" when it can."""
    capabilities = entry.model_spec.capabilities
    if entry.type != "text":
        return f"it is of type {entry.type}"
    if capabilities is None or not capabilities.supportsFunctionCalling:
        return "it calls no functions"
    if entry.model_spec.offline:
        return "it is offline"
    if entry.id.startswith(_SENT_ELSEWHERE):
        return "Letta would send it to /responses, which Venice keeps closed"
    if entry.id.endswith(_TAKEN_APART):
        return f"Letta would take {_TAKEN_APART} off its name, and ask for a tier that Venice lacks"
    return ""


def drawback(entry: ListedModel) -> str:
    """What speaks against a listed model; "" when nothing does."""
    spec = entry.model_spec
    end = spec.deprecation
    if end:
        moment = end.removesAt or end.date
        told = f"it goes on {moment[:10]}"
        if end.replacementModelId:
            told += f"; Venice names {end.replacementModelId} in its place"
        return told
    if spec.betaModel or spec.beta:
        return "it is a beta"
    return ""


def _chat_model(entry: ListedModel) -> ChatModel:
    spec = entry.model_spec
    capabilities = spec.capabilities
    return ChatModel(
        id=entry.id,
        window=entry.context_length or spec.availableContextTokens or LONGEST_WINDOW,
        output_tokens=spec.maxCompletionTokens or LETTA_OUTPUT_TOKENS,
        note=drawback(entry),
        sees=capabilities is not None and capabilities.supportsVision,
    )


def _account_in(reply: httpx.Response) -> Account:
    """What a reply tells of an account; nothing, where it is of another form.

    The key is good all the same.
    """
    try:
        account: Account = read(Account, _json(reply).get("data"), where="data")
    except FormError:
        return Account()
    return account


def _place(model: str, order: list[str | None]) -> int:
    return order.index(model) if model in order else len(order)


def _near(wanted: str, known: Iterable[str]) -> str:
    nearest = difflib.get_close_matches(wanted, list(known), n=5, cutoff=0)
    return ", ".join(nearest) or "none"


def _json(reply: httpx.Response) -> dict[str, Any]:
    try:
        content = reply.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def words_of(reply: httpx.Response, key: str) -> str:
    """A reply's status, and Venice's own reason, without the key, where it gives one."""
    error = _json(reply).get("error", "")
    reason = error.get("message", "") if isinstance(error, dict) else error
    line = " ".join(str(reason).split())
    # Before it is cut: no part of the key may be left.
    safe = line.replace(key, "[key]") if key else line
    return f"{reply.status_code} {safe[:200]}".strip()
