"""What the tests of tools that make API keys share: a key that no one may see, and all that an error tells."""

import shutil
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from sanctum_venice_tools.emulator.facts import operations

SECRET = "VENICE_INFERENCE_KEY_pQ7-nobody_may-see_this-4w2V2jNW"
ID = "e28e82dc-9df2-4b47-b726-d0a222ef2ab5"


def new_key(path: str, **more: Any) -> dict[str, Any]:
    """The reply of one of Venice's paths with a key that it has just made, as its document has it."""
    reply = {
        "success": True,
        "data": {
            "apiKey": SECRET,
            "apiKeyType": "INFERENCE",
            "consumptionLimit": {"usd": 5, "diem": 5, "vcu": None},
            "expiresAt": "2099-12-31T00:00:00.000Z",
            "id": ID,
            "limitPeriod": "LIFETIME",
            "modelPrivacy": "ALL",
            **more,
        },
    }
    assert [] == operations()[path, "post"].responses["200"]["application/json"].issues(reply)
    return reply


def lose_folder(media: Path, path: str) -> Callable[[httpx.Request], httpx.Response]:
    """Venice makes a key at one of its paths; meanwhile somebody deletes the private folder."""

    def answer(_: httpx.Request) -> httpx.Response:
        shutil.rmtree(media / ".private")
        return httpx.Response(200, json=new_key(path))

    return answer


def whole_error(call: Callable[..., Any], **arguments: Any) -> str:
    """All that an error tells, with the traceback that Letta reads."""
    with pytest.raises(Exception) as failure:  # noqa: PT011 - the type is the emitted text's own
        call(**arguments)
    return "".join(traceback.format_exception(failure.value))
