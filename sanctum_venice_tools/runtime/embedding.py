"""Embeddings: texts as vectors, and files of them: JSON Lines, readable by anything."""

import json
from typing import Any

from sanctum_venice_tools.runtime.intake import _stored_file
from sanctum_venice_tools.runtime.venice import VeniceError, _call, _given


def _embed(model: str, texts: list[str], dimensions: int | None) -> tuple[list[list[float]], int, str]:
    """The vectors, the tokens they took, and what stopped it: what is paid is kept when a later batch fails."""
    vectors: list[list[float]] = []
    tokens = 0
    for start in range(0, len(texts), 2048):
        batch = texts[start : start + 2048]
        try:
            made, _ = _call("POST", "/embeddings", json=_given(model=model, input=batch, dimensions=dimensions))
        except VeniceError as error:
            if not vectors:
                raise
            return vectors, tokens, str(error)
        tokens += made["usage"]["total_tokens"]
        vectors += [one["embedding"] for one in sorted(made["data"], key=lambda one: one["index"])]
        if len(vectors) != start + len(batch):
            raise VeniceError("Venice sent too few vectors; they may be charged. Tell the person.")
    return vectors, tokens, ""


def _read_lines(name: str) -> list[Any]:
    """The lines of a stored file, as the JSON that they are, or else as texts; empty ones left out."""
    try:
        lines = [line.strip() for line in _stored_file(name).read_text(encoding="utf-8").split("\n")]
        return [json.loads(line) if line[0] in '{"' else line for line in lines if line]
    except (ValueError, OSError, RecursionError):
        raise VeniceError(f"{name[:60]!r} is no text file, or no JSON Lines. Give another.") from None
