"""Turn texts into vectors."""

import json

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.embedding import _embed, _read_lines
from sanctum_venice_tools.runtime.media import _media_folder, _store
from sanctum_venice_tools.runtime.models import _pick_model
from sanctum_venice_tools.runtime.options import _read_options
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _given

TOOLSET = "core"
COST = "cents"


def _count_lines(content: bytes) -> tuple[str, int]:
    """The kind of a file of vectors, and how many it holds."""
    return "jsonl", content.count(b"\n")


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
    found = [*(texts or []), *(_read_lines(file) if file else [])]
    wanted = [str(one.get("text") or "") if isinstance(one, dict) else str(one) for one in found]
    if not wanted or not all(text.strip() for text in wanted):
        raise VeniceError("There is no text, or one of them is empty. Give texts, or a file of them.")
    folder = _media_folder()
    can = "supportsCustomDimensions" if dimensions else ""
    chosen = _pick_model(
        "embedding", model, setting="VENICE_EMBEDDING_MODEL", fits=lambda one: not can or one["model_spec"].get(can)
    )
    longest = chosen.spec.get("embeddingDimensions") or 4096
    _read_options(_given(dimensions=dimensions), {"dimensions": (1, longest)})
    vectors, tokens, fault = _embed(chosen.id, wanted, dimensions)

    pairs = zip(wanted, vectors, strict=False)
    made = "".join(json.dumps({"text": one, "model": chosen.id, "vector": vector}) + "\n" for one, vector in pairs)
    kept = _store(folder, made.encode(), f"vectors {wanted[0][:30]}", _count_lines, "count")
    notes = [*chosen.notes]
    if fault:
        notes.append(f"Only the first {len(vectors):,} of {len(wanted):,} texts: {fault}")
    shown = [[round(number, 5) for number in vector] for vector in vectors[:4]] if show_vectors else []
    if len(shown) > 3 or len(json.dumps(shown)) > 6500:
        notes.append("The vectors are too many or too long to be shown: read the file.")
        shown = []
    price = chosen.spec.get("pricing", {}).get("input", {}).get("usd")
    kept |= {"type": "application/jsonl", "dimensions": len(vectors[0]), "model": chosen.id, "tokens": tokens}
    return _answer(
        **kept,
        cost_usd=price and round(price * tokens / 1e6, 8),
        vectors=shown,
        notes=notes,
        next="Give this file to venice_rank_texts, with a query.",
    )
