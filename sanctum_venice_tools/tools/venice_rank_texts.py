"""Rank texts by meaning."""

import heapq

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.embedding import _embed, _Embedded, _model_of_vectors, _score, _vectors_in
from sanctum_venice_tools.runtime.models import _pick_model
from sanctum_venice_tools.runtime.options import _read_options
from sanctum_venice_tools.runtime.venice import VeniceError, _answer

TOOLSET = "core"
COST = "cents"


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
    wanted = texts or []
    if not query.strip() or not (file or wanted) or not all(text.strip() for text in wanted):
        raise VeniceError("The query or a text is empty, or there is none. Give a query, and texts or a file.")
    maker, length = _model_of_vectors(file) if file else (model, 0)
    chosen = _pick_model("embedding", maker, setting="VENICE_EMBEDDING_MODEL")
    dimensions = length if file and chosen.spec.get("supportsCustomDimensions") else None
    done = _Embedded()
    # The query goes first. Then texts come with their vectors, from Venice or out of the file, and only the best stay.
    embedded = _embed(chosen.id, [query, *([] if file else wanted)], dimensions, done)
    _, vector = next(embedded)
    scores = _score(vector, _vectors_in(file, maker) if file else embedded, done)
    best = heapq.nlargest(top_k, scores, key=lambda one: (one.score, -one.place))

    notes = [*chosen.notes]
    if done.fault:
        notes.append(f"Only the first {done.count - 1:,} of {len(wanted):,} texts were ranked: {done.fault}")
    room = 2800 // top_k
    price = chosen.spec.get("pricing", {}).get("input", {}).get("usd")
    return _answer(
        results=[
            {"place": one.place, "score": round(one.score, 4), "text": " ".join(one.text.split())[:room]}
            for one in best
        ],
        ranked=done.ranked,
        model=chosen.id,
        cost_usd=price and round(price * done.tokens / 1e6, 8),
        notes=notes,
    )
