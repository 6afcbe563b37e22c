"""The body of a reply, unpacked in small pieces: in gzip, a few bytes can stand for gigabytes."""

import zlib
from collections.abc import Iterator
from typing import Any

import httpx

# The most bytes that are unpacked at once.
_MOST_AT_ONCE = 1 << 20

# What zlib calls "wbits": with 32 added, it finds out by itself whether a gzip or a zlib header
# comes first.
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS

# What codings are called that change nothing: the first is said by an empty header.
_UNCHANGED = ("", "identity", "none")
_ZIPPED = ("gzip", "x-gzip", "deflate")  # the first two are one, by RFC 9110, 8.4.1.3

# How each member of a body in gzip begins: RFC 1952, 2.2 and 2.3.1, lets several make one body.
_START_OF_MEMBER = b"\x1f\x8b"


def _unpacked(reply: httpx.Response) -> Iterator[bytes]:
    """The body of a reply, piece by piece; an error, if it is packed twice, or not in gzip.

    httpx would unpack whatever a server sends, in any number of layers, all at once.
    """
    told = reply.headers.get("content-encoding", "identity")
    codings = [coding.strip().lower() for coding in told.split(",")]
    layers = [coding for coding in codings if coding not in _UNCHANGED]
    if not layers:
        yield from reply.iter_bytes()
    elif len(layers) == 1 and layers[0] in _ZIPPED:
        yield from _unzipped(reply)
    else:
        raise httpx.DecodingError("it is packed in another way than gzip", request=reply.request)


def _unzipped(reply: httpx.Response) -> Iterator[bytes]:
    """The body of a reply in gzip or deflate; one that is cut is an error."""
    unzip = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        for packed in reply.iter_raw():
            rest = packed
            while rest:
                if unzip.eof:
                    unzip = _next_member(reply, rest)
                yield unzip.decompress(rest, _MOST_AT_ONCE)
                rest = unzip.unused_data if unzip.eof else unzip.unconsumed_tail
        yield unzip.flush()
    except zlib.error as error:
        raise httpx.DecodingError(str(error), request=reply.request) from None
    if not unzip.eof:
        raise httpx.DecodingError("the end is missing", request=reply.request)


def _next_member(reply: httpx.Response, rest: bytes) -> Any:
    """What unpacks a further member of a body, which begins so; an error, if it is none."""
    if not _START_OF_MEMBER.startswith(rest[:2]):
        raise httpx.DecodingError("more comes after the end", request=reply.request)
    return zlib.decompressobj(_GZIP_OR_ZLIB)
