"""Turn texts into vectors."""

import json
from collections.abc import Sequence
from typing import Any

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.embedding import _Embedded, _store_vectors, _tell_maker, _texts_in
from sanctum_venice_tools.runtime.media import _media_folder
from sanctum_venice_tools.runtime.models import _input_cost, _pick_model
from sanctum_venice_tools.runtime.options import _read_options
from sanctum_venice_tools.runtime.publishing import _published
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _given

TOOLSET = "core"
COST = "cents"

# How many vectors are shown at most, and what they may take of the reply, in characters.
_MOST_SHOWN = 3
_ROOM = 6500


def _takes_dimensions(model: dict[str, Any]) -> Any:
    """Whether one can say how long a model's vectors are to be."""
    return model["model_spec"].get("supportsCustomDimensions")


def _rounded(vector: Sequence[float]) -> list[float]:
    """A vector as it is shown."""
    return [round(number, 5) for number in vector]


@_published
@_read_as_meant
def venice_embed_texts(
    *,
    texts: list[str] | None = None,
    file: str = "",
    model: str = "",
    dimensions: int | None = None,
    show_vectors: bool = False,
) -> str:
    """Turn texts into vectors, kept in a file, to search by meaning later.

    Costs under 1 cent for a thousand short texts. To rank a few once: venice_rank_texts.

    Args:
        texts: Any number, each at most a few pages.
        file: Or a stored file: a text a line, or JSON Lines with "text".
        model: Best left out.
        dimensions: Length of a vector, where it can be chosen.
        show_vectors: True to see them, of at most three texts.

    Returns:
        JSON: file (JSON Lines of text, model, vector), count, dimensions, model, cost_usd, notes.
    """
    wanted = texts or []
    if file:
        wanted = wanted + _texts_in(file)
    if not wanted or not all(text.strip() for text in wanted):
        raise VeniceError(
            "There is no text, or one of them is empty. Give texts, or a file of them."
        )
    folder = _media_folder()
    fits = _takes_dimensions if dimensions else bool
    chosen = _pick_model("embedding", model, setting="VENICE_EMBEDDING_MODEL", fits=fits)
    longest = chosen.spec.get("embeddingDimensions") or 4096
    _read_options(_given(dimensions=dimensions), {"dimensions": (1, longest)})

    done = _Embedded()
    path = _store_vectors(folder, chosen.id, wanted, dimensions, done)

    notes = [*chosen.notes, *_tell_maker(done, chosen.id)]
    if done.fault:
        notes.append(f"Only the first {done.count:,} of {len(wanted):,} texts: {done.fault}")
    shown = []
    if show_vectors:
        shown = [_rounded(vector) for vector in done.first]
    if len(shown) > _MOST_SHOWN or len(json.dumps(shown)) > _ROOM:
        notes.append("The vectors are too many or too long to be shown: read the file.")
        shown = []
    return _answer(
        file=str(path),
        type="application/jsonl",
        bytes=path.stat().st_size,
        count=done.count,
        dimensions=len(done.first[0]),
        model=done.maker,
        tokens=done.tokens,
        cost_usd=_input_cost(chosen.spec, done.tokens, digits=8),
        vectors=shown,
        notes=notes,
        next="Give this file to venice_rank_texts, with a query.",
    )
