"""The request log: one JSON line for each request, whole enough to check what was sent."""

import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any

from sanctum_venice_tools.emulator.uploads import Upload

LONGEST = 200_000

_DATA_URL = re.compile(r"(data:[\w/+.-]+;base64,)[A-Za-z0-9+/=_\s-]{200,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/=_-]{1000,}")


def abbreviate(value: Any) -> Any:
    """A body with its base64 told by length only; every other text up to 200 kB stays whole."""
    if isinstance(value, dict):
        return {name: abbreviate(part) for name, part in value.items()}
    if isinstance(value, list):
        return [abbreviate(part) for part in value]
    if not isinstance(value, str):
        return value
    if isinstance(value, Upload):
        return f"(file {value}, {len(value.content)} bytes)"
    if url := _DATA_URL.fullmatch(value):
        return f"{url[1]}({len(value)} characters)"
    if _BASE64.fullmatch(value):
        return f"(base64, {len(value)} characters)"
    return value if len(value) <= LONGEST else f"{value[:LONGEST]}... ({len(value)} characters)"


class Log:
    """A file of requests; without a path, nothing is kept."""

    def __init__(self, path: Path | None, secrets: Collection[str]) -> None:
        self.secrets = secrets
        # Without a buffer each line is one write, so that nobody who reads the file sees half a
        # line.
        self.file: IO[bytes] | None = path.open("ab", buffering=0) if path else None

    def write(self, entry: dict[str, Any]) -> None:
        """Add one request, and see to it that no line holds a key."""
        if self.file:
            line = json.dumps(entry | {"body": abbreviate(entry["body"])}, ensure_ascii=False)
            for secret in self.secrets:
                line = line.replace(json.dumps(secret, ensure_ascii=False)[1:-1], "[key]")
            self.file.write(line.encode() + b"\n")
