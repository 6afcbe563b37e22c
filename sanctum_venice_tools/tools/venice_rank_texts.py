"""Rank texts by meaning."""

import heapq
from typing import Any

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.embedding import (
    _embed,
    _Embedded,
    _maker_of_vectors,
    _model_of_vectors,
    _score,
    _Scored,
    _tell_maker,
    _vectors_in,
)
from sanctum_venice_tools.runtime.models import _input_cost, _pick_model, _spellings
from sanctum_venice_tools.runtime.options import _read_options
from sanctum_venice_tools.runtime.venice import VeniceError, _answer

TOOLSET = "core"
COST = "cents"

# What the texts of all results may have together, in characters.
_ROOM = 2800


def _by_score(one: _Scored) -> tuple[float, int]:
    """The nearest text is the greatest; of two that are as near, the one that stands first."""
    return one.score, -one.place


def _describe(one: _Scored, longest: int) -> dict[str, Any]:
    """A result, its text on one line."""
    line = " ".join(one.text.split())
    return {"place": one.place, "score": round(one.score, 4), "text": line[:longest]}


def _check_maker(maker: str, wanted: str) -> None:
    """Refuse a query's vector of another model than that of a file's vectors."""
    if maker != wanted:
        told = f"Venice has {maker:.80} now for {wanted:.80}, which made these vectors"
        advice = "Make them anew with venice_embed_texts; the query's vector may be charged"
        raise VeniceError(f"{told}. {advice}.")


@_read_as_meant
def venice_rank_texts(
    *, query: str, texts: list[str] | None = None, file: str = "", top_k: int = 5, model: str = ""
) -> str:
    """Find the texts nearest in meaning to a query, whatever their words.

    Costs under 1 cent for a thousand short texts.

    Args:
        query: What is looked for.
        texts: Each at most a few pages.
        file: Or a file from venice_embed_texts.
        top_k: How many to show, 1 to 50.
        model: Best left out.

    Returns:
        JSON: results, best first (place from 0, score up to 1, text), cost_usd.
    """
    _read_options({"top_k": top_k}, {"top_k": (1, 50)})
    wanted = texts or []
    all_texts = [query, *wanted]
    has_empty_one = not all(text.strip() for text in all_texts)
    has_nothing_to_rank = not file and not wanted
    if has_empty_one or has_nothing_to_rank:
        raise VeniceError(
            "The query or a text is empty, or there is none. Give a query, and texts or a file."
        )
    if file and wanted:
        raise VeniceError("Give texts or a file, not both.")

    # The query goes first. Then texts come with their vectors, from Venice or out of the file, and
    # only the best stay.
    done = _Embedded()
    if file:
        maker, length = _model_of_vectors(file)
        chosen = _maker_of_vectors(maker)
        dimensions = length if chosen.spec.get("supportsCustomDimensions") else None
        _, vector = next(_embed(chosen.id, [query], dimensions, done))
        _check_maker(done.maker, chosen.id)
        scores = _score(vector, _vectors_in(file, maker), done)
    else:
        chosen = _pick_model("embedding", model, setting="VENICE_EMBEDDING_MODEL")
        embedded = _embed(chosen.id, all_texts, None, done)
        _, vector = next(embedded)
        scores = _score(vector, embedded, done)
    best = heapq.nlargest(top_k, scores, key=_by_score)

    notes = [*chosen.notes, *_tell_maker(done, chosen.id)]
    asked = model.strip()
    if file and asked and chosen.id.lower() not in _spellings(asked):
        notes.append(
            f"Took {chosen.id}, not {asked:.80}: the vectors of this file are of that model."
        )
    if done.fault:
        ranked = done.count - 1
        notes.append(
            f"Only the first {ranked:,} of {len(wanted):,} texts were ranked: {done.fault}"
        )
    longest = _ROOM // top_k
    return _answer(
        results=[_describe(one, longest) for one in best],
        ranked=done.ranked,
        model=done.maker,
        cost_usd=_input_cost(chosen.spec, done.tokens, digits=8),
        notes=notes,
    )
