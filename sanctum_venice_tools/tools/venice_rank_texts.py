"""Rank texts by meaning."""

import math
from operator import mul
from typing import Any

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.embedding import _embed, _read_lines
from sanctum_venice_tools.runtime.models import _pick_model
from sanctum_venice_tools.runtime.options import _read_options
from sanctum_venice_tools.runtime.venice import VeniceError, _answer

TOOLSET = "core"
COST = "cents"


def _likeness(one: list[float], other: list[float]) -> float:
    """The cosine of the angle between two vectors: 1 means the same."""
    lengths = math.hypot(*one) * math.hypot(*other)
    return sum(map(mul, one, other)) / lengths if lengths else 0.0


@_read_as_meant
def venice_rank_texts(
    *, query: str, texts: list[str] | None = None, file: str = "", top_k: int = 5, model: str = ""
) -> str:
    """Find the texts that mean most nearly what a query means, whatever their words.

    Costs under 1 cent for a thousand short texts.

    Args:
        query: What is looked for.
        texts: What to rank, each at most a few pages.
        file: Or a file from venice_embed_texts.
        top_k: How many to show, 1 to 50.
        model: Best left out.

    Returns:
        JSON: results, best first (place from 0, score up to 1, text), cost_usd.
    """
    _read_options({"top_k": top_k}, {"top_k": (1, 50)})
    lines: list[Any] = _read_lines(file) if file else []
    if not all(isinstance(one, dict) and isinstance(one.get("vector"), list) and one.get("model") for one in lines):
        raise VeniceError("This file holds no vectors. Make them with venice_embed_texts.")
    wanted = [str(one.get("text")) for one in lines] or texts or []
    if not query.strip() or not wanted or not all(text.strip() for text in wanted):
        raise VeniceError("The query or a text is empty, or there is none. Give a query, and texts or a file.")
    chosen = _pick_model("embedding", lines[0]["model"] if lines else model, setting="VENICE_EMBEDDING_MODEL")
    can_choose = lines and chosen.spec.get("supportsCustomDimensions")
    made, tokens, fault = _embed(
        chosen.id, [query, *([] if lines else wanted)], len(lines[0]["vector"]) if can_choose else None
    )
    vectors = [one["vector"] for one in lines] or made[1:]
    if any(len(vector) != len(made[0]) for vector in vectors) or len({one["model"] for one in lines}) > 1:
        raise VeniceError("The vectors of this file are not all of one model. Make them anew with venice_embed_texts.")

    notes = [*chosen.notes]
    if fault:
        notes.append(f"Only the first {len(vectors):,} of {len(wanted):,} texts were ranked: {fault}")
    scores = [_likeness(made[0], vector) for vector in vectors]
    best = sorted(range(len(scores)), key=lambda place: -scores[place])[:top_k]
    room = 2800 // top_k
    price = chosen.spec.get("pricing", {}).get("input", {}).get("usd")
    return _answer(
        results=[
            {"place": one, "score": round(scores[one], 4), "text": " ".join(wanted[one].split())[:room]} for one in best
        ],
        ranked=len(scores),
        model=chosen.id,
        cost_usd=price and round(price * tokens / 1e6, 8),
        notes=notes,
    )
