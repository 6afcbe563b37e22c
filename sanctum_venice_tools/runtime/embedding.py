"""Embeddings: texts as vectors, and files of them: JSON Lines, readable by anything."""

import hashlib
import json
import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from operator import mul
from pathlib import Path
from typing import Any

from sanctum_venice_tools.runtime.decoding import _CONTROL, _encodings_of
from sanctum_venice_tools.runtime.intake import _stored_file
from sanctum_venice_tools.runtime.listing import _list_models
from sanctum_venice_tools.runtime.media import _part_file, _put_in_place, _stem_of
from sanctum_venice_tools.runtime.models import _chosen, _find_model, _Model
from sanctum_venice_tools.runtime.replies import _number_of, _object_of, _objects_in, _text_of
from sanctum_venice_tools.runtime.venice import _CHARGED, VeniceError, _call, _given

# Texts in one request. Venice takes 2,048, but their vectors alone would fill 150 MB.
_BATCH = 512

# Of one text, in characters: of a longer one Venice counts more than 8,192 tokens, as it estimates
# them, and refuses all that come with it (its skill for embeddings, 73c0bf7).
_LONGEST_TEXT = 27_594

# How many vectors are kept to be looked at.
_KEPT = 4


@dataclass
class _Embedded:
    """What came of turning texts into vectors, as far as it came."""

    count: int = 0
    tokens: int = 0
    ranked: int = 0
    first: list[Sequence[float]] = field(default_factory=list)
    """The first few vectors."""
    fault: str = ""
    """What stopped it: what is paid is kept when a later batch fails."""
    maker: str = ""
    """The model that made the vectors, as one asks for it."""
    named: str = ""
    """What Venice calls the maker, if that is not the model that was asked for."""


@dataclass(frozen=True)
class _Scored:
    """A text, its place from 0, and how near it is to a query: 1 means the same."""

    score: float
    place: int
    text: str


# --- making vectors ---


def _embed(
    model: str, texts: list[str], dimensions: int | None, done: _Embedded
) -> Iterator[tuple[str, Sequence[float]]]:
    """Each text with its vector, batch after batch; only one batch is ever held."""
    _check_lengths(texts)
    for start in range(0, len(texts), _BATCH):
        batch = texts[start : start + _BATCH]
        try:
            vectors = _embed_batch(model, batch, dimensions, done)
        except VeniceError as error:
            if start == 0:
                raise
            done.fault = str(error)
            return
        done.count += len(vectors)
        missing = _KEPT - len(done.first)
        done.first += vectors[:missing]
        yield from zip(batch, vectors, strict=True)


def _check_lengths(texts: list[str]) -> None:
    """Refuse a text that is too long, and say which, before anything is sent."""
    for text in texts:
        if len(text) > _LONGEST_TEXT:
            told = f"The text {text[:40]!r} has {len(text):,} characters"
            raise VeniceError(
                f"{told}, and Venice takes {_LONGEST_TEXT:,} in one. Cut it into parts."
            )


def _embed_batch(
    model: str, batch: list[str], dimensions: int | None, done: _Embedded
) -> list[Sequence[float]]:
    """The vectors of a batch, in its order."""
    body = _given(model=model, input=batch, dimensions=dimensions)
    told, _ = _call("POST", "/embeddings", json=body)
    reply = _object_of(told)

    usage = _object_of(reply.get("usage"))
    done.tokens += int(_number_of(usage.get("total_tokens")) or 0)

    rows = sorted(_objects_in(reply.get("data")), key=_index_of)
    vectors = [_vector_of(row.get("embedding")) for row in rows]
    if len(vectors) != len(batch) or not all(vectors):
        raise VeniceError(f"Venice sent too few vectors, or none that are; {_CHARGED}")
    _note_maker(done, model, _text_of(reply.get("model")))
    return vectors


def _note_maker(done: _Embedded, asked: str, named: str) -> None:
    """Remember which model made a batch; an error, if another made those before."""
    is_another = _without_provider(named) not in ("", _without_provider(asked))
    maker = asked
    if is_another:
        maker = _listed_as(named) or asked
    if done.maker not in ("", maker):
        raise VeniceError(f"Venice took another model for them, {maker:.80}; {_CHARGED}")
    done.maker = maker
    done.named = named if is_another else ""


def _without_provider(name: str) -> str:
    """A model's name without its provider, in small letters: the same model has the same."""
    return name.lower().rpartition("/")[2]


def _listed_as(named: str) -> str:
    """The id under which Venice lists a model of a name; nothing, where it lists none."""
    with suppress(VeniceError):  # the vectors are paid, and are kept without the list
        found = _find_model(named, _list_models("embedding"))
        return found["id"] if found else ""
    return ""


def _tell_maker(done: _Embedded, asked: str) -> list[str]:
    """What to note of vectors that another model made than the one that was asked for."""
    if not done.named:
        return []
    if done.maker == asked:
        what = f"Venice says that {done.named!r:.80} made the vectors, which it does not list"
        return [f"{what}; they count as those of {asked:.80}."]
    what = f"Venice took {done.maker:.80} for {asked:.80}: the vectors are of that model"
    return [f"{what}, and cost_usd goes by the price of the one that was asked for."]


def _index_of(row: dict[str, Any]) -> float:
    """Which text of its batch, from 0, a vector is of."""
    return _number_of(row.get("index")) or 0


def _vector_of(value: Any) -> Sequence[float]:
    """The numbers of a vector, in little room; none, if it is no vector."""
    try:
        vector = array("d", value)
    except TypeError:
        return ()
    return vector if math.isfinite(sum(vector)) else ()


# --- files of vectors ---


def _store_vectors(
    folder: Path, model: str, texts: list[str], dimensions: int | None, done: _Embedded
) -> Path:
    """Write each text with its vector into a file, whole or not at all, as they come."""
    digest = hashlib.sha256()
    with _part_file(folder, advice="The vectors may be charged. Tell the operator.") as part:
        for text, vector in _embed(model, texts, dimensions, done):
            row = {"text": text, "model": done.maker, "vector": list(vector)}
            line = json.dumps(row).encode() + b"\n"
            digest.update(line)
            part.write(line)
        title = _stem_of(f"vectors {texts[0][:30]}")
        mark = digest.hexdigest()[:10]
        path = folder / f"{title}-{mark}.jsonl"
        _put_in_place(part, path)
    return path


def _lines_of(name: str) -> Iterator[Any]:
    """The lines of a stored file, as the JSON that they are, or else as texts; no empty ones."""
    name = name.strip()
    may_be_text = not name.lower().endswith(".jsonl")
    try:
        path = _stored_file(name)
        encoding = _encoding_of(path) if may_be_text else "utf-8"  # as all JSON is
        with path.open(encoding=encoding) as file:
            for raw in file:
                line = raw.lstrip("\ufeff").strip()
                if line:
                    yield _read_line(line, may_be_text=may_be_text)
    except (ValueError, OSError, RecursionError):
        raise VeniceError(
            f"{name[:60]!r} is no text file, or no JSON Lines. Give another."
        ) from None


def _encoding_of(path: Path) -> str:
    """The encoding of a stored text, which is read to its end for it; ValueError, if it is no text.

    It may be larger than the memory: one line is held at a time.
    """
    with path.open("rb") as file:
        start = file.read(4)
    for encoding in _encodings_of(start):
        with suppress(UnicodeDecodeError), path.open(encoding=encoding) as file:
            odd_lines = sum(_CONTROL.search(line) is not None for line in file)
            is_surely_text = encoding != "cp1252"  # which nearly any bytes are
            if is_surely_text or not odd_lines:
                return encoding
    raise ValueError("no text")


def _read_line(line: str, *, may_be_text: bool) -> Any:
    """What a line holds as JSON, if it begins so; a text may begin with a quotation, too."""
    if not line.startswith(("{", '"')):
        return line
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        if not may_be_text:
            raise
        return line


def _texts_in(name: str) -> list[str]:
    """The texts of a stored file: one a line, or "text" in JSON Lines."""
    texts = []
    for line in _lines_of(name):
        text = line.get("text") or "" if isinstance(line, dict) else line
        texts.append(str(text))
    return texts


def _model_of_vectors(name: str) -> tuple[str, int]:
    """The model that made the vectors of a file, and how long they are."""
    first = _object_of(next(_lines_of(name), None))
    model = _text_of(first.get("model"))
    vector = _vector_of(first.get("vector"))
    if not model or not vector:
        raise VeniceError("This file holds no vectors. Make them with venice_embed_texts.")
    return model, len(vector)


def _maker_of_vectors(named: str) -> _Model:
    """The model that made stored vectors, as Venice lists it: no other makes any that are near."""
    listed = _find_model(named, _list_models("embedding"))
    if not listed:
        fault = f"Venice no longer has the model {named!r:.80} of these vectors"
        raise VeniceError(f"{fault}. Make them anew with venice_embed_texts.")
    if listed["model_spec"].get("offline"):
        fault = f"The model {named!r:.80} of these vectors is offline"
        ways = "Try again later, or make them anew with venice_embed_texts, with another model"
        raise VeniceError(f"{fault}. {ways}.")
    return _chosen(listed)


def _vectors_in(name: str, model: str) -> Iterator[tuple[str, Sequence[float]]]:
    """Each text of a file with its vector; one line is held at a time."""
    for line in _lines_of(name):
        row = _object_of(line)
        if row.get("model") != model:
            raise VeniceError(f"{_NOT_OF_ONE_MODEL}.")
        yield str(row.get("text") or ""), _vector_of(row.get("vector"))


# --- ranking ---

_NOT_OF_ONE_MODEL = (
    "The vectors of this file are not all of one model. Make them anew with venice_embed_texts"
)


def _score(
    query: Sequence[float], texts: Iterable[tuple[str, Sequence[float]]], done: _Embedded
) -> Iterator[_Scored]:
    """How near each text is to a query."""
    for place, (text, vector) in enumerate(texts):
        if len(vector) != len(query):
            raise VeniceError(f"{_NOT_OF_ONE_MODEL}; the query's vector may be charged.")
        done.ranked += 1
        yield _Scored(_likeness(query, vector), place, text)


def _likeness(one: Sequence[float], other: Sequence[float]) -> float:
    """The cosine of the angle between two vectors."""
    lengths = math.hypot(*one) * math.hypot(*other)
    if lengths == 0:
        return 0.0
    product: float = sum(map(mul, one, other))
    return product / lengths
