"""Formats: what a file is, by its own first bytes, and whether it is whole.

A file that was cut on its way looks fine at its beginning. So each parser here goes from part to part as the format's
own document says, and raises ValueError when the parts do not add up to the file. It seeks rather than reads: a film
of 300 MB is never held in memory.
"""

import os
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO


@dataclass(frozen=True)
class Format:
    """A format of files: its name, the endings it goes by (the usual one first), its type, and how it begins."""

    name: str
    endings: tuple[str, ...]
    media_type: str
    start: bytes  # a regular expression; its dots stand for any byte
    instead: str = ""  # for a format that Venice does not take, what to turn it into


# The first that fits counts: a format stands before those that its beginning fits too.
_FORMATS = (
    Format("PNG", ("png",), "image/png", rb"\x89PNG\r\n\x1a\n"),
    Format("JPEG", ("jpeg", "jpg"), "image/jpeg", rb"\xff\xd8\xff"),
    Format("WebP", ("webp",), "image/webp", rb"RIFF....WEBP"),
    Format("GIF", ("gif",), "image/gif", rb"GIF8[79]a", "PNG"),
    Format("BMP", ("bmp",), "image/bmp", rb"BM....\0\0\0\0", "PNG"),
    Format("TIFF", ("tiff", "tif"), "image/tiff", rb"II\*\0|MM\0\*", "PNG"),
    Format("HEIC", ("heic", "heif"), "image/heic", rb"....ftyp(hei[cmsx]|hev[cmsx]|mif1|msf1)", "JPEG"),
    Format("AVIF", ("avif",), "image/avif", rb"....ftypavi[fs]", "JPEG"),
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
    # A ZIP file's first entry tells its name after 26 bytes of numbers; these have their type there.
    Format("OpenDocument", ("odt", "odp", "ods"), "", rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis", "PDF"),
    Format("EPUB", ("epub",), "", rb"PK\x03\x04.{26}mimetypeapplication/epub", "PDF"),
    # The "compound file" of Office before 2007.
    Format("old Office", ("doc", "ppt", "xls"), "", rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "DOCX, PPTX or PDF"),
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
    usual = [form for form in fitting if ending == form.endings[0]]
    return next(iter(usual or fitting), None)


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
    return f"It is of the format {form.name}, which Venice does not take: turn it into {form.instead}, and give that."


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
    """Width and height. PNG, 5.3: after 8 bytes come chunks of length, type, data and CRC, from IHDR to IEND."""
    end = _end_of(file)
    place, size, found = 8, (0, 0), set[bytes]()
    while b"IEND" not in found:
        file.seek(place)
        length, kind = _unpack(file, ">I4s")
        if kind == b"IHDR":
            width, height = _unpack(file, ">II")
            size = width, height
        found.add(kind)
        place += 8 + length + 4
    if place > end or b"IDAT" not in found:
        raise ValueError("The PNG is not whole.")
    return size


# Markers of JPEG, ITU T.81, table B.1: the start of a scan, the end, and the starts of a frame, which tell its size.
_START_OF_SCAN = 0xDA
_END_OF_IMAGE = 0xD9
_STARTS_OF_FRAME = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
# In the data of a scan, FF 00 stands for FF, and FF D0 to FF D7 are marks to restart at; any other marker ends it.
_NEXT_MARKER = rb"\xff[^\x00\xff\xd0-\xd7]"


def _jpeg_size(file: BinaryIO) -> tuple[int, int]:
    """Width and height. ITU T.81, B.1: segments of a marker and a length; a scan's data follow it, without a length."""
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
    """Width and height. RFC 9649, 2.3: a RIFF file, whose length is told, of chunks; the first one has the size."""
    end = _end_of(file)
    _, riff_length, _, kind, length = _unpack(file, "<4sI4s4sI")
    chunk_start = file.tell()
    if 8 + riff_length > end or chunk_start + length > 8 + riff_length:
        raise ValueError("The WebP is not whole.")
    if kind == b"VP8X":  # flags, then each side less 1, in 24 bits
        _, sides = _take(file, 4), _take(file, 6)
        return int.from_bytes(sides[:3], "little") + 1, int.from_bytes(sides[3:], "little") + 1
    if kind == b"VP8 ":  # a tag of the frame, a start code, then each side in 14 bits
        _, _, width, height = _unpack(file, "<3s3sHH")
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":  # a signature, then each side less 1, in 14 bits
        _, sides = _unpack(file, "<BI")
        return (sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1
    raise ValueError("The WebP has no picture.")


# --- sounds ---

# A program that streams a WAV file can't know its length: it writes 0, or more than any file of ours can have.
_LONGEST_WAV = 0x7FFF_0000


@dataclass
class Wav:
    """Where in a WAV file its samples are, what its "fmt " chunk says of them, and how many bytes a second takes."""

    form: bytes
    start: int
    length: int
    bytes_a_second: int


def _find_samples(file: BinaryIO) -> Wav:
    """The samples of a WAV file. RIFF: chunks of a name, a length, and so many bytes, filled up to an even number."""
    end = _end_of(file)
    _, riff_length, _ = _unpack(file, "<4sI4s")
    if riff_length < _LONGEST_WAV and 8 + riff_length > end + 1:  # some leave the last byte out that only fills
        raise ValueError("The WAV file is not whole.")
    form = b""
    while True:
        name, length = _unpack(file, "<4sI")
        start = file.tell()
        if name == b"data":
            break
        if name == b"fmt ":
            form = _take(file, min(length, 40))
        file.seek(start + length + length % 2)
    if length == 0 or length >= _LONGEST_WAV:
        length = end - start
    if start + length > end or length == 0 or len(form) < 16:
        raise ValueError("The WAV file is not whole.")
    _, _, _, bytes_a_second = struct.unpack_from("<HHII", form)
    if bytes_a_second == 0:
        raise ValueError("The WAV file has no rate.")
    return Wav(form, start, length, bytes_a_second)


# By the index in an MP3 frame's header: kbit/s of version 1 and of versions 2 and 2.5 (ISO 11172-3 and 13818-3).
_BIT_RATES_1 = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BIT_RATES_2 = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_SAMPLE_RATES_1 = (44_100, 48_000, 32_000)


@dataclass
class Frame:
    """A frame of an MP3 file: where it begins, its bytes, how long it plays, and how many frames it says there are."""

    start: int
    content: bytes
    seconds: float
    is_table: bool  # of contents: it is no sound, but tells players where to jump
    frames_told: int


def _mp3_frames(file: BinaryIO) -> Iterator[Frame]:
    """The frames of an MP3 file. Tags may stand before and between them, and others at the end."""
    end = _mp3_end(file)
    place = frames = frames_told = 0
    while place < end:
        file.seek(place)
        head = _take(file, 4)
        if head.startswith(b"ID3"):
            place += _tag_length(file, place)
            continue
        frame = _read_frame(file, place, head)
        frames_told = max(frames_told, frame.frames_told)
        frames += not frame.is_table
        yield frame
        place += len(frame.content)
    is_whole = place == end and frames + 1 >= frames_told  # some count the table among the frames
    if not is_whole or not frames:
        raise ValueError("The MP3 file is not whole.")


def _mp3_end(file: BinaryIO) -> int:
    """Where the frames of an MP3 file end: after them may come an APE tag, and then an ID3v1 tag of 128 bytes."""
    end = _end_of(file)
    if end > 128:
        file.seek(end - 128)
        if _take(file, 3) == b"TAG":
            end -= 128
    if end > 32:  # APEv2: the last 32 bytes tell the length of all before them, and whether as many begin it
        file.seek(end - 32)
        name, _, length, _, flags = _unpack(file, "<8sIIII")
        has_header = flags >> 31
        if name == b"APETAGEX":
            end -= length + (32 if has_header else 0)
    return end


def _tag_length(file: BinaryIO, place: int) -> int:
    """The length of an ID3v2 tag, 3.1: ten bytes, and as many as they tell, in four times seven bits."""
    file.seek(place)
    _, _, flags, *sevens = _unpack(file, ">3sHBBBBB")
    length = 0
    for seven in sevens:
        length = length << 7 | seven
    has_footer = flags >> 4 & 1
    return 10 + length + (10 if has_footer else 0)


def _read_frame(file: BinaryIO, place: int, head: bytes) -> Frame:
    """The frame of an MP3 file whose header, ISO 11172-3, 2.4.1.3, these four bytes are."""
    bits = int.from_bytes(head)
    sync, version, layer = bits >> 21, bits >> 19 & 3, bits >> 17 & 3
    bit_rate_index, sample_rate_index, padding = bits >> 12 & 15, bits >> 10 & 3, bits >> 9 & 1
    is_sound = sync == 0x7FF and version != 1 and layer == 1  # version 1 and layer 0 are reserved; layer 1 is III
    if not is_sound or bit_rate_index in (0, 15) or sample_rate_index == 3:
        raise ValueError("There is something else between the frames of the MP3 file.")

    is_version_1 = version == 3
    bit_rates = _BIT_RATES_1 if is_version_1 else _BIT_RATES_2
    bit_rate = bit_rates[bit_rate_index - 1] * 1000
    halvings = {3: 0, 2: 1, 0: 2}[version]  # version 2 has half the sample rates of version 1, and 2.5 a quarter
    sample_rate = _SAMPLE_RATES_1[sample_rate_index] >> halvings
    samples = 1152 if is_version_1 else 576

    file.seek(place)
    content = _take(file, samples // 8 * bit_rate // sample_rate + padding)
    told = re.search(rb"(?:Xing|Info)...[\x01\x03\x05\x07\x09\x0b\x0d\x0f](....)", content[:64], re.DOTALL)
    frames_told = int.from_bytes(told[1]) if told else 0
    is_table = re.search(rb"Xing|Info|VBRI", content[:60]) is not None
    return Frame(place, content, samples / sample_rate, is_table, frames_told)


def _check_mp3(file: BinaryIO) -> None:
    """Go through all frames of an MP3 file."""
    for _ in _mp3_frames(file):
        pass


def _check_adts(file: BinaryIO) -> None:
    """Go through all frames of an AAC file. ADTS, ISO 13818-7, 6.2: 56 bits before each tell its length."""
    end = _end_of(file)
    place = 0
    while place < end:
        file.seek(place)
        header = int.from_bytes(_take(file, 7))
        sync, frame_length = header >> 44, header >> 13 & 0x1FFF
        if sync != 0xFFF or frame_length < 7:
            raise ValueError("There is something else between the frames of the AAC file.")
        place += frame_length
    if place != end or end == 0:
        raise ValueError("The AAC file is not whole.")


def _check_ogg(file: BinaryIO) -> None:
    """Go through all pages of an Ogg file. RFC 3533, 6: each tells the lengths of its segments; the last is marked."""
    end = _end_of(file)
    place, flags = 0, 0
    while place < end:
        file.seek(place)
        name, _, flags, _, segments = _unpack(file, "<4sBB20sB")
        if name != b"OggS":
            raise ValueError("There is something else between the pages of the Ogg file.")
        place += 27 + segments + sum(_take(file, segments))
    is_last = flags >> 2 & 1
    if place != end or not is_last:
        raise ValueError("The Ogg file is not whole.")


@dataclass
class StreamInfo:
    """What a FLAC file tells of itself: samples in a block, bytes in its largest frame, and samples in all."""

    block_size: int
    largest_frame: int
    samples: int


def _check_flac(file: BinaryIO) -> None:
    """Look for the last frame of a FLAC file. Frames tell no length, but end with a checksum, RFC 9639, 9."""
    end = _end_of(file)
    info = _read_stream_info(file)
    longest = min(info.largest_frame or 1 << 16, 1 << 17)
    file.seek(max(end - longest, file.tell()))
    tail = file.read(longest)
    # Many places look like the start of a frame, but few like that of the last one.
    starts = [found.start() for found in re.finditer(rb"\xff[\xf8\xf9]", tail)]
    last = [start for start in starts if _may_be_last(tail[start : start + 16], info)]
    if not any(_crc_16(tail[start:]) == 0 for start in last[-8:]):
        raise ValueError("The FLAC file is not whole.")


def _may_be_last(header: bytes, info: StreamInfo) -> bool:
    """Whether a FLAC frame goes up to the last sample. A stream does not know how many there will be: it tells 0."""
    samples = _samples_until(header, info)
    return samples > 0 and info.samples in (samples, 0)


def _read_stream_info(file: BinaryIO) -> StreamInfo:
    """Read the metadata of a FLAC file, RFC 9639, 8: blocks of a type and a length, the first being STREAMINFO."""
    _take(file, 4)
    is_last, info = 0, b""
    while not is_last:
        (header,) = _unpack(file, ">I")
        is_last, length = header >> 31, header & 0xFF_FFFF
        content_start = file.tell()
        info = info or _take(file, 34)
        file.seek(content_start + length)
    _, block_size, _, frame_high, frame_low, packed = struct.unpack_from(">HH3sBHQ", info)
    return StreamInfo(block_size, frame_high << 16 | frame_low, packed & 0xF_FFFF_FFFF)


# By the index in a FLAC frame's header, RFC 9639, 9.1.1: samples in a block; 6 and 7 tell of a number further on.
_BLOCK_SIZES = {
    1: 192,
    **{index: 144 << index for index in range(2, 6)},
    **{8 + more: 256 << more for more in range(8)},
}


def _samples_until(header: bytes, info: StreamInfo) -> int:
    """Up to which sample a FLAC frame goes. Its header has a number in the manner of UTF-8, RFC 9639, 9.1.5."""
    header = header.ljust(16, b"\0")  # the last frame may be shorter
    _, blocking, indices, _, first = struct.unpack_from(">BBBBB", header)
    leading_ones = 8 - (first ^ 0xFF).bit_length()
    more = max(leading_ones - 1, 0)
    number = first & (0x7F >> more)
    for byte in header[5 : 5 + more]:
        number = number << 6 | byte & 0x3F

    size_index = indices >> 4
    block_size = _BLOCK_SIZES.get(size_index, 0)
    if size_index in (6, 7):  # it stands behind the number, less 1, in one byte or two
        size_start = 5 + more
        block_size = int.from_bytes(header[size_start : size_start + size_index - 5]) + 1
    if blocking == 0xF8:  # all blocks but the last are of one size, and the number counts them
        number *= info.block_size
    return int(number + block_size)


def _crc_16(data: bytes) -> int:
    """The checksum of a FLAC frame, RFC 9639, 9.3: x^16 + x^15 + x^2 + 1; of one with its checksum, it is 0."""
    remainder = 0
    for byte in data:
        remainder ^= byte << 8
        for _ in range(8):
            remainder <<= 1
            if remainder >> 16:
                remainder ^= 0x1_8005
    return remainder


# --- films ---


@dataclass(frozen=True)
class Box:
    """A part of an MP4 file: its type, and from where to where its content goes."""

    kind: bytes
    start: int
    end: int


def _boxes(file: BinaryIO, place: int, end: int) -> Iterator[Box]:
    """The boxes of an MP4 or MOV file, between two places. ISO 14496-12, 4.2: each has a length and a type."""
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
    place, found = 0, set[bytes]()
    for box in _boxes(file, 0, end):
        found.add(box.kind)
        place = box.end
    # The picture and sound are in mdat, and moov tells what is where in it.
    if place != end or not {b"moov", b"mdat"} <= found:
        raise ValueError("The film is not whole.")


# The header of a film, ISO 14496-12, 8.2.2: version and flags, two moments, units a second, and its length in units.
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
    """Go through all elements of a WebM file. EBML, RFC 8794: each has an id and a length, which streams leave open."""
    end = _end_of(file)
    found = set[int]()
    while file.tell() < end:
        kind, _ = _read_vint(file, marked=True)
        length, is_open = _read_vint(file, marked=False)
        content_end = file.tell() + length
        found.add(kind)
        if not is_open and content_end > end:
            raise ValueError("The film is not whole.")
        if not is_open and kind != _SEGMENT:
            file.seek(content_end)
    if _CLUSTER not in found:
        raise ValueError("The film has no picture.")


def _read_vint(file: BinaryIO, *, marked: bool) -> tuple[int, bool]:
    """The next number of EBML, RFC 8794, 4: its first bit that is set marks its length. Whether all others are set."""
    (first,) = _take(file, 1)
    more = 8 - first.bit_length()
    if more > 7:
        raise ValueError("There is something else between the elements of the film.")
    number = int.from_bytes(bytes([first]) + _take(file, more))
    marker = 1 << 7 * (more + 1)
    value = number - marker
    return number if marked else value, value == marker - 1


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
