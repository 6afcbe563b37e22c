"""Bodies of replies: whatever a server may call one that is plain or in gzip, it is read; nothing else is."""

import gzip
from collections.abc import Iterator

import httpx
import pytest

from sanctum_venice_tools.runtime.unpacking import _unpacked

FOX = b'{"queue_id": "17"}' * 100
PACKED = gzip.compress(FOX)


class Pieces(httpx.SyncByteStream):
    """A body that comes in pieces of so many bytes."""

    def __init__(self, body: bytes, size: int) -> None:
        self.body = body
        self.size = size

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self.body), self.size):
            yield self.body[start : start + self.size]


def pieces_of(body: bytes, *codings: str, size: int) -> Iterator[bytes]:
    """What a reply of these codings holds, as it is unpacked."""
    headers = [("content-encoding", coding) for coding in codings]
    request = httpx.Request("GET", "https://api.venice.ai")
    return _unpacked(
        httpx.Response(200, headers=headers, stream=Pieces(body, size), request=request)
    )


def unpacked(body: bytes, *codings: str, size: int = 1 << 16) -> bytes:
    """The same in one."""
    return b"".join(pieces_of(body, *codings, size=size))


@pytest.mark.parametrize("coding", ["", " ", "identity", "None", "identity, identity", "none,"])
def test_what_is_not_packed_is_read_as_it_is(coding: str) -> None:
    """Some servers say in as many words that a body is plain, or begin to say something."""
    assert FOX == unpacked(FOX, coding)
    assert FOX == unpacked(FOX)


@pytest.mark.parametrize(
    "codings",
    [["gzip"], ["X-GZip"], ["gzip, identity"], ["identity", "gzip"], [" gzip ,"]],
    ids=str,
)
@pytest.mark.parametrize("size", [1, 7, 1 << 16])
def test_what_is_in_gzip_is_unpacked(codings: list[str], size: int) -> None:
    """By each of its names (RFC 9110, 8.4.1.3), also beside one that means nothing."""
    assert FOX == unpacked(PACKED, *codings, size=size)


@pytest.mark.parametrize("size", [1, 7, len(PACKED), 1 << 16])
def test_gzip_may_have_several_members(size: int) -> None:
    """One after the other, they are one body (RFC 1952, 2.2)."""
    assert FOX * 3 == unpacked(PACKED * 3, "gzip", size=size)
    assert FOX == unpacked(gzip.compress(b"") + PACKED + gzip.compress(b""), "gzip", size=size)


NO_BODIES = {
    "packed twice": (gzip.compress(PACKED), "gzip, gzip"),
    "packed otherwise, too": (PACKED, "gzip, br"),
    "packed otherwise": (FOX, "br"),
    "not packed": (FOX, "gzip"),
    "cut": (PACKED[:-1], "gzip"),
    "cut in its second member": (PACKED + PACKED[:-1], "gzip"),
    "with half a beginning behind it": (PACKED + b"\x1f", "gzip"),
    "with words behind it": (PACKED + b"more", "gzip"),
    "empty": (b"", "gzip"),
}


@pytest.mark.parametrize("kind", NO_BODIES)
@pytest.mark.parametrize("size", [1, 1 << 16])
def test_what_is_packed_otherwise_or_cut_is_an_error(kind: str, size: int) -> None:
    """Twice, in another way, in part, or with something else behind it: what such a body holds is not known."""
    body, coding = NO_BODIES[kind]
    with pytest.raises(httpx.DecodingError):
        unpacked(body, coding, size=size)


def test_a_large_body_comes_in_small_pieces() -> None:
    """However small it is packed: a megabyte at a time, of the second member as of the first."""
    packed = gzip.compress(bytes(5 << 20)) * 2
    lengths = [len(piece) for piece in pieces_of(packed, "gzip", size=len(packed))]

    assert 10 << 20 == sum(lengths)
    assert 1 << 20 >= max(lengths)
