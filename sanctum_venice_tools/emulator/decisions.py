"""POST /decisions: typed questions about a text or JSON, decided by the words that both have.

There is no mind behind it, but the rule is plain: what shares more words with the state is more
likely. Words are compared by their first five letters, and short ones do not count. An option or
level is four times as likely as another for each word that it shares more; a yes is as likely as
the share of the question's words that the state has.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

from starlette.responses import JSONResponse, Response

from sanctum_venice_tools.emulator.catalogue import catalogue, price_of_tokens
from sanctum_venice_tools.emulator.errors import custom
from sanctum_venice_tools.emulator.service import Call

# Letters and digits of any script.
WORD = re.compile(r"[^\W_]+")
STEM = 5
SHORTEST_WORD = 4
WEIGHT_OF_A_WORD = 4
LEAST, MOST = 0.02, 0.98


async def decide(call: Call) -> Response:
    """POST /decisions, and POST /systemone for TypeSafe's clients."""
    body = call.body
    model = catalogue().find(body["model"], "decision")
    spec = model["model_spec"]
    if "images" in body:
        raise custom("images", f"images are not supported by this model: {model['id']}")
    state = count(body["state"])
    questions = [count(question) for question in body["questions"].values()]
    _within(state + max(questions), spec["maxStateTokens"], "state and the longest question")
    _within(state + sum(questions), spec["maxTotalTokens"], "state and all questions")

    known = stems(as_text(body["state"]))
    answers = {name: _answer(question, known) for name, question in body["questions"].items()}
    usage = {"input_tokens": state + sum(questions), "output_tokens": count(answers)}
    call.use(model, tokens=usage["input_tokens"])
    usd = price_of_tokens(model, read=usage["input_tokens"], written=usage["output_tokens"])
    call.charge(usd, sku=model["id"], units=usage["input_tokens"] / 1e6, model=model)
    return JSONResponse({"model": model["id"], "answers": answers, "usage": usage})


def as_text(value: Any) -> str:
    """A text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def count(value: Any) -> int:
    """How many tokens something has, at four letters each."""
    return max(1, len(as_text(value)) // 4)


def stems(text: str) -> set[str]:
    """The beginnings of a text's longer words."""
    words = WORD.findall(text.lower())
    return {word[:STEM] for word in words if len(word) >= SHORTEST_WORD}


def _within(tokens: int, most: int, what: str) -> None:
    if tokens > most:
        raise custom("state", f"{what} have {tokens} tokens; the most are {most}.", maximum=most)


def _answer(question: dict[str, Any], known: set[str]) -> dict[str, Any]:
    """The answer to one question, of its type."""
    criteria = question.get("criteria", {})
    if question["type"] == "noul":
        likely = _yes(as_text(question["instructions"]), criteria, known)
        return {"type": "noul", "noul": likely}
    if question["type"] == "choice":
        return _choice(criteria, known)
    return _score(criteria, known)


def _choice(options: dict[str, str | None], known: set[str]) -> dict[str, Any]:
    """The likeliest of some options."""
    texts = [f"{option} {about or ''}" for option, about in options.items()]
    shares = _shares(texts, known)
    likely = dict(zip(options, shares, strict=True))
    return {
        "type": "choice",
        "choice": max(likely, key=likely.__getitem__),
        "probabilities": likely,
        "confidence": _confidence(shares),
    }


def _score(levels: list[str], known: set[str]) -> dict[str, Any]:
    """Where something stands between levels, which count from 0."""
    shares = _shares(levels, known)
    middle = sum(level * share for level, share in enumerate(shares))
    return {
        "type": "score",
        "score": round(middle, 4),
        "legend": {str(level): about for level, about in enumerate(levels)},
        "probabilities": {str(level): share for level, share in enumerate(shares)},
        "confidence": _confidence(shares),
    }


def _yes(instructions: str, criteria: dict[str, str], known: set[str]) -> float:
    """How likely a yes is: by what yes and no mean, where that is told, else by the question."""
    if "true" in criteria and "false" in criteria:
        return _shares([criteria["true"], criteria["false"]], known)[0]
    asked = stems(criteria.get("true", instructions))
    share = len(asked & known) / len(asked) if asked else 0.5
    return round(LEAST + (MOST - LEAST) * share, 4)


def _shares(texts: Iterable[str], known: set[str]) -> list[float]:
    """How likely each of some texts is; together they are 1."""
    weights = [WEIGHT_OF_A_WORD ** len(stems(text) & known) for text in texts]
    return [round(weight / sum(weights), 4) for weight in weights]


def _confidence(shares: list[float]) -> float:
    """How far the most likely stands out: 0 where all are alike, 1 where there is no other."""
    if len(shares) == 1:
        return 1.0
    alike = 1 / len(shares)
    return round((max(shares) - alike) / (1 - alike), 4)
