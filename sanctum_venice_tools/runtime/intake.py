"""Media that a caller hands in: a public URL, a data URL, or the name of a file in the media store."""

import base64
import difflib
import ipaddress
import re
import socket
import time
from pathlib import Path

import httpx

from sanctum_venice_tools.runtime.media import _media_folder, _picture_size
from sanctum_venice_tools.runtime.venice import _DEADLINE, VeniceError


def _check_picture(reference: str, content: bytes, *, least: int, most: int) -> tuple[str, int, int]:
    """A picture in base64, its width and its height, if it has so many pixels."""
    try:
        _, width, height = _picture_size(content)
    except ValueError:
        raise VeniceError(f"{reference[:60]!r} is no whole PNG, JPEG or WebP picture. Give another.") from None
    if not least <= width * height <= most:
        size = f"{width}x{height} = {width * height:,} pixels"
        raise VeniceError(f"{reference[:60]!r} has {size}; {least:,} to {most:,} are allowed. Give another.")
    return base64.b64encode(content).decode(), width, height


def _read_media(reference: str, *, most_mb: int) -> bytes:
    """The content behind a URL, a data URL or a stored file's name, of at most so many megabytes."""
    if re.match(r"(?i)https?://", reference):
        return _fetch(reference, most_mb)
    return _read_local(reference, most_mb=most_mb)


def _read_local(reference: str, *, most_mb: int) -> bytes:
    """The content of a data URL or a stored file, of at most so many megabytes."""
    try:
        if reference[:5].lower() == "data:":
            content = base64.b64decode(reference.partition(",")[2], validate=True)
        else:
            with _stored_file(reference).open("rb") as file:
                content = file.read((most_mb << 20) + 1)
    except (OSError, ValueError):
        raise VeniceError(f"{reference[:60]!r} cannot be read, or is not valid base64. Give another.") from None
    if not 0 < len(content) <= most_mb << 20:
        raise VeniceError(f"{reference[:60]!r} is empty, or has more than {most_mb} MB. Give another.")
    return content


def _stored_file(name: str) -> Path:
    """A file of the media store by its name or path; nothing outside of it is ever opened, and nothing hidden."""
    folder = _media_folder().resolve()
    try:
        path = (folder / name).resolve()
        inside = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith(".") for part in inside):
            return path
    except (OSError, ValueError, RuntimeError):  # outside, too long, a null character, a circle of links
        pass
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith("."))
    near = difflib.get_close_matches(Path(name).name[:200], names, n=3, cutoff=0.5)
    raise VeniceError(f"No stored file is called {name[:80]!r}. Near it: {', '.join(near) or 'none'}. URLs work too.")


def _fetch(url: str, most_mb: int) -> bytes:
    """What lies at a public URL. Private networks are never asked: the address that was checked is the one called."""
    try:
        for _ in range(4):  # three redirects at most, each checked anew
            target = httpx.URL(url)
            pinned = target.copy_with(host=_public_address(target.host))
            headers, names = {"Host": target.netloc.decode()}, {"sni_hostname": target.host}
            # No proxy of the environment: it would look the name up itself.
            client = httpx.Client(timeout=20, trust_env=False)
            with client, client.stream("GET", pinned, headers=headers, extensions=names) as reply:
                if reply.has_redirect_location:
                    url = str(target.join(reply.headers["location"]))
                    continue
                if not reply.is_success:
                    raise VeniceError(f"{url[:80]!r} answered {reply.status_code}. Check the URL.")
                content = bytearray()
                for chunk in reply.iter_bytes():
                    content += chunk
                    if time.monotonic() > _DEADLINE - 30:
                        raise VeniceError(f"{url[:80]!r} took too long. Try again, or give another.")
                    if len(content) > most_mb << 20:
                        raise VeniceError(f"{url[:80]!r} has more than {most_mb} MB. Give another.")
                return bytes(content)
    except (httpx.HTTPError, httpx.InvalidURL, OverflowError):
        raise VeniceError(f"{url[:80]!r} could not be fetched. Check the URL, or try again.") from None
    raise VeniceError(f"{url[:80]!r} redirects too often. Give the final URL.")


def _public_address(host: str) -> str:
    """An address of the host that anybody on the internet could call."""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)}
    except (OSError, ValueError):
        raise VeniceError(f"There is no host {host[:80]!r}. Check the URL.") from None
    for address in sorted(found, key=len):
        ip = ipaddress.ip_address(address)
        # Version 6 has ways to wrap a private version 4 address; only its plain range is taken.
        wrapped = isinstance(ip, ipaddress.IPv6Address) and (int(ip) >> 125 != 1 or ip.sixtofour or ip.teredo)
        if ip.is_global and not ip.is_multicast and not wrapped:
            return address
    raise VeniceError(f"{host[:80]!r} is in a private network; only public URLs are fetched.")
