"""What a file is, and whether it is whole: genuine files pass, and the same files cut anywhere do not."""

import io
import json
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from sanctum_venice_tools.runtime.formats import (
    _film_seconds,
    _find_samples,
    _format_of,
    _media_type,
    _read_coded_number,
    _read_frame,
    _read_vint,
    _recording_ending,
    _untaken,
)
from sanctum_venice_tools.runtime.media import _picture_size
from tests.conftest import kept_in
from tests.runtime.raw_server import raw_server
from tests.samples import FILM, SONG, box, whole_files
from tests.tools.conftest import PICTURE, refusal

Tool = Callable[..., str]


def ending_of(content: bytes) -> str:
    """The ending that a whole file gets; ValueError if it is not whole."""
    form = _format_of(content[:100])
    if form and form.media_type.startswith("image/"):
        return _picture_size(content)[0]
    return _recording_ending(io.BytesIO(content))


def is_whole(content: bytes) -> bool:
    """Whether a file is taken for a whole one."""
    try:
        ending_of(content)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("name", whole_files())
def test_a_genuine_file_is_whole(name: str) -> None:
    """What encoders write passes, and is called what it is."""
    assert name.partition(" ")[0] == ending_of(whole_files()[name])


# Formats that have no count of their frames or fragments can't tell a cut just between two of them.
UNCOUNTED = {"aac", "mp3", "mp4 in fragments"}


@pytest.mark.parametrize("name", sorted(whole_files().keys() - UNCOUNTED))
@given(data=st.data())
def test_no_cut_file_is_whole(name: str, data: st.DataObject) -> None:
    """A genuine file that ends too early does not pass, wherever it ends."""
    whole = whole_files()[name]
    end = data.draw(st.integers(0, len(whole) - 1))

    assert not is_whole(whole[:end])


@pytest.mark.parametrize("name", sorted(whole_files().keys() - UNCOUNTED))
def test_no_file_is_whole_without_its_last_bytes(name: str) -> None:
    """However few are missing, they are missed."""
    whole = whole_files()[name]

    assert [] == [missing for missing in range(1, 60) if is_whole(whole[:-missing])]


@pytest.mark.parametrize(("name", "most"), [("aac", 60), ("mp3", 1), ("mp4 in fragments", 3)])
def test_a_cut_between_two_frames_is_all_that_passes(name: str, most: int) -> None:
    """Of the thousands of places to cut a file of frames, a few pass: in an MP3, whose frames are counted, the last."""
    whole = whole_files()[name]
    passed = [end for end in range(len(whole)) if is_whole(whole[:end])]

    assert len(passed) <= most
    assert len(whole) > 100 * len(passed)


@given(
    content=st.binary(max_size=300),
    start=st.sampled_from([file[:40] for file in whole_files().values()]),
)
@example(b"", b"ID3")
@example(b"", b"\xff\xfb<html>")
@example(b"", b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0")
@example(b"", b"RIFF\x12\0\0\0WEBPVP8L\xff\0\0\0\x2f\1\1\1\1\1")
@example(b"", box(b"ftyp", b"isom"))
@example(bytes(400), b"\0\0\0\x18ftypisom")
@example(b"", b"\xff\xd8\xff\xd9")
@example(b"\xff" * 300, b"\xff\xd8\xff")
def test_what_only_begins_like_a_file_is_none(content: bytes, start: bytes) -> None:
    """A beginning with anything behind it is no file, and no other error than that."""
    assert not is_whole(start + content)


# --- sounds ---


def wav(*, riff_length: int, data_length: int, samples: int = 400) -> bytes:
    """A WAV file that tells these lengths."""
    form = struct.pack("<HHIIHH", 1, 1, 8000, 16_000, 2, 16)
    return (
        struct.pack("<4sI4s4sI", b"RIFF", riff_length, b"WAVE", b"fmt ", len(form))
        + form
        + struct.pack("<4sI", b"data", data_length)
        + bytes(samples)
    )


@pytest.mark.parametrize("told", [0, 0xFFFF_FFFF, 0x7FFF_FFFF, 0x7FFF_F000])
def test_a_streamed_wav_need_not_know_its_length(told: int) -> None:
    """A program that streams can't know it: what came is what there is, but some sound there must be."""
    assert is_whole(wav(riff_length=told, data_length=told))
    assert not is_whole(wav(riff_length=told, data_length=told, samples=0))


def test_a_wav_that_knows_its_length_has_it() -> None:
    """Neither the samples nor what stands behind them may be cut."""
    assert is_whole(wav(riff_length=436, data_length=400))
    assert not is_whole(wav(riff_length=436, data_length=402))
    assert not is_whole(wav(riff_length=500, data_length=400))


APE = struct.pack("<8sIIII8s", b"APETAGEX", 2000, 40, 1, 0, b"")
APE_ONLY_READ = struct.pack("<8sIIII8s", b"APETAGEX", 2000, 40, 1, 1, b"")
APE_WITH_HEADER = struct.pack("<8sIIII8s", b"APETAGEX", 2000, 40, 1, 1 << 31, b"")
TAGS = {
    "ID3v1": b"TAG" + bytes(125),
    "APE": bytes(8) + APE,
    "APE and ID3v1": bytes(8) + APE + b"TAG" + bytes(125),
    "APE with a header": bytes(32 + 8) + APE_WITH_HEADER,
    "APE that is only to be read": bytes(8) + APE_ONLY_READ,
    "ID3v2": b"ID3\x04\0\0\0\0\0\x05hello",
    "ID3v2 with a footer": b"ID3\x04\0\x10\0\0\0\x05hello3DI\x04\0\x10\0\0\0\x05",
    "long ID3v2": b"ID3\x04\0\0\0\0\x01\x02" + bytes(130),
    "another song": SONG,
}


@pytest.mark.parametrize("tag", TAGS)
def test_tags_of_an_mp3_are_no_fault(tag: str) -> None:
    """Tags may stand before, between and behind the frames."""
    assert is_whole(SONG + TAGS[tag])


@pytest.mark.parametrize(
    "behind", [b"<html>", b"\xff\xfb", b"\xff\xfb\x00\x00" + bytes(100), bytes(417), b"TAG"]
)
def test_what_is_no_frame_is_a_fault(behind: bytes) -> None:
    """Anything else behind the frames is a sign that the file was cut, or is another."""
    assert not is_whole(SONG + behind)


def test_an_mp3_has_sound() -> None:
    """A tag alone, however well made, is none."""
    assert not is_whole(b"ID3\x04\0\0\0\0\0\0")
    assert not is_whole(b"ID3\x04\0\0\0\0\0\x05hello")


def test_an_ogg_file_ends_with_its_last_page() -> None:
    """Pages that are whole are not enough: the last one is marked."""
    whole = whole_files()["opus"]
    last_page = whole.rindex(b"OggS")

    assert not is_whole(whole[:last_page])


def test_a_made_flac_takes_no_long_time() -> None:
    """A file that is full of what looks like a frame is refused soon."""
    began = time.monotonic()

    assert not is_whole(whole_files()["flac"][:200] + b"\xff\xf8\xc9\x10\x01" * 400_000)
    assert time.monotonic() - began < 10


# --- films ---


def test_a_box_may_be_large_or_open() -> None:
    """A length of 64 bits stands behind the type; one of 0 goes to the end."""
    large = struct.pack(">I4sQ", 1, b"mdat", 316) + bytes(300)
    start = box(b"ftyp", b"isom") + box(b"moov")

    assert is_whole(start + large)
    assert not is_whole(start + large[:-1])
    assert is_whole(start + struct.pack(">I4s", 0, b"mdat") + bytes(300))


@pytest.mark.parametrize("missing", [b"moov", b"mdat"])
def test_a_film_needs_its_index_and_its_pictures(missing: bytes) -> None:
    """Boxes that add up are not enough."""
    assert is_whole(FILM)
    assert not is_whole(FILM.replace(missing, b"free"))


# --- pictures ---


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of these chunks."""
    made = b"\x89PNG\r\n\x1a\n"
    for kind, content in chunks:
        made += len(content).to_bytes(4) + kind + content + zlib.crc32(kind + content).to_bytes(4)
    return made


def test_a_picture_has_a_size() -> None:
    """A picture of no width or no height is none, nor is one without content."""
    content, end = (b"IDAT", zlib.compress(bytes(2))), (b"IEND", b"")

    assert is_whole(png((b"IHDR", struct.pack(">II5B", 1, 1, 8, 0, 0, 0, 0)), content, end))
    assert not is_whole(png((b"IHDR", struct.pack(">II5B", 0, 1, 8, 0, 0, 0, 0)), content, end))
    assert not is_whole(png((b"IHDR", struct.pack(">II5B", 1, 0, 8, 0, 0, 0, 0)), content, end))
    assert not is_whole(png((b"IHDR", struct.pack(">II5B", 1, 1, 8, 0, 0, 0, 0)), end))


@pytest.mark.parametrize("size", [(1, 1), (300, 250), (16_383, 2), (2, 16_383)], ids=str)
@pytest.mark.parametrize("how", [{}, {"lossless": True}, {"icc_profile": b"ICC"}], ids=str)
def test_every_kind_of_webp_tells_its_size(how: dict[str, Any], size: tuple[int, int]) -> None:
    """Lossy, lossless and extended, up to the longest side that WebP has."""
    file = io.BytesIO()
    Image.new("RGB", size).save(file, "WEBP", **how)

    assert size == _picture_size(file.getvalue())[1:]


def test_the_scale_of_a_webp_is_no_part_of_its_size() -> None:
    """A lossy WebP has two bits of scale above each side."""
    file = io.BytesIO()
    Image.new("RGB", (300, 250)).save(file, "WEBP")
    scaled = bytearray(file.getvalue())
    scaled[27] |= 0x40
    scaled[29] |= 0x80

    assert (300, 250) == _picture_size(bytes(scaled))[1:]


def test_a_webp_whose_picture_goes_beyond_it_is_not_whole() -> None:
    """Its first part is within the length that the file tells, whatever comes after that."""
    small = b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 11) + bytes(10)

    assert not is_whole(small + bytes(300))


def test_a_jpeg_may_be_filled_before_its_markers() -> None:
    """Any number of FF may stand there."""
    jpeg = whole_files()["jpeg"]

    assert _picture_size(jpeg) == _picture_size(jpeg[:2] + b"\xff\xff\xff" + jpeg[2:])


@pytest.mark.parametrize("name", ["png", "jpeg", "webp"])
def test_what_follows_a_picture_is_no_fault(name: str) -> None:
    """Programs append to pictures what others don't read: the picture is whole all the same."""
    assert is_whole(whole_files()[name] + b"more")


# --- sounds ---


def wav_of(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WAV file of these chunks, each filled up to an even length."""
    made = b"WAVE"
    for name, content in chunks:
        made += name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
    return b"RIFF" + struct.pack("<I", len(made)) + made


SAMPLES = (b"data", bytes(range(1, 102)))


def a_second(bytes_a_second: int) -> tuple[bytes, bytes]:
    """The chunk that tells the form of samples: one channel of 8 bits."""
    return b"fmt ", struct.pack("<HHIIHH", 1, 1, bytes_a_second, bytes_a_second, 1, 8)


def test_a_wav_file_may_have_chunks_of_odd_length() -> None:
    """Each is filled up, before the samples and after them; some leave the last byte out that only fills."""
    whole = wav_of((b"LIST", b"odd"), a_second(100), SAMPLES)

    assert is_whole(whole)
    assert is_whole(whole[:-1])
    assert not is_whole(whole[:-2])
    assert SAMPLES[1] == whole[_find_samples(io.BytesIO(whole)).start :][:101]


def test_a_wav_file_has_a_rate() -> None:
    """One whose second has no bytes plays no sound, and its length can't be told."""
    assert is_whole(wav_of(a_second(1), SAMPLES))
    assert not is_whole(wav_of(a_second(0), SAMPLES))


@pytest.mark.parametrize("sample_rate_index", range(3))
@pytest.mark.parametrize("version", [3, 2, 0], ids=["1", "2", "2.5"])
def test_every_rate_of_mp3_is_read_as_ffmpeg_does(version: int, sample_rate_index: int) -> None:
    """Of each bit rate, frames have the length and the duration that FFmpeg finds in them."""
    for bit_rate_index in range(1, 15):
        rates = bit_rate_index << 4 | sample_rate_index << 2
        head = bytes([0xFF, 0xE3 | version << 3, rates, 0])
        frame = _read_frame(io.BytesIO(head + bytes(2000)), 0, head)
        with av.open(io.BytesIO(frame.content * 12), mode="r", format="mp3") as sound:
            unit = float(sound.streams.audio[0].time_base or 0)
            packets = [packet for packet in sound.demux() if packet.size]

        assert [len(frame.content)] * 12 == [packet.size for packet in packets]
        played = unit * sum(packet.duration or 0 for packet in packets)
        assert 12 * frame.seconds == pytest.approx(played)


@pytest.mark.parametrize("number", [0, 127, 128, 2047, 2048, 65_535, 65_536, 0x10_FFFF])
def test_the_number_of_a_flac_frame_is_read_as_utf_8(number: int) -> None:
    """It is written as a character of that number would be."""
    written = chr(number).encode("utf-8", "surrogatepass")
    read = _read_coded_number(written + b"\x80")

    assert (number, len(written)) == (read.value, read.length)


@pytest.mark.parametrize(
    ("written", "number", "is_unknown"),
    [
        (b"\x81", 1, False),
        (b"\xfe", 126, False),
        (b"\xff", 127, True),
        (b"\x40\x02", 2, False),
        (b"\x7f\xff", 2**14 - 1, True),
        (b"\x01" + b"\xff" * 7, 2**56 - 1, True),
    ],
)
def test_a_length_in_webm_may_be_unknown(written: bytes, number: int, *, is_unknown: bool) -> None:
    """A stream does not know how long it will be: then all bits of the length are set."""
    assert (number, is_unknown) == _read_vint(io.BytesIO(written), marked=False)


@pytest.mark.parametrize(
    ("units", "a_second", "seconds"),
    [(2500, 1000, 2.5), (0, 1000, None), (2**32 - 1, 1000, None), (2500, 0, None)],
)
def test_a_film_may_not_tell_how_long_it_is(
    units: int, a_second: int, seconds: float | None
) -> None:
    """A length of nothing, or of all bits, says that it is not known; so does a second of no units."""
    header = box(b"mvhd", struct.pack(">B3xIIII", 0, 0, 0, a_second, units))

    assert seconds == _film_seconds(io.BytesIO(box(b"ftyp") + box(b"moov", header)))


# --- names ---


@pytest.mark.parametrize(
    ("start", "name", "advice"),
    [
        (b"GIF89a", "a", "GIF, which Venice does not take: turn it into PNG"),
        (b"BM\x36\0\0\0\0\0\0\0", "a", "BMP"),
        (b"\0\0\0\x18ftypheic", "a.gif", ""),
        (b"\0\0\0\x18ftypavif", "a", ""),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "a",
            "old Office, which Venice does not take: turn it into DOCX",
        ),
        (b"\1\2\3", "letter.DOC", "old Office"),
        (b"\1\2\3", "a.tiff", "TIFF"),
        (b"\x89PNG\r\n\x1a\n", "a.gif", ""),
        (b"\1\2\3", "a.xyz", ""),
        (b"BMW builds cars.", "a", ""),
    ],
)
def test_what_venice_does_not_take_is_told(start: bytes, name: str, advice: str) -> None:
    """The bytes tell what a file is, and where they don't, its name does; and what it is to be turned into."""
    assert advice in _untaken(start, name)
    assert bool(advice) == bool(_untaken(start, name))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.mp4", "video/mp4"),
        ("a.ogg", "audio/ogg"),
        ("m4a", "audio/mp4"),
        ("a.JPG", "image/jpeg"),
        ("a", ""),
    ],
)
def test_an_ending_has_a_type(name: str, expected: str) -> None:
    """The format that is usually called so counts."""
    assert expected == _media_type(name)


# --- over a real socket: replies that are cut where nobody can see it ---


@contextmanager
def answering(content: bytes, content_type: str, *, more: str = "") -> Iterator[str]:
    """A server that answers every request with these bytes, tells no length, and hangs up; its address."""
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\nconnection: close\r\n{more}\r\n"
    with raw_server() as server:
        server.otherwise = [head.encode() + content]
        yield server.base_url


@pytest.fixture
def call(
    load_tool: Callable[[str], Tool], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Any]]:
    """Call a tool whose Venice is at an address."""
    monkeypatch.setenv("VENICE_API_KEY", "sk-local")
    loaded = []

    def run(url: str, name: str, **arguments: Any) -> Any:
        monkeypatch.setenv("VENICE_BASE_URL", url)
        loaded.append(load_tool(name))
        return json.loads(loaded[-1](**arguments))

    yield run
    for tool in loaded:
        tool.__globals__["_client"]().close()


def gzipped(content: bytes) -> bytes:
    """Bytes as a server sends them to a client that takes gzip."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(content) + packer.flush()


@pytest.mark.parametrize("name", ["mp4", "mp4 for streams", "webm", "wav", "flac", "opus", "mp3"])
@pytest.mark.parametrize("how", ["plain", "gzip"])
def test_half_a_job_is_not_stored(
    call: Callable[..., Any], tmp_path: Path, name: str, how: str
) -> None:
    """A reply that ends early leaves nothing, and asking again is free; the whole is stored as it is."""
    whole = whole_files()[name]
    more = "content-encoding: gzip\r\n" if how == "gzip" else ""
    sent = gzipped(whole) if how == "gzip" else whole
    arguments = {"job": "venice-video|wan|77", "wait_seconds": 0}

    with answering(sent[: len(sent) // 2], "video/mp4", more=more) as url:
        line = refusal(call, url, "venice_retrieve_video", **arguments)
    assert "Asking is free" in line or "nothing was charged" in line
    assert [] == kept_in(tmp_path / "media")

    with answering(sent, "video/mp4", more=more) as url:
        reply = call(url, "venice_retrieve_video", **arguments)
    assert whole == Path(reply["file"]).read_bytes()
    assert name.partition(" ")[0] == Path(reply["file"]).suffix[1:]


@pytest.mark.parametrize("name", ["png", "jpeg", "webp"])
def test_half_a_picture_is_not_stored(call: Callable[..., Any], tmp_path: Path, name: str) -> None:
    """A picture that ends early is told as one that may be charged, and leaves nothing."""
    whole = whole_files()[name]

    with answering(whole[:-10], f"image/{name}") as url:
        line = refusal(call, url, "venice_remove_background", image=PICTURE)
    assert "Venice sent no whole file of this kind; it may be charged." in line
    assert [] == kept_in(tmp_path / "media")

    with answering(whole, f"image/{name}") as url:
        assert (
            whole == Path(call(url, "venice_remove_background", image=PICTURE)["file"]).read_bytes()
        )
