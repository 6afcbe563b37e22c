"""The body of a reply, unpacked in small pieces: in gzip, a few bytes can stand for gigabytes."""

import zlib
from collections.abc import Iterator

import httpx

# The most bytes that are unpacked at once.
_MOST_AT_ONCE = 1 << 20

# What zlib calls "wbits": with 32 added, it finds out by itself whether a gzip or a zlib header
# comes first.
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


def _unpacked(reply: httpx.Response) -> Iterator[bytes]:
    """The body of a reply, piece by piece; an error, if it is packed twice, or not in gzip.

    httpx would unpack whatever a server sends, in any number of layers, all at once.
    """
    told = reply.headers.get("content-encoding", "identity")
    coding = told.strip().lower()
    if coding == "identity":
        yield from reply.iter_bytes()
    elif coding in ("gzip", "deflate"):
        yield from _unzipped(reply)
    else:
        raise httpx.DecodingError("it is packed in another way than gzip", request=reply.request)


def _unzipped(reply: httpx.Response) -> Iterator[bytes]:
    """The body of a reply in gzip or deflate; one that is cut is an error."""
    unzip = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        for packed in reply.iter_raw():
            yield unzip.decompress(packed, _MOST_AT_ONCE)
            # At the end, Python leaves there what comes after it.
            while unzip.unconsumed_tail and not unzip.eof:
                yield unzip.decompress(unzip.unconsumed_tail, _MOST_AT_ONCE)
            if unzip.unused_data:
                raise httpx.DecodingError("more comes after the end", request=reply.request)
        yield unzip.flush()
    except zlib.error as error:
        raise httpx.DecodingError(str(error), request=reply.request) from None
    if not unzip.eof:
        raise httpx.DecodingError("the end is missing", request=reply.request)
