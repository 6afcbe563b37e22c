"""Whatever is sent, the local Venice answers as Venice would, and never with 500."""

import base64
import io
import json
import zipfile
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanctum_venice_tools.emulator import sound
from sanctum_venice_tools.emulator.documents import extract
from sanctum_venice_tools.emulator.door import parse_json
from sanctum_venice_tools.emulator.embeddings import embed
from sanctum_venice_tools.emulator.errors import ApiError
from sanctum_venice_tools.emulator.facts import operations
from sanctum_venice_tools.emulator.pictures import draw, encode
from sanctum_venice_tools.emulator.sample import sample
from sanctum_venice_tools.emulator.script import fill
from sanctum_venice_tools.emulator.uploads import read_picture

pytestmark = pytest.mark.slow

POSTS = [
    path
    for (path, method), operation in operations().items()
    if method == "post" and "application/json" in operation.requests and "{" not in path
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
MODELS = {
    "/image": "z-image-turbo",
    "/embeddings": "text-embedding-bge-m3",
    "/audio": "elevenlabs-music",
    "/video": "wan-2.5-preview-text-to-video",
}


def likely(path: str) -> dict[str, st.SearchStrategy[Any]]:
    """For each field of a body, values of about the right kind, and some of any kind."""
    properties = operations()[path, "post"].requests["application/json"].properties()
    model = next((name for start, name in MODELS.items() if path.startswith(start)), "default")
    known = {
        "model": st.just(model),
        "messages": st.lists(
            st.fixed_dictionaries(
                {
                    "role": st.sampled_from(["user", "assistant", "tool", "system"]),
                    "content": st.text(max_size=20) | st.none() | JSON,
                    "tool_call_id": st.just("x"),
                }
            ),
            min_size=1,
            max_size=3,
        ),
        "input": st.text(min_size=1, max_size=30),
        "prompt": st.text(min_size=1, max_size=30),
        "duration": st.just("5s"),
        "aspect_ratio": st.just("16:9"),
    }
    return {name: known.get(name, values(schema)) for name, schema in properties.items()}


def values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values for a field: those of its enum, or of its type."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = {"integer": st.integers(-2, 2000), "number": st.floats(-1, 9), "boolean": st.booleans()}
    kind = schema.get("type")
    return kinds.get(kind, JSON) if isinstance(kind, str) else JSON


@pytest.mark.parametrize("path", POSTS)
@given(data=st.data())
def test_no_body_breaks_it(client: httpx.Client, path: str, data: st.DataObject) -> None:
    """Any JSON, wild or nearly right, is answered with what the document allows."""
    fields = likely(path)
    required = operations()[path, "post"].requests["application/json"].schema.get("required", [])
    firm = {"model", "messages", "input", "prompt", *required}
    nearly = st.fixed_dictionaries(
        {name: part for name, part in fields.items() if name in firm},
        optional={name: part for name, part in fields.items() if name not in firm},
    )
    body = data.draw(nearly | JSON)
    # Large pictures take long and test nothing more.
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name not in {"variants", "n"}}

    reply = client.post(
        path, content=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )

    assert reply.status_code < 500, reply.text


@given(st.binary(max_size=60))
def test_any_bytes_are_json_or_refused(raw: bytes) -> None:
    """What is no JSON raises ValueError; what is can be written as UTF-8 again."""
    try:
        value = parse_json(raw)
    except ValueError:
        return
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


@given(JSON)
def test_parsed_json_is_the_same(value: Any) -> None:
    """What JSON can hold comes out as it went in."""
    try:
        raw = json.dumps(value, allow_nan=False).encode()
    except ValueError:
        return
    if b"\\ud" not in raw:
        assert parse_json(raw) == value


@given(JSON, JSON)
def test_any_template_can_be_filled(template: Any, results: Any) -> None:
    """Placeholders find something or nothing, whatever is there."""
    fill(template, {"t": results})
    fill("{t.a.0|none} {t.*.a}", {"t": results})


@given(st.text())
def test_vectors_have_length_one(text: str) -> None:
    """Every text has a vector of length one, or, if it has no words, of length nought."""
    length = sum(part * part for part in embed(text, 64))

    assert min(abs(length), abs(length - 1)) < 1e-6


@given(JSON)
def test_any_schema_has_a_sample(schema: Any) -> None:
    """Whatever stands where a schema should, a sample of it is JSON."""
    json.dumps(sample(schema, {}, "words"))


def damaged(whole: bytes) -> st.SearchStrategy[bytes]:
    """A file cut off, with some bytes replaced."""

    def damage(cut: int, places: list[tuple[int, int]]) -> bytes:
        file = bytearray(whole[: cut or None])
        for place, value in places:
            file[place % len(file)] = value
        return bytes(file)

    place = st.tuples(st.integers(0, len(whole)), st.integers(0, 255))
    return st.builds(damage, st.integers(0, len(whole)), st.lists(place, max_size=6))


def office_file() -> bytes:
    """A small Word file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", "<w><p><t>Red fox</t></p><p><t>Den</t></p></w>" * 3)
    return file.getvalue()


PDF = (
    b"%PDF-1.4\n1 0 obj\n<</Type /Catalog /Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type /Pages /Kids [3 0 R] /Count 1>>\n"
    b"endobj\n3 0 obj\n<</Type /Page /Parent 2 0 R /Contents 4 0 R>>\nendobj\n4 0 obj\n<</Length 30>>\nstream\n"
    b"BT /F 12 Tf (Foxes) Tj ET     \nendstream\nendobj\ntrailer\n<</Root 1 0 R /Size 5>>\nstartxref\n0\n%%EOF\n"
)


@pytest.mark.filterwarnings("ignore")
@given(damaged(PDF) | damaged(office_file()) | st.binary(max_size=50))
def test_any_document_has_text_or_is_refused(file: bytes) -> None:
    """A damaged document has some text, or none."""
    try:
        assert extract(file).strip()
    except ValueError:
        return


@given(
    damaged(encode(draw("A fox", (48, 32), "1"), "png"))
    | damaged(encode(draw("A fox", (48, 32), "1"), "webp"))
)
def test_any_picture_is_read_or_refused(file: bytes) -> None:
    """A damaged picture is a picture, or is refused."""
    try:
        read_picture("image", base64.b64encode(file).decode(), allow_url=False)
    except ApiError:
        return


SPEECH = sound.murmur("A fox in the sun", "af_sky", 2, 8000)


@given(damaged(sound.encode(SPEECH, 8000, "wav")) | damaged(sound.encode(SPEECH, 8000, "flac")))
def test_any_sound_has_a_length_or_none(file: bytes) -> None:
    """A damaged sound file plays for a while, or not at all."""
    assert (sound.seconds_of(file) or 1) > 0
