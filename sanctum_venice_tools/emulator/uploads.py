"""What callers send in as files: the parts of a form, data URLs, bare base64 and addresses."""

import base64
import binascii
import io
import ipaddress
import re
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlsplit

from PIL import Image
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from sanctum_venice_tools.emulator import pictures
from sanctum_venice_tools.emulator.errors import custom
from sanctum_venice_tools.emulator.facts import Schema

MEGABYTE = 2**20
# How a picture of a telephone's camera begins.
HEIC = re.compile(rb"....ftyp(hei[cmsx]|hev[cmsx]|mif1|msf1)", re.DOTALL)
LARGEST_FILE = 25 * MEGABYTE
DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w=.+-]+)*;base64,(.*)", re.DOTALL)


class Upload(str):
    """A file of a form. To a schema it is a string: its name."""

    __slots__ = ("content", "content_type")

    content: bytes
    content_type: str


async def parse_form(raw: bytes, headers: Headers, schema: Schema) -> dict[str, Any]:
    """A multipart body as the object that its schema describes; ValueError when it is no form."""

    async def stream() -> AsyncGenerator[bytes, None]:
        yield raw

    try:
        form = await MultiPartParser(headers, stream(), max_part_size=2 * LARGEST_FILE).parse()
    except (MultiPartException, KeyError) as error:
        raise ValueError(str(error)) from None
    kinds = schema.properties()
    body: dict[str, Any] = {}
    for name in dict.fromkeys(form.keys()):
        parts = [await _part(part, kinds.get(name, {})) for part in form.getlist(name)]
        body[name] = parts if kinds.get(name, {}).get("type") == "array" else parts[-1]
    await form.close()
    return body


async def _part(part: UploadFile | str, schema: dict[str, Any]) -> Any:
    """One field of a form, as the type that its schema names.

    What cannot be one stays text and fails the check.
    """
    if isinstance(part, UploadFile):
        upload = Upload(part.filename or "")
        upload.content = await part.read()
        upload.content_type = part.content_type or ""
        return upload
    kinds = schema.get("type", "string")
    if "boolean" in kinds:
        return {"true": True, "false": False}.get(part, part)
    if "number" in kinds or "integer" in kinds:
        return float(part) if re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", part) else part
    return part


def read_file(field: str, value: str) -> bytes:
    """The bytes of a file that was uploaded, or sent as base64 or as a data URL."""
    if isinstance(value, Upload):
        content = value.content
    else:
        url = DATA_URL.fullmatch(value)
        try:
            content = base64.b64decode("".join((url[2] if url else value).split()), validate=True)
        except (binascii.Error, ValueError):
            raise custom(field, "Invalid base64 data") from None
    if not content:
        raise custom(field, "The file is empty")
    return content


def check_address(field: str, value: str) -> None:
    """Refuse an address that the real Venice could not fetch."""
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
    except ValueError:
        raise custom(field, "Invalid url") from None
    try:
        private = not ipaddress.ip_address(host).is_global
    except ValueError:
        private = "." not in host or host.endswith((".local", ".internal", ".localhost"))
    if parts.scheme not in {"http", "https"} or private:
        raise custom(field, f"The file could not be fetched from {parts.scheme}://{host}")


def read_picture(
    field: str, value: str, *, allow_url: bool, smallest: int = 0, largest: int = 0
) -> Image.Image:
    """A picture that was sent in, checked for size.

    An address is not fetched, and HEIC can't be opened here: a picture that shows the one or names
    the other stands for what it holds.
    """
    if not isinstance(value, Upload) and re.match(r"[a-z]+://", value):
        if not allow_url:
            raise custom(field, "Invalid base64 data")
        check_address(field, value)
        return pictures.draw(value, (1024, 768), "address")
    content = read_file(field, value)
    if len(content) > LARGEST_FILE:
        raise custom(field, "The image exceeds the maximum allowed size of 25 MB.")
    if HEIC.match(content):
        return pictures.draw("HEIC", (1024, 768), "file")
    try:
        with Image.open(io.BytesIO(content)) as picture:
            pixels = picture.width * picture.height
            if pixels < smallest:
                raise custom(
                    field, f"The image has {pixels} pixels; at least {smallest} are needed."
                )
            if largest and pixels > largest:
                raise custom(
                    field, f"The image has {pixels} pixels; at most {largest} are allowed."
                )
            return picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    except (
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ):
        raise custom(field, "The image is corrupted or of an unknown format") from None
