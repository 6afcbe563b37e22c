"""What is examined, and what the checks so far have found out about it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from letta_client import Letta

from sanctum_venice_tools.letta.doctor.outcome import Skip
from sanctum_venice_tools.letta.registration import Change
from sanctum_venice_tools.letta.venice import KeyVerdict, Venice

# The settings that name a model: of which type, and what it must be able to do.
MODEL_SETTINGS = {
    "VENICE_CHAT_MODEL": ("text", "supportsWebSearch"),
    "VENICE_VISION_MODEL": ("text", "supportsVision"),
    "VENICE_VIDEO_INPUT_MODEL": ("text", "supportsVideoInput"),
    "VENICE_IMAGE_MODEL": ("image", ""),
    "VENICE_EDIT_MODEL": ("inpaint", ""),
    "VENICE_SPEECH_MODEL": ("tts", ""),
    "VENICE_TRANSCRIPTION_MODEL": ("asr", ""),
    "VENICE_EMBEDDING_MODEL": ("embedding", ""),
    "VENICE_DECISION_MODEL": ("decision", ""),
    "VENICE_TEXT_TO_VIDEO_MODEL": ("video", ""),
    "VENICE_IMAGE_TO_VIDEO_MODEL": ("video", ""),
    "VENICE_VIDEO_TO_VIDEO_MODEL": ("video", ""),
    "VENICE_REFERENCE_TO_VIDEO_MODEL": ("video", ""),
    "VENICE_UPSCALE_TO_VIDEO_MODEL": ("video", ""),
    "VENICE_MUSIC_MODEL": ("music", ""),
    "VENICE_EFFECT_MODEL": ("music", ""),
    "VENICE_SPEECH_JOB_MODEL": ("music", ""),
}

# All that an operator can set for the tools.
KNOWN_SETTINGS = (
    "VENICE_API_KEY",
    "VENICE_BASE_URL",
    "VENICE_MEDIA",
    "VENICE_MEDIA_TOKEN",
    "VENICE_MEDIA_DIR",
    "VENICE_TOOL_SECONDS",
    "VENICE_MAX_USD",
    *MODEL_SETTINGS,
)


@dataclass
class Patient:
    """An operator's settings, Venice and a Letta server."""

    settings: Mapping[str, str] = field(repr=False)
    letta_url: str = ""
    letta_key: str = field(default="", repr=False)
    admin_key: str = field(default="", repr=False)
    """A key of Venice's that may look at the others; never given to a tool."""
    provider_name: str = "venice"
    venice: Venice | None = field(default=None, init=False)
    verdict: KeyVerdict | None = field(default=None, init=False)
    letta: Letta | None = field(default=None, init=False)
    stored: dict[str, Change] = field(default_factory=dict, init=False)
    """The tools of the pack that the Letta server has, by name."""

    @classmethod
    def of_environment(cls, letta_url: str, provider_name: str) -> "Patient":
        """The one that the environment of this process describes."""
        given = {name: os.environ.get(name, "").strip() for name in KNOWN_SETTINGS}
        settings = {name: value for name, value in given.items() if value}
        return cls(
            settings,
            letta_url,
            letta_key=os.environ.get("LETTA_API_KEY", "").strip(),
            admin_key=os.environ.get("VENICE_ADMIN_KEY", "").strip(),
            provider_name=provider_name,
        )

    def need_venice(self) -> Venice:
        """The Venice that answers."""
        if self.venice is None:
            raise Skip("Venice does not answer")
        return self.venice

    def need_key(self) -> str:
        """The key, unless it is known to be wrong."""
        if self.verdict is None or self.verdict.state == "wrong":
            raise Skip("there is no good key")
        return self.settings["VENICE_API_KEY"]

    def need_letta(self) -> Letta:
        """The Letta server that answers."""
        if self.letta is None:
            raise Skip("no Letta server answers")
        return self.letta

    @property
    def secrets(self) -> Mapping[str, str]:
        """What no finding may show, by name."""
        names = ("VENICE_API_KEY", "VENICE_MEDIA_TOKEN")
        own = {name: self.settings.get(name, "") for name in names}
        return own | {"LETTA_API_KEY": self.letta_key, "VENICE_ADMIN_KEY": self.admin_key}

    def hide(self, text: str) -> str:
        """A text on one line, without any key."""
        for secret in self.secrets.values():
            text = text.replace(secret, "[key]") if secret else text
        return " ".join(text.split())
