"""Turn texts into vectors."""

import json

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.embedding import _Embedded, _store_vectors, _texts_in
from sanctum_venice_tools.runtime.media import _media_folder
from sanctum_venice_tools.runtime.models import _pick_model
from sanctum_venice_tools.runtime.options import _read_options
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _given

TOOLSET = "core"
COST = "cents"


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
    wanted = [*(texts or []), *(_texts_in(file) if file else [])]
    if not wanted or not all(text.strip() for text in wanted):
        raise VeniceError("There is no text, or one of them is empty. Give texts, or a file of them.")
    folder = _media_folder()
    can = "supportsCustomDimensions" if dimensions else ""
    chosen = _pick_model(
        "embedding", model, setting="VENICE_EMBEDDING_MODEL", fits=lambda one: not can or one["model_spec"].get(can)
    )
    longest = chosen.spec.get("embeddingDimensions") or 4096
    _read_options(_given(dimensions=dimensions), {"dimensions": (1, longest)})
    done = _Embedded()
    path = _store_vectors(folder, chosen.id, wanted, dimensions, done)

    notes = [*chosen.notes]
    if done.fault:
        notes.append(f"Only the first {done.count:,} of {len(wanted):,} texts: {done.fault}")
    shown = [[round(number, 5) for number in vector] for vector in done.first] if show_vectors else []
    if len(shown) > 3 or len(json.dumps(shown)) > 6500:
        notes.append("The vectors are too many or too long to be shown: read the file.")
        shown = []
    price = chosen.spec.get("pricing", {}).get("input", {}).get("usd")
    return _answer(
        file=str(path),
        type="application/jsonl",
        bytes=path.stat().st_size,
        count=done.count,
        dimensions=len(done.first[0]),
        model=chosen.id,
        tokens=done.tokens,
        cost_usd=price and round(price * done.tokens / 1e6, 8),
        vectors=shown,
        notes=notes,
        next="Give this file to venice_rank_texts, with a query.",
    )
