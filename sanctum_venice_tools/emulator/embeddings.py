"""POST /embeddings: vectors of hashed words and letters, so that related texts lie nearer."""

import base64
import hashlib
import math
import re
import struct
from collections import Counter
from collections.abc import Iterator

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from sanctum_venice_tools.emulator.catalogue import catalogue, unsupported
from sanctum_venice_tools.emulator.errors import custom
from sanctum_venice_tools.emulator.service import Call

GRAM = 4


def embed(text: str, dimensions: int) -> list[float]:
    """A unit vector: each word and each run of four letters moves it in a direction of its own."""
    vector = [0.0] * dimensions
    for feature, count in Counter(_features(text)).items():
        digest = hashlib.blake2b(feature.encode(), digest_size=8).digest()
        sign = 1 if digest[0] & 1 else -1
        # A whole word says more than a piece of one, and a second mention less than the first.
        weight = (2.0 if feature.startswith("=") else 1.0) * (1 + math.log(count))
        vector[int.from_bytes(digest[1:]) % dimensions] += sign * weight
    length = math.hypot(*vector) or 1.0
    return [part / length for part in vector]


def _features(text: str) -> Iterator[str]:
    """The words of a text, and the runs of letters within them, short words left out."""
    for word in re.findall(r"\w+", text.lower()):
        if len(word) < GRAM:
            yield f"-{word}"
            continue
        yield f"={word}"
        for start in range(len(word) - GRAM + 1):
            yield word[start : start + GRAM]


async def create(call: Call) -> Response:
    """POST /embeddings."""
    body = call.body
    model = catalogue().find(body["model"], "embedding")
    spec = model["model_spec"]
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    counts = [max(1, len(text) // 4) for text in texts]
    for place, count in enumerate(counts):
        if count > (most := spec["maxInputTokens"]):
            raise custom(
                "input", f"Input {place} has {count} tokens; the most are {most}.", maximum=most
            )
    dimensions = body.get("dimensions") or spec["embeddingDimensions"]
    if dimensions != spec["embeddingDimensions"] and not spec["supportsCustomDimensions"]:
        raise unsupported(model, "dimensions")
    if dimensions > (most := spec["embeddingDimensions"]):
        raise custom("dimensions", f"Number must be less than or equal to {most}", maximum=most)

    vectors = await run_in_threadpool(lambda: [embed(text, dimensions) for text in texts])
    tokens = sum(counts)
    call.use(model, tokens=tokens)
    call.charge(
        tokens * spec["pricing"]["input"]["usd"] / 1e6,
        sku=model["id"],
        units=tokens / 1e6,
        model=model,
    )
    packed = body.get("encoding_format") == "base64"
    return JSONResponse(
        {
            "object": "list",
            "model": model["id"],
            "data": [
                {
                    "object": "embedding",
                    "index": index,
                    "embedding": _pack(vector) if packed else vector,
                }
                for index, vector in enumerate(vectors)
            ],
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }
    )


def _pack(vector: list[float]) -> str:
    """A vector as base64 of 32-bit floats, the form OpenAI's clients ask for."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
