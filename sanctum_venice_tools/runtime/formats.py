"""Formats: what a file is, by its own first bytes, and whether it is whole.

A file that was cut on its way looks fine at its beginning. So each parser here goes from part to
part as the format's own document says, and raises ValueError when the parts do not add up to the
file. It seeks rather than reads: a film of 300 MB is never held in memory.
"""

import os
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO


@dataclass(frozen=True)
class Format:
    """A format of files."""

    name: str
    endings: tuple[str, ...]
    """The endings that its names have, the usual one first."""
    media_type: str
    start: bytes
    """How it begins: a regular expression, in which dots stand for any byte."""
    instead: str = ""
    """For a format that Venice does not take, what to turn it into."""


# The first that fits counts: a format stands before those that its beginning fits too.
_FORMATS = (
    Format("PNG", ("png",), "image/png", rb"\x89PNG\r\n\x1a\n"),
    Format("JPEG", ("jpeg", "jpg"), "image/jpeg", rb"\xff\xd8\xff"),
    Format("WebP", ("webp",), "image/webp", rb"RIFF....WEBP"),
    Format("GIF", ("gif",), "image/gif", rb"GIF8[79]a", "PNG"),
    Format("BMP", ("bmp",), "image/bmp", rb"BM....\0\0\0\0", "PNG"),
    Format("TIFF", ("tiff", "tif"), "image/tiff", rb"II\*\0|MM\0\*", "PNG"),
    Format("HEIC", ("heic", "heif"), "image/heic", rb"....ftyp(hei[cmsx]|hev[cmsx]|mif1|msf1)"),
    Format("AVIF", ("avif",), "image/avif", rb"....ftypavi[fs]"),
    Format("WAV", ("wav", "wave"), "audio/wav", rb"RIFF....WAVE"),
    Format("MP3", ("mp3",), "audio/mpeg", rb"ID3[\x02-\x04]|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]"),
    Format("AAC", ("aac",), "audio/aac", rb"\xff[\xf0\xf1\xf8\xf9]"),
    Format("FLAC", ("flac",), "audio/flac", rb"fLaC"),
    Format("Opus", ("opus", "ogg", "oga"), "audio/ogg", rb"OggS.{24}OpusHead"),
    Format("Ogg", ("ogg", "oga"), "audio/ogg", rb"OggS"),
    Format("M4A", ("m4a", "mp4"), "audio/mp4", rb"....ftypM4A"),
    Format("QuickTime", ("mov", "m4a", "mp4"), "video/quicktime", rb"....ftypqt"),
    Format("MP4", ("mp4", "m4a"), "video/mp4", rb"....ftyp"),
    Format("WebM", ("webm",), "video/webm", rb"\x1aE\xdf\xa3.{,60}webm"),
    Format("Matroska", ("mkv",), "video/x-matroska", rb"\x1aE\xdf\xa3", "MP4"),
    Format("AVI", ("avi",), "video/x-msvideo", rb"RIFF....AVI ", "MP4"),
    Format("PDF", ("pdf",), "application/pdf", rb"%PDF-"),
    # A ZIP file's first entry tells its name after 26 bytes of numbers; these have their type
    # there.
    Format(
        "OpenDocument",
        ("odt", "odp", "ods"),
        "",
        rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis",
        "PDF",
    ),
    Format("EPUB", ("epub",), "application/epub+zip", rb"PK\x03\x04.{26}mimetypeapplication/epub"),
    # The "compound file" of Office before 2007.
    Format(
        "old Office",
        ("doc", "ppt", "xls"),
        "",
        rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "DOCX, PPTX or PDF",
    ),
    Format("RTF", ("rtf",), "application/rtf", rb"\{\\rtf", "DOCX or PDF"),
)


def _format_of(content: bytes) -> Format | None:
    """The format of a file, of which the first hundred bytes will do."""
    for form in _FORMATS:
        if re.match(form.start, content, re.DOTALL):
            return form
    return None


def _format_named(name: str) -> Format | None:
    """The format that a file's name, or an ending alone, stands for."""
    ending = name.rpartition(".")[2].lower()
    fitting = [form for form in _FORMATS if ending in form.endings]
    for form in fitting:
        usual = form.endings[0]
        if ending == usual:
            return form
    return fitting[0] if fitting else None


def _media_type(name: str) -> str:
    """The media type that a file's name, or an ending alone, stands for."""
    form = _format_named(name)
    return form.media_type if form else ""


def _untaken(content: bytes, name: str) -> str:
    """What a file is that Venice does not take, and what to turn it into; nothing, if it may do.

    The name counts only where the bytes tell nothing.
    """
    form = _format_of(content) or _format_named(name)
    is_old_table = name.lower().endswith(".xls")  # of what old Office made, Venice reads only these
    if not form or not form.instead or is_old_table:
        return ""
    what = f"It is of the format {form.name}, which Venice does not take"
    return f"{what}: turn it into {form.instead}, and give that."


# --- what all parsers need ---


def _end_of(file: BinaryIO) -> int:
    """How long a file is. It is at its beginning afterwards."""
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    return end


def _take(file: BinaryIO, count: int) -> bytes:
    """The next bytes of a file, all of them."""
    taken = file.read(count)
    if len(taken) < count:
        raise ValueError("The file ends too early.")
    return taken


def _unpack(file: BinaryIO, fields: str) -> tuple[Any, ...]:
    """The next fields of a file, in the notation of `struct`."""
    return struct.unpack(fields, _take(file, struct.calcsize(fields)))


# --- pictures ---


def _png_size(file: BinaryIO) -> tuple[int, int]:
    """Width and height. PNG, 5.3: after a signature come chunks, from IHDR to IEND."""
    end = _end_of(file)
    signature, before_data, checksum = 8, 8, 4  # how many bytes each of these has
    size = 0, 0
    found = set[bytes]()
    place = signature
    while b"IEND" not in found:
        file.seek(place)
        length, kind = _unpack(file, ">I4s")
        if kind == b"IHDR":
            width, height = _unpack(file, ">II")
            size = width, height
        found.add(kind)
        place += before_data + length + checksum
    if place > end or b"IDAT" not in found:
        raise ValueError("The PNG is not whole.")
    return size


# Markers of JPEG, ITU T.81, table B.1. The starts of a frame tell its size.
_START_OF_SCAN = 0xDA
_END_OF_IMAGE = 0xD9
_STARTS_OF_FRAME = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
# In the data of a scan, FF 00 stands for FF, and FF D0 to FF D7 are marks to restart at; any other
# marker ends it.
_NEXT_MARKER = rb"\xff[^\x00\xff\xd0-\xd7]"


def _jpeg_size(file: BinaryIO) -> tuple[int, int]:
    """Width and height. ITU T.81, B.1: segments of a marker and a length.

    After the segment that starts a scan come its data, whose length nothing tells.
    """
    data = file.read()
    file.seek(2)
    size = 0, 0
    while True:
        fill, marker = _unpack(file, ">BB")
        if fill != 0xFF:
            raise ValueError("There is something else between the segments of the JPEG.")
        if marker == 0xFF:  # any number of these may stand before a marker
            file.seek(-1, os.SEEK_CUR)
            continue
        if marker == _END_OF_IMAGE:
            return size
        length_start = file.tell()
        (length,) = _unpack(file, ">H")
        if marker in _STARTS_OF_FRAME:
            _, height, width = _unpack(file, ">BHH")
            size = width, height
        segment_end = length_start + length
        if marker == _START_OF_SCAN:
            following = re.compile(_NEXT_MARKER).search(data, segment_end)
            segment_end = following.start() if following else len(data)
        file.seek(segment_end)


def _webp_size(file: BinaryIO) -> tuple[int, int]:
    """Width and height. RFC 9649, 2.3: a RIFF file of chunks, the first of which has the size."""
    end = _end_of(file)
    _riff, riff_length, _webp, kind, length = _unpack(file, "<4sI4s4sI")
    chunk_start = file.tell()
    told_end = 8 + riff_length
    if told_end > end:
        raise ValueError("The WebP is not whole.")
    if chunk_start + length > told_end:
        raise ValueError("The WebP is not whole.")

    read_size = _WEBP_SIZES.get(kind)
    if not read_size:
        raise ValueError("The WebP has no picture.")
    return read_size(file)


def _extended_size(file: BinaryIO) -> tuple[int, int]:
    """RFC 9649, 2.7: flags, then each side less 1, in 24 bits."""
    _flags, width, height = _unpack(file, "<4s3s3s")
    return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1


def _lossy_size(file: BinaryIO) -> tuple[int, int]:
    """RFC 6386, 9.1: a frame tag, a start code, then each side in 14 bits, and 2 of scale."""
    _tag, _start_code, width, height = _unpack(file, "<3s3sHH")
    return width & _14_BITS, height & _14_BITS


def _lossless_size(file: BinaryIO) -> tuple[int, int]:
    """RFC 9649, 3: a signature, then each side less 1, in 14 bits."""
    _signature, sides = _unpack(file, "<BI")
    width = sides & _14_BITS
    height = sides >> 14 & _14_BITS
    return width + 1, height + 1


_14_BITS = 0x3FFF

# What reads the size out of the first chunk of a WebP, by its name.
_WEBP_SIZES = {b"VP8X": _extended_size, b"VP8 ": _lossy_size, b"VP8L": _lossless_size}


# --- sounds ---

# A program that streams a WAV file can't know its length: it writes 0, or more than any file of
# ours can have.
_LONGEST_WAV = 0x7FFF_0000


@dataclass
class Wav:
    """Where in a WAV file its samples are."""

    form: bytes
    """What its "fmt " chunk says of them."""
    start: int
    length: int
    bytes_a_second: int


def _find_samples(file: BinaryIO) -> Wav:
    """The samples of a WAV file. RIFF: chunks of a name, a length, and so many bytes."""
    end = _end_of(file)
    _riff, riff_length, _wave = _unpack(file, "<4sI4s")
    told_end = 8 + riff_length
    is_streamed = riff_length >= _LONGEST_WAV
    if not is_streamed and told_end > end + 1:  # some leave the last byte out that only fills
        raise ValueError("The WAV file is not whole.")

    form = b""
    name, length = _unpack(file, "<4sI")
    while name != b"data":
        start = file.tell()
        if name == b"fmt ":
            form = _take(file, min(length, 40))
        filled = length + length % 2  # each chunk is filled up to an even number
        file.seek(start + filled)
        name, length = _unpack(file, "<4sI")

    start = file.tell()
    if length == 0 or length >= _LONGEST_WAV:
        length = end - start
    if length == 0 or start + length > end:
        raise ValueError("The WAV file is not whole.")
    return Wav(form, start, length, _bytes_a_second(form))


def _bytes_a_second(form: bytes) -> int:
    """How much sound is a second, by the "fmt " chunk of a WAV file."""
    if len(form) < 16:
        raise ValueError("The WAV file is not whole.")
    fields: tuple[int, ...] = struct.unpack_from("<HHII", form)
    _form, _channels, _samples_a_second, bytes_a_second = fields
    if bytes_a_second == 0:
        raise ValueError("The WAV file has no rate.")
    return bytes_a_second


# By the index in an MP3 frame's header: kbit/s of version 1 (ISO 11172-3), and of versions 2 and
# 2.5 (ISO 13818-3). Indices 0 and 15 stand for nothing that can be read.
_BIT_RATES_1 = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BIT_RATES_2 = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_SAMPLE_RATES_1 = (44_100, 48_000, 32_000)

# As an MP3 frame's header writes its version. 1 is reserved.
_VERSION_1 = 3
_VERSION_2 = 2
_VERSION_2_5 = 0
_HALVINGS = {_VERSION_1: 0, _VERSION_2: 1, _VERSION_2_5: 2}  # of the sample rates of version 1

# How many frames there are, as some first frames tell: a name, flags of which the last says that
# the number is there, and the number.
_FRAMES_TOLD = re.compile(rb"(?:Xing|Info)...[\x01\x03\x05\x07\x09\x0b\x0d\x0f](....)", re.DOTALL)

# The names of tables of contents.
_TABLE = re.compile(rb"Xing|Info|VBRI")


@dataclass
class Frame:
    """A frame of an MP3 file."""

    start: int
    content: bytes
    seconds: float
    is_table: bool
    """Whether it is a table of contents: no sound, but players learn from it where to jump."""
    frames_told: int
    """How many frames it says there are."""


@dataclass
class FrameHeader:
    """The four bytes before a frame of an MP3 file, as numbers."""

    sync: int
    version: int
    layer: int
    bit_rate_index: int
    sample_rate_index: int
    padding: int


def _mp3_frames(file: BinaryIO) -> Iterator[Frame]:
    """The frames of an MP3 file. Tags may stand before and between them, and others at the end."""
    end = _mp3_end(file)
    place = 0
    frames = 0
    frames_told = 0
    while place < end:
        file.seek(place)
        head = _take(file, 4)
        if head.startswith(b"ID3"):
            place += _tag_length(file, place)
            continue
        frame = _read_frame(file, place, head)
        frames_told = max(frames_told, frame.frames_told)
        if not frame.is_table:
            frames += 1
        yield frame
        place += len(frame.content)

    frames_and_table = frames + 1  # some count the table among the frames
    is_whole = place == end and frames_and_table >= frames_told
    if not is_whole or not frames:
        raise ValueError("The MP3 file is not whole.")


def _mp3_end(file: BinaryIO) -> int:
    """Where the frames of an MP3 file end: an APE tag may follow, and then an ID3v1 tag."""
    end = _end_of(file)
    id3v1_length = 128
    if end > id3v1_length:
        file.seek(end - id3v1_length)
        if _take(file, 3) == b"TAG":
            end -= id3v1_length
    return end - _ape_tag_length(file, end)


def _ape_tag_length(file: BinaryIO, end: int) -> int:
    """The length of the APE tag that ends at a place, by its footer. APEv2."""
    footer_length = 32
    if end <= footer_length:
        return 0
    file.seek(end - footer_length)
    name, _version, length, _items, flags = _unpack(file, "<8sIIII")
    if name != b"APETAGEX":
        return 0
    has_header = flags >> 31  # as long as the footer; the length tells all but this
    return int(length) + (footer_length if has_header else 0)


def _tag_length(file: BinaryIO, place: int) -> int:
    """The length of an ID3v2 tag, 3.1: a header, as many bytes as it tells, and maybe a footer."""
    file.seek(place)
    _name, _version, flags, *sevens = _unpack(file, ">3sHBBBBB")
    length = 0
    for seven in sevens:  # it is told in four times seven bits
        length = length << 7 | seven
    has_footer = flags >> 4 & 1
    around = 20 if has_footer else 10
    return length + around


def _read_frame(file: BinaryIO, place: int, head: bytes) -> Frame:
    """The frame of an MP3 file that begins with these four bytes."""
    header = _read_frame_header(head)
    if header.version == _VERSION_1:
        bit_rates = _BIT_RATES_1
        samples = 1152
    else:
        bit_rates = _BIT_RATES_2
        samples = 576
    bit_rate = bit_rates[header.bit_rate_index - 1] * 1000
    sample_rate = _SAMPLE_RATES_1[header.sample_rate_index] >> _HALVINGS[header.version]
    length = samples // 8 * bit_rate // sample_rate + header.padding

    file.seek(place)
    content = _take(file, length)
    told = _FRAMES_TOLD.search(content[:64])
    return Frame(
        start=place,
        content=content,
        seconds=samples / sample_rate,
        is_table=_TABLE.search(content[:60]) is not None,
        frames_told=int.from_bytes(told[1]) if told else 0,
    )


def _read_frame_header(head: bytes) -> FrameHeader:
    """The header in four bytes, ISO 11172-3, 2.4.1.3; an error, if it is none."""
    bits = int.from_bytes(head)
    header = FrameHeader(
        sync=bits >> 21,
        version=bits >> 19 & 3,
        layer=bits >> 17 & 3,
        bit_rate_index=bits >> 12 & 15,
        sample_rate_index=bits >> 10 & 3,
        padding=bits >> 9 & 1,
    )
    is_layer_3 = header.layer == 1
    has_rates = header.bit_rate_index not in (0, 15) and header.sample_rate_index != 3
    is_known = header.version in _HALVINGS and is_layer_3 and has_rates
    if header.sync != 0x7FF or not is_known:
        raise ValueError("There is something else between the frames of the MP3 file.")
    return header


def _check_mp3(file: BinaryIO) -> None:
    """Go through all frames of an MP3 file."""
    for _ in _mp3_frames(file):
        pass


def _check_adts(file: BinaryIO) -> None:
    """Go through all frames of an AAC file. ADTS, ISO 13818-7, 6.2: headers tell lengths."""
    end = _end_of(file)
    place = 0
    while place < end:
        file.seek(place)
        header = int.from_bytes(_take(file, 7))
        sync = header >> 44
        frame_length = header >> 13 & 0x1FFF
        if sync != 0xFFF or frame_length < 7:
            raise ValueError("There is something else between the frames of the AAC file.")
        place += frame_length
    if place != end or end == 0:
        raise ValueError("The AAC file is not whole.")


def _check_ogg(file: BinaryIO) -> None:
    """Go through all pages of an Ogg file. RFC 3533, 6: the last one is marked."""
    end = _end_of(file)
    place = 0
    flags = 0
    while place < end:
        file.seek(place)
        name, _version, flags, _numbers, segments = _unpack(file, "<4sBB20sB")
        if name != b"OggS":
            raise ValueError("There is something else between the pages of the Ogg file.")
        segment_lengths = _take(file, segments)  # a byte for each
        place = file.tell() + sum(segment_lengths)
    is_last = flags >> 2 & 1
    if place != end or not is_last:
        raise ValueError("The Ogg file is not whole.")


@dataclass
class StreamInfo:
    """What a FLAC file tells of itself. A number that it does not know is 0."""

    block_size: int
    """In samples."""
    largest_frame: int
    """In bytes."""
    samples: int
    """In all."""


# Where a frame of FLAC may start, RFC 9639, 9.1: 15 bits, and how its blocks go.
_FLAC_SYNC = re.compile(rb"\xff[\xf8\xf9]")
_BLOCKS_OF_ONE_SIZE = 0xF8  # the second byte then

# Where the largest frame is not told, the last one is looked for in so many bytes; and never in
# more than that.
_USUAL_FRAME = 2**16
_LARGEST_FRAME = 2**17


def _check_flac(file: BinaryIO) -> None:
    """Look for the last frame of a FLAC file.

    Frames tell no length, but end with a checksum, RFC 9639, 9.
    """
    end = _end_of(file)
    info = _read_stream_info(file)
    metadata_end = file.tell()
    longest = min(info.largest_frame or _USUAL_FRAME, _LARGEST_FRAME)
    file.seek(max(end - longest, metadata_end))
    tail = file.read(longest)

    # Many places look like the start of a frame, but few like that of the last one.
    starts = [found.start() for found in _FLAC_SYNC.finditer(tail)]
    last = [start for start in starts if _may_be_last(tail[start : start + 16], info)]
    is_whole = any(_crc_16(tail[start:]) == 0 for start in last[-8:])
    if not is_whole:
        raise ValueError("The FLAC file is not whole.")


def _may_be_last(header: bytes, info: StreamInfo) -> bool:
    """Whether a FLAC frame goes up to the last sample; or may, where nothing tells their number."""
    samples = _samples_until(header, info)
    is_told = info.samples != 0
    return samples > 0 and (samples == info.samples or not is_told)


def _read_stream_info(file: BinaryIO) -> StreamInfo:
    """Go through the metadata of a FLAC file, RFC 9639, 8: blocks, STREAMINFO first."""
    _signature = _take(file, 4)
    info = b""
    is_last = False
    while not is_last:
        (header,) = _unpack(file, ">I")
        is_last = bool(header >> 31)
        length = header & 0xFF_FFFF
        content_start = file.tell()
        info = info or _take(file, 34)
        file.seek(content_start + length)

    # RFC 9639, 8.2: smallest and largest block, smallest and largest frame, then numbers in 64
    # bits, of which the last 36 are the samples.
    _, block_size, _, frame_high, frame_low, packed = struct.unpack_from(">HH3sBHQ", info)
    largest_frame = frame_high << 16 | frame_low
    samples = packed & 0xF_FFFF_FFFF
    return StreamInfo(block_size, largest_frame, samples)


# By the index in a FLAC frame's header, RFC 9639, 9.1.1: samples in a block. 6 and 7 tell of a
# number further on.
_BLOCK_SIZES = {
    1: 192,
    **{index: 144 << index for index in range(2, 6)},
    **{8 + more: 256 << more for more in range(8)},
}


def _samples_until(header: bytes, info: StreamInfo) -> int:
    """Up to which sample a FLAC frame goes, by its header, RFC 9639, 9.1."""
    header = header.ljust(16, b"\0")  # the last frame may be shorter
    _sync, blocking, indices, _channels = struct.unpack_from(">BBBB", header)
    number = _read_coded_number(header[4:])

    size_index = indices >> 4
    if size_index in (6, 7):  # it stands behind the number, less 1, in one byte or two
        size_start = 4 + number.length
        size_end = size_start + (1 if size_index == 6 else 2)
        block_size = int.from_bytes(header[size_start:size_end]) + 1
    else:
        block_size = _BLOCK_SIZES.get(size_index, 0)

    if blocking == _BLOCKS_OF_ONE_SIZE:  # but for the last one: the number counts them
        return number.value * info.block_size + block_size
    return number.value + block_size


@dataclass
class CodedNumber:
    """A number in the manner of UTF-8, and how many bytes it takes."""

    value: int
    length: int


def _read_coded_number(data: bytes) -> CodedNumber:
    """The number with which bytes begin, RFC 9639, 9.1.5: its leading ones tell its length."""
    first = data[0]
    leading_ones = 8 - (first ^ 0xFF).bit_length()
    more = max(leading_ones - 1, 0)
    value = first & (0x7F >> more)
    for byte in data[1 : 1 + more]:
        value = value << 6 | byte & 0x3F
    return CodedNumber(value, 1 + more)


def _crc_16(data: bytes) -> int:
    """The checksum of a FLAC frame, RFC 9639, 9.3; of a frame with its checksum, it is 0."""
    polynomial = 0x1_8005  # x^16 + x^15 + x^2 + 1
    remainder = 0
    for byte in data:
        remainder ^= byte << 8
        for _ in range(8):
            remainder <<= 1
            if remainder >> 16:
                remainder ^= polynomial
    return remainder


# --- films ---


@dataclass(frozen=True)
class Box:
    """A part of an MP4 file: its type, and from where to where its content goes."""

    kind: bytes
    start: int
    end: int


def _boxes(file: BinaryIO, place: int, end: int) -> Iterator[Box]:
    """The boxes of an MP4 or MOV file between two places. ISO 14496-12, 4.2: length, then type."""
    while place < end:
        file.seek(place)
        length, kind = _unpack(file, ">I4s")
        if length == 1:  # it has more than 32 bits
            (length,) = _unpack(file, ">Q")
        if length == 0:  # it goes to the end
            length = end - place
        if length < 8:
            raise ValueError("There is something else between the boxes of the film.")
        start = file.tell()
        place += length
        yield Box(kind, start, place)


def _check_mp4(file: BinaryIO) -> None:
    """Go through all boxes of an MP4 or MOV file."""
    end = _end_of(file)
    place = 0
    found = set[bytes]()
    for box in _boxes(file, 0, end):
        found.add(box.kind)
        place = box.end
    # The picture and sound are in mdat, and moov tells what is where in it.
    if place != end or not {b"moov", b"mdat"} <= found:
        raise ValueError("The film is not whole.")


# The header of a film, ISO 14496-12, 8.2.2, by its version: flags, two moments, units a second, and
# its length in units.
_MOVIE_HEADERS = {0: ">3xIIII", 1: ">3xQQIQ"}
_UNKNOWN_LENGTHS = {0, 2**32 - 1, 2**64 - 1}


def _film_seconds(file: BinaryIO) -> float | None:
    """How long an MP4 or MOV film is, by its header; None, if that is not told."""
    try:
        film = _box_of(b"moov", file, 0, _end_of(file))
        header = _box_of(b"mvhd", file, film.start, film.end)
        file.seek(header.start)
        (version,) = _unpack(file, "B")
        _made, _changed, units, length = _unpack(file, _MOVIE_HEADERS[version])
    except (ValueError, KeyError):
        return None
    if units == 0 or length in _UNKNOWN_LENGTHS:
        return None
    return float(length / units)


def _box_of(kind: bytes, file: BinaryIO, start: int, end: int) -> Box:
    """The first box of a type between two places."""
    for box in _boxes(file, start, end):
        if box.kind == kind:
            return box
    raise ValueError("The film has no such box.")


# Elements of Matroska, RFC 9559, 5.1: the one around all, and those that hold picture and sound.
_SEGMENT = 0x18538067
_CLUSTER = 0x1F43B675


def _check_webm(file: BinaryIO) -> None:
    """Go through all elements of a WebM file. EBML, RFC 8794: each has an id and a length."""
    end = _end_of(file)
    found = set[int]()
    while file.tell() < end:
        kind, _ = _read_vint(file, marked=True)
        length, is_open = _read_vint(file, marked=False)
        found.add(kind)
        if is_open:  # a stream does not know its length: what is in it comes next
            continue
        content_end = file.tell() + length
        if content_end > end:
            raise ValueError("The film is not whole.")
        if kind != _SEGMENT:
            file.seek(content_end)
    if _CLUSTER not in found:
        raise ValueError("The film has no picture.")


def _read_vint(file: BinaryIO, *, marked: bool) -> tuple[int, bool]:
    """The next number of EBML, RFC 8794, 4, with its marker or without; and whether it is none.

    Its first bit that is set marks its length. When all others are set too, it says "not known".
    """
    start = _take(file, 1)
    (first,) = start
    more = 8 - first.bit_length()
    if more > 7:
        raise ValueError("There is something else between the elements of the film.")
    number = int.from_bytes(start + _take(file, more))
    bits = 7 * (more + 1)
    marker = 1 << bits
    value = number - marker
    is_unknown = value == marker - 1
    return number if marked else value, is_unknown


# --- what jobs make ---

_CHECKS: dict[str, Callable[[BinaryIO], object]] = {
    "WAV": _find_samples,
    "MP3": _check_mp3,
    "AAC": _check_adts,
    "FLAC": _check_flac,
    "Opus": _check_ogg,
    "Ogg": _check_ogg,
    "M4A": _check_mp4,
    "QuickTime": _check_mp4,
    "MP4": _check_mp4,
    "WebM": _check_webm,
}


def _recording_ending(file: BinaryIO) -> str:
    """The ending for the name of a sound or film, if it is one and whole."""
    form = _format_of(file.read(100))
    if not form or form.name not in _CHECKS:
        raise ValueError("This is neither a sound nor a film.")
    _CHECKS[form.name](file)
    return form.endings[0]
